import { describe, expect, test } from 'vitest'
import { type Journeys, travel } from './journey.ts'
import { Target } from './target.ts'

/**
 * Each kind goes through a list of states. After each state, nothing is left to do.
 */
const journeys: Journeys = {
  product: [
    ['bare', 'products: { a: { name: A } }', ['create product.a (declared)']],
    [
      'with everything',
      `products: { a: { name: A, description: d, images: ["https://x.test/1.png"], marketing_features: [{ name: f }], metadata: { k: v, l: w }, statement_descriptor: SCHOOL, tax_code: txcd_10000000, unit_label: seat, url: "https://x.test", package_dimensions: { height: 1, length: 2, weight: 3, width: 4 }, shippable: false } }`,
      [
        'update product.a (description, images, marketing_features, metadata, package_dimensions, shippable, statement_descriptor, tax_code, unit_label, url)',
      ],
    ],
    [
      'one key of metadata less',
      `products: { a: { name: B, description: d, metadata: { k: v } } }`,
      [expect.stringContaining('update product.a (name, images') as unknown as string],
    ],
    ['archived', 'products: { a: { name: B, active: false } }', ['update product.a (active, description, metadata)']],
    ['gone from the YAML', '', []],
    ['back again', 'products: { a: { name: B } }', ['update product.a (active)']],
    ['removed', '', ['retire product.a (no longer declared)']],
    ['under an id of its own', 'products: { a: { name: B, id: prod_own } }', ['replace product.a (id, active)']],
  ],
  price: [
    [
      'monthly',
      prices('a: { product: p, currency: usd, unit_amount: 4900, recurring: { interval: month } }'),
      ['create product.p (declared)', 'create price.a (declared)'],
    ],
    [
      'every default said aloud',
      prices(
        'a: { product: p, currency: usd, unit_amount_decimal: "4900.00", recurring: { interval: month, interval_count: 1, usage_type: licensed }, billing_scheme: per_unit, tax_behavior: unspecified, active: true }',
      ),
      [],
    ],
    [
      'tax behaviour set once, a lookup key, a note',
      prices(
        'a: { product: p, currency: usd, unit_amount: 4900, recurring: { interval: month }, tax_behavior: exclusive, lookup_key: monthly, nickname: n, metadata: { a: b } }',
      ),
      ['update price.a (tax_behavior, lookup_key, nickname, metadata)'],
    ],
    [
      'another amount',
      prices(
        'a: { product: p, currency: usd, unit_amount: 5900, recurring: { interval: month }, tax_behavior: exclusive, lookup_key: monthly }',
      ),
      ['replace price.a (unit_amount, metadata)'],
    ],
    [
      'back to the first amount',
      prices(
        'a: { product: p, currency: usd, unit_amount: 4900, recurring: { interval: month }, tax_behavior: exclusive, lookup_key: monthly }',
      ),
      ['replace price.a (unit_amount)'],
    ],
    [
      'no word about the lookup key',
      prices(
        'a: { product: p, currency: usd, unit_amount: 4900, recurring: { interval: month }, tax_behavior: exclusive }',
      ),
      [],
    ],
    [
      'half a cent',
      prices('a: { product: p, currency: usd, unit_amount_decimal: "0.50", recurring: { interval: month } }'),
      ['replace price.a (unit_amount, unit_amount_decimal, tax_behavior)'],
    ],
    [
      'free',
      prices('a: { product: p, currency: usd, unit_amount: 0, recurring: { interval: year } }'),
      ['replace price.a (unit_amount, unit_amount_decimal, recurring)'],
    ],
    [
      'tiers',
      prices(
        'a: { product: p, currency: usd, billing_scheme: tiered, tiers_mode: graduated, tiers: [{ up_to: 5, unit_amount: 1000, flat_amount: 0 }, { up_to: inf, unit_amount_decimal: "750.5" }], recurring: { interval: month } }',
      ),
      ['replace price.a (unit_amount, recurring, billing_scheme, tiers, tiers_mode)'],
    ],
    [
      'another tier',
      prices(
        'a: { product: p, currency: usd, billing_scheme: tiered, tiers_mode: graduated, tiers: [{ up_to: 6, unit_amount: 1000 }, { up_to: inf, flat_amount: 5 }], recurring: { interval: month } }',
      ),
      ['replace price.a (tiers)'],
    ],
    [
      'packages',
      prices(
        'a: { product: p, currency: jpy, unit_amount: 500, transform_quantity: { divide_by: 5, round: up }, recurring: { interval: week, interval_count: 2 } }',
      ),
      [expect.stringContaining('replace price.a (currency, unit_amount') as unknown as string],
    ],
    [
      'further currencies',
      prices(
        'a: { product: p, currency: usd, unit_amount: 500, recurring: { interval: month }, currency_options: { eur: { unit_amount: 450, tax_behavior: inclusive }, usd: { unit_amount: 500 } } }',
      ),
      [expect.stringContaining('replace price.a (currency') as unknown as string],
    ],
    [
      'one more currency',
      prices(
        'a: { product: p, currency: usd, unit_amount: 500, recurring: { interval: month }, currency_options: { eur: { unit_amount: 450, tax_behavior: inclusive }, jpy: { unit_amount: 700 } } }',
      ),
      ['update price.a (currency_options)'],
    ],
    [
      'one currency less',
      prices(
        'a: { product: p, currency: usd, unit_amount: 500, recurring: { interval: month }, currency_options: { jpy: { unit_amount: 700 } } }',
      ),
      ['replace price.a (currency_options)'],
    ],
    [
      'another amount in one of them',
      prices(
        'a: { product: p, currency: usd, unit_amount: 500, recurring: { interval: month }, currency_options: { jpy: { unit_amount: 800 } } }',
      ),
      ['replace price.a (currency_options)'],
    ],
    [
      'the customer chooses',
      prices('a: { product: p, currency: usd, custom_unit_amount: { enabled: true, minimum: 100 } }'),
      [expect.stringContaining('replace price.a (') as unknown as string],
    ],
    [
      'archived',
      prices('a: { product: p, currency: usd, custom_unit_amount: { enabled: true, minimum: 100 }, active: false }'),
      ['update price.a (active)'],
    ],
    [
      'one default price',
      prices('b: { product: p, currency: usd, unit_amount: 1 }', 'default_price: b'),
      ['create price.b (declared)', 'update product.p (default_price)'],
    ],
    [
      'the default price replaced',
      prices('b: { product: p, currency: usd, unit_amount: 2 }', 'default_price: b'),
      ['replace price.b (unit_amount)'],
    ],
    [
      'another default price',
      prices('c: { product: p, currency: usd, unit_amount: 3 }', 'default_price: c'),
      ['create price.c (declared)', 'update product.p (default_price)', 'retire price.b (no longer declared)'],
    ],
    ['everything removed', '', ['retire price.c (no longer declared)', 'retire product.p (no longer declared)']],
  ],
  tax_rate: [
    [
      'simple',
      'tax_rates: { a: { display_name: VAT, percentage: 19, inclusive: false } }',
      ['create tax_rate.a (declared)'],
    ],
    [
      'with places',
      'tax_rates: { a: { display_name: MwSt, percentage: 19.0, inclusive: false, country: DE, state: BE, jurisdiction: DE, description: d, tax_type: vat } }',
      ['update tax_rate.a (display_name, country, state, jurisdiction, description, tax_type)'],
    ],
    [
      'another percentage',
      'tax_rates: { a: { display_name: MwSt, percentage: 8.25, inclusive: false, country: DE } }',
      [expect.stringContaining('replace tax_rate.a (percentage') as unknown as string],
    ],
    [
      'archived',
      'tax_rates: { a: { display_name: MwSt, percentage: 8.25, inclusive: false, country: DE, active: false } }',
      ['update tax_rate.a (active)'],
    ],
    ['removed', '', []],
  ],
  coupon: [
    ['percent', 'coupons: { a: { percent_off: 20 } }', ['create coupon.a (declared)']],
    [
      'the default said aloud, and a name',
      'coupons: { a: { percent_off: 20, duration: once, name: N } }',
      ['update coupon.a (name)'],
    ],
    ['another percentage', 'coupons: { a: { percent_off: 33.33, name: N } }', ['replace coupon.a (percent_off)']],
    ['and back', 'coupons: { a: { percent_off: 20, name: N } }', ['replace coupon.a (percent_off)']],
    [
      'and there again: the object made before serves again',
      'coupons: { a: { percent_off: 33.33, name: M } }',
      ['replace coupon.a (name, percent_off)'],
    ],
    [
      'an amount for some products, until a day',
      'products: { p: { name: P }, q: { name: Q } }\ncoupons: { a: { amount_off: 500, currency: usd, currency_options: { eur: { amount_off: 450 } }, duration: repeating, duration_in_months: 3, applies_to: { products: [q, p] }, max_redemptions: 9, redeem_by: 2027-01-01T00:00:00Z, metadata: { k: v } } }',
      [
        'create product.p (declared)',
        'create product.q (declared)',
        expect.stringContaining('replace coupon.a (') as unknown as string,
      ],
    ],
    [
      'the same products in another order, one more currency',
      'products: { p: { name: P }, q: { name: Q } }\ncoupons: { a: { amount_off: 500, currency: usd, currency_options: { eur: { amount_off: 450 }, gbp: { amount_off: 400 } }, duration: repeating, duration_in_months: 3, applies_to: { products: [p, q] }, max_redemptions: 9, redeem_by: 2027-01-01T00:00:00Z, metadata: { k: v } } }',
      ['update coupon.a (currency_options)'],
    ],
    [
      'removed',
      '',
      [
        // The coupon and the four that it replaced.
        ...Array<string>(5).fill('retire coupon.a (no longer declared)'),
        'retire product.p (no longer declared)',
        'retire product.q (no longer declared)',
      ],
    ],
  ],
  promotion_code: [
    [
      'a code',
      codes('a: { code: WELCOME, promotion: { coupon: c } }'),
      ['create coupon.c (declared)', 'create promotion_code.a (declared)'],
    ],
    [
      'defaults said aloud',
      codes(
        'a: { code: WELCOME, promotion: { type: coupon, coupon: c }, active: true, restrictions: { first_time_transaction: false } }',
      ),
      [],
    ],
    [
      'restricted',
      codes(
        'a: { code: WELCOME, promotion: { coupon: c }, expires_at: 2027-05-05T05:05:05Z, max_redemptions: 5, restrictions: { first_time_transaction: true, minimum_amount: 1000, minimum_amount_currency: usd } }',
      ),
      ['replace promotion_code.a (expires_at, max_redemptions, restrictions)'],
    ],
    [
      'paused',
      codes(
        'a: { code: WELCOME, promotion: { coupon: c }, active: false, expires_at: 2027-05-05T05:05:05Z, max_redemptions: 5, restrictions: { first_time_transaction: true, minimum_amount: 1000, minimum_amount_currency: usd } }',
      ),
      ['update promotion_code.a (active)'],
    ],
    [
      'another code',
      codes('a: { code: HELLO, promotion: { coupon: c } }'),
      [expect.stringContaining('replace promotion_code.a (code') as unknown as string],
    ],
    [
      'its coupon replaced',
      codes('a: { code: HELLO, promotion: { coupon: c } }', 50),
      ['replace coupon.c (percent_off)', 'replace promotion_code.a (promotion)'],
    ],
    [
      'removed',
      '',
      [
        'retire promotion_code.a (no longer declared)',
        ...Array<string>(2).fill('retire coupon.c (no longer declared)'),
      ],
    ],
    [
      'back again',
      codes('a: { code: HELLO, promotion: { coupon: c } }', 50),
      [expect.stringContaining('coupon.c') as unknown as string, 'replace promotion_code.a (promotion, active)'],
    ],
  ],
  feature: [
    ['a feature', 'features: { a: { name: A, lookup_key: a } }', ['create feature.a (declared)']],
    [
      'renamed',
      'features: { a: { name: B, lookup_key: a, metadata: { k: v } } }',
      ['update feature.a (name, metadata)'],
    ],
    ['another lookup key', 'features: { a: { name: B, lookup_key: b } }', ['replace feature.a (lookup_key, metadata)']],
    ['archived', 'features: { a: { name: B, lookup_key: b, active: false } }', ['update feature.a (active)']],
    [
      'archived from the start',
      'features: { c: { name: C, lookup_key: c, active: false } }',
      ['create feature.c (declared)'],
    ],
    ['removed', '', []],
  ],
  meter: [
    [
      'a meter',
      'meters: { a: { display_name: A, event_name: used, default_aggregation: { formula: sum } } }',
      ['create meter.a (declared)'],
    ],
    [
      'defaults said aloud',
      'meters: { a: { display_name: A, event_name: used, default_aggregation: { formula: sum }, customer_mapping: { event_payload_key: stripe_customer_id, type: by_id }, value_settings: { event_payload_key: value } } }',
      [],
    ],
    [
      'renamed',
      'meters: { a: { display_name: B, event_name: used, default_aggregation: { formula: sum } } }',
      ['update meter.a (display_name)'],
    ],
    [
      'a metered price',
      'meters: { a: { display_name: B, event_name: used, default_aggregation: { formula: sum } } }\nproducts: { p: { name: P } }\nprices: { m: { product: p, currency: usd, unit_amount: 5, recurring: { interval: month, usage_type: metered, meter: a } } }',
      ['create product.p (declared)', 'create price.m (declared)'],
    ],
    [
      'another formula: the price follows',
      'meters: { a: { display_name: B, event_name: used, default_aggregation: { formula: count } } }\nproducts: { p: { name: P } }\nprices: { m: { product: p, currency: usd, unit_amount: 5, recurring: { interval: month, usage_type: metered, meter: a } } }',
      ['replace meter.a (default_aggregation)', 'replace price.m (recurring)'],
    ],
    [
      'stopped',
      'meters: { a: { display_name: B, event_name: used, default_aggregation: { formula: count }, active: false } }',
      ['update meter.a (active)', 'retire price.m (no longer declared)', 'retire product.p (no longer declared)'],
    ],
    [
      'started',
      'meters: { a: { display_name: B, event_name: used, default_aggregation: { formula: count } } }',
      ['update meter.a (active)'],
    ],
    ['removed', '', ['retire meter.a (no longer declared)']],
    [
      'back again',
      'meters: { a: { display_name: B, event_name: used, default_aggregation: { formula: count } } }',
      ['adopt meter.a (active)'],
    ],
  ],
  shipping_rate: [
    [
      'a rate',
      'shipping_rates: { a: { display_name: A, fixed_amount: { amount: 500, currency: usd } } }',
      ['create shipping_rate.a (declared)'],
    ],
    [
      'taxed, another currency, a note',
      'shipping_rates: { a: { display_name: A, tax_behavior: exclusive, metadata: { k: v }, fixed_amount: { amount: 500, currency: usd, currency_options: { eur: { amount: 450 } } } } }',
      ['update shipping_rate.a (fixed_amount, tax_behavior, metadata)'],
    ],
    [
      'another amount there',
      'shipping_rates: { a: { display_name: A, tax_behavior: exclusive, fixed_amount: { amount: 500, currency: usd, currency_options: { eur: { amount: 460, tax_behavior: unspecified } } } } }',
      ['update shipping_rate.a (fixed_amount, metadata)'],
    ],
    [
      'days',
      'shipping_rates: { a: { display_name: A, tax_code: txcd_92010001, delivery_estimate: { minimum: { unit: day, value: 2 } }, fixed_amount: { amount: 600, currency: usd } } }',
      ['replace shipping_rate.a (fixed_amount, delivery_estimate, tax_behavior, tax_code)'],
    ],
    [
      'not offered',
      'shipping_rates: { a: { display_name: A, active: false, tax_code: txcd_92010001, delivery_estimate: { minimum: { unit: day, value: 2 } }, fixed_amount: { amount: 600, currency: usd } } }',
      ['update shipping_rate.a (active)'],
    ],
    ['removed', '', []],
  ],
  portal_configuration: [
    [
      'nearly nothing',
      portal('invoice_history: { enabled: true }'),
      [
        'create product.p (declared)',
        'create price.a (declared)',
        'create price.b (declared)',
        'create portal_configuration.x (declared)',
      ],
    ],
    [
      'cancelling and changing',
      portal(
        'invoice_history: { enabled: true }, customer_update: { enabled: true, allowed_updates: [tax_id, address] }, subscription_cancel: { enabled: true, mode: at_period_end, cancellation_reason: { enabled: true, options: [unused, other] } }, subscription_update: { enabled: true, default_allowed_updates: [quantity, price], products: [{ product: p, prices: [b, a], adjustable_quantity: { enabled: true, maximum: 9 } }] }',
      ),
      ['update portal_configuration.x (features)'],
    ],
    [
      'the same in another order',
      portal(
        'subscription_update: { enabled: true, default_allowed_updates: [price, quantity], products: [{ product: p, prices: [a, b], adjustable_quantity: { enabled: true, maximum: 9 } }] }',
      ),
      [],
    ],
    [
      'words, and a page to log in',
      portal(
        'invoice_history: { enabled: false }',
        'name: N, business_profile: { headline: Hello }, default_return_url: "https://x.test/back", login_page: { enabled: true }, metadata: { k: v }',
      ),
      ['update portal_configuration.x (features, business_profile, default_return_url, login_page, name, metadata)'],
    ],
    [
      'fewer words',
      portal('invoice_history: { enabled: false }'),
      ['update portal_configuration.x (default_return_url, name, metadata)'],
    ],
    [
      'an offered price replaced',
      portal(
        'subscription_update: { enabled: true, default_allowed_updates: [price], products: [{ product: p, prices: [a, b] }] }',
      ).replace('unit_amount: 2', 'unit_amount: 3'),
      ['replace price.b (unit_amount)', 'update portal_configuration.x (features)'],
    ],
    [
      'out of use',
      portal('invoice_history: { enabled: false }', 'active: false'),
      ['replace price.b (unit_amount)', 'update portal_configuration.x (active)'],
    ],
    [
      'removed',
      '',
      [
        'retire price.a (no longer declared)',
        'retire price.b (no longer declared)',
        'retire product.p (no longer declared)',
      ].sort(),
    ],
  ],
  webhook_endpoint: [
    [
      'an endpoint',
      hooks('enabled_events: [invoice.paid, customer.subscription.deleted]'),
      ['create webhook_endpoint.a (declared)'],
    ],
    [
      'the same events in another order',
      hooks('enabled_events: [customer.subscription.deleted, invoice.paid], connect: false, disabled: false'),
      [],
    ],
    [
      'other events, a note',
      hooks('enabled_events: [customer.subscription.deleted], description: d, metadata: { k: v }'),
      ['update webhook_endpoint.a (enabled_events, description, metadata)'],
    ],
    [
      'the version it has anyway',
      hooks('enabled_events: [customer.subscription.deleted], api_version: 2026-10-28.endive'),
      ['update webhook_endpoint.a (description, metadata)'],
    ],
    [
      'stopped',
      hooks('enabled_events: ["*"], disabled: true'),
      ['update webhook_endpoint.a (enabled_events, disabled)'],
    ],
    ['started', hooks('enabled_events: ["*"]'), ['update webhook_endpoint.a (disabled)']],
    ['for connected accounts', hooks('enabled_events: ["*"], connect: true'), ['replace webhook_endpoint.a (connect)']],
    ['removed', '', ['retire webhook_endpoint.a (no longer declared)']],
    ['back again', hooks('enabled_events: ["*"], connect: true'), ['update webhook_endpoint.a (disabled)']],
  ],
}

function portal(features: string, rest = ''): string {
  return `products: { p: { name: P } }
prices: { a: { product: p, currency: usd, unit_amount: 1, recurring: { interval: month } }, b: { product: p, currency: usd, unit_amount: 2, recurring: { interval: year } } }
portal_configurations: { x: { features: { ${features} }${rest === '' ? '' : `, ${rest}`} } }`
}

function hooks(entry: string): string {
  return `webhook_endpoints: { a: { url: "https://x.test/hook", secret_to: { env_file: .env, name: HOOK }, ${entry} } }`
}

function prices(entries: string, product = ''): string {
  return `products: { p: { name: P${product === '' ? '' : `, ${product}`} } }\nprices: { ${entries} }`
}

function codes(entries: string, percent = 20): string {
  return `coupons: { c: { percent_off: ${percent} } }\npromotion_codes: { ${entries} }`
}

describe.each(Object.entries(journeys))(
  '%s: every state is reached, and then nothing is left to do',
  (_kind, states) => {
    test('from state to state', async () => {
      const target = await Target.open()
      // An account has a portal configuration of its own, which stays the default.
      await target.send('POST', '/v1/billing_portal/configurations', {
        features: { invoice_history: { enabled: true } },
      })
      await travel(target, states)
    })
  },
)
