// What the documents leave open about Stripe, as one switch each. A possible world is one choice
// for every switch; the product must be safe in every world.
import { generator } from './ids.ts'

interface Switch<V> {
  /** The question. */
  readonly asks: string
  /** Why it is unsure: pages contradict each other, or none answers it. */
  readonly source: string
  /** The row of docs/to-confirm.md. */
  readonly row?: number
  /**
   * `open`: random worlds draw a reading. `settled`: a source answers it; it stays switchable so
   * that the product can be tested with both readings.
   */
  readonly grade: 'open' | 'settled'
  readonly default: V
  readonly others: readonly V[]
}

const flag = (about: Omit<Switch<boolean>, 'others'>): Switch<boolean> => ({ ...about, others: [!about.default] })
const oneOf = <const V extends string>(about: Switch<V>): Switch<V> => about

const prorations = 'the SDK’s Subscriptions.cancel against https://docs.stripe.com/billing/subscriptions/cancel'

/** Every switch: its default reading, and the `others`. */
export const switches = {
  discounts_unset_before_anchor: flag({
    asks: 'An update of a subscription whose first billing date is ahead unsets its discounts, unless it sends them again.',
    source: 'https://docs.stripe.com/billing/subscriptions/import-subscriptions',
    row: 5,
    grade: 'open',
    default: true,
  }),
  zero_invoice_consumes_once: flag({
    asks: 'The invoice of zero that begins a trial uses up a `once` coupon.',
    source: 'not stated',
    row: 7,
    grade: 'open',
    default: false,
  }),
  discount_starts_backdated: flag({
    asks: 'The clock of a coupon on a backdated subscription starts at the backdated start.',
    source: 'https://docs.stripe.com/billing/subscriptions/backdating',
    row: 4,
    grade: 'settled',
    default: true,
  }),
  config_anchor_at_first_invoice: flag({
    asks: 'The anchor that an anchor config shows is its first full invoice, also in a month too short for the day. The dates billed are the same.',
    source:
      'https://docs.stripe.com/billing/subscriptions/billing-cycle: its own example shows the first date that has the day',
    row: 18,
    grade: 'settled',
    default: false,
  }),
  list_refuses_unknown_customer: flag({
    asks: 'A list narrowed to a customer the account never had is refused (`resource_missing`); otherwise it is empty.',
    source: 'observed in public projects; not stated',
    row: 19,
    grade: 'open',
    default: true,
  }),
  prorations_at_cancel: oneOf({
    asks: 'Pending prorations of a subscription that is cancelled at once, without `invoice_now` and `prorate`, go with it or stay for the next invoice.',
    source: prorations,
    row: 10,
    grade: 'open',
    default: 'go',
    others: ['stay'],
  }),
  items_after_cancel: oneOf({
    asks: 'Other pending items that name a cancelled subscription wait for ever, since invoices of other subscriptions ignore them; or go onto the next invoice of another subscription; or Stripe bills them itself when the period would have ended.',
    source:
      'https://docs.stripe.com/billing/subscriptions/cancel against https://docs.stripe.com/billing/invoices/subscription',
    row: 26,
    grade: 'open',
    default: 'wait',
    others: ['next_subscription', 'billed_at_period_end'],
  }),
  cancel_stops_collection_of: oneOf({
    asks: 'A cancel stops the collection of all finalized invoices of the customer, or of those of the subscription alone.',
    source: 'the SDK’s Subscriptions.cancel against https://docs.stripe.com/billing/subscriptions/cancel',
    row: 27,
    grade: 'open',
    default: 'customer',
    others: ['subscription'],
  }),
  reused_coupon_shown: oneOf({
    asks: 'A discount whose coupon id was deleted and used again expands to the terms it keeps, or to the coupon of that id today. It takes off its own terms in either case.',
    source: 'recorded discounts carry a snapshot; not stated',
    row: 28,
    grade: 'open',
    default: 'snapshot',
    others: ['namesake'],
  }),
  tax_without_location: oneOf({
    asks: 'An invoice with automatic tax of a customer without a location stays a draft (`invoice.finalization_failed`), or is finalized without tax (`automatic_tax.disabled_reason`).',
    source:
      'https://docs.stripe.com/billing/subscriptions/webhooks against the SDK’s Subscription.AutomaticTax.disabled_reason',
    row: 29,
    grade: 'open',
    default: 'tax_off',
    others: ['draft_stays'],
  }),
  setup_intent_with_default_incomplete: oneOf({
    asks: 'With `payment_behavior: default_incomplete` the SetupIntent of a subscription that has nothing to pay is confirmed as usual, or waits to be confirmed.',
    source: 'https://docs.stripe.com/billing/subscriptions/setup-intents; not stated',
    row: 30,
    grade: 'open',
    default: 'confirmed',
    others: ['waits'],
  }),
  held_renewal_spends_once: flag({
    asks: 'A renewal that a pause voids uses up a discount that applies once.',
    source:
      'https://docs.stripe.com/billing/subscriptions/coupons: used up when the invoice is finalized; not stated of a void',
    row: 25,
    grade: 'open',
    default: true,
  }),
  config_with_trial: flag({
    asks: 'One request may contain `billing_cycle_anchor_config` and `trial_end`; otherwise it is refused.',
    source: 'https://docs.stripe.com/billing/subscriptions/trials implies it; Checkout forbids it',
    row: 8,
    grade: 'open',
    default: true,
  }),
  unchanged_trial_keeps_month_end: flag({
    asks: 'A trial whose end leaves the anchor unchanged returns to the anchor’s day after a short month; otherwise the first renewal after the trial sets the day.',
    source: 'the SDK’s SubscriptionCreateParams.trial_settings; not stated',
    row: 9,
    grade: 'open',
    default: true,
  }),
  config_year_of_long_prices: oneOf({
    asks: 'For a price of several years, the month of an anchor config is that of this year, or its next occurrence.',
    source: 'not stated',
    row: 17,
    grade: 'open',
    default: 'this_year',
    others: ['next_occurrence'],
  }),
  config_month_of_odd_prices: oneOf({
    asks: 'For a price whose months do not divide a year, the month of an anchor config is that of this year, or its next occurrence.',
    source: 'not stated',
    row: 24,
    grade: 'open',
    default: 'this_year',
    others: ['next_occurrence'],
  }),
  three_decimal_charges: oneOf({
    asks: 'An invoice in a currency of three decimals is charged to the last digit, or rounded to a multiple of ten.',
    source: 'https://docs.stripe.com/currencies#three-decimal requires amounts in tens for direct payments',
    row: 20,
    grade: 'open',
    default: 'exact',
    others: ['rounded'],
  }),
  items_shown: oneOf({
    asks: 'A subscription shows ten of its items, or all of them.',
    source: 'https://docs.stripe.com/api/pagination; not stated for items',
    row: 21,
    grade: 'open',
    default: 'ten',
    others: ['all'],
  }),
  preview_tax_ids: oneOf({
    asks: 'In a preview, the tax ids of `customer_details` replace those of the customer, or are added to them.',
    source: 'https://docs.stripe.com/api/invoices/create_preview; not stated',
    row: 22,
    grade: 'open',
    default: 'replace',
    others: ['add'],
  }),
  lookup_key_clears: flag({
    asks: 'The lookup key of a price can be cleared.',
    source: 'the SDK types it as a string, not as clearable',
    row: 11,
    grade: 'open',
    default: true,
  }),
  deleted_product_id_free: flag({
    asks: 'The id of a deleted product can be used again.',
    source: 'not stated',
    row: 13,
    grade: 'open',
    default: true,
  }),
  replays_say_so: flag({
    asks: 'A replayed answer has the header `Idempotent-Replayed`.',
    source: 'a known convention; not in the documentation',
    row: 12,
    grade: 'open',
    default: true,
  }),
  copy_brings_defaults: flag({
    asks: 'A copy of customers brings their default payment method.',
    source: 'https://docs.stripe.com/get-started/data-migrations/pan-copy-self-serve; not stated',
    row: 3,
    grade: 'open',
    default: false,
  }),
  second_copy_repeats_rows: flag({
    asks: 'The file of a second copy repeats the rows of the first one.',
    source: 'not stated',
    row: 2,
    grade: 'open',
    default: true,
  }),
} satisfies Record<string, Switch<boolean> | Switch<string>>

export type SwitchName = keyof typeof switches

type ValueOf<S> = S extends Switch<infer V> ? V : never

/** A choice for every switch: one possible Stripe. */
export type Unsure = { -readonly [Name in SwitchName]: ValueOf<(typeof switches)[Name]> }

export const switchNames = Object.keys(switches) as readonly SwitchName[]

/** The values of one switch, the default first. */
export function readings(name: SwitchName): readonly (boolean | string)[] {
  const { default: first, others } = switches[name]
  return [first, ...others]
}

export function defaultWorld(): Unsure {
  return Object.fromEntries(switchNames.map((name) => [name, switches[name].default])) as Unsure
}

/**
 * The choices that differ from the default, as `name=value`; empty for the default world. They
 * reproduce a failing story.
 */
export function worldText(unsure: Readonly<Unsure>): string {
  const other = switchNames.filter((name) => unsure[name] !== switches[name].default)
  return other.map((name) => `${name}=${unsure[name]}`).join(' ')
}

/** Why these choices make no world; undefined when they are valid. */
export function wrongChoice(input: Readonly<Record<string, unknown>>): string | undefined {
  for (const [name, value] of Object.entries(input)) {
    if (!Object.hasOwn(switches, name))
      return `there is no switch "${name}"; the switches are: ${switchNames.join(', ')}`
    const known = readings(name as SwitchName)
    if (!known.some((one) => one === value)) return `"${name}" must be one of: ${known.join(', ')}`
  }
  return undefined
}

/**
 * A random world: every open switch takes one of its readings; settled switches keep their default.
 */
export function randomWorld(seed: number): Unsure {
  const world: Record<string, boolean | string> = { ...defaultWorld() }
  for (const name of switchNames) {
    if (switches[name].grade !== 'open') continue
    const all = readings(name)
    world[name] = all[Math.floor(generator(seed, `world/${name}`)() * all.length)] ?? all[0] ?? ''
  }
  return world as Unsure
}

/** Reads `name=value name=value` (other switches keep their default) or `random:SEED`. */
export function readWorldText(text: string): { readonly world: Unsure } | { readonly wrong: string } {
  const [, seed] = /^random:(\d+)$/.exec(text) ?? []
  if (seed !== undefined) return { world: randomWorld(Number(seed)) }
  const given = text.split(/[\s,]+/).filter((part) => part !== '')
  const choices: Record<string, boolean | string> = {}
  for (const part of given) {
    const [name = '', value] = part.split('=', 2)
    if (value === undefined) return { wrong: `"${part}" must be name=value, or random:SEED` }
    choices[name] = value === 'true' ? true : value === 'false' ? false : value
  }
  const wrong = wrongChoice(choices)
  return wrong === undefined ? { world: { ...defaultWorld(), ...choices } } : { wrong }
}

/**
 * A few worlds in which every pair of readings of two switches occurs together. They find faults
 * that need two choices at once, without all combinations.
 */
export function pairwiseWorlds(): readonly Unsure[] {
  const names = switchNames.filter((name) => switches[name].grade === 'open')
  const left = new Set<string>()
  for (const [index, a] of names.entries())
    for (const b of names.slice(index + 1))
      for (const x of readings(a)) for (const y of readings(b)) left.add(pairOf([a, x], [b, y]))
  const worlds: Unsure[] = []
  while (left.size > 0) {
    // Begin with a missing pair, then give every other switch the reading that covers the most
    // missing pairs.
    const [first = ''] = left
    const chosen = new Map<string, boolean | string>(JSON.parse(first) as [string, boolean | string][])
    for (const name of names) {
      if (chosen.has(name)) continue
      const gain = (value: boolean | string): number =>
        [...chosen].filter(([other, taken]) => left.has(ordered(names, [name, value], [other, taken]))).length
      const best = readings(name).toSorted((x, y) => gain(y) - gain(x))[0] ?? ''
      chosen.set(name, best)
    }
    for (const [a, x] of chosen) for (const [b, y] of chosen) left.delete(ordered(names, [a, x], [b, y]))
    worlds.push({ ...defaultWorld(), ...Object.fromEntries(chosen) })
  }
  return worlds
}

type Choice = readonly [string, boolean | string]

function pairOf(a: Choice, b: Choice): string {
  return JSON.stringify([a, b])
}

function ordered(names: readonly SwitchName[], a: Choice, b: Choice): string {
  const at = (name: string): number => names.indexOf(name as SwitchName)
  return at(a[0]) < at(b[0]) ? pairOf(a, b) : pairOf(b, a)
}
