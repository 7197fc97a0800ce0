import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { JsonObject, StripeObject } from '../../src/core/json.ts'
import type { KindName } from '../../src/kinds/kind.ts'
import { kindNamed, kinds } from '../../src/kinds/registry.ts'
import type { ResourcesPlan } from '../../src/plan/resources/types.ts'
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
  promotion: pick({ coupon: 'c' }, { coupon: 'always' }),
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
const states: Readonly<Record<string, string>> = { one: 'TX', two: 'WA', three: 'FL' }
const settings = fc.record({
  defaults: maybe({ tax_behavior: 'inclusive' }, { tax_behavior: 'exclusive', tax_code: 'txcd_10000000' }),
})
const shipping = fc.record({
  display_name: pick('Post'),
  fixed_amount: pick({ amount: 5, currency: 'usd' }, { amount: 6, currency: 'usd' }),
  active: maybe(false),
  metadata,
})

const feature = fc.record({ name: pick('F', 'G'), metadata })
const meter = fc.record({
  display_name: pick('M', 'N'),
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
const domain = fc.record({ enabled: maybe(true, false) })
const registration = fc.record({
  country: pick('US'),
  expires_at: maybe('2031-01-01T00:00:00Z', '2032-01-01T00:00:00Z'),
})

/**
 * Two entries of a kind whose names Stripe never changes. Two states may exchange the names, or
 * pass one on.
 */
const named = (
  entry: fc.Arbitrary<object>,
  keys: readonly [string, string],
  nameOf: (name: string) => object,
  stays = false,
): fc.Arbitrary<Readonly<Record<string, object | undefined>>> =>
  fc
    .tuple(
      fc.shuffledSubarray(['one', 'two', 'three'], { minLength: 2, maxLength: 2 }),
      stays ? entry : fc.option(entry, { nil: undefined }),
      stays ? entry : fc.option(entry, { nil: undefined }),
    )
    .map(([names, ...entries]) =>
      Object.fromEntries(
        keys.map((key, at) => {
          const one = entries[at]
          return [key, one === undefined ? undefined : { ...one, ...nameOf(names[at] ?? '') }]
        }),
      ),
    )

/** What a person does by hand between two runs. */
const person = fc.option(
  fc.record({ what: pick('rename', 'take out of use', 'make again'), at: fc.nat({ max: 20 }) }),
  { nil: undefined },
)

/** The keys that a state may leave out, by section. */
const universe: Readonly<Record<string, readonly string[]>> = {
  prices: ['a', 'b'],
  coupons: ['d'],
  promotion_codes: ['x', 'y'],
  tax_rates: ['t'],
  webhook_endpoints: ['h'],
  payment_links: ['k'],
  event_destinations: ['e'],
  shipping_rates: ['u'],
  meters: ['m', 'n'],
  payment_method_configurations: ['c'],
  payment_method_domains: ['d', 'e'],
  tax_registrations: ['r', 's'],
}

const state = fc
  .record({
    products: fc.record({ p: product, q: product }),
    prices: fc.record({ a: fc.option(price, { nil: undefined }), b: fc.option(price, { nil: undefined }) }),
    lookup: maybe('a', 'b'),
    lookups: fc.shuffledSubarray(['k', 'l', 'm'], { minLength: 2, maxLength: 2 }),
    default: maybe('a', 'b'),
    coupons: fc.record({ c: coupon, d: fc.option(coupon, { nil: undefined }) }),
    promotion_codes: named(code, ['x', 'y'], (name) => ({ code: name.toUpperCase() })),
    tax_rates: fc.record({ t: fc.option(rate, { nil: undefined }) }),
    webhook_endpoints: fc.record({ h: fc.option(hook, { nil: undefined }) }),
    payment_links: fc.record({ k: fc.option(link, { nil: undefined }) }),
    event_destinations: fc.record({ e: fc.option(destination, { nil: undefined }) }),
    tax_settings: fc.record({ s: settings }),
    shipping_rates: fc.record({ u: fc.option(shipping, { nil: undefined }) }),
    // A retired feature never returns.
    features: named(feature, ['f', 'g'], (name) => ({ lookup_key: name }), true),
    meters: named(meter, ['m', 'n'], (name) => ({ event_name: name })),
    portal_configurations: fc.record({ p: fc.option(portal, { nil: undefined }) }),
    payment_method_configurations: fc.record({ c: fc.option(methods, { nil: undefined }) }),
    payment_method_domains: named(domain, ['d', 'e'], (name) => ({ domain_name: `${name}.example.com` })),
    tax_registrations: named(registration, ['r', 's'], (name) => ({
      country_options: { us: { state: states[name], type: 'state_sales_tax' } },
    })),
  })
  .map(({ lookup, lookups, default: chosen, ...sections }) => {
    // JSON is YAML; what is undefined falls out.
    const all = JSON.parse(JSON.stringify(sections)) as {
      products: Record<string, object>
      coupons: Record<string, object>
      prices: Record<string, { product: string; active?: boolean; lookup_key?: string }>
    }
    // What the links sell, whatever becomes of the other prices.
    for (const key of ['l', 'm'])
      Object.assign(all.prices, { [key]: { product: 'linked', currency: 'usd', unit_amount: 5 } })
    Object.assign(all.products, { linked: { name: 'Linked' } })
    const priced = lookup === undefined ? undefined : all.prices[lookup]
    if (priced !== undefined) priced.lookup_key = 'n'
    for (const [at, key] of ['l', 'm'].entries()) Object.assign(all.prices[key] ?? {}, { lookup_key: lookups[at] })
    Object.assign(all.coupons, { always: { percent_off: 5 } })
    const price = chosen === undefined ? undefined : all.prices[chosen]
    const owner = price === undefined ? undefined : all.products[price.product]
    if (price !== undefined && owner !== undefined && price.active !== false)
      Object.assign(owner, { default_price: chosen })
    // Whatever a state leaves out is retired.
    const sectionsOf = Object.entries(all as Readonly<Record<string, object>>)
    const gone = sectionsOf.flatMap(([section, entries]) =>
      (universe[section] ?? []).filter((key) => !(key in entries)).map((key) => `${kindOf(section)}.${key}`),
    )
    return JSON.stringify({ ...all, removed: gone })
  })

function kindOf(section: string): string {
  return kinds.find((kind) => kind.section === section)?.name ?? section
}

/**
 * Without marks and without a store, nothing says whose an object in use is: it is left alone until
 * the mapping names it, or the line of `removed:` is replaced by its entry.
 */
const unknowable =
  /^blocked (?:meter|payment_method_configuration|payment_method_domain|tax_registration)\.\w \((?:foreign_object|natural_key_taken|retire_unidentified)\)$/

async function act(
  target: Target,
  { what, at }: { readonly what: string; readonly at: number },
): Promise<() => Promise<unknown>> {
  const live = await target.live()
  const some = (kind: KindName): StripeObject | undefined => {
    const all = (live.get(kind) ?? []).filter((one) => !kindNamed(kind)?.retired(one))
    return all[at % Math.max(all.length, 1)]
  }
  const send = async (path: string, params: JsonObject): Promise<StripeObject | undefined> =>
    target.send('POST', path, params).catch(() => undefined)
  const [product, code] = [some('product'), some('promotion_code')]
  if (what === 'rename' && product !== undefined) await send(`/v1/products/${product.id}`, { name: 'By hand' })
  if (what !== 'rename' && code !== undefined) await send(`/v1/promotion_codes/${code.id}`, { active: false })
  if (what !== 'make again' || code === undefined) return async () => undefined
  const again = { code: code['code'] ?? null, promotion: { type: 'coupon', coupon: 'always' } }
  const made = await send('/v1/promotion_codes', again)
  return async () => (made === undefined ? undefined : send(`/v1/promotion_codes/${made.id}`, { active: false }))
}

test(
  'from any state to any other, one apply is enough, with the store or without it, even after a crashed one',
  { timeout: 240_000 },
  async () => {
    const runs = Number(process.env['CROSSBILL_RUNS'] ?? 8)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(state, fc.option(fc.nat({ max: 9 })), person), { minLength: 2, maxLength: 4 }),
        fc.boolean(),
        async (states, forgets) => {
          const target = await Target.open()
          const blocked: string[] = []
          for (const [sections, crash, someone] of states) {
            const catalog = catalogOf(sections)
            // A line of `removed:` whose object never existed, or is retired: this target has no
            // journal.
            const isOpen = (line: string): boolean =>
              !line.endsWith('(retire_unidentified)') && !(forgets && unknowable.test(line))
            const of = (plan: ResourcesPlan, what: string): readonly string[] =>
              lines(plan).filter((line) => line.startsWith(what) && isOpen(line))
            // A run that dies after a few steps, and a run that continues from there.
            if (crash !== null) await target.apply(await target.plan(catalog), crash)
            if (forgets) target.known = []
            // What the dead run left undone was not changed by others.
            expect(of(await target.plan(catalog), 'drift')).toEqual([])
            const undo = someone === undefined ? undefined : await act(target, someone)
            if (someone?.what === 'make again') {
              // A code made by hand is in the way until its maker takes it out of use.
              for (const line of of(await target.plan(catalog), 'blocked')) blocked.push(line)
              await undo?.()
            }
            const plan = await target.plan(catalog)
            expect(of(plan, 'blocked')).toEqual([])
            await target.apply(plan)
            const after = await target.plan(catalog)
            expect(lines(after).filter(isOpen)).toEqual([])
            target.note(after)
          }
          const byCode = /^blocked promotion_code\.\w \((?:natural_key_taken|foreign_object)\)$/
          expect(blocked.filter((line) => !byCode.test(line))).toEqual([])
        },
      ),
      { numRuns: runs, endOnFailure: true, seed: Number(process.env['CROSSBILL_SEED'] ?? 1) },
    )
  },
)
