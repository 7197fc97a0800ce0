import { expect, test } from 'vitest'
import type Stripe from 'stripe'
import { planAndApply } from '../rig.ts'
import { billsOf, member, prices, story, successorOf, violationsOf, type Story } from './world.ts'

type Params = Partial<Stripe.SubscriptionCreateParams>

/** One member of the US account, moved at `now`. */
async function moved(
  past: Parameters<typeof story>[0],
  how: (us: Stripe, price: Awaited<ReturnType<typeof prices>>) => Promise<Params>,
  after?: (us: Stripe, id: string) => Promise<unknown>,
): Promise<{ readonly world: Story; readonly id: string }> {
  let id = ''
  const world = await story(past, async ({ us }) => {
    const price = await prices(us)
    const params = { customer: await member(us), items: [{ price: price.monthly }], ...(await how(us, price)) }
    id = (await us.subscriptions.create(params)).id
    await after?.(us, id)
  })
  const { plan, result } = await planAndApply(world.stage('target'))
  expect([plan.blocked, plan.deferred, result.ok]).toEqual([[], [], true])
  expect(await violationsOf(world.stage('target'))).toEqual([])
  return { world, id }
}

test('a three-month price beside a monthly price of the same amount', async () => {
  const ids: string[] = []
  const past = { clock: '2026-01-31T09:15:00Z', now: '2026-04-10T00:00:00Z' }
  await using world = await story(past, async ({ us }) => {
    const { monthly, quarterly } = await prices(us)
    const customer = await member(us)
    for (const price of [monthly, quarterly])
      ids.push((await us.subscriptions.create({ customer, items: [{ price }] })).id)
  })
  const found = world.catalog.resources.filter(({ kind, value }) => kind === 'price' && value['unit_amount'] === 4_900)
  expect(found.map(({ value }) => JSON.stringify(value['recurring'])).toSorted()).toEqual([
    '{"interval":"month","interval_count":3}',
    '{"interval":"month"}',
  ])
  const { result } = await planAndApply(world.stage('target'))
  expect(result.ok).toBe(true)
  expect(await violationsOf(world.stage('target'))).toEqual([])
  await world.advance('2027-06-01T00:00:00Z')
  expect(world.differences()).toEqual([])
  expect(ids.map((id) => billsOf(world, id).length)).toEqual([14, 5])
})

test.each([
  ['February', '2026-02-10T00:00:00Z', '2026-02-28T10:15:00Z'],
  ['April', '2026-04-10T00:00:00Z', '2026-04-30T10:15:00Z'],
])('anchored on the 31st, moved in February and in April: %s', async (_, now, first) => {
  const { world, id } = await moved({ clock: '2026-01-31T09:15:00Z', now }, async () => ({}))
  await using __ = world
  await world.advance('2028-04-01T00:00:00Z')
  expect(world.differences()).toEqual([])
  expect(billsOf(world, id)[0]).toBe(`target ${first} 4900`)
  expect(billsOf(world, id).map((bill) => bill.slice(7, 17))).toContain('2028-02-29')
})

test('twelve items, of which a subscription shows ten', async () => {
  const { world, id } = await moved({ clock: '2026-01-15T09:15:00Z', now: '2026-02-01T00:00:00Z' }, async (us) => {
    const { id: product } = await us.products.create({ name: 'Modules' })
    const items: Stripe.SubscriptionCreateParams.Item[] = []
    for (let n = 0; n < 12; n++) {
      const price = { product, currency: 'usd', unit_amount: 100 + n, recurring: { interval: 'month' } } as const
      items.push({ price: (await us.prices.create(price)).id, quantity: n + 1 })
    }
    return { items }
  })
  await using _ = world
  await world.advance('2026-06-01T00:00:00Z')
  expect(world.differences()).toEqual([])
  expect(billsOf(world, id)).toHaveLength(4)
})

test('a three-month coupon with one renewal left and a backdated start', async () => {
  const past = { clock: '2026-01-15T08:00:00Z', now: '2026-02-25T00:00:00Z' }
  const { world, id } = await moved(past, async (us) => {
    const coupon = await us.coupons.create({ percent_off: 20, duration: 'repeating', duration_in_months: 3 })
    const anchor = Date.parse('2026-02-15T08:00:00Z') / 1_000
    return {
      discounts: [{ coupon: coupon.id }],
      backdate_start_date: Date.parse('2025-12-20T08:00:00Z') / 1_000,
      billing_cycle_anchor: anchor,
      proration_behavior: 'none',
    }
  })
  await using _ = world
  const { start_date: start } = await world.us.subscriptions.retrieve(id)
  const successor = await successorOf(world, id)
  expect(start).toBe(Date.parse('2025-12-20T08:00:00Z') / 1_000)
  // A backdated start would begin the duration of the remaining months in the past.
  expect(successor.start_date).toBeGreaterThan(start)
  expect(successor.metadata['crossbill_start']).toBe(String(start))
  await world.advance('2026-09-01T00:00:00Z')
  expect(world.differences()).toEqual([])
  expect(billsOf(world, id).map((bill) => bill.split(' ')[2])).toEqual([
    '3920',
    ...Array.from({ length: 5 }, () => '4900'),
  ])
})

const carry = 'policies: { collection_paused: carry }\n'
const until = Date.parse('2026-05-01T00:00:00Z') / 1_000
const paused = (us: Stripe, id: string): Promise<unknown> =>
  us.subscriptions.update(id, { pause_collection: { behavior: 'void', resumes_at: until } })

test('a source that is already paused until a date', async () => {
  const past = { clock: '2026-01-15T08:00:00Z', now: '2026-02-25T00:00:00Z', policies: carry }
  const { world, id } = await moved(past, async () => ({}), paused)
  await using _ = world
  const pause = { behavior: 'void', resumes_at: until }
  expect((await successorOf(world, id)).pause_collection).toEqual(pause)
  await planAndApply(world.stage('source'))
  expect((await world.us.subscriptions.retrieve(id)).pause_collection).toEqual(pause)
  expect(await violationsOf(world.stage('source'))).toEqual([])
  await planAndApply(world.stage('target'))
  await world.advance('2026-09-01T00:00:00Z')
  expect(world.differences()).toEqual([])
  expect(billsOf(world, id)[0]).toBe('target 2026-05-15T09:00:00Z 4900')
  expect(await violationsOf(world.stage('target'))).toEqual([])
})

test('nothing silent: a discount that the first renewal used up is no difference, also after the settle', async () => {
  const past = { clock: '2026-02-15T08:00:00Z', now: '2026-02-25T00:00:00Z' }
  const { world, id } = await moved(
    past,
    async () => ({}),
    async (us, subscription) => {
      const { id: coupon } = await us.coupons.create({ percent_off: 50, duration: 'once' })
      return await us.subscriptions.update(subscription, { discounts: [{ coupon }] })
    },
  )
  await using _ = world
  await world.advance('2026-04-20T00:00:00Z')
  expect(await violationsOf(world.stage('target'))).toEqual([])
  const { result } = await planAndApply(world.stage('settled'))
  expect([result.ok, await violationsOf(world.stage('settled'))]).toEqual([true, []])
  expect(billsOf(world, id).map((bill) => bill.split(' ')[2])).toEqual(['2450', '4900'])
})
