import { describe, expect, test } from 'vitest'
import { isJsonObject } from '../../src/core/json.ts'
import { referencesRead, referencesWritten } from '../../src/kinds/outside.ts'
import { kinds } from '../../src/kinds/registry.ts'
import { load } from '../catalog/project.ts'
import { everyShape } from './every-shape.ts'
import { catalogOf, lines, Target } from './target.ts'

const month = { interval: 'month' }

/** A product, a price and a coupon that another program manages. */
async function managedElsewhere(target: Target) {
  const { id: product = '' } = await target.send('POST', '/v1/products', { name: 'Elsewhere' })
  const { id: price = '' } = await target.send('POST', '/v1/prices', {
    product,
    currency: 'usd',
    unit_amount: 700,
    recurring: month,
    lookup_key: 'elsewhere',
  })
  const { id: coupon = '' } = await target.send('POST', '/v1/coupons', { percent_off: 5 })
  return { product, price, coupon }
}

describe('an entry refers to an object that the catalog does not declare', () => {
  test('by id and by lookup key, in every place, and nothing is left to do; the objects stay as they are', async () => {
    const target = await Target.open()
    const { product, coupon } = await managedElsewhere(target)
    const catalog = catalogOf(`
prices: { own: { product: { id: ${product} }, currency: usd, unit_amount: 900 } }
coupons: { c: { percent_off: 5, applies_to: { products: [{ id: ${product} }] } } }
promotion_codes: { p: { code: SUN, promotion: { coupon: { id: ${coupon} } } } }
payment_links: { l: { line_items: [{ price: { lookup_key: elsewhere }, quantity: 1 }, { price: own, quantity: 1 }] } }
`)
    target.sent.length = 0
    await target.apply(await target.plan(catalog))
    expect(target.sent.map((one) => one.replace(/\/v1\//, '')).toSorted()).toEqual([
      'POST coupons',
      'POST payment_links',
      'POST prices',
      'POST promotion_codes',
    ])
    expect(lines(await target.plan(catalog))).toEqual([])
    target.known = []
    expect(lines(await target.plan(catalog))).toEqual([])
  })

  test('that the account does not have: the entry is blocked, with the id, and so is what uses it', async () => {
    const target = await Target.open()
    const catalog = catalogOf(`
prices: { own: { product: { id: prod_none }, currency: usd, unit_amount: 900 } }
payment_links: { l: { line_items: [{ price: { lookup_key: none }, quantity: 1 }] }, m: { line_items: [{ price: own, quantity: 1 }] } }
`)
    const plan = await target.plan(catalog)
    expect(lines(plan)).toEqual([
      'blocked price.own (outside_missing)',
      'blocked payment_link.l (outside_missing)',
      'blocked payment_link.m (reference_blocked)',
    ])
    expect(plan.blocked[1]?.message).toBe(
      'it refers to the price with the lookup key none, which the account does not have',
    )
  })

  test('a line of the mappings whose object the account does not have: nothing is created or taken for it', async () => {
    const target = await Target.open()
    const { product, price } = await managedElsewhere(target)
    const text = (more: string): string =>
      `products: { e: { name: Elsewhere } }\nprices: { e: { product: e, currency: usd, unit_amount: 700, recurring: { interval: month }${more} } }`
    const wrong = { prod_none: 'product.e', price_none: 'price.e' }
    // Neither a new object, nor the one that has the lookup key.
    for (const more of ['', ', lookup_key: elsewhere'])
      expect(lines(await target.plan(catalogOf(text(more)), { mapped: wrong }))).toEqual([
        'blocked product.e (mapped_missing)',
        'blocked price.e (mapped_missing)',
      ])
    // With the right ids, both are adopted; the lines do not matter any more.
    const right = { [product]: 'product.e', [price]: 'price.e' }
    await target.apply(await target.plan(catalogOf(text('')), { mapped: right }))
    expect(lines(await target.plan(catalogOf(text('')), { mapped: wrong }))).toEqual([])
  })

  test('the object is declared later: the reference means the entry, and a replacement is followed', async () => {
    const target = await Target.open()
    const { product, price } = await managedElsewhere(target)
    const link = 'payment_links: { l: { line_items: [{ price: { lookup_key: elsewhere }, quantity: 1 }] } }'
    await target.apply(await target.plan(catalogOf(link)))
    const declared = (amount: number) =>
      catalogOf(
        `products: { e: { id: ${product}, name: Elsewhere } }\nprices: { e: { product: e, currency: usd, unit_amount: ${amount}, recurring: { interval: month }, lookup_key: elsewhere } }\n${link}`,
      )
    const mapped = { [product]: 'product.e', [price]: 'price.e' }
    await target.apply(await target.plan(declared(700), { mapped }))
    expect(lines(await target.plan(declared(700)))).toEqual([])
    expect(lines(await target.plan(declared(800)))).toEqual([
      'replace price.e (unit_amount)',
      'replace payment_link.l (line_items)',
    ])
  })

  test('drift shows when a reference was changed outside', async () => {
    const target = await Target.open()
    const { product } = await managedElsewhere(target)
    const { id: other = '' } = await target.send('POST', '/v1/products', { name: 'Other' })
    await target.send('POST', '/v1/prices', {
      product: other,
      currency: 'usd',
      unit_amount: 1,
      recurring: month,
      lookup_key: 'other',
    })
    const catalog = catalogOf(
      `portal_configurations: { x: { features: { subscription_update: { enabled: true, default_allowed_updates: [price], products: [{ product: { id: ${product} }, prices: [{ lookup_key: elsewhere }] }] } } } }`,
    )
    await target.apply(await target.plan(catalog))
    expect(lines(await target.plan(catalog))).toEqual([])
    const [portal] = await target.list('/v1/billing_portal/configurations')
    const [price] = await target.list('/v1/prices', { lookup_keys: ['other'] })
    await target.send('POST', `/v1/billing_portal/configurations/${portal?.id}`, {
      features: { subscription_update: { enabled: true, products: [{ product: other, prices: [price?.id ?? ''] }] } },
    })
    expect(lines(await target.plan(catalog))).toEqual([
      'update portal_configuration.x (features)',
      'drift portal_configuration.x (changed_outside)',
    ])
  })
})

test('a wrong form of a reference is a finding at its place', () => {
  const { findings } = load({
    'products.yaml': '',
    'prices.yaml': 'prices:\n  a:\n    product: { lookup_key: x }\n    currency: usd\n    unit_amount: 5\n',
  })
  expect(findings.map(({ at }) => `${at?.file}:${at?.line}`)).toContain('prices.yaml:3')
})

test('every reference of every kind can be written as an id, read as a key in brackets, and written again', () => {
  for (const kind of kinds)
    for (const value of everyShape().flatMap((one) => Object.values(one[kind.section] ?? {}))) {
      const uses = kind.uses(value)
      const outside = uses.reduce((changed, { path }) => at(changed, path, { id: 'obj_1' }), value as unknown)
      const read = referencesRead(kind, outside as typeof value)
      expect(kind.uses(read).map(({ key }) => key)).toEqual(uses.map(() => '(obj_1)'))
      expect(referencesWritten(kind, read)).toEqual(outside)
    }
})

function at(holder: unknown, [step, ...rest]: readonly (string | number)[], value: unknown): unknown {
  if (step === undefined) return value
  if (Array.isArray(holder)) return holder.map((one: unknown, index) => (index === step ? at(one, rest, value) : one))
  return isJsonObject(holder) ? { ...holder, [step]: at(holder[step], rest, value) } : holder
}
