import { expect, test } from 'vitest'
import { present } from '../../src/core/assert.ts'
import { members } from './members.ts'
import { planAndApply } from './rig.ts'

const now = '2026-10-05T12:00:00Z'

test.each([
  ['a job without its expectations', { phase: 'proving', successor: 'sub_x', job: { key: 'k', plan: 'p' } }, '/'],
  ['a phase without what it needs', { phase: 'proving', successor: null }, '/successor must be string'],
  ['a phase of another version', { phase: 'dancing' }, '/phase has a value that this version does not know'],
])('a record of the store with %s stops that subscriber alone', async (_name, damage, place) => {
  await using school = await members([{ since: '2026-09-20T09:15:00Z' }, { since: '2026-09-21T09:15:00Z' }], now)
  await planAndApply(school.stage('source'))
  await school.advance(now)
  const context = school.stage('target')
  const [first, second] = school.keys.map((key) => present(key, 'key'))
  const key = present(first, 'first')
  const updated = context.accounts.target.now()
  await context.store.putSubscribers([{ key, phase: 'proving', facts: { job: {}, ...damage }, updated }])
  const { result } = await planAndApply(context)
  const held = { address: `subscriber.${key}`, outcome: 'held', code: 'store_damaged' }
  expect(result).toMatchObject({ ok: false, recovered: [held] })
  expect(result.changes).toEqual(
    expect.arrayContaining([
      expect.objectContaining(held),
      expect.objectContaining({ address: `subscriber.${second}`, outcome: 'done' }),
    ]),
  )
  expect(JSON.stringify(result)).toContain(place)
})
