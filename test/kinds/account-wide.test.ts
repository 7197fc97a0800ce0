import { describe, expect, test } from 'vitest'
import { type AccountWideJourneys, travel } from './journey.ts'
import { catalogOf, lines, Target } from './target.ts'

/** Kinds that concern the whole account, and kinds that sell. Each goes through its states. */
const journeys: AccountWideJourneys = {
  payment_method_domain: [
    [
      'a domain',
      'payment_method_domains: { shop: { domain_name: shop.example.com } }',
      ['create payment_method_domain.shop (declared)'],
    ],
    [
      'the default said aloud',
      'payment_method_domains: { shop: { domain_name: shop.example.com, enabled: true } }',
      [],
    ],
    [
      'disabled',
      'payment_method_domains: { shop: { domain_name: shop.example.com, enabled: false } }',
      ['update payment_method_domain.shop (enabled)'],
    ],
    [
      'another name',
      'payment_method_domains: { shop: { domain_name: pay.example.com } }',
      ['replace payment_method_domain.shop (domain_name, enabled)'],
    ],
    ['removed', '', ['retire payment_method_domain.shop (no longer declared)']],
    [
      'back again',
      'payment_method_domains: { shop: { domain_name: pay.example.com } }',
      ['adopt payment_method_domain.shop (enabled)'],
    ],
  ],
  payment_method_configuration: [
    [
      'a name alone',
      'payment_method_configurations: { a: { name: Europe } }',
      ['create payment_method_configuration.a (declared)'],
    ],
    [
      'two methods',
      'payment_method_configurations: { a: { name: Europe, card: { display_preference: { preference: on } }, klarna: { display_preference: { preference: off } } } }',
      ['update payment_method_configuration.a (card, klarna)'],
    ],
    [
      'what the YAML no longer names stays as it is',
      'payment_method_configurations: { a: { name: Europe, card: { display_preference: { preference: on } } } }',
      [],
    ],
    [
      'out of use',
      'payment_method_configurations: { a: { name: Europe, active: false } }',
      ['update payment_method_configuration.a (active)'],
    ],
    ['removed', '', []],
    [
      'back again',
      'payment_method_configurations: { a: { name: Europe } }',
      ['adopt payment_method_configuration.a (active)'],
    ],
  ],
  tax_registration: [
    [
      'a state and a country',
      'tax_registrations: { ny: { country: US, country_options: { us: { state: NY, type: state_sales_tax } } }, es: { country: ES, country_options: { es: { type: standard } } } }',
      ['create tax_registration.es (declared)', 'create tax_registration.ny (declared)'],
    ],
    [
      'an end',
      'tax_registrations: { ny: { country: US, country_options: { us: { state: NY, type: state_sales_tax } }, expires_at: 2031-01-01T00:00:00Z }, es: { country: ES, country_options: { es: { type: standard } } } }',
      ['update tax_registration.ny (expires_at)'],
    ],
    [
      'no end',
      'tax_registrations: { ny: { country: US, country_options: { us: { state: NY, type: state_sales_tax } } }, es: { country: ES, country_options: { es: { type: standard } } } }',
      ['update tax_registration.ny (expires_at)'],
    ],
    [
      'another state',
      'tax_registrations: { ny: { country: US, country_options: { us: { state: NJ, type: state_sales_tax } } }, es: { country: ES, country_options: { es: { type: standard } } } }',
      ['replace tax_registration.ny (country_options)'],
    ],
    [
      'one less',
      'tax_registrations: { ny: { country: US, country_options: { us: { state: NJ, type: state_sales_tax } } } }',
      ['retire tax_registration.es (no longer declared)'],
    ],
    [
      'an ended one does not come back: another one is made',
      'tax_registrations: { ny: { country: US, country_options: { us: { state: NJ, type: state_sales_tax } } }, es: { country: ES, country_options: { es: { type: standard } } } }',
      ['create tax_registration.es (declared)'],
    ],
  ],
  tax_settings: [
    [
      'a behaviour and an address',
      'tax_settings: { here: { defaults: { tax_behavior: exclusive }, head_office: { address: { country: US, state: NY, city: New York } } } }',
      ['adopt tax_settings.here (defaults, head_office)'],
    ],
    [
      'a code',
      'tax_settings: { here: { defaults: { tax_behavior: inclusive, tax_code: txcd_10000000 } } }',
      ['update tax_settings.here (defaults)'],
    ],
    ['what is not said is left alone', 'tax_settings: { here: { defaults: { tax_code: txcd_10000000 } } }', []],
    ['removed: the settings stay', '', []],
  ],
  event_destination: [
    [
      'snapshots and thin events to one address',
      destinations(hook('snapshot', 'invoice.paid'), hook('thin', 'v1.invoice.paid')),
      ['create event_destination.a (declared)', 'create event_destination.b (declared)'],
    ],
    [
      'other events, a note',
      destinations(`${hook('snapshot', 'invoice.paid, invoice.voided')}, description: d, metadata: { k: v }`),
      [
        'update event_destination.a (enabled_events, description, metadata)',
        'retire event_destination.b (no longer declared)',
      ],
    ],
    [
      'disabled, without the note',
      destinations(`${hook('snapshot', 'invoice.voided, invoice.paid')}, disabled: true`),
      ['update event_destination.a (description, disabled, metadata)'],
    ],
    [
      'another payload: another destination',
      destinations(hook('thin', 'v1.invoice.paid')),
      ['replace event_destination.a (event_payload, enabled_events, disabled)'],
    ],
    [
      'another address',
      destinations(hook('thin', 'v1.invoice.paid').replace('/hook', '/other')),
      ['update event_destination.a (webhook_endpoint)'],
    ],
    ['removed', '', ['retire event_destination.a (no longer declared)']],
    [
      'to another cloud',
      'event_destinations: { c: { name: C, type: amazon_eventbridge, event_payload: thin, enabled_events: ["*"], amazon_eventbridge: { aws_account_id: "123456789012", aws_region: us-east-1 } } }',
      ['create event_destination.c (declared)'],
    ],
  ],
  payment_link: [
    [
      'one price',
      links('a: { line_items: [{ price: monthly, quantity: 1 }] }'),
      [
        'create product.p (declared)',
        'create price.monthly (declared)',
        'create price.once (declared)',
        'create shipping_rate.post (declared)',
        'create payment_link.a (declared)',
      ],
    ],
    [
      'every default said aloud',
      links(
        'a: { line_items: [{ price: monthly, quantity: 1, adjustable_quantity: { enabled: false } }], active: true, after_completion: { type: hosted_confirmation }, allow_promotion_codes: false, automatic_tax: { enabled: false }, billing_address_collection: auto, custom_fields: [], payment_method_collection: always, phone_number_collection: { enabled: false }, submit_type: auto, name_collection: { business: { enabled: false } } }',
      ),
      [],
    ],
    [
      'a trial, questions and words',
      links(
        'a: { line_items: [{ price: monthly, quantity: 2, adjustable_quantity: { enabled: true, maximum: 5 } }], allow_promotion_codes: true, subscription_data: { trial_period_days: 7, metadata: { a: b } }, custom_text: { submit: { message: Hello } }, custom_fields: [{ key: size, label: { type: custom, custom: Size }, type: text }], inactive_message: Sold out, metadata: { k: v } }',
      ),
      [
        'update payment_link.a (line_items, allow_promotion_codes, custom_fields, custom_text, inactive_message, subscription_data, metadata)',
      ],
    ],
    [
      'none of them',
      links('a: { line_items: [{ price: monthly, quantity: 2 }] }'),
      [
        'update payment_link.a (line_items, allow_promotion_codes, custom_fields, custom_text, inactive_message, subscription_data, metadata)',
      ],
    ],
    [
      'another price: another address',
      links('a: { line_items: [{ price: once, quantity: 1 }], shipping_options: [{ shipping_rate: post }] }'),
      ['replace payment_link.a (line_items, shipping_options)'],
    ],
    [
      'its price replaced',
      links('a: { line_items: [{ price: once, quantity: 1 }], shipping_options: [{ shipping_rate: post }] }', 600),
      ['replace price.once (unit_amount)', 'replace payment_link.a (line_items)'],
    ],
    [
      'closed',
      links('a: { line_items: [{ price: once, quantity: 1 }], active: false }', 600),
      ['update payment_link.a (active, shipping_options)'],
    ],
    ['open', links('a: { line_items: [{ price: once, quantity: 1 }] }', 600), ['update payment_link.a (active)']],
    ['removed', links('', 600), ['retire payment_link.a (no longer declared)']],
  ],
}

function hook(payload: string, events: string): string {
  return `name: Hook, type: webhook_endpoint, event_payload: ${payload}, enabled_events: [${events}], webhook_endpoint: { url: "https://x.test/hook" }`
}

function destinations(...entries: readonly string[]): string {
  const named = entries.map((one, index) => {
    const key = 'ab'[index]
    return `${key}: { ${one}, secret_to: { file: ${key} } }`
  })
  return `event_destinations: { ${named.join(', ')} }`
}

function links(entries: string, amount = 500): string {
  return `products: { p: { name: P } }
prices: { monthly: { product: p, currency: usd, unit_amount: 100, recurring: { interval: month } }, once: { product: p, currency: usd, unit_amount: ${amount} } }
shipping_rates: { post: { display_name: Post, fixed_amount: { amount: 5, currency: usd } } }
payment_links: { ${entries} }`
}

describe.each(Object.entries(journeys))(
  '%s: every state is reached, and then nothing is left to do',
  (_kind, states) => {
    test('from state to state', async () => {
      await travel(await Target.open(), states)
    })
  },
)

test('a registration for the same place and tax is not made beside the first', async () => {
  const target = await Target.open()
  const of = (standard: string) =>
    catalogOf(`tax_registrations: { es: { country: ES, country_options: { es: { type: standard${standard} } } } }`)
  await target.apply(await target.plan(of(', standard: { place_of_supply_scheme: small_seller }')))
  expect(lines(await target.plan(of(', standard: { place_of_supply_scheme: standard }')))).toEqual([
    'blocked tax_registration.es (cannot_change)',
  ])
})
