import Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { clientOf, refusal } from './client.ts'

const fresh = () => {
  const sandbox = createSandbox()
  return { sandbox, stripe: clientOf(sandbox) }
}

async function productWithPrice(stripe: Stripe) {
  const product = await stripe.products.create({ id: 'membership', name: 'Membership' })
  const price = await stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: 4900,
    recurring: { interval: 'month' },
    lookup_key: 'monthly',
  })
  return { product, price }
}

describe('products', () => {
  test('keep a given id, refuse it a second time, and merge metadata key by key', async () => {
    const { stripe } = fresh()
    await stripe.products.create({ id: 'membership', name: 'Membership', metadata: { a: '1', b: '2' } })
    expect(await refusal(stripe.products.create({ id: 'membership', name: 'Again' }))).toMatchObject({
      status: 400,
      code: 'resource_already_exists',
    })
    const updated = await stripe.products.update('membership', {
      metadata: { a: '', c: '3' },
      description: 'All of it',
    })
    expect(updated.metadata).toEqual({ b: '2', c: '3' })
    expect((await stripe.products.update('membership', { description: '' })).description).toBeNull()
    expect((await stripe.products.update('membership', { metadata: '' })).metadata).toEqual({})
  })

  test('with prices cannot be deleted, without prices they can', async () => {
    const { stripe } = fresh()
    const { product } = await productWithPrice(stripe)
    expect((await refusal(stripe.products.del(product.id))).message).toMatch(/has one or more user-created prices/)
    await stripe.products.create({ id: 'bare', name: 'Bare' })
    expect(await stripe.products.del('bare')).toMatchObject({ id: 'bare', deleted: true })
    expect(await refusal(stripe.products.retrieve('bare'))).toMatchObject({ status: 404, code: 'resource_missing' })
  })

  test('a default price can be created with the product and expanded, but not archived', async () => {
    const { stripe } = fresh()
    const product = await stripe.products.create({
      name: 'Diploma',
      default_price_data: { currency: 'eur', unit_amount: 12_000, recurring: { interval: 'year' } },
      expand: ['default_price'],
    })
    const price = product.default_price as Stripe.Price
    expect(price).toMatchObject({ object: 'price', currency: 'eur', unit_amount: 12_000, product: product.id })
    expect((await refusal(stripe.prices.update(price.id, { active: false }))).message).toMatch(
      /default price of its product/,
    )
  })
})

describe('prices', () => {
  test('show amounts in both forms; decimals have no integer', async () => {
    const { stripe } = fresh()
    const { product, price } = await productWithPrice(stripe)
    expect([price.unit_amount, price.unit_amount_decimal?.toString()]).toEqual([4900, '4900'])
    const fine = await stripe.prices.create({
      product: product.id,
      currency: 'usd',
      unit_amount_decimal: Stripe.Decimal.from('0.5'),
    })
    expect([fine.unit_amount, fine.unit_amount_decimal?.toString(), fine.type]).toEqual([null, '0.5', 'one_time'])
  })

  test('tiers and currency options are shown only when expanded', async () => {
    const { stripe } = fresh()
    const { product } = await productWithPrice(stripe)
    const made = await stripe.prices.create({
      product: product.id,
      currency: 'usd',
      billing_scheme: 'tiered',
      tiers_mode: 'graduated',
      tiers: [
        { up_to: 10, unit_amount: 500 },
        { up_to: 'inf', unit_amount: 400, flat_amount: 100 },
      ],
      recurring: { interval: 'month' },
    })
    expect([made.tiers, made.currency_options]).toEqual([undefined, undefined])
    const read = await stripe.prices.retrieve(made.id, {
      expand: ['tiers', 'currency_options', 'currency_options.usd.tiers'],
    })
    expect(read.tiers?.map((tier) => [tier.up_to, tier.unit_amount, tier.flat_amount])).toEqual([
      [10, 500, null],
      [null, 400, 100],
    ])
    expect(Object.keys(read.currency_options ?? {})).toEqual(['usd'])
    const listed = await stripe.prices.list({ product: product.id, expand: ['data.tiers', 'data.product'] })
    expect(listed.data.map((price) => [price.tiers?.length ?? 0, (price.product as Stripe.Product).name])).toEqual([
      [2, 'Membership'],
      [0, 'Membership'],
    ])
  })

  test('only transfer_lookup_key moves a lookup key, in one request', async () => {
    const { stripe } = fresh()
    const { product, price } = await productWithPrice(stripe)
    const next = { product: product.id, currency: 'usd', unit_amount: 5900, recurring: { interval: 'month' } as const }
    expect((await refusal(stripe.prices.create({ ...next, lookup_key: 'monthly' }))).message).toMatch(
      /already uses that lookup key/,
    )
    const moved = await stripe.prices.create({ ...next, lookup_key: 'monthly', transfer_lookup_key: true })
    expect(moved.lookup_key).toBe('monthly')
    expect((await stripe.prices.retrieve(price.id)).lookup_key).toBeNull()
    expect((await stripe.prices.list({ lookup_keys: ['monthly'] })).data.map(({ id }) => id)).toEqual([moved.id])
  })

  test('the amount of a price cannot be changed; tax_behavior can be set once', async () => {
    const { stripe } = fresh()
    const { price } = await productWithPrice(stripe)
    const change = { unit_amount: 1 } as unknown as Stripe.PriceUpdateParams
    expect(await refusal(stripe.prices.update(price.id, change))).toMatchObject({
      code: 'parameter_unknown',
      param: 'unit_amount',
    })
    expect((await stripe.prices.update(price.id, { tax_behavior: 'exclusive' })).tax_behavior).toBe('exclusive')
    expect(await refusal(stripe.prices.update(price.id, { tax_behavior: 'inclusive' }))).toMatchObject({
      status: 400,
      param: 'tax_behavior',
    })
  })

  test('the list shows active prices, and others on request', async () => {
    const { stripe } = fresh()
    const { price } = await productWithPrice(stripe)
    await stripe.prices.update(price.id, { active: false })
    expect((await stripe.prices.list()).data).toEqual([])
    expect((await stripe.prices.list({ active: false })).data.map(({ id }) => id)).toEqual([price.id])
  })

  test.each([
    ['no amount', {}, 'unit_amount'],
    ['two amounts', { unit_amount: 1, unit_amount_decimal: Stripe.Decimal.from('1') }, 'unit_amount'],
    ['four years', { unit_amount: 1, recurring: { interval: 'year', interval_count: 4 } }, 'recurring[interval_count]'],
    [
      'metered without a meter',
      { unit_amount: 1, recurring: { interval: 'month', usage_type: 'metered' } },
      'recurring[meter]',
    ],
    [
      'tiers that do not end',
      { billing_scheme: 'tiered', tiers_mode: 'volume', tiers: [{ up_to: 5, unit_amount: 1 }] },
      'tiers[0][up_to]',
    ],
    ['an unknown interval', { unit_amount: 1, recurring: { interval: 'fortnight' } }, 'recurring[interval]'],
  ])('%s is refused, naming the parameter', async (_, params, param) => {
    const { stripe } = fresh()
    const { product } = await productWithPrice(stripe)
    const request = { product: product.id, currency: 'usd', ...params } as Stripe.PriceCreateParams
    expect(await refusal(stripe.prices.create(request))).toMatchObject({ status: 400, param })
  })
})

describe('coupons and promotion codes', () => {
  test('a deleted coupon ends its promotion codes', async () => {
    const { stripe } = fresh()
    await stripe.coupons.create({ id: 'welcome', percent_off: 20, duration: 'repeating', duration_in_months: 3 })
    const code = await stripe.promotionCodes.create({
      promotion: { type: 'coupon', coupon: 'welcome' },
      code: 'WELCOME',
    })
    expect(
      (
        await refusal(
          stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon: 'welcome' }, code: 'welcome' }),
        )
      ).message,
    ).toMatch(/already exists/)
    await stripe.coupons.del('welcome')
    expect((await stripe.promotionCodes.retrieve(code.id)).active).toBe(false)
    expect(await refusal(stripe.coupons.retrieve('welcome'))).toMatchObject({ status: 404 })
    expect(await stripe.coupons.create({ id: 'welcome', percent_off: 10 })).toMatchObject({
      duration: 'once',
      valid: true,
    })
  })

  test('deactivating a code frees it for another', async () => {
    const { stripe } = fresh()
    await stripe.coupons.create({ id: 'c', amount_off: 500, currency: 'usd' })
    const first = await stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon: 'c' }, code: 'SAVE' })
    await stripe.promotionCodes.update(first.id, { active: false })
    const second = await stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon: 'c' }, code: 'save' })
    expect((await stripe.promotionCodes.list({ code: 'SAVE', active: true })).data.map(({ id }) => id)).toEqual([
      second.id,
    ])
    expect((await refusal(stripe.promotionCodes.update(first.id, { active: true }))).message).toMatch(/already exists/)
  })

  test('applies_to and currency_options are shown when expanded', async () => {
    const { stripe } = fresh()
    await stripe.products.create({ id: 'p', name: 'P' })
    await stripe.coupons.create({
      id: 'c',
      amount_off: 500,
      currency: 'usd',
      currency_options: { eur: { amount_off: 450 } },
      applies_to: { products: ['p'] },
    })
    const plain = await stripe.coupons.retrieve('c')
    expect([plain.applies_to, plain.currency_options]).toEqual([undefined, undefined])
    const full = await stripe.coupons.retrieve('c', { expand: ['applies_to', 'currency_options'] })
    expect(full.applies_to).toEqual({ products: ['p'] })
    expect(full.currency_options).toEqual({ usd: { amount_off: 500 }, eur: { amount_off: 450 } })
  })
})

test('percentage and inclusiveness of a tax rate cannot be changed', async () => {
  const { stripe } = fresh()
  const rate = await stripe.taxRates.create({
    display_name: 'VAT',
    inclusive: true,
    percentage: 19,
    country: 'DE',
    tax_type: 'vat',
  })
  const change = { percentage: 20 } as unknown as Stripe.TaxRateUpdateParams
  expect(await refusal(stripe.taxRates.update(rate.id, change))).toMatchObject({ code: 'parameter_unknown' })
  expect(await stripe.taxRates.update(rate.id, { active: false })).toMatchObject({
    active: false,
    percentage: 19,
    inclusive: true,
  })
})

test('lists page by cursor, newest first, in both directions, without loss', async () => {
  const { stripe } = fresh()
  const names = Array.from({ length: 25 }, (_, index) => `p${index}`)
  for (const id of names) await stripe.products.create({ id, name: id })
  const all: string[] = []
  for await (const product of stripe.products.list({ limit: 4 })) all.push(product.id)
  expect(all).toEqual(names.toReversed())
  const back = await stripe.products.list({ limit: 3, ending_before: 'p10' })
  expect(back.data.map(({ id }) => id)).toEqual(['p13', 'p12', 'p11'])
})

describe('fields that Stripe never changes are refused on update, naming the parameter', () => {
  test.each([
    ['/v1/products/membership', 'type', 'good'],
    ['/v1/products/membership', 'default_price_data[currency]', 'usd'],
    ['/v1/prices/:price', 'currency', 'eur'],
    ['/v1/prices/:price', 'unit_amount', '1'],
    ['/v1/prices/:price', 'recurring[interval]', 'year'],
    ['/v1/prices/:price', 'product', 'other'],
    ['/v1/prices/:price', 'tiers_mode', 'volume'],
    ['/v1/coupons/c', 'percent_off', '1'],
    ['/v1/coupons/c', 'duration', 'once'],
    ['/v1/coupons/c', 'max_redemptions', '1'],
    ['/v1/coupons/c', 'applies_to[products][0]', 'membership'],
    ['/v1/promotion_codes/:code', 'code', 'OTHER'],
    ['/v1/promotion_codes/:code', 'expires_at', '1830000000'],
    ['/v1/promotion_codes/:code', 'restrictions[minimum_amount]', '5'],
    ['/v1/tax_rates/:rate', 'percentage', '7'],
    ['/v1/tax_rates/:rate', 'inclusive', 'true'],
    ['/v1/webhook_endpoints/:endpoint', 'api_version', '2020-08-27'],
    ['/v1/entitlements/features/:feature', 'lookup_key', 'other'],
  ])('%s %s', async (path, param, value) => {
    const { stripe } = fresh()
    const { price } = await productWithPrice(stripe)
    await stripe.coupons.create({ id: 'c', percent_off: 10 })
    const made: Record<string, string> = {
      price: price.id,
      code: (await stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon: 'c' }, code: 'C' })).id,
      rate: (await stripe.taxRates.create({ display_name: 'VAT', inclusive: false, percentage: 19 })).id,
      endpoint: (await stripe.webhookEndpoints.create({ url: 'https://a.test', enabled_events: ['*'] })).id,
      feature: (await stripe.entitlements.features.create({ lookup_key: 'k', name: 'K' })).id,
    }
    const url = path.replace(/:(\w+)/, (_, name: string) => made[name] ?? '')
    const answer = await fetchForm(stripe, url, `${param}=${value}`)
    const [top = ''] = /^restrictions.*|^[a-z_]+/.exec(param) ?? []
    expect(answer).toMatchObject({ error: { code: 'parameter_unknown', param: top } })
  })

  test.each([
    ['/v1/products', `name=P&id=${'x'.repeat(256)}`, 'id'],
    [
      '/v1/products',
      `name=P&${Array.from({ length: 9 }, (_, n) => `images[${n}]=https://a.test`).join('&')}`,
      'images',
    ],
    [
      '/v1/products',
      `name=P&${Array.from({ length: 16 }, (_, n) => `marketing_features[${n}][name]=a`).join('&')}`,
      'marketing_features',
    ],
    ['/v1/prices', `product=membership&currency=usd&unit_amount=1&lookup_key=${'k'.repeat(201)}`, 'lookup_key'],
    ['/v1/coupons', `percent_off=10&name=${'n'.repeat(41)}`, 'name'],
    ['/v1/coupons', 'percent_off=101', 'percent_off'],
    ['/v1/coupons', 'percent_off=10&duration=repeating', 'duration_in_months'],
    ['/v1/coupons', 'amount_off=10', 'currency'],
    ['/v1/coupons', 'percent_off=10&redeem_by=1', 'redeem_by'],
    ['/v1/promotion_codes', 'promotion[type]=coupon&promotion[coupon]=c&code=NO_UNDERSCORE', 'code'],
    ['/v1/promotion_codes', 'promotion[type]=coupon&promotion[coupon]=none', 'promotion[coupon]'],
    ['/v1/tax_rates', 'display_name=V&inclusive=true&percentage=1.23456', 'percentage'],
    ['/v1/entitlements/features', `name=F&lookup_key=${'k'.repeat(81)}`, 'lookup_key'],
  ])('limits: %s %s', async (path, form, param) => {
    const { stripe } = fresh()
    await productWithPrice(stripe)
    await stripe.coupons.create({ id: 'c', percent_off: 10 })
    expect(await fetchForm(stripe, path, form)).toMatchObject({ error: { param } })
  })
})

/** A form that the SDK's types do not allow. */
async function fetchForm(stripe: Stripe, path: string, form: string): Promise<unknown> {
  const params = Object.fromEntries(new URLSearchParams(form))
  return stripe.rawRequest('POST', path, params).catch((error: unknown) => ({ error: (error as { raw: unknown }).raw }))
}
