import { expect, test } from 'vitest'
import { apply } from '../../src/engine/apply/apply.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { members } from './members.ts'
import { dieAt, elsewhere, planAndApply } from './rig.ts'

test('a settle that stood still while another run reverted the member leaves the subscriber to that revert', async () => {
  await using school = await members([{ since: '2026-09-20T09:15:00Z' }], '2026-10-05T12:00:00Z')
  await planAndApply(school.stage('target'))
  await school.advance('2026-10-25T00:00:00Z')
  const settled = school.stage('settled')
  const plan = await makePlan(settled)
  // It dies before the old subscription is cancelled, and its store keeps the begun settle.
  expect(await dieAt(settled, { request: 0, side: 'before' }, (living) => apply(living, plan))).toBe(true)
  const other = await elsewhere(school.stage('source'))
  // It has said that it reverts, and cancelled the new subscription. The hold is still there.
  expect(await dieAt(other, { request: 1, side: 'after' }, planAndApply)).toBe(true)
  const { result } = await planAndApply(school.stage('source'))
  expect(result).toMatchObject({ ok: true, remaining: [] })
  const old = await school.us.subscriptions.retrieve(school.subscriptions[0] ?? '')
  expect(old).toMatchObject({ status: 'active', pause_collection: null })
  expect(await verify(school.stage('source'))).toMatchObject({ violations: [] })
  await school.advance('2026-11-25T00:00:00Z')
  expect(await school.charges()).toEqual([
    [expect.stringContaining('us'), expect.stringContaining('target'), expect.stringContaining('us')],
  ])
})
