import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { planAndApply } from '../rig.ts'
import { member, story, violationsOf } from './world.ts'

const past = { clock: '2026-09-20T09:15:00Z', now: '2026-10-05T12:00:00Z' }

async function price(client: Stripe, currency: string): Promise<string> {
  const { id: product } = await client.products.create({ name: 'Membership' })
  const recurring = { interval: 'month' } as const
  return (await client.prices.create({ product, currency, unit_amount: 4_500, recurring })).id
}

test('an amount off in another currency has no effect, is not a term of the subscriber, and blocks no move', async () => {
  await using world = await story(past, async ({ us }) => {
    const dollars = (await us.coupons.create({ amount_off: 500, currency: 'usd', duration: 'forever' })).id
    const euro = await price(us, 'eur')
    const both = { eur: { amount_off: 400 } }
    const either = await us.coupons.create({
      amount_off: 500,
      currency: 'usd',
      duration: 'forever',
      currency_options: both,
    })
    for (const coupon of [dollars, either.id])
      await us.subscriptions.create({ customer: await member(us), items: [{ price: euro }], discounts: [{ coupon }] })
  })
  const wave = world.files.get('subscribers/us/wave-01.yaml') ?? ''
  expect(wave.match(/discounts:/g)).toHaveLength(1)
  const { plan, result } = await planAndApply(world.stage('target'))
  expect([plan.blocked, result.ok]).toEqual([[], true])
  expect(await violationsOf(world.stage('target'))).toEqual([])
  await world.advance('2027-02-01T00:00:00Z')
  expect(world.differences()).toEqual([])
  expect(new Set(world.charges().map(({ amount }) => amount))).toEqual(new Set([4_100, 4_500]))
})

test('an object that the target will bill in another currency locks the customer’s currency', async () => {
  let customer = ''
  await using world = await story(past, async ({ us }) => {
    customer = await member(us)
    await us.subscriptions.create({ customer, items: [{ price: await price(us, 'usd') }] })
  })
  const [item, start] = [await price(world.target, 'eur'), world.rig.sandbox.clock() + 10 * 86_400]
  const schedule = await world.target.subscriptionSchedules.create({
    customer,
    start_date: start,
    phases: [{ items: [{ price: item }], duration: { interval: 'month', interval_count: 1 } }],
  })
  expect((await planAndApply(world.stage('target'))).plan.blocked).toMatchObject([{ code: 'currency_conflict' }])
  await world.target.subscriptionSchedules.cancel(schedule.id)
  // Stripe reports what no list shows (quotes, Checkout sessions) before anything is changed.
  const context = world.stage('target')
  const { target } = context.accounts
  const held =
    'You cannot combine currencies on a single customer. This customer has an active quote with currency eur.'
  const result = await planAndApply({
    ...context,
    accounts: {
      ...context.accounts,
      target: {
        ...target,
        send: async (request) =>
          request.path.endsWith('/create_preview')
            ? { ok: false, failure: { kind: 'rejected', code: 'invalid_request_error', message: held, status: 400 } }
            : target.send(request),
      },
    },
  })
  expect(result.result.changes.at(-1)).toMatchObject({ outcome: 'skipped', code: 'currency_conflict', message: held })
  expect(world.rig.sent.filter((one) => one.startsWith('us '))).toEqual([])
})
