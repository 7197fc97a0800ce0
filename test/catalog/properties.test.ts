import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { instant } from '../../src/core/instant.ts'
import { loadCatalog } from '../../src/catalog/load.ts'
import { pullCatalog } from '../../src/pull/pull.ts'
import { canonicalAmount, decimalText } from '../../src/kinds/decimal.ts'
import { slug, freeKey } from '../../src/catalog/keys.ts'
import type { LiveAccount } from '../../src/live/accounts.ts'
import { files, pricesYaml, productsYaml, projectYaml } from './project.ts'

const amounts = fc.constantFrom(4_900, 4_901, 0)
const livePrice = fc.record({
  product: fc.constantFrom('prod_a', 'prod_b', 'prod_A'),
  currency: fc.constantFrom('usd', 'eur'),
  unit_amount: amounts,
  interval: fc.constantFrom('month', 'year'),
  interval_count: fc.constantFrom(1, 3),
  tax_behavior: fc.constantFrom('unspecified', 'inclusive', null),
  transform: fc.constantFrom(null, { divide_by: 10, round: 'up' }),
  options: fc.constantFrom(undefined, {}, { eur: { unit_amount: 1, tax_behavior: 'unspecified' } }),
  nickname: fc.constantFrom(null, 'x'),
  active: fc.boolean(),
  lookup_key: fc.constantFrom(null, 'k1', 'k2'),
})

type LivePrice = typeof livePrice extends fc.Arbitrary<infer T> ? T : never

const names: Readonly<Record<string, string>> = { prod_a: 'One', prod_A: 'one ', prod_b: 'Two' }

/** The fields that affect an invoice, in a second, independent form. */
function bill(price: LivePrice): string {
  const option = price.currency === 'eur' ? 'none' : (price.options?.eur?.unit_amount ?? 'none')
  return [
    names[price.product]?.trim().toLowerCase(),
    price.currency,
    price.unit_amount,
    price.interval,
    price.interval_count,
    price.tax_behavior ?? 'unspecified',
    price.transform === null ? '' : 'packages',
    option,
  ].join(' ')
}

function account(prices: readonly LivePrice[]): { live: LiveAccount; resources: ReadonlyMap<string, never[]> } {
  const objects = prices.map((price, index) => ({
    object: 'price',
    id: `price_${index}`,
    product: price.product,
    currency: price.currency,
    unit_amount: price.unit_amount,
    unit_amount_decimal: String(price.unit_amount),
    billing_scheme: 'per_unit',
    active: price.active,
    nickname: price.nickname,
    lookup_key: price.lookup_key,
    metadata: {},
    tax_behavior: price.tax_behavior,
    created: 1,
    transform_quantity: price.transform,
    recurring: {
      interval: price.interval,
      interval_count: price.interval_count,
      usage_type: 'licensed',
      meter: null,
      trial_period_days: null,
    },
    ...(price.options === undefined ? {} : { currency_options: price.options }),
  }))
  const subscriptions = objects.map((price) => ({
    object: 'subscription',
    id: `sub_${price.id}`,
    customer: 'cus_1',
    currency: price.currency,
    status: 'active',
    created: 1,
    start_date: 1,
    billing_cycle_anchor: 1,
    billing_cycle_anchor_config: null,
    discounts: [],
    default_tax_rates: [],
    automatic_tax: { enabled: false },
    collection_method: 'charge_automatically',
    days_until_due: null,
    cancel_at: null,
    cancel_at_period_end: false,
    trial_end: null,
    trial_settings: null,
    application: null,
    metadata: {},
    pause_collection: null,
    default_payment_method: null,
    default_source: null,
    latest_invoice: null,
    items: {
      data: [
        {
          id: `si_${price.id}`,
          price,
          quantity: 1,
          tax_rates: [],
          discounts: [],
          metadata: {},
          current_period_start: 1,
          current_period_end: 2_000_000_000,
        },
      ],
    },
  }))
  const products = Object.entries(names).map(([id, name]) => ({
    object: 'product',
    id,
    name,
    active: true,
    created: 1,
    metadata: {},
  }))
  const live = {
    name: 'us',
    id: 'acct_us',
    livemode: false,
    now: instant(10),
    subscriptions,
    customers: new Map(),
    invoices: new Map(),
    pendingItems: new Map(),
    schedules: new Map(),
  }
  return { live, resources: new Map(Object.entries({ product: products, price: objects })) } as never
}

describe('consolidation', () => {
  test('two prices get one key exactly when they bill alike, and the result is valid', () => {
    fc.assert(
      fc.property(fc.array(livePrice, { minLength: 1, maxLength: 12 }), (prices) => {
        const pulled = pullCatalog({
          project: 'school',
          accounts: [account(prices)],
          files: new Map([['project.yaml', projectYaml]]),
          now: instant(10),
        })
        const all = [...new Map([['project.yaml', projectYaml], ...pulled.files])].map(([path, text]) => ({
          path,
          text,
        }))
        const { catalog, findings } = loadCatalog(all)
        expect(findings).toEqual([])
        const keys = catalog?.mappings.get('us')?.prices ?? {}
        for (const [i, a] of prices.entries())
          for (const [j, b] of prices.entries())
            expect([i, j, keys[`price_${i}`] === keys[`price_${j}`]]).toEqual([i, j, bill(a) === bill(b)])
      }),
      { numRuns: 150, seed: 3 },
    )
  })
})

describe('loading', () => {
  const wave =
    'stage: source\nsubscribers:\n  sub_1:\n    customer: cus_1\n    items: [{ price: membership-monthly-usd }]\n    anchor: 2026-01-01T00:00:00Z\n'
  const texts = [projectYaml, productsYaml, pricesYaml, wave]
  const paths = ['project.yaml', 'products.yaml', 'prices.yaml', 'subscribers/us/wave-01.yaml']
  const scraps = [
    '{',
    '}',
    '[',
    ']',
    ':',
    '- ',
    '\n',
    '  ',
    '"',
    "'",
    '#',
    '&a ',
    '*a',
    '!',
    '|\n',
    '>',
    '%',
    '@',
    '\t',
    '---\n',
    'null',
    '~',
    '1e999',
    '-1',
    '2026-13-01T00:00:00Z',
    'constructor',
    '__proto__',
    'toString',
    '\u2028',
    '🧴',
  ]

  test('any damage to any file gives findings with positions, or a catalog; never a crash', () => {
    let broken = 0
    fc.assert(
      fc.property(
        fc.nat({ max: 3 }),
        fc.array(fc.tuple(fc.nat({ max: 250 }), fc.nat({ max: 8 }), fc.constantFrom(...scraps)), {
          minLength: 1,
          maxLength: 4,
        }),
        (which, edits) => {
          const damaged = edits.reduce(
            (text, [at, drop, scrap]) => text.slice(0, at) + scrap + text.slice(at + drop),
            texts[which] ?? '',
          )
          const all = paths.map((path, index) => ({ path, text: index === which ? damaged : (texts[index] ?? '') }))
          const { catalog, findings } = loadCatalog(all)
          if (catalog === undefined) broken += 1
          expect(catalog === undefined).toBe(findings.some(({ severity }) => severity === 'error'))
          const lines = damaged.split('\n').length + 10
          const bad = findings.filter(
            ({ rule, message, fix, at }) =>
              rule === '' ||
              message === '' ||
              fix === '' ||
              (at !== undefined && (at.line < 1 || at.column < 1 || at.line > lines)),
          )
          expect(bad).toEqual([])
        },
      ),
      { numRuns: 1_500, seed: 11 },
    )
    expect(broken).toBeGreaterThan(300)
  })

  test('files in any order give the same catalog', () => {
    const all = files({ 'subscribers/us/wave-01.yaml': wave, 'coupons.yaml': 'coupons: { c: { percent_off: 5 } }' })
    const expected = loadCatalog(all)
    fc.assert(
      fc.property(fc.shuffledSubarray([...all], { minLength: all.length }), (shuffled) => {
        expect(loadCatalog(shuffled)).toEqual(expected)
      }),
      { numRuns: 20, seed: 5 },
    )
  })
})

describe('words and numbers', () => {
  test('an amount is the same in every spelling of Stripe', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 999 }), fc.nat({ max: 4 }), (whole, part, zeros) => {
        const fraction = String(part).padStart(3, '0').replace(/0+$/, '')
        const text = `${whole}.${fraction}${'0'.repeat(zeros)}`
        const canonical = fraction === '' ? { unit_amount: whole } : { unit_amount_decimal: `${whole}.${fraction}` }
        expect(canonicalAmount({ unit_amount_decimal: text }, 'unit_amount')).toEqual(canonical)
        expect(decimalText({ toString: () => text })).toBe(decimalText(text))
      }),
    )
  })

  test('any name becomes a valid key, and different names get different keys', () => {
    const taken = new Set<string>()
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        expect(freeKey([slug(name)], taken)).toMatch(/^[a-z0-9][a-z0-9-]*$/)
      }),
    )
    expect(slug('Crème de la Crème – 2024 (€)')).toBe('creme-de-la-creme-2024')
  })
})
