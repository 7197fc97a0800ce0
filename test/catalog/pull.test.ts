import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { instant, parseInstant } from '../../src/core/instant.ts'
import { present } from '../../src/core/assert.ts'
import type { StripeObject } from '../../src/core/json.ts'
import { loadCatalog } from '../../src/catalog/load.ts'
import { pullCatalog, type Pulled } from '../../src/pull/pull.ts'
import { readAccount } from '../../src/engine/read/account.ts'
import { readResources } from '../../src/engine/read/resources.ts'
import type { LiveAccount } from '../../src/live/accounts.ts'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { connectAccount } from '../../src/stripe/account.ts'
import { projectYaml } from './project.ts'

const now = present(parseInstant('2026-12-01T12:00:00Z'), 'now')

type Account = { readonly live: LiveAccount; readonly resources: ReadonlyMap<string, readonly StripeObject[]> }

/** A source whose lists return these objects and subscriptions. */
function source(
  name: string,
  parts: { products?: object[]; prices?: object[]; subscriptions?: object[]; coupons?: object[] },
): Account {
  const live = {
    name,
    id: `acct_${name}`,
    livemode: false,
    now,
    subscriptions: parts.subscriptions ?? [],
    customers: new Map(),
    invoices: new Map(),
    pendingItems: new Map(),
    schedules: new Map(),
  }
  const resources = { product: parts.products ?? [], price: parts.prices ?? [], coupon: parts.coupons ?? [] }
  return {
    live: live as unknown as LiveAccount,
    resources: new Map(Object.entries(resources)) as unknown as Account['resources'],
  }
}

function product(id: string, name: string, rest: object = {}): object {
  return { object: 'product', id, name, active: true, created: 1, metadata: {}, images: [], ...rest }
}

function price(id: string, of: string, amount: number, rest: object = {}): object {
  return {
    object: 'price',
    id,
    product: of,
    active: true,
    currency: 'usd',
    unit_amount: amount,
    unit_amount_decimal: `${amount}.0`,
    billing_scheme: 'per_unit',
    tax_behavior: 'unspecified',
    created: 1,
    metadata: {},
    nickname: null,
    lookup_key: null,
    recurring: { interval: 'month', interval_count: 1, usage_type: 'licensed', meter: null, trial_period_days: null },
    ...rest,
  }
}

function subscription(id: string, items: object[], rest: object = {}): object {
  const anchor = Date.UTC(2026, 0, 31) / 1_000
  return {
    object: 'subscription',
    id,
    customer: `cus_${id}`,
    currency: 'usd',
    status: 'active',
    created: 5,
    start_date: anchor,
    billing_cycle_anchor: anchor,
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
    default_payment_method: `pm_${id}`,
    default_source: null,
    latest_invoice: null,
    items: {
      data: items.map((one, index) => ({
        object: 'subscription_item',
        id: `si_${id}_${index}`,
        price: one,
        quantity: 1,
        tax_rates: [],
        discounts: [],
        metadata: {},
        current_period_start: now - 86_400,
        current_period_end: now + 30 * 86_400,
      })),
    },
    ...rest,
  }
}

function pull(
  accounts: readonly Account[],
  files: ReadonlyMap<string, string> = new Map([['project.yaml', projectYaml]]),
  waveSize = 500,
): Pulled {
  return pullCatalog({ project: 'school', accounts, files, now, waveSize })
}

/** The files after a pull was written. */
function written(
  pulled: Pulled,
  before: ReadonlyMap<string, string> = new Map([['project.yaml', projectYaml]]),
): Map<string, string> {
  return new Map([...before, ...pulled.files])
}

function findings(files: ReadonlyMap<string, string>): readonly unknown[] {
  return loadCatalog([...files].map(([path, text]) => ({ path, text }))).findings
}

describe('equal prices become one price, and different prices do not', () => {
  const variants: readonly (readonly [string, object])[] = [
    ['another amount', { unit_amount: 4901, unit_amount_decimal: '4901' }],
    [
      'every three months instead of one',
      { recurring: { interval: 'month', interval_count: 3, usage_type: 'licensed' } },
    ],
    ['another currency', { currency: 'eur' }],
    ['another tax behaviour', { tax_behavior: 'inclusive' }],
    ['packages', { transform_quantity: { divide_by: 2, round: 'up' } }],
    ['a further currency', { currency_options: { usd: { unit_amount: 4900 }, eur: { unit_amount: 4500 } } }],
    [
      'tiers',
      {
        billing_scheme: 'tiered',
        tiers_mode: 'volume',
        unit_amount: null,
        unit_amount_decimal: null,
        tiers: [{ up_to: null, unit_amount: 4900 }],
      },
    ],
  ]

  test.each(variants)('%s keeps them apart', (_name, rest) => {
    const prices = [price('price_1', 'prod_1', 4_900), price('price_2', 'prod_1', 4_900, rest)]
    const pulled = pull([
      source('us', {
        products: [product('prod_1', 'M')],
        prices,
        subscriptions: prices.map((one, index) =>
          subscription(`sub_${index}`, [one], { currency: (one as { currency: string }).currency }),
        ),
      }),
    ])
    expect(pulled.summary['prices']).toBe(2)
    expect(findings(written(pulled))).toEqual([])
  })

  test('nickname, metadata, archived state and account do not', () => {
    const us = [
      price('price_1', 'prod_1', 4_900),
      price('price_2', 'prod_1', 4_900, { nickname: 'SamCart', metadata: { order: '7' }, active: false }),
    ]
    const intl = [price('price_3', 'prod_9', 4_900)]
    const pulled = pull([
      source('us', {
        products: [product('prod_1', 'Membership')],
        prices: us,
        subscriptions: us.map((one, index) => subscription(`sub_${index}`, [one])),
      }),
      source('intl', {
        products: [product('prod_9', 'membership ')],
        prices: intl,
        subscriptions: [subscription('sub_9', intl)],
      }),
    ])
    expect(pulled.summary).toMatchObject({ products: 1, prices: 1, subscribers: 3 })
    expect(pulled.files.get('prices.yaml')).toContain(
      '# merged from 3 objects (2 of us, 1 of intl): equal in everything that affects a bill\n  membership-monthly-usd:',
    )
    expect(pulled.files.get('mappings/intl.yaml')).toContain('price_3: membership-monthly-usd')
    expect(pulled.notes).toContain('price.membership-monthly-usd represents 3 objects')
    expect(findings(written(pulled))).toEqual([])
  })

  test('ad-hoc prices, which no list contains, are found through their subscribers; prices without subscribers are left out', () => {
    const adHoc = price('price_inline', 'prod_1', 777)
    const unused = Array.from({ length: 40 }, (_, index) => price(`price_u${index}`, 'prod_1', 1_000 + index))
    const pulled = pull([
      source('us', {
        products: [product('prod_1', 'M')],
        prices: unused,
        subscriptions: [subscription('sub_1', [adHoc])],
      }),
    ])
    expect(pulled.summary['prices']).toBe(1)
    expect(pulled.notes).toContain('40 prices without subscriptions and not on offer were left out')
  })
})

describe('a second pull', () => {
  const one = price('price_1', 'prod_1', 4_900)
  const first = source('us', {
    products: [product('prod_1', 'Membership')],
    prices: [one],
    subscriptions: [subscription('sub_1', [one]), subscription('sub_2', [one])],
  })

  test('of another account joins the existing entries, including those written by hand', () => {
    const files = new Map([
      ['project.yaml', projectYaml],
      ['products.yaml', 'products:\n  club: { name: Membership }\n'],
      [
        'prices.yaml',
        'prices:\n  club-usd: { product: club, currency: usd, unit_amount: 4900, recurring: { interval: month }, nickname: Ours }\n',
      ],
    ])
    const pulled = pull([first], files)
    expect(pulled.files.get('mappings/us.yaml')).toContain('price_1: club-usd')
    expect([...pulled.files.keys()]).toEqual(['mappings/us.yaml', 'subscribers/us/wave-01.yaml'])
    expect(findings(written(pulled, files))).toEqual([])
  })

  test('of an unchanged account writes nothing', () => {
    expect([...pull([first], written(pull([first]))).files]).toEqual([])
  })

  test('keeps comments, keys, stages, reasons and other edits in entries', () => {
    const files = written(pull([first]))
    const renamed = (text: string): string => text.replaceAll('membership-monthly-usd', 'member')
    files.set(
      'prices.yaml',
      renamed(files.get('prices.yaml') ?? '').replace(
        '  member:',
        '  # our best seller\n  member:\n    nickname: Best seller',
      ),
    )
    files.set('mappings/us.yaml', renamed(files.get('mappings/us.yaml') ?? ''))
    const wave = 'subscribers/us/wave-01.yaml'
    files.set(
      wave,
      renamed(files.get(wave) ?? '').replace(
        '  sub_2:',
        '  # pays by bank transfer\n  sub_2:\n    excluded: handled by hand',
      ),
    )
    const changed = source('us', {
      products: [product('prod_1', 'Membership')],
      prices: [one],
      subscriptions: [
        subscription('sub_1', [one], { default_payment_method: 'pm_new' }),
        subscription('sub_2', [one], { default_payment_method: 'pm_other' }),
        subscription('sub_3', [one], { created: 9 }),
      ],
    })
    const again = pull([changed], files)
    expect([...again.files.keys()]).toEqual([wave])
    const text = again.files.get(wave) ?? ''
    expect(text).toContain('# pays by bank transfer\n  sub_2:\n    excluded: handled by hand')
    expect(text).toContain('payment_method: pm_new')
    expect(text).not.toContain('pm_other')
    expect(text).toMatch(/sub_3:\n {4}customer: cus_sub_3\n {4}currency: usd\n {4}items: \[ \{ price: member \} \]/)
    expect(again.notes).toEqual([
      'us/sub_1 changed in the source: payment_method',
      '1 subscriptions of us are new since the last pull',
    ])
    expect(findings(written(again, files))).toEqual([])
  })

  test('does not change subscribers who have moved', () => {
    const files = written(pull([first]))
    const wave = 'subscribers/us/wave-01.yaml'
    files.set(wave, (files.get(wave) ?? '').replace('stage: source', 'stage: target'))
    const changed = source('us', {
      products: [product('prod_1', 'Membership')],
      prices: [one],
      subscriptions: [
        subscription('sub_1', [one], {
          default_payment_method: 'pm_new',
          pause_collection: { behavior: 'void', resumes_at: null },
          metadata: { crossbill_hold: '{"before":null}' },
        }),
        subscription('sub_2', [one]),
        subscription('sub_3', [one], { created: 9 }),
      ],
    })
    const again = pull([changed], files)
    expect([...again.files.keys()]).toEqual(['subscribers/us/wave-02.yaml'])
  })

  test('reports who has ended and keeps their entry', () => {
    const files = written(pull([first]))
    const changed = source('us', {
      products: [product('prod_1', 'Membership')],
      prices: [one],
      subscriptions: [subscription('sub_1', [one]), subscription('sub_2', [one], { status: 'canceled' })],
    })
    const again = pull([changed], files)
    expect(again.files.size).toBe(0)
    expect(again.notes).toEqual(['1 declared subscriptions of us have ended; their entries were not changed'])
  })

  test('fills waves up to their size', () => {
    const many = source('us', {
      products: [product('prod_1', 'M')],
      prices: [one],
      subscriptions: Array.from({ length: 25 }, (_, index) => subscription(`sub_${index}`, [one], { created: index })),
    })
    const files = pull([many], undefined, 10).files
    expect([...files.keys()].filter((path) => path.startsWith('subscribers'))).toEqual(
      ['01', '02', '03'].map((number) => `subscribers/us/wave-${number}.yaml`),
    )
  })
})

describe('what the entry of a subscription contains', () => {
  test('ended subscriptions are left out; ending, paused, past due and application-made ones are marked', () => {
    const one = price('price_1', 'prod_1', 4_900)
    const subscriptions = [
      subscription('sub_over', [one], { status: 'canceled' }),
      subscription('sub_ending', [one], { cancel_at_period_end: true }),
      subscription('sub_due', [one], { status: 'past_due' }),
      subscription('sub_app', [one], { application: 'ca_1' }),
      subscription('sub_sent', [one], {
        collection_method: 'send_invoice',
        days_until_due: 14,
        default_payment_method: null,
      }),
    ]
    const pulled = pull([source('us', { products: [product('prod_1', 'M')], prices: [one], subscriptions })])
    const text = pulled.files.get('subscribers/us/wave-01.yaml') ?? ''
    expect(text).not.toContain('sub_over')
    expect(text).toMatch(/# ends with its period: stays in the source\n {2}sub_ending:[^#]*cancel_at_period_end: true/)
    expect(text).toMatch(/# past_due: see policies.past_due\n {2}sub_due:[^#]*status: past_due/)
    expect(text).toMatch(/# made by a Connect application[^\n]*\n {2}sub_app:/)
    expect(text).toMatch(/sub_sent:[^#]*collection_method: send_invoice\n {4}days_until_due: 14/)
    expect(findings(written(pulled))).toEqual([])
  })

  test('a running discount gets the coupon for its remaining renewals', () => {
    const one = price('price_1', 'prod_1', 4_900)
    const coupon = {
      object: 'coupon',
      id: 'WELCOME-20',
      name: 'Welcome',
      percent_off: 20,
      duration: 'repeating',
      duration_in_months: 6,
      valid: true,
      created: 1,
      metadata: {},
      max_redemptions: 100,
    }
    const discounts = [
      {
        object: 'discount',
        id: 'di_1',
        source: { type: 'coupon', coupon },
        start: now - 100 * 86_400,
        end: now + 80 * 86_400,
        promotion_code: null,
      },
    ]
    const pulled = pull([
      source('us', {
        products: [product('prod_1', 'M')],
        prices: [one],
        coupons: [coupon],
        subscriptions: [subscription('sub_1', [one], { discounts })],
      }),
    ])
    const coupons = pulled.files.get('coupons.yaml') ?? ''
    expect(coupons).toMatch(/\n {2}welcome-20:\n {4}name: Welcome\n[^#]*max_redemptions: 100/)
    expect(coupons).toMatch(
      /# remainder of welcome-20[^\n]*\n {2}welcome-20-\d-months?-left:\n {4}name: Welcome\n {4}percent_off: 20\n {4}duration: repeating\n {4}duration_in_months: \d\n/,
    )
    expect(pulled.files.get('subscribers/us/wave-01.yaml')).toContain(
      'discounts: [ { coupon: welcome-20, ends: 2027-02-19T12:00:00Z } ]',
    )
  })
})

test(
  'the pulled school is a catalog without findings or personal data, and a second pull writes nothing',
  { timeout: 60_000 },
  async () => {
    const sandbox = createSandbox({ population: { name: 'school', subscribers: 250 } })
    const progress = { start() {}, step() {}, note() {}, done() {} }
    const accounts = await Promise.all(
      ['us', 'intl'].map(async (name) => {
        const account = await connectAccount({ name, key: `sk_test_sandbox_${name}`, fetch: sandbox.fetch })
        return { live: await readAccount(account, progress), resources: await readResources(account) }
      }),
    )
    const at = instant(sandbox.clock())
    const files = new Map([['project.yaml', projectYaml]])
    const pulled = pullCatalog({ project: 'school', accounts, files, now: at })
    const after = written(pulled, files)
    expect(findings(after)).toEqual([])
    const live = accounts.flatMap(({ live: { subscriptions } }) =>
      subscriptions.filter(({ status }) => !['canceled', 'incomplete_expired', 'incomplete'].includes(status)),
    )
    expect(pulled.summary['subscribers']).toBe(live.length)
    expect(live.length).toBeGreaterThan(200)
    expect([...pullCatalog({ project: 'school', accounts, files: after, now: at }).files.keys()]).toEqual([])
    const shuffled = accounts.map(({ live: one, resources }) => ({
      live: { ...one, subscriptions: one.subscriptions.toReversed() },
      resources: new Map([...resources].map(([kind, objects]) => [kind, objects.toReversed()])),
    }))
    expect([...pullCatalog({ project: 'school', accounts: shuffled, files, now: at }).files]).toEqual([...pulled.files])
    const people = accounts.flatMap(({ live: { customers } }) => [...customers.values()] as Stripe.Customer[])
    const text = [...pulled.files.values()].join('\n')
    expect(
      people.filter(
        ({ email, name }) =>
          (email !== null && text.includes(email)) ||
          (name !== null && name !== undefined && name !== '' && text.includes(name)),
      ),
    ).toEqual([])
  },
)
