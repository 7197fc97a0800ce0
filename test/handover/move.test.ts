import { expect, test } from 'vitest'
import { present } from '../../src/core/assert.ts'
import { drive } from './drive.ts'
import { memberOf, stageAt, subscribe } from './stage.ts'

test('a healthy monthly subscriber is moved, billed once by the target, settled', async () => {
  const stage = await stageAt('2026-01-31T09:15:00Z')
  const member = await memberOf(stage)
  const id = await subscribe(stage, member, { metadata: { plan: 'gold' } })
  await stage.advance('2026-04-10T00:00:00Z')
  await stage.copy()
  const [found] = await stage.classify('target')
  if (found?.outcome !== 'move') throw new Error('not movable')
  const { state, trail } = await drive(stage, found.plan)
  console.log(trail, state)
  expect(state.phase).toBe('moved')
  const [after] = await stage.classify('target')
  expect(after).toMatchObject({ outcome: 'unchanged', standing: 'target' })
  await stage.advance('2026-06-02T00:00:00Z')
  console.log(await stage.charges())
  const [settled] = await stage.classify('settled')
  console.log(settled)
  if (settled?.outcome !== 'settle') throw new Error('not settle')
  const end = await drive(stage, settled.plan)
  console.log(end.trail, end.state)
  expect(present(id, 'id')).toBeTruthy()
})
