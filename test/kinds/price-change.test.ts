import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { catalogOf, lines, Target } from './target.ts'

function price(rest: string): string {
  return `products: { p: { name: P } }\nprices: { a: { product: p, currency: usd, recurring: { interval: month }, ${rest} } }`
}

/**
 * A target with a subscriber on price.a, before or after their first renewal there.
 */
async function withPeople(anchorAhead: boolean): Promise<Target> {
  const target = await Target.open()
  await target.apply(await target.plan(catalogOf(price('unit_amount: 4900'))))
  const [a] = await target.list('/v1/prices')
  const { id: customer = '' } = await target.send('POST', '/v1/customers', { email: 'a@x.test' })
  const anchor = anchorAhead ? { billing_cycle_anchor: target.account.now() + 86_400, proration_behavior: 'none' } : {}
  await target.send('POST', '/v1/subscriptions', {
    customer,
    items: [{ price: a?.id ?? '' }],
    collection_method: 'send_invoice',
    days_until_due: 7,
    ...anchor,
  })
  await target.readSubscriptions()
  return target
}

async function subscribeAgain(target: Target): Promise<void> {
  const [a] = await target.list('/v1/prices')
  const { id: customer = '' } = await target.send('POST', '/v1/customers', { email: 'b@x.test' })
  const terms = { collection_method: 'send_invoice', days_until_due: 7 }
  await target.send('POST', '/v1/subscriptions', { customer, items: [{ price: a?.id ?? '' }], ...terms })
  await target.readSubscriptions()
}

describe('a changed price says what happens to its subscribers', () => {
  test('without on_change the plan refuses', async () => {
    const target = await withPeople(false)
    const plan = await target.plan(catalogOf(price('unit_amount: 5900')))
    expect(lines(plan)).toEqual(['blocked price.a (price_change_unsaid)'])
    expect(plan.blocked[0]?.fix).toContain('on_change')
  })

  test('an update that changes no charge needs no on_change', async () => {
    const target = await withPeople(false)
    expect(
      lines(
        await target.plan(
          catalogOf(price('unit_amount: 4900, nickname: n, currency_options: { eur: { unit_amount: 4500 } }')),
        ),
      ),
    ).toEqual(['update price.a (currency_options, nickname)'])
  })

  test('new_only: they stay on the old price, which is archived', async () => {
    const target = await withPeople(false)
    const catalog = catalogOf(price('unit_amount: 5900, on_change: new_only'))
    const plan = await target.plan(catalog)
    expect(lines(plan)).toEqual(['replace price.a (unit_amount)'])
    expect(plan.changes[0]?.people).toBe(0)
    await target.apply(plan)
    await target.readSubscriptions()
    expect(target.subscriptions.map((one) => one.items.data[0]?.price.unit_amount)).toEqual([4900])
    expect(lines(await target.plan(catalog))).toEqual([])
  })

  test('at_renewal: they get the new price without proration, before the old one is archived', async () => {
    const target = await withPeople(false)
    const catalog = catalogOf(price('unit_amount: 5900, on_change: at_renewal'))
    const plan = await target.plan(catalog)
    expect(plan.changes[0]?.people).toBe(1)
    expect(plan.changes[0]?.steps.map(({ id }) => id.split(':')[0])).toEqual(['create', 'item', 'retire'])
    expect(plan.changes[0]?.steps[1]?.params).toEqual({ price: { $ref: 'price.a' }, proration_behavior: 'none' })
    await target.apply(plan)
    await target.readSubscriptions()
    expect(target.subscriptions.map((one) => one.items.data[0]?.price.unit_amount)).toEqual([5900])
    expect(await target.list('/v1/invoiceitems')).toEqual([])
    expect(lines(await target.plan(catalog))).toEqual([])
  })

  test('at_renewal: each of several subscribers of the price gets the new one', async () => {
    const target = await withPeople(false)
    await subscribeAgain(target)
    const catalog = catalogOf(price('unit_amount: 5900, on_change: at_renewal'))
    const plan = await target.plan(catalog)
    expect(plan.changes[0]?.people).toBe(2)
    expect(plan.changes[0]?.steps.map(({ id }) => id.split(':')[0])).toEqual(['create', 'item', 'item', 'retire'])
    await target.apply(plan)
    await target.readSubscriptions()
    expect(target.subscriptions.map((one) => one.items.data[0]?.price.unit_amount)).toEqual([5900, 5900])
  })

  test('at_renewal is refused while a schedule drives one of the subscriptions', async () => {
    const target = await withPeople(false)
    await subscribeAgain(target)
    const [driven] = target.subscriptions
    await target.send('POST', '/v1/subscription_schedules', { from_subscription: driven?.id ?? '' })
    await target.readSubscriptions()
    const plan = await target.plan(catalogOf(price('unit_amount: 5900, on_change: at_renewal')))
    expect(lines(plan)).toEqual(['blocked price.a (price_change_not_yet)'])
    expect(plan.blocked[0]?.message).toContain(driven?.id)
  })

  test('at_renewal waits while a subscriber has not renewed here yet, because an update now might remove their discount', async () => {
    const target = await withPeople(true)
    expect(lines(await target.plan(catalogOf(price('unit_amount: 5900, on_change: at_renewal'))))).toEqual([
      'blocked price.a (price_change_not_yet)',
    ])
  })

  test('at_renewal cannot change the billing interval', async () => {
    const target = await withPeople(false)
    const yearly = price('unit_amount: 5900, on_change: at_renewal').replace('month', 'year')
    expect(lines(await target.plan(catalogOf(yearly)))).toEqual(['blocked price.a (price_change_not_at_renewal)'])
  })

  test('ended subscriptions do not count', async () => {
    const target = await withPeople(false)
    target.subscriptions = target.subscriptions.map((one): Stripe.Subscription => ({ ...one, status: 'canceled' }))
    expect(lines(await target.plan(catalogOf(price('unit_amount: 5900'))))).toEqual(['replace price.a (unit_amount)'])
  })

  test('a change that a killed run left half done continues as that change, and not as a retirement', async () => {
    const target = await withPeople(false)
    await subscribeAgain(target)
    const catalog = catalogOf(price('unit_amount: 5900, on_change: at_renewal'))
    const plan = await target.plan(catalog)
    const [change] = plan.changes
    const first = change?.steps.find(({ id }) => id.startsWith('item:'))
    const steps = change?.steps.filter((one) => one.id === 'create' || one === first) ?? []
    await target.apply({ ...plan, changes: change === undefined ? [] : [{ ...change, steps }] })
    await target.readSubscriptions()
    const rest = await target.plan(catalog)
    expect(rest.changes.map(({ action, people }) => `${action} ${people}`)).toEqual(['replace 1'])
    expect(rest.changes[0]?.patch).toMatchObject([{ path: '/unit_amount', was: 4900, value: 5900 }])
    await target.apply(rest)
    await target.readSubscriptions()
    expect(target.subscriptions.map((one) => one.items.data[0]?.price.unit_amount)).toEqual([5900, 5900])
    expect(lines(await target.plan(catalog))).toEqual([])
  })
})

describe('grandfathered prices', () => {
  const sections = `products: { p: { name: P, active: false } }\nprices: { old: { product: p, currency: usd, unit_amount: 1, recurring: { interval: month }, active: false } }`
  const needed = ['price.old']

  test('are activated with their product while subscribers move onto them, and archived afterwards', async () => {
    const target = await Target.open()
    const catalog = catalogOf(sections)
    const plan = await target.plan(catalog, { needed })
    expect(lines(plan)).toEqual([
      'create product.p (declared)',
      'create price.old (declared)',
      'afterwards update product.p (active)',
      'afterwards update price.old (active)',
    ])
    expect(plan.changes.map(({ steps }) => steps[0]?.params['active'])).toEqual([undefined, undefined])
    await target.apply(plan)
    expect(lines(await target.plan(catalog))).toEqual([])
  })

  test('are activated for a later wave, and archived again', async () => {
    const target = await Target.open()
    const catalog = catalogOf(sections)
    await target.apply(await target.plan(catalog))
    const plan = await target.plan(catalog, { needed })
    expect(lines(plan)).toEqual([
      'update price.old (active)',
      'update product.p (active)',
      'afterwards update product.p (active)',
      'afterwards update price.old (active)',
    ])
    await target.apply(plan)
    expect(lines(await target.plan(catalog))).toEqual([])
  })

  test('left active by a crash are archived by the next plan', async () => {
    const target = await Target.open()
    const catalog = catalogOf(sections)
    await target.apply(await target.plan(catalog, { needed }), 2)
    expect(lines(await target.plan(catalog))).toEqual(['update product.p (active)', 'update price.old (active)'])
  })
})
