import { expect, test } from 'vitest'
import { inTurn } from '../../src/engine/in-turn.ts'

test('customers of all sources begin at once, in the order of the plan within each source', () => {
  const plan = ['intl/1', 'intl/2', 'intl/3', 'intl/4', 'us/1', 'us/2']
  expect(inTurn(plan, (one) => one.split('/')[0])).toEqual(['intl/1', 'us/1', 'intl/2', 'us/2', 'intl/3', 'intl/4'])
  expect(inTurn([], String)).toEqual([])
})
