import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { lintNames, type LintName } from '../../src/catalog/lint-names.ts'
import { loadCatalog, type CatalogFile } from '../../src/catalog/load.ts'
import { grouped } from '../../src/core/diagnostic.ts'
import { stripeCurrencies } from '../../src/core/currencies.ts'
import { withoutSecrets } from '../../src/core/secret-text.ts'
import { eventNames } from '../../src/kinds/event-names.ts'
import { currencies as simulated } from '../../src/sandbox/kernel/currencies.ts'
import { root } from '../house/sources.ts'

const project = 'project: p\naccounts: { target: { sandbox: true }, us: { sandbox: true } }\n'

function files(given: Readonly<Record<string, string>>): CatalogFile[] {
  return Object.entries({ 'project.yaml': project, ...given }).map(([path, text]) => ({ path, text }))
}

function rulesOf(given: Readonly<Record<string, string>>): readonly string[] {
  return loadCatalog(files(given), 'strict', { lints: true }).findings.map(({ rule }) => rule)
}

const product = 'products: { p: { name: P } }\n'
const price = (key: string, more: string): string =>
  `  ${key}: { product: p, currency: usd, unit_amount: 4900, recurring: { interval: month }, tax_behavior: exclusive${more} }\n`
const prices = (...lines: readonly string[]): string => `${product}prices:\n${lines.join('')}`
const portal = (features: string): string => `portal_configurations: { a: { features: { ${features} } } }\n`
const offers = (list: string): string => `offers: { o: { kajabi: "1", prices: [${list}] } }\n`
const served = `${project}serve: { public_url: "https://c.example/" }\n`
const endpoint = (events: string): string =>
  `webhook_endpoints: { w: { url: "https://c.example/stripe/webhooks/target", enabled_events: [${events}] } }\n`
const needed =
  'customer.subscription.deleted, customer.discount.deleted, invoice.payment_failed, invoice.finalization_failed'
const key = `sk_${'live'}_0123456789abcdef`

interface Case {
  /** A catalog with the finding. */
  readonly bad: Readonly<Record<string, string>>
  /** The nearest catalogs without it. */
  readonly good: readonly Readonly<Record<string, string>>[]
}

const cases: Readonly<Record<LintName, Case>> = {
  'currency-unknown': {
    bad: { 'a.yaml': prices(price('a', '').replace('usd', 'xxq')) },
    good: [{ 'a.yaml': prices(price('a', ', metadata: { currency: xxq }')) }],
  },
  'event-unknown': {
    bad: { 'a.yaml': endpoint('customer.subscription.cancelled') },
    good: [{ 'a.yaml': endpoint('"*"') }, { 'a.yaml': endpoint(needed) }],
  },
  'portal-refused': {
    bad: { 'a.yaml': portal('customer_update: { enabled: true }') },
    good: [
      { 'a.yaml': portal('customer_update: { enabled: true, allowed_updates: [email] }') },
      { 'a.yaml': portal('customer_update: { enabled: false }') },
    ],
  },
  'secret-literal': {
    bad: { 'a.yaml': `${product}# ${key}\n` },
    good: [{ 'a.yaml': `${product}# sk_live_\n# pk_live_0123456789abcdef\n` }],
  },
  'tax-behavior-unspecified': {
    bad: { 'a.yaml': prices(price('a', '').replace('exclusive', 'unspecified')) },
    good: [
      { 'a.yaml': prices(price('a', ', active: false').replace('exclusive', 'unspecified')) },
      // Subscribers still move onto it from an old price that says nothing either.
      {
        'a.yaml': prices(price('a', '').replace('exclusive', 'unspecified')),
        'mappings/us.yaml': 'prices: { price_old: a }\n',
      },
    ],
  },
  'currency-gap': {
    bad: {
      'a.yaml': prices(
        price('m', ', currency_options: { eur: { unit_amount: 1 } }'),
        price('y', '').replace('month', 'year'),
      ),
    },
    good: [
      { 'a.yaml': prices(price('m', ''), price('y', '').replace('month', 'year')) },
      {
        'a.yaml': prices(price('m', ''), price('y', ', active: false').replace('usd', 'eur').replace('month', 'year')),
      },
    ],
  },
  'promotion-code-unlimited': {
    bad: {
      'a.yaml':
        'coupons: { c: { percent_off: 5, duration: once } }\npromotion_codes: { x: { code: X, promotion: { type: coupon, coupon: c } } }\n',
    },
    good: [
      {
        'a.yaml':
          'coupons: { c: { percent_off: 5, duration: once, max_redemptions: 9 } }\npromotion_codes: { x: { code: X, promotion: { type: coupon, coupon: c } } }\n',
      },
      {
        'a.yaml':
          'coupons: { c: { percent_off: 5, duration: once } }\npromotion_codes: { x: { code: X, promotion: { type: coupon, coupon: c }, max_redemptions: 9 } }\n',
      },
    ],
  },
  'amount-small': {
    bad: { 'a.yaml': prices(price('m', '').replace('4900', '49')) },
    good: [
      { 'a.yaml': prices(price('m', '').replace('4900', '0')) },
      { 'a.yaml': prices(price('m', '').replace('4900', '49').replace('usd', 'jpy')) },
      { 'a.yaml': prices(price('m', '').replace('4900', '49')), 'mappings/us.yaml': 'prices: { price_1: m }\n' },
    ],
  },
  'coupon-forever-free': {
    bad: { 'a.yaml': 'coupons: { c: { percent_off: 100, duration: forever } }\n' },
    good: [
      { 'a.yaml': 'coupons: { c: { percent_off: 100, duration: once } }\n' },
      { 'a.yaml': 'coupons: { c: { percent_off: 99, duration: forever } }\n' },
    ],
  },
  'price-twice': {
    bad: {
      'a.yaml': prices(
        price('a', ', nickname: A').replace('interval: month', 'interval: year'),
        price('b', '')
          .replace('interval: month', 'interval: month, interval_count: 12')
          .replace('unit_amount: 4900', 'unit_amount_decimal: "4900"'),
      ),
    },
    good: [
      { 'a.yaml': prices(price('a', ''), price('b', '').replace('exclusive', 'inclusive')) },
      { 'a.yaml': prices(price('a', ''), price('b', ', active: false')) },
    ],
  },
  'price-without-access': {
    bad: { 'a.yaml': prices(price('a', ''), price('b', '').replace('4900', '100')), 'access.yaml': offers('a') },
    good: [
      {
        'a.yaml': prices(price('a', ''), price('b', '').replace('4900', '100')),
        'access.yaml': `${offers('a')}without_offer: [b]\n`,
      },
      { 'a.yaml': prices(price('a', '')) },
    ],
  },
  'portal-unmapped-price': {
    bad: {
      'a.yaml': `${prices(price('a', ''), price('b', '').replace('4900', '100'))}${portal('subscription_update: { enabled: true, default_allowed_updates: [price], products: [{ product: p, prices: [a, b] }] }')}`,
      'access.yaml': offers('a'),
    },
    good: [
      {
        'a.yaml': `${prices(price('a', ''))}${portal('subscription_update: { enabled: true, default_allowed_updates: [price], products: [{ product: p, prices: [a] }] }')}`,
        'access.yaml': offers('a'),
      },
    ],
  },
  'endpoint-events-missing': {
    bad: { 'project.yaml': served, 'a.yaml': endpoint('customer.subscription.deleted') },
    good: [
      { 'project.yaml': served, 'a.yaml': endpoint(needed) },
      { 'project.yaml': served, 'a.yaml': endpoint('"*"') },
      { 'a.yaml': endpoint('invoice.paid') },
    ],
  },
  'lookup-key-differs': {
    bad: { 'a.yaml': prices(price('membership-monthly', ', lookup_key: membership-montly')) },
    good: [
      { 'a.yaml': prices(price('membership-monthly', ', lookup_key: membership_monthly')) },
      { 'a.yaml': prices(price('membership-monthly', ', lookup_key: gold')) },
    ],
  },
  'descriptor-long': {
    bad: {
      'a.yaml': `${prices(price('a', ''))}payment_links: { l: { line_items: [{ price: a, quantity: 1 }], payment_intent_data: { statement_descriptor_suffix: FORMULATION } } }\n`,
    },
    good: [
      {
        'a.yaml': `${prices(price('a', ''))}payment_links: { l: { line_items: [{ price: a, quantity: 1 }], payment_intent_data: { statement_descriptor_suffix: SKINCARE } } }\n`,
      },
    ],
  },
  'descriptor-unprintable': {
    bad: { 'a.yaml': "products: { p: { name: P, statement_descriptor: 'A*B SCHOOL' } }\n" },
    good: [{ 'a.yaml': 'products: { p: { name: P, statement_descriptor: SCHOOL } }\n' }],
  },
  'lint-comment': {
    bad: { 'a.yaml': `${product}# lint-off: price-twise\n` },
    good: [{ 'a.yaml': `${product}# lint-off: price-twice\n` }],
  },
}

describe.each(lintNames)('lint %s', (name) => {
  const { bad, good } = cases[name]

  test('finds its case, and no nearby one', () => {
    expect(rulesOf(bad)).toEqual([name])
    for (const one of good) expect(rulesOf(one)).not.toContain(name)
  })

  test('has a switch in project.yaml, and a comment on the line', () => {
    const own = bad['project.yaml'] ?? project
    expect(rulesOf({ ...bad, 'project.yaml': `${own}lint: { ${name}: off }\n` })).toEqual([])
    const { findings } = loadCatalog(files(bad), 'strict', { lints: true })
    const at = findings[0]?.at
    const lines = (bad[at?.file ?? ''] ?? '').split('\n')
    const commented = (index: number, text: string) => lines.toSpliced(index, 1, text).join('\n')
    const index = (at?.line ?? 1) - 1
    const line = lines[index] ?? ''
    // What stands in a comment itself is switched off for the project alone.
    const cannot = line.startsWith('#')
    expect(
      cannot ? [] : rulesOf({ ...bad, [at?.file ?? '']: commented(index, `${line} # lint-off: ${name}`) }),
    ).toEqual([])
    expect(
      cannot ? [] : rulesOf({ ...bad, [at?.file ?? '']: commented(index, `# lint-off: ${name}\n${line}`) }),
    ).toEqual([])
  })

  test('can be an error', () => {
    const own = bad['project.yaml'] ?? project
    const loaded = loadCatalog(files({ ...bad, 'project.yaml': `${own}lint: { ${name}: error }\n` }), 'strict', {
      lints: true,
    })
    expect(loaded.findings.map(({ severity }) => severity)).toEqual(['error'])
    expect(loaded.catalog).toBeUndefined()
  })
})

describe('destinations of events are endpoints as well', () => {
  const destination = (payload: string, events: string): string =>
    `event_destinations: { d: { name: D, type: webhook_endpoint, event_payload: ${payload}, enabled_events: [${events}], webhook_endpoint: { url: "https://c.example/stripe/webhooks/target" } } }\n`
  test.each([
    [destination('snapshot', needed), []],
    [destination('snapshot', 'invoice.payment_failed'), ['endpoint-events-missing']],
    [destination('thin', needed), ['endpoint-events-missing']],
    [destination('snapshot', `${needed}, invoice.payd`), ['event-unknown']],
  ])('%s', (text, found) => {
    expect(rulesOf({ 'project.yaml': served, 'a.yaml': text })).toEqual(found)
  })

  test('a code on a coupon that the catalog does not declare is not judged', () => {
    const code = 'promotion_codes: { x: { code: X, promotion: { type: coupon, coupon: { id: WELCOME } } } }\n'
    expect(rulesOf({ 'a.yaml': code })).toEqual([])
  })
})

describe('what Stripe refuses', () => {
  test.each([
    ['a further currency', prices(price('a', ', currency_options: { xxq: { unit_amount: 1 } }')), 'currency-unknown'],
    ['a coupon', 'coupons: { c: { amount_off: 5, currency: usx, duration: once } }\n', 'currency-unknown'],
    [
      'a shipping rate',
      'shipping_rates: { s: { display_name: S, fixed_amount: { amount: 5, currency: eru } } }\n',
      'currency-unknown',
    ],
    [
      'a minimum',
      'coupons: { c: { percent_off: 5, duration: once } }\npromotion_codes: { x: { code: X, expires_at: 2027-01-01T00:00:00Z, promotion: { type: coupon, coupon: c }, restrictions: { minimum_amount: 5, minimum_amount_currency: eru } } }\n',
      'currency-unknown',
    ],
    [
      'a portal without products',
      portal('subscription_update: { enabled: true, default_allowed_updates: [price] }'),
      'portal-refused',
    ],
    [
      'a portal with a price of another product',
      `products: { p: { name: P }, q: { name: Q } }\nprices:\n${price('a', '')}${portal('subscription_update: { enabled: true, default_allowed_updates: [price], products: [{ product: q, prices: [a] }] }')}`,
      'portal-refused',
    ],
    [
      'a portal with an archived price',
      `${prices(price('a', ', active: false'))}${portal('subscription_update: { enabled: true, default_allowed_updates: [price], products: [{ product: p, prices: [a] }] }')}`,
      'portal-refused',
    ],
    [
      'a portal with reasons but no options',
      portal('subscription_cancel: { enabled: true, cancellation_reason: { enabled: true, options: [] } }'),
      'portal-refused',
    ],
  ])('in %s is an error in every command, and stops that entry alone', (_what, text, rule) => {
    const given = files({ 'a.yaml': text })
    const strict = loadCatalog(given)
    expect(strict.findings).toMatchObject([{ severity: 'error', rule }])
    const lenient = loadCatalog(given, 'entries')
    expect(lenient.catalog?.leftOut?.entries).toHaveLength(1)
  })

  test('a subscriber in a currency that does not exist', () => {
    const wave = 'subscribers:\n  sub_1: { excluded: test, currency: usx }\n'
    expect(rulesOf({ 'subscribers/us/a.yaml': wave })).toEqual(['currency-unknown'])
  })

  test.each([
    ['customer.subscription.delted', 'did you mean "customer.subscription.deleted"?'],
    ['customer.subscription.cancelled', 'did you mean "customer.subscription.deleted"?'],
    ['payment_intent.cancelled', 'did you mean "payment_intent.canceled"?'],
    ['customer.subscription.renewed', 'see https://docs.stripe.com/api/events/types'],
    ['invoices.paid', 'did you mean "invoice.paid"?'],
  ])('the likely word for %s is suggested', (name, fix) => {
    const { findings } = loadCatalog(files({ 'a.yaml': endpoint(name) }))
    expect(findings[0]?.fix).toBe(fix)
  })

  test('events are those of the SDK, currencies at least those of the simulated Stripe', () => {
    const declared = readFileSync(join(root, 'node_modules/stripe/esm/resources/WebhookEndpoints.d.ts'), 'utf8')
    const union =
      /namespace WebhookEndpointCreateParams \{[\s\S]*?type EnabledEvent = ([^;]*);/.exec(declared)?.[1] ?? ''
    const names = [...union.matchAll(/'([^']+)'/g)].flatMap(([, name = '']) => (name === '*' ? [] : [name]))
    expect(names.length).toBeGreaterThan(200)
    expect([...eventNames].toSorted()).toEqual(names.toSorted())
    const missing = [...simulated].filter((one) => one.length === 3 && !stripeCurrencies.has(one))
    expect(missing).toEqual([])
  })
})

describe('findings', () => {
  test('one typo in nineteen places is one finding', () => {
    const lines = Array.from({ length: 19 }, (_, at) =>
      price(`a${at}`, '')
        .replace('4900', String(at + 1))
        .replace('product: p', 'product: pp'),
    )
    const { findings } = loadCatalog(files({ 'a.yaml': prices(...lines) }))
    expect(findings).toHaveLength(19)
    const [one, ...others] = grouped(findings)
    expect(others).toEqual([])
    expect(one?.also).toHaveLength(18)
  })

  test('never repeat the secret that they found', () => {
    const { findings } = loadCatalog(files(cases['secret-literal'].bad), 'strict', { lints: true })
    expect(JSON.stringify(findings)).not.toContain(key)
    expect(withoutSecrets(key)).toBe('(not shown)')
  })

  test('an unknown lint in project.yaml is refused', () => {
    const { findings } = loadCatalog(files({ 'project.yaml': `${project}lint: { price-twise: off }\n` }))
    expect(findings).toMatchObject([{ rule: 'unknown-key', fix: 'did you mean "price-twice"?' }])
  })

  test('lints are no part of what other commands check, nor of the basis of a plan', () => {
    expect(loadCatalog(files(cases['price-twice'].bad)).findings).toEqual([])
    const digest = (text: string) => loadCatalog(files({ 'project.yaml': text, 'a.yaml': product })).catalog?.digest
    expect(digest(`${project}lint: { price-twice: off }\n`)).toBe(digest(project))
  })
})
