import fc from 'fast-check'
import { expect, test } from 'vitest'
import { catalogOf, lines, Target } from './target.ts'

/**
 * A few values for each field of an entry, so that two states share some values and differ in
 * others.
 */
const pick = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)
const maybe = <T>(...values: readonly T[]): fc.Arbitrary<T | undefined> => fc.constantFrom(undefined, ...values)

const metadata = maybe({ a: '1' }, { a: '2', b: '3' })
const product = fc.record({
  name: pick('A', 'B'),
  description: maybe('d'),
  active: maybe(true, false),
  metadata,
  url: maybe('https://x.test'),
  images: maybe(['https://x.test/1.png'], []),
})
const amount = fc.oneof(
  fc.record({ unit_amount: pick(100, 200) }),
  pick({ unit_amount_decimal: '0.5' }),
  pick({
    billing_scheme: 'tiered',
    tiers_mode: 'volume',
    tiers: [
      { up_to: 5, unit_amount: 9 },
      { up_to: 'inf', flat_amount: 7 },
    ],
  }),
)
const price = fc
  .tuple(
    amount,
    fc.record({
      product: pick('p', 'q'),
      currency: pick('usd', 'eur'),
      recurring: maybe({ interval: 'month' }, { interval: 'month', interval_count: 3 }),
      tax_behavior: maybe('exclusive', 'unspecified'),
      active: maybe(false),
      nickname: maybe('n'),
      metadata,
      currency_options: maybe({ gbp: { unit_amount: 90 } }, { gbp: { unit_amount: 90 }, jpy: { unit_amount: 9 } }),
    }),
  )
  .map(([one, rest]) => ('tiers' in one ? { ...rest, ...one, currency_options: undefined } : { ...rest, ...one }))
const coupon = fc
  .tuple(
    pick({ percent_off: 10 }, { percent_off: 20 }, { amount_off: 5, currency: 'usd' }),
    fc.record({
      name: maybe('N', 'M'),
      duration: maybe('once', 'forever'),
      applies_to: maybe({ products: ['p'] }, { products: ['q', 'p'] }),
      max_redemptions: maybe(5),
    }),
  )
  .map(([one, rest]) => ({ ...one, ...rest }))
const code = fc.record({
  code: pick('ONE', 'TWO'),
  promotion: pick({ coupon: 'c' }),
  active: maybe(false),
  max_redemptions: maybe(3),
  metadata,
})
const rate = fc.record({
  display_name: pick('VAT', 'Tax'),
  percentage: pick(19, 7.5),
  inclusive: pick(true, false),
  country: maybe('DE'),
  active: maybe(false),
})
const hook = fc.record({
  url: pick('https://x.test/1', 'https://x.test/2'),
  enabled_events: pick(['*'], ['invoice.paid', 'invoice.voided']),
  connect: maybe(true),
  disabled: maybe(true),
  description: maybe('d'),
  secret_to: pick({ file: 's' }),
})

const link = fc.record({
  line_items: pick([{ price: 'l', quantity: 1 }], [{ price: 'l', quantity: 2 }], [{ price: 'm', quantity: 1 }]),
  active: maybe(false),
  allow_promotion_codes: maybe(true, false),
  custom_text: maybe({ submit: { message: 'a' } }, { submit: { message: 'b' }, after_submit: { message: 'c' } }),
  inactive_message: maybe('gone'),
  name_collection: maybe({ business: { enabled: true } }, { individual: { enabled: true, optional: true } }),
  restrictions: maybe({ completed_sessions: { limit: 3 } }),
  metadata,
})
const destination = fc.record({
  name: pick('A', 'B'),
  type: pick('webhook_endpoint'),
  event_payload: pick('thin', 'snapshot'),
  enabled_events: pick(['*'], ['invoice.paid', 'invoice.voided']),
  webhook_endpoint: pick({ url: 'https://x.test/1' }, { url: 'https://x.test/2' }),
  description: maybe('d'),
  disabled: maybe(true),
  metadata,
  secret_to: pick({ file: 't' }),
})
const settings = fc.record({
  defaults: maybe({ tax_behavior: 'inclusive' }, { tax_behavior: 'exclusive', tax_code: 'txcd_10000000' }),
})
const shipping = fc.record({
  display_name: pick('Post'),
  fixed_amount: pick({ amount: 5, currency: 'usd' }, { amount: 6, currency: 'usd' }),
  active: maybe(false),
  metadata,
})

// What Stripe never lets go stays what it is: the key of a feature, the event name of a meter.
const feature = fc.record({ name: pick('F', 'G'), lookup_key: pick('f'), metadata })
const meter = fc.record({
  display_name: pick('M', 'N'),
  event_name: pick('used', 'spent'),
  default_aggregation: pick({ formula: 'sum' }, { formula: 'count' }),
  event_time_window: maybe('day', 'hour'),
  value_settings: maybe({ event_payload_key: 'n' }),
  active: maybe(true, false),
})
const portal = fc.record({
  name: pick('Portal'),
  features: pick(
    { invoice_history: { enabled: true } },
    { invoice_history: { enabled: false }, payment_method_update: { enabled: true } },
    { subscription_cancel: { enabled: true, mode: 'at_period_end' } },
  ),
  default_return_url: maybe('https://x.test/back'),
  metadata,
})
const methods = fc.record({
  name: pick('Methods', 'Others'),
  active: maybe(true, false),
  card: maybe({ display_preference: { preference: 'on' } }, { display_preference: { preference: 'off' } }),
  link: maybe({ display_preference: { preference: 'none' } }),
})
const domain = fc.record({ domain_name: pick('a.example.com', 'b.example.com'), enabled: maybe(true, false) })
const registration = fc.record({
  country: pick('US'),
  country_options: pick(
    { us: { state: 'TX', type: 'state_sales_tax' } },
    { us: { state: 'WA', type: 'state_sales_tax' } },
  ),
  expires_at: maybe('2031-01-01T00:00:00Z', '2032-01-01T00:00:00Z'),
})

const state = fc
  .record({
    products: fc.record({ p: product, q: product }),
    prices: fc.record({ a: fc.option(price, { nil: undefined }), b: fc.option(price, { nil: undefined }) }),
    lookup: maybe('a', 'b'),
    default: maybe('a', 'b'),
    coupons: fc.record({ c: coupon, d: fc.option(coupon, { nil: undefined }) }),
    promotion_codes: fc.record({ x: fc.option(code, { nil: undefined }) }),
    tax_rates: fc.record({ t: fc.option(rate, { nil: undefined }) }),
    webhook_endpoints: fc.record({ h: fc.option(hook, { nil: undefined }) }),
    payment_links: fc.record({ k: fc.option(link, { nil: undefined }) }),
    event_destinations: fc.record({ e: fc.option(destination, { nil: undefined }) }),
    tax_settings: fc.record({ s: settings }),
    shipping_rates: fc.record({ u: fc.option(shipping, { nil: undefined }) }),
    features: fc.record({ f: feature }),
    meters: fc.record({ m: fc.option(meter, { nil: undefined }) }),
    portal_configurations: fc.record({ p: fc.option(portal, { nil: undefined }) }),
    payment_method_configurations: fc.record({ c: fc.option(methods, { nil: undefined }) }),
    payment_method_domains: fc.record({ d: fc.option(domain, { nil: undefined }) }),
    tax_registrations: fc.record({ r: fc.option(registration, { nil: undefined }) }),
  })
  .map(({ lookup, default: chosen, ...sections }) => {
    // JSON is YAML; what is undefined falls out.
    const all = JSON.parse(JSON.stringify(sections)) as {
      products: Record<string, object>
      prices: Record<string, { product: string; active?: boolean; lookup_key?: string }>
    }
    // What the links sell, whatever becomes of the other prices.
    for (const key of ['l', 'm'])
      Object.assign(all.prices, { [key]: { product: 'linked', currency: 'usd', unit_amount: 5 } })
    Object.assign(all.products, { linked: { name: 'Linked' } })
    const named = lookup === undefined ? undefined : all.prices[lookup]
    if (named !== undefined) named.lookup_key = 'k'
    const price = chosen === undefined ? undefined : all.prices[chosen]
    const owner = price === undefined ? undefined : all.products[price.product]
    if (price !== undefined && owner !== undefined && price.active !== false)
      Object.assign(owner, { default_price: chosen })
    return JSON.stringify(all)
  })

/**
 * Without marks and without a store, nothing says whose an object in use is: it is left alone until
 * the mapping names it.
 */
const unknowable =
  /^blocked (?:meter|payment_method_configuration|payment_method_domain|tax_registration)\.\w \(foreign_object\)$/

test(
  'from any state to any other, one apply is enough, with the store or without it, even after a crashed one',
  { timeout: 120_000 },
  async () => {
    const runs = Number(process.env['CROSSBILL_RUNS'] ?? 8)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(state, fc.option(fc.nat({ max: 9 }))), { minLength: 2, maxLength: 4 }),
        fc.boolean(),
        async (states, forgets) => {
          const target = await Target.open()
          for (const [sections, crash] of states) {
            const catalog = catalogOf(sections)
            // A run that dies after a few steps, and a run that continues from there.
            if (crash !== null) await target.apply(await target.plan(catalog), crash)
            if (forgets) target.known = []
            const plan = await target.plan(catalog)
            const isOpen = (line: string): boolean => !(forgets && unknowable.test(line))
            expect(lines(plan).filter((line) => line.startsWith('blocked') && isOpen(line))).toEqual([])
            await target.apply(plan)
            expect(lines(await target.plan(catalog)).filter(isOpen)).toEqual([])
          }
        },
      ),
      { numRuns: runs, seed: Number(process.env['CROSSBILL_SEED'] ?? 1) },
    )
  },
)
