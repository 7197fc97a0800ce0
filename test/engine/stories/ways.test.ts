import { expect, test } from 'vitest'
import { present } from '../../../src/core/assert.ts'
import { makePlan } from '../../../src/engine/plan/make-plan.ts'
import { verify } from '../../../src/engine/verify/verify.ts'
import { planAndApply } from '../rig.ts'
import { member, prices, story } from './world.ts'

const clock = { clock: '2026-01-15T08:00:00Z', now: '2026-02-20T00:00:00Z' }

test('pull writes the prices of later phases, although nothing sells them and no subscription has them yet', async () => {
  await using world = await story({ ...clock, policies: 'policies: { schedules: carry }\n' }, async ({ us }) => {
    const { monthly } = await prices(us)
    const customer = await member(us)
    const { id } = await us.subscriptions.create({ customer, items: [{ price: monthly }] })
    const product = (await us.prices.retrieve(monthly)).product as string
    const later = await us.prices.create({
      product,
      currency: 'usd',
      unit_amount: 7700,
      recurring: { interval: 'month' },
    })
    const schedule = await us.subscriptionSchedules.create({ from_subscription: id })
    const begun = present(schedule.phases[0], 'phase')
    const april = Date.parse('2026-04-15T08:00:00Z') / 1_000
    await us.subscriptionSchedules.update(schedule.id, {
      end_behavior: 'release',
      phases: [
        { items: [{ price: monthly }], start_date: begun.start_date, end_date: april },
        { items: [{ price: later.id }], start_date: april, end_date: april + 61 * 86_400 },
      ],
    })
  })
  expect(world.files.get('prices.yaml')).toContain('7700')
  const { result } = await planAndApply(world.stage('target'))
  expect(result.changes.filter(({ outcome }) => outcome !== 'done')).toEqual([])
  await world.advance('2026-08-20T00:00:00Z')
  expect(world.differences()).toEqual([])
  expect(world.charges().map(({ amount }) => amount)).toContain(7700)
})

test('who is left by a policy counts as excluded, and verify has nothing to say', async () => {
  const policies = "policies: { leave: { metered_price: 'billed by usage until summer' } }\n"
  await using world = await story({ ...clock, policies }, async ({ us }) => {
    const product = (await us.products.create({ name: 'Storage' })).id
    const meter = await us.billing.meters.create({
      display_name: 'Storage',
      event_name: 'storage',
      default_aggregation: { formula: 'sum' },
    })
    const { id: price } = await us.prices.create({
      product,
      currency: 'usd',
      unit_amount: 5,
      recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
    })
    await us.subscriptions.create({ customer: await member(us), items: [{ price }] })
  })
  const plan = await makePlan(world.stage('target'))
  expect(plan.people).toEqual({ excluded: 1 })
  expect(plan.blocked).toEqual([])
  expect((await verify(world.stage('target'))).violations).toEqual([])
})
