import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import type { Ending } from '../../src/kinds/kind.ts'
import { kinds } from '../../src/kinds/registry.ts'
import { catalogOf, Target } from './target.ts'

async function applied(text: string): Promise<Target> {
  const target = await Target.open()
  await target.apply(await target.plan(catalogOf(text)))
  return target
}

/** The endings of every change, by address. */
async function endsOf(target: Target, text: string): Promise<Readonly<Record<string, readonly Ending[]>>> {
  const plan = await target.plan(catalogOf(text))
  return Object.fromEntries(plan.changes.map((change) => [change.address, change.ends ?? []]))
}

const messages = (ends: readonly Ending[] | undefined): readonly string[] => (ends ?? []).map(({ message }) => message)

async function idOf(target: Target, path: string, address: string): Promise<string> {
  const all = await target.list(path)
  return all.find((one) => (one['metadata'] as { crossbill_address?: string }).crossbill_address === address)?.id ?? ''
}

const school = `
products: { a: { name: A, default_price: pa }, b: { name: B } }
prices:
  pa: { product: a, currency: usd, unit_amount: 100, recurring: { interval: month } }
  pb: { product: b, currency: usd, unit_amount: 200, recurring: { interval: month } }
`

describe('nothing silent: a plan says what ends with an object', () => {
  test('every kind says it in a sentence', () => {
    const live = { object: 'x', id: 'x_1' }
    for (const kind of kinds) expect(kind.whatEnds.use(live)).toMatch(/^[a-zA-Z].{8,}[^.]$/)
  })

  test('a product: its prices, the links and portals that nobody declared, and what stays', async () => {
    const target = await applied(school)
    const price = await idOf(target, '/v1/prices', 'price.pb')
    const link = await target.send('POST', '/v1/payment_links', { line_items: [{ price, quantity: 1 }] })
    const other = await target.send('POST', '/v1/prices', { product: 'b', currency: 'eur', unit_amount: 300 })
    const ends = await endsOf(
      target,
      school
        .replace('{ name: B }', '{ name: B, retire: true }')
        .replace('unit_amount: 200', 'retire: true, unit_amount: 200'),
    )
    expect(ends['product.b']).toEqual([
      { what: 'use', message: 'it can no longer be bought; subscriptions go on' },
      { what: 'price', message: `1 price can no longer be bought: ${other.id}`, objects: [other.id] },
    ])
    expect(ends['price.pb']).toEqual([
      { what: 'use', message: 'it can no longer be bought; subscriptions go on' },
      { what: 'payment_link', message: `1 payment link can no longer sell it: ${link.id}`, objects: [link.id] },
    ])
  })

  test('a price that another one replaces: the links that keep the old one', async () => {
    const target = await applied(school)
    const price = await idOf(target, '/v1/prices', 'price.pb')
    const link = await target.send('POST', '/v1/payment_links', { line_items: [{ price, quantity: 1 }] })
    const ends = await endsOf(target, school.replace('200', '250'))
    expect(messages(ends['price.pb'])).toEqual([`1 payment link can no longer sell it: ${link.id}`])
  })

  test('a declared link that the plan points at another price loses nothing', async () => {
    const links = (price: string): string =>
      `payment_links: { buy: { line_items: [{ price: ${price}, quantity: 1 }] } }\n`
    const target = await applied(`${school}${links('pb')}`)
    const ends = await endsOf(
      target,
      `${school}${links('pa')}`.replace('unit_amount: 200', 'retire: true, unit_amount: 200'),
    )
    expect(messages(ends['price.pb'])).toEqual(['it can no longer be bought; subscriptions go on'])
    expect(messages(ends['payment_link.buy'])).toEqual([])
  })

  test('`active: false` ends the same as a retirement, with the entries that still refer to it', async () => {
    const link = 'payment_links: { buy: { line_items: [{ price: pb, quantity: 1 }] } }\n'
    const target = await applied(`${school}${link}`)
    const ends = await endsOf(target, `${school}${link}`.replace('unit_amount: 200', 'active: false, unit_amount: 200'))
    expect(messages(ends['price.pb'])).toEqual([
      'it can no longer be bought; subscriptions go on',
      '1 payment link can no longer sell it: payment_link.buy',
    ])
  })

  test('a list that the plan did not read is named as such', async () => {
    const target = await applied(school)
    target.seen = new Map([...(await target.live())].filter(([name]) => name !== 'payment_link'))
    const ends = await endsOf(target, school.replace('unit_amount: 200', 'retire: true, unit_amount: 200'))
    expect(messages(ends['price.pb'])).toContain(
      'payment links that refer to it can no longer sell it; none is declared, so this plan did not look for them',
    )
  })

  test('a payment link: its address', async () => {
    const link = 'payment_links: { buy: { line_items: [{ price: pb, quantity: 1 }] } }\n'
    const target = await applied(`${school}${link}`)
    const ends = await endsOf(target, `${school}removed: [payment_link.buy]\n`)
    expect(messages(ends['payment_link.buy'])[0]).toMatch(/^https:\/\/\S+ says that the link is deactivated/)
  })

  test('a coupon: its promotion codes; nothing once members have it', async () => {
    const coupons = 'coupons: { c: { percent_off: 20, duration: once } }\n'
    const target = await applied(coupons)
    const code = await target.send('POST', '/v1/promotion_codes', {
      promotion: { type: 'coupon', coupon: 'c' },
      code: 'HELLO',
    })
    expect((await endsOf(target, coupons.replace('percent', 'retire: true, percent')))['coupon.c']).toEqual([
      { what: 'use', message: 'it is deleted and can no longer be redeemed' },
      { what: 'promotion_code', message: `1 promotion code can no longer be redeemed: ${code.id}`, objects: [code.id] },
    ])
    const live = new Map(await target.live())
    live.set(
      'coupon',
      (live.get('coupon') ?? []).map((one) => ({ ...one, times_redeemed: 3 })),
    )
    target.seen = live
    const after = await endsOf(target, coupons.replace('percent', 'retire: true, percent'))
    expect(after['coupon.c']).toEqual([{ what: 'use', message: expect.stringMatching(/^nothing ends: /) as string }])
  })

  const features = `features: { export: { lookup_key: export, name: Export }, live: { lookup_key: live, name: Live } }\n`
  const granting = school.replace('{ name: B }', '{ name: B, features: [export, live] }')

  async function subscribed(target: Target): Promise<void> {
    const price = await idOf(target, '/v1/prices', 'price.pb')
    target.subscriptions = ['sub_1', 'sub_2'].map(
      (id) =>
        ({
          id,
          status: 'active',
          discounts: [],
          schedule: null,
          billing_cycle_anchor: 0,
          items: { data: [{ id: `si_${id}`, price: { id: price }, tax_rates: [], discounts: [] }] },
        }) as unknown as Stripe.Subscription,
    )
  }

  test('a feature that a product no longer has: how many members lose it', async () => {
    const target = await applied(`${features}${granting}`)
    await subscribed(target)
    const ends = await endsOf(target, `${features}${granting}`.replace('[export, live]', '[live]'))
    expect(ends['product.b']).toEqual([
      { what: 'members', message: '2 subscriptions lose feature.export', objects: ['feature.export'] },
    ])
  })

  test('an archived feature: products that nobody declared, and their members', async () => {
    const target = await applied(`${features}${granting}`)
    await subscribed(target)
    const ends = await endsOf(target, `prices: {}\nremoved: [feature.export, feature.live]\n`)
    expect(messages(ends['feature.export'])).toEqual([
      'it can be attached to no further product, and Stripe never activates it again',
      '1 product may no longer grant it: product.b',
      '2 subscriptions may lose this entitlement: Stripe does not document whether an archived feature is still granted',
    ])
  })

  const endpoint = (key: string, events: string, more = ''): string =>
    `  ${key}: { url: 'https://${key}.test/', enabled_events: [${events}], secret_to: { file: ${key} }${more} }\n`

  test('an endpoint: the events that nobody else receives', async () => {
    const both = `webhook_endpoints:\n${endpoint('one', 'invoice.paid, customer.created')}${endpoint('two', 'customer.created')}`
    const target = await applied(both)
    const retiring = `webhook_endpoints:\n${endpoint('one', 'invoice.paid, customer.created', ', retire: true')}${endpoint('two', 'customer.created')}`
    expect((await endsOf(target, retiring))['webhook_endpoint.one']).toEqual([
      { what: 'use', message: 'it receives nothing any more' },
      { what: 'events', message: 'nobody receives this event any more: invoice.paid', objects: ['invoice.paid'] },
    ])
    const taken = `${retiring}${endpoint('three', "'*'")}`
    expect(messages((await endsOf(target, taken))['webhook_endpoint.one'])).toEqual(['it receives nothing any more'])
  })

  test('what would end is said before anybody decides', async () => {
    const target = await applied(school)
    const plan = await target.plan(catalogOf('products: { a: { name: A } }\n'))
    expect(plan.removed.map(({ address, ends }) => [address, messages(ends)[0]])).toEqual([
      ['product.b', 'it can no longer be bought; subscriptions go on'],
      ['price.pa', 'it can no longer be bought; subscriptions go on'],
      ['price.pb', 'it can no longer be bought; subscriptions go on'],
    ])
  })
})
