import { describe, expect, test } from 'vitest'
import { loadCatalog } from '../../src/catalog/load.ts'
import { files, load, places, pricesYaml } from './project.ts'

const wave = `stage: target
subscribers:
  sub_1NqIntl0042:
    customer: cus_Ok42
    items: [{ price: membership-monthly-usd, quantity: 2 }]
    next_invoice: 2026-12-31T09:15:00Z
    anchor: 2024-01-31T09:15:00Z
    payment_method: pm_1OldAbc
    discounts: [{ coupon: welcome-20, ends: 2027-02-01T00:00:00Z }]
    tax_rates: [de-vat-19]
  sub_gone: { excluded: 'paid by hand' }
`
const coupons = 'coupons:\n  welcome-20: { percent_off: 20, duration: forever }\n'
const rates = 'tax_rates:\n  de-vat-19: { display_name: VAT, percentage: 19, inclusive: false }\n'
const whole = { 'subscribers/intl/wave-02.yaml': wave, 'coupons.yaml': coupons, 'tax-rates.yaml': rates }

describe('a correct catalog', () => {
  test('becomes resources and subscribers with instants, stages and places', () => {
    const { catalog, findings } = load(whole)
    expect(findings).toEqual([])
    expect(catalog?.resources.map(({ address }) => address)).toEqual([
      'coupon.welcome-20',
      'price.membership-monthly-usd',
      'product.membership',
      'tax_rate.de-vat-19',
    ])
    expect(catalog?.subscribers[0]).toEqual({
      key: 'intl/sub_1NqIntl0042',
      source: 'intl',
      subscription: 'sub_1NqIntl0042',
      file: 'subscribers/intl/wave-02.yaml',
      stage: 'target',
      customer: 'cus_Ok42',
      items: [{ price: 'membership-monthly-usd', quantity: 2 }],
      next_invoice: Date.UTC(2026, 11, 31, 9, 15) / 1_000,
      anchor: Date.UTC(2024, 0, 31, 9, 15) / 1_000,
      payment_method: 'pm_1OldAbc',
      discounts: [{ coupon: 'welcome-20', ends: Date.UTC(2027, 1, 1) / 1_000 }],
      tax_rates: ['de-vat-19'],
      automatic_tax: false,
      collection_method: 'charge_automatically',
      at: { file: 'subscribers/intl/wave-02.yaml', line: 3, column: 3 },
    })
  })

  test('has cautious policies by default', () => {
    expect(load().catalog?.project.policies).toMatchObject({ tax: 'same', customer_balance: 'stop', past_due: 'stop' })
    const written = 'project: a\naccounts: { target: { sandbox: true } }\npolicies: { past_due: leave }\n'
    expect(load({ 'project.yaml': written }).catalog?.project.policies.past_due).toBe('leave')
  })

  test('has a digest of its meaning: comments, order and layout do not change it, an amount does', () => {
    const plain = load().catalog?.digest
    const block =
      '# a note\nprices:\n  "membership-monthly-usd":\n    unit_amount: 4900\n    currency: usd\n    recurring:\n      interval: month\n    product: membership\n'
    expect(load({ 'prices.yaml': block }).catalog?.digest).toBe(plain)
    expect(loadCatalog([...files({})].reverse()).catalog?.digest).toBe(plain)
    expect(load({ 'prices.yaml': pricesYaml.replace('4900', '4901') }).catalog?.digest).not.toBe(plain)
    expect(
      load({ ...whole, 'subscribers/intl/wave-02.yaml': wave.replace('stage: target', 'stage: source') }).catalog
        ?.digest,
    ).not.toBe(load(whole).catalog?.digest)
  })
})

describe('an error names its position and a fix', () => {
  test.each([
    [
      'an unknown key',
      { 'prices.yaml': pricesYaml.replace('unit_amount', 'unit_amout') },
      'prices.yaml:5:5 unknown-key',
      'did you mean "unit_amount"?',
    ],
    ['an unknown section', { 'x.yaml': 'pricess: {}\n' }, 'x.yaml:1:1 unknown-key', 'did you mean "prices"?'],
    [
      'a missing key',
      { 'prices.yaml': pricesYaml.replace('    currency: usd\n', '') },
      'prices.yaml:2:3 missing-key',
      'add currency',
    ],
    [
      'text for a number',
      { 'prices.yaml': pricesYaml.replace('4900', '"49.00"') },
      'prices.yaml:5:18 wrong-type',
      'smallest unit',
    ],
    [
      'a word that is not one',
      { 'prices.yaml': pricesYaml.replace('month }', 'moth }') },
      'prices.yaml:6:28 not-allowed',
      'did you mean "month"?',
    ],
    [
      'a date that does not exist',
      { 'coupons.yaml': 'coupons:\n  a: { percent_off: 5, redeem_by: 2026-02-30T00:00:00Z }\n' },
      'coupons.yaml:2:35 bad-format',
      '2026-12-31T09:15:00Z',
    ],
    [
      'an unknown product',
      { 'prices.yaml': pricesYaml.replace('product: membership', 'product: membreship') },
      'prices.yaml:3:14 unknown-reference',
      'did you mean "membership"?',
    ],
    [
      'a key said twice',
      {
        'products.yaml': 'products:\n  a: { name: A }\n  b: { name: B }\n  a: { name: C }\n  membership: { name: M }\n',
      },
      'products.yaml:4:3 duplicate-key',
      'keep one',
    ],
    [
      'a key in two files',
      { 'more.yaml': 'products:\n  membership: { name: B }\n' },
      'products.yaml:2:3 duplicate-key',
      'keep one',
    ],
    [
      'an account that is no source',
      { 'subscribers/ust/a.yaml': 'subscribers:\n  sub_1: { excluded: x }\n' },
      'subscribers/ust/a.yaml:2:3 unknown-source',
      'did you mean "us"?',
    ],
    ['a file without a place', { 'old/prices.yaml': '' }, 'old/prices.yaml:1:1 unknown-file', 'directly below'],
    [
      'a key with our prefix in metadata',
      { 'products.yaml': 'products:\n  membership: { name: M, metadata: { crossbill_x: y } }\n' },
      'products.yaml:2:38 bad-key',
      'crossbill_',
    ],
    [
      'an unknown guard',
      { 'project.yaml': 'project: a\naccounts: { target: { sandbox: true } }\nguards: { people_move: 3 }\n' },
      'project.yaml:3:11 unknown-key',
      'people_moved',
    ],
    [
      'a secret written out',
      { 'project.yaml': 'project: a\naccounts: { target: { key: sk_live_x, account: acct_1, livemode: true } }\n' },
      'project.yaml:2:21 bad-form',
      '{ env: NAME }',
    ],
    [
      'an entry without terms',
      { 'subscribers/us/a.yaml': 'subscribers:\n  sub_1: { customer: cus_1 }\n' },
      'subscribers/us/a.yaml:2:3 missing-key',
      'excluded',
    ],
    [
      'two tax codes of one product',
      {
        'products.yaml': 'products:\n  membership: { name: M, tax_code: txcd_1, tax_details: { tax_code: txcd_2 } }\n',
      },
      'products.yaml:2:69 mirrored-values',
      'keep one of the two',
    ],
    [
      'another amount in the own currency',
      { 'prices.yaml': `${pricesYaml}    currency_options: { usd: { unit_amount: 5000 } }\n` },
      'prices.yaml:7:45 mirrored-values',
      'keep one of the two',
    ],
    [
      'an override that is not a code',
      { 'subscribers/us/a.yaml': 'subscribers:\n  sub_1: { excluded: x, override: [changed_since_mvoe] }\n' },
      'subscribers/us/a.yaml:2:36 not-allowed',
      'did you mean "changed_since_move"?',
    ],
    [
      'an override of a code that cannot be overridden',
      { 'subscribers/us/a.yaml': 'subscribers:\n  sub_1: { excluded: x, override: [duplicate_target] }\n' },
      'subscribers/us/a.yaml:2:36 not-allowed',
      'money_on_held_source',
    ],
    [
      'two answers to one question',
      {
        'subscribers/us/a.yaml':
          'subscribers:\n  sub_1: { excluded: x, override: [bill_refunded_period, leave_refunded_period] }\n',
      },
      'subscribers/us/a.yaml:2:35 override-twice',
      'keep the one that you mean',
    ],
    [
      'another currency',
      {
        'subscribers/us/a.yaml':
          'subscribers:\n  sub_1: { customer: cus_1, currency: eur, anchor: 2026-01-01T00:00:00Z, items: [{ price: membership-monthly-usd }] }\n',
      },
      'subscribers/us/a.yaml:2:91 currency-mismatch',
      'currency_options',
    ],
  ])('%s', (_name, texts, place, fix) => {
    const loaded = load(texts as unknown as Record<string, string>)
    expect(loaded.catalog).toBeUndefined()
    expect(places(loaded)).toContain(place)
    expect(loaded.findings.map((one) => one.fix).join('\n')).toContain(fix)
  })

  test('the same error many times is shown a few times and counted', () => {
    const entry = (index: number): string =>
      `  sub_${index}: { customer: cus_1, anchor: 2026-01-01T00:00:00Z, items: [{ price: nope }] }\n`
    const many = `subscribers:\n${Array.from({ length: 300 }, (_, index) => entry(index)).join('')}`
    const { findings } = load({
      'subscribers/us/a.yaml': many,
      'subscribers/us/b.yaml': many.replaceAll('sub_', 'sub_b'),
    })
    expect(findings).toHaveLength(201)
    expect(findings[0]?.message).toBe('rule unknown-reference has more than 200 findings; the rest are not listed')
    expect(findings[200]?.at).toEqual({
      file: 'subscribers/us/a.yaml',
      line: 201,
      column: expect.any(Number) as number,
    })
  })

  test('shows all errors, in the order of files and lines', () => {
    const prices = pricesYaml.replace('unit_amount', 'unit_amout').replace('usd\n    unit', 'USD\n    unit')
    const loaded = load({ 'prices.yaml': prices, 'products.yaml': 'products: [1]\n' })
    expect(places(loaded)).toEqual([
      'prices.yaml:4:15 bad-format',
      'prices.yaml:5:5 unknown-key',
      'products.yaml:1:11 wrong-type',
    ])
  })
})

test.each([
  ['{ env_file: .env, name: HOOK }', '{ env_file: ./.env, name: HOOK }'],
  ['{ env_file: .env, name: HOOK }', '{ env_file: .env, name: HOOK_PREVIOUS }'],
  ['{ file: .env }', '{ env_file: .env, name: HOOK }'],
  ['{ file: a/../hook }', '{ file: hook }'],
  ['{ command: [keep, hook] }', '{ command: [keep, hook] }'],
])('two secrets in one place are an error: %s and %s', (one, other) => {
  const { findings } = load({
    'webhooks.yaml': `webhook_endpoints:
  a: { url: 'https://x.test/a', enabled_events: [invoice.paid], secret_to: ${one} }
event_destinations:
  b:
    name: B
    type: webhook_endpoint
    event_payload: thin
    enabled_events: [v1.billing.meter.no_meter_found]
    webhook_endpoint: { url: 'https://x.test/b' }
    secret_to: ${other}
`,
  })
  const fix = expect.stringContaining('name another place') as string
  const at = { file: 'webhooks.yaml', line: 10, column: expect.any(Number) as number }
  expect(findings).toMatchObject([{ rule: 'secret-place-twice', at, fix }])
})

test('two secrets in one file, under two names, are no error', () => {
  const hook = (name: string): string =>
    `  ${name}: { url: 'https://x.test/${name}', enabled_events: [invoice.paid], secret_to: { env_file: .env, name: ${name} } }`
  expect(load({ 'webhooks.yaml': `webhook_endpoints:\n${hook('A')}\n${hook('B')}\n` }).findings).toEqual([])
})

test('one entry with two errors is left out alone, and its neighbours stay', () => {
  const entry = '    customer: cus_1\n    next_invoice: 2027-01-01T00:00:00Z\n    anchor: 2026-01-01T00:00:00Z\n'
  const subscribers = `subscribers:
  sub_1:
${entry}    items: [{ price: membership-monthly-usd, quantity: 1 }]
  sub_2: { items: [{ price: no-such-price, quantity: 1 }] }
`
  const prices = `${pricesYaml}  wrong: { product: no-such-product, currency: usd, unit_amount: 1, unit_amount_decimal: '1' }\n`
  const { catalog } = loadCatalog(
    files({ 'subscribers/us/wave-01.yaml': subscribers, 'prices.yaml': prices }),
    'entries',
  )
  expect(catalog?.subscribers.map(({ key }) => key)).toEqual(['us/sub_1'])
  expect(catalog?.leftOut?.entries.map(({ address }) => address).toSorted()).toEqual([
    'price.wrong',
    'subscriber.us/sub_2',
  ])
  expect([...(catalog?.leftOut?.files.keys() ?? [])]).toEqual([])
})

test('validate finds every mistake at once: in an entry, and between the others', () => {
  const text = `products: { course: { name: Course } }
prices:
  a: { product: cours, currency: usd, unit_amount: 100 }
  b: { product: course, currency: xxq, unit_amount: 100 }
portal_configurations:
  p: { features: { customer_update: { enabled: true, allowed_updates: [nam] } } }
`
  const found = loadCatalog(
    [
      { path: 'project.yaml', text: 'project: x\naccounts: { target: { sandbox: true } }\n' },
      { path: 'all.yaml', text },
    ],
    'strict',
    { lints: true },
  )
  expect(found.catalog).toBeUndefined()
  expect(found.findings.map(({ rule, message }) => `${rule}: ${message}`)).toEqual([
    'unknown-reference: there is no "cours" in `products:`',
    'currency-unknown: Stripe makes no prices in the currency "xxq"',
    'not-allowed: an item of "allowed_updates" cannot be "nam"',
  ])
})
