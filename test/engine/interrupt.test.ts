import { expect, test } from 'vitest'
import { apply } from '../../src/engine/apply/apply.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import type { StripeAccount } from '../../src/engine/ports.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { members, payersPerPeriod } from './members.ts'
import { planAndApply } from './rig.ts'

const now = '2026-10-05T12:00:00Z'
const many = Array.from({ length: 6 }, () => ({ since: '2026-09-20T09:15:00Z', customerOf: 0 })).map((one, index) =>
  index === 0 ? { since: one.since } : one,
)

test('Ctrl-C ends after the current subscriber; the same plan continues where it stopped', async () => {
  await using school = await members(many, now)
  await planAndApply(school.stage('source'))
  const context = school.stage('target')
  const plan = await makePlan(context)
  const interrupt = { requested: false }
  // The user stops while the second one is created. All six belong to one customer, so they are
  // handed over in sequence.
  let creations = 0
  const stopping: StripeAccount = {
    ...context.accounts.target,
    send(request) {
      if (request.path === '/v1/subscriptions' && ++creations === 2) interrupt.requested = true
      return context.accounts.target.send(request)
    },
  }
  const stopped = await apply({ ...context, interrupt, accounts: { ...context.accounts, target: stopping } }, plan)
  expect(stopped).toMatchObject({ ok: false, interrupted: true })
  expect(stopped.changes.map(({ outcome }) => outcome)).toEqual([
    'done',
    'done',
    'not_started',
    'not_started',
    'not_started',
    'not_started',
  ])
  expect(await verify(context)).toMatchObject({ violations: [] })
  const again = await apply(context, plan)
  expect(again).toMatchObject({ ok: true, interrupted: false, remaining: [] })
  expect(again.changes).toHaveLength(6)
  expect(await payersPerPeriod(school)).toBe(1)
})

test('subscribers of one customer are handed over one after another', async () => {
  await using school = await members(many, now)
  await planAndApply(school.stage('target'))
  const created = school.rig.sent.filter((one) => one.startsWith('us POST /v1/subscriptions/'))
  // Hold and keep of one subscription follow each other: no other subscription of this customer is
  // between them.
  for (let at = 0; at < created.length; at += 2) expect(created[at]).toBe(created[at + 1])
  expect(created).toHaveLength(12)
})

test('two runs of one plan at the same time: the second waits for the lease, then finds nothing to do', async () => {
  await using school = await members(many.slice(0, 2), now)
  const context = school.stage('target')
  const plan = await makePlan(context)
  const [first, second] = await Promise.allSettled([apply(context, plan), apply({ ...context, run: 'other' }, plan)])
  for (const one of [first, second]) expect(one).toMatchObject({ status: 'fulfilled', value: { ok: true } })
  expect(school.rig.sent.filter((one) => one === 'target POST /v1/subscriptions')).toHaveLength(2)
  expect(await verify(context)).toMatchObject({ violations: [] })
})
