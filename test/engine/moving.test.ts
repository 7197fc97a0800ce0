import { expect, test } from 'vitest'
import { makePlan } from '../../src/engine/make-plan.ts'
import { verify } from '../../src/engine/verify.ts'
import { members } from './members.ts'
import { planAndApply } from './rig.ts'

const three = [
  { since: '2026-08-15T09:15:00Z' },
  { since: '2026-08-31T10:00:00Z', coupon: 'welcome' },
  { since: '2026-09-20T11:30:00Z', price: 'yearly' },
] as const

test('one payer, same bill: a wave is moved, verify holds, a second plan is empty, and every renewal is charged once by the target', async () => {
  await using school = await members(three, '2026-10-05T12:00:00Z')
  const { plan, result } = await planAndApply(school.stage('target'))
  expect(plan.blocked).toEqual([])
  expect(plan.deferred).toEqual([])
  expect(plan.summary).toMatchObject({ move: 3 })
  expect(result.changes.filter((one) => one.outcome !== 'done')).toEqual([])
  expect(result).toMatchObject({ ok: true, remaining: [] })
  const context = school.stage('target')
  expect((await makePlan(context)).changes).toEqual([])
  expect(await verify(context)).toMatchObject({ ok: true, violations: [] })
  await school.advance('2027-02-01T00:00:00Z')
  expect(await school.charges()).toEqual([])
})
