import Stripe from 'stripe'
import { expect, test } from 'vitest'
import { createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'

const at = (iso: string): number => Date.parse(iso) / 1_000

function clientOf(sandbox: Sandbox): Stripe {
  return new Stripe('sk_test_sandbox_us', {
    httpClient: Stripe.createFetchHttpClient(sandbox.fetch),
    maxNetworkRetries: 0,
  })
}

async function member(stripe: Stripe, clock: string, price: string): Promise<string> {
  const customer = await stripe.customers.create({
    payment_method: 'pm_card_visa',
    invoice_settings: { default_payment_method: 'pm_card_visa' },
    test_clock: clock,
  })
  return (await stripe.subscriptions.create({ customer: customer.id, items: [{ price }] })).id
}

async function monthly(stripe: Stripe): Promise<string> {
  const product = await stripe.products.create({ name: 'Membership' })
  const about = { product: product.id, currency: 'usd', unit_amount: 4_900, recurring: { interval: 'month' as const } }
  return (await stripe.prices.create(about)).id
}

const days = async (stripe: Stripe, subscription: string): Promise<string[]> => {
  const { data } = await stripe.invoices.list({ subscription })
  return data.map(({ created }) => new Date(created * 1_000).toISOString().slice(0, 10)).toReversed()
}

test('two test clocks run side by side, and the world keeps its own time', async () => {
  const sandbox = createSandbox()
  const stripe = clientOf(sandbox)
  const price = await monthly(stripe)
  const { testClocks } = stripe.testHelpers
  const [one, two] = [
    await testClocks.create({ frozen_time: at('2027-01-31T10:00:00Z'), name: 'one' }),
    await testClocks.create({ frozen_time: at('2026-06-15T10:00:00Z') }),
  ]
  const [january, june] = [await member(stripe, one.id, price), await member(stripe, two.id, price)]
  const moving = await testClocks.advance(one.id, { frozen_time: at('2027-03-31T12:00:00Z') })
  expect([moving.status, (await testClocks.retrieve(one.id)).status]).toEqual(['advancing', 'ready'])
  await testClocks.advance(two.id, { frozen_time: at('2026-07-16T00:00:00Z') })
  expect(await days(stripe, january)).toEqual(['2027-01-31', '2027-02-28', '2027-03-31'])
  expect(await days(stripe, june)).toEqual(['2026-06-15', '2026-07-15'])
  expect(new Date(sandbox.clock() * 1_000).toISOString()).toBe('2026-12-01T12:00:00.000Z')
  // The world's own time does not move them.
  await sandbox.world.advance((sandbox.clock() + 90 * 86_400) as typeof sandbox.world.now)
  expect(await days(stripe, june)).toHaveLength(2)
})

test('what belongs to a test clock names it, and is listed only with it', async () => {
  const stripe = clientOf(createSandbox())
  const price = await monthly(stripe)
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: at('2027-01-31T10:00:00Z') })
  const id = await member(stripe, clock.id, price)
  const one = await stripe.subscriptions.retrieve(id)
  expect([one.test_clock, one.created]).toEqual([clock.id, clock.frozen_time])
  const { data } = await stripe.invoices.list({ subscription: id })
  expect(data[0]?.test_clock).toBe(clock.id)
  expect((await stripe.customers.list()).data).toHaveLength(0)
  expect((await stripe.customers.list({ test_clock: clock.id })).data).toHaveLength(1)
  expect((await stripe.subscriptions.list({})).data).toHaveLength(0)
  expect((await stripe.subscriptions.list({ test_clock: clock.id })).data).toHaveLength(1)
  await stripe.testHelpers.testClocks.del(clock.id)
  expect((await stripe.subscriptions.retrieve(id)).status).toBe('canceled')
  await expect(stripe.testHelpers.testClocks.retrieve(clock.id)).rejects.toThrow(/No such testclock/)
})

test('a test clock refuses a step back, more than two intervals, a fourth customer, and live mode', async () => {
  const stripe = clientOf(createSandbox())
  const price = await monthly(stripe)
  const { testClocks } = stripe.testHelpers
  const clock = await testClocks.create({ frozen_time: at('2027-01-10T10:00:00Z') })
  const to = (iso: string): Promise<unknown> => testClocks.advance(clock.id, { frozen_time: at(iso) })
  for (const _ of [1, 2, 3]) await member(stripe, clock.id, price)
  await expect(to('2027-01-09T10:00:00Z')).rejects.toThrow(/must be after/)
  await expect(to('2027-06-09T10:00:00Z')).rejects.toThrow(/more than two intervals/)
  await expect(member(stripe, clock.id, price)).rejects.toThrow(/maximum number of customers/)
  await expect(member(stripe, 'clock_unknown', price)).rejects.toThrow(/No such testclock/)
  const live = new Stripe('sk_live_sandbox_us', {
    httpClient: Stripe.createFetchHttpClient(createSandbox({ livemode: true }).fetch),
  })
  await expect(live.testHelpers.testClocks.create({ frozen_time: 1 })).rejects.toThrow(/test mode/)
})

test('a stored world keeps its test clocks and what is due on them', async () => {
  const sandbox = createSandbox()
  const stripe = clientOf(sandbox)
  const price = await monthly(stripe)
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: at('2027-01-31T10:00:00Z') })
  const id = await member(stripe, clock.id, price)
  const rows = [...sandbox.world.dump()]
  const again = clientOf(createSandbox({ storage: { load: () => rows, save: () => {} } }))
  await again.testHelpers.testClocks.advance(clock.id, { frozen_time: at('2027-03-01T00:00:00Z') })
  expect(await days(again, id)).toEqual(['2027-01-31', '2027-02-28'])
})
