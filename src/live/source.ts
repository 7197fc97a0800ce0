import { idOf } from '../core/reference.ts'
import type Stripe from 'stripe'
import type { AppliedDiscount, BilledItem, Tier } from '../billing/amount.ts'
import { cycleOf, dayOfMonth, sameRecurrence, shortest, type Cycle, type Recurrence } from '../billing/calendar.ts'
import type { OldDiscount } from '../billing/discounts.ts'
import { instant, type Instant } from '../core/instant.ts'
import { markHold, markHolds } from './marks.ts'
import { withoutOwnEnd } from './own-end.ts'
import { endOfHold, isOver, runningTrialEnd } from './subscription.ts'

/**
 * An old subscription in Crossbill's terms, on which the hand-over decides. Nothing is guessed:
 * data that the lists do not show (a deleted coupon, an item discount without its coupon) becomes
 * `coupon: null` and stops the move.
 */
export interface SourceSubscription {
  readonly id: string
  readonly customer: string
  readonly status: string
  readonly currency: string
  readonly start: Instant
  readonly items: readonly SourceItem[]
  /**
   * The shortest cycle of the items: others are multiples of it. Null without items, and for
   * different intervals in a trial or in classic billing mode.
   */
  readonly cycle: Cycle | null
  /** Whether the items have different intervals. */
  readonly mixed: boolean
  /** When all items renew, at the latest; equal to `next` when they renew together. */
  readonly together: Instant | null
  /** T: when the next invoice is due; null for an ended subscription. */
  readonly next: Instant | null
  /** End of a running trial. */
  readonly trialEnd: Instant | null
  /** When it ends without another renewal; null when it continues. */
  readonly ending: Instant | null
  /** An end after further renewals. */
  readonly cancelAt: Instant | null
  /** Discounts of the subscription, else of the customer. */
  readonly discounts: readonly SourceDiscount[]
  readonly discountsFrom: 'subscription' | 'customer' | 'none'
  readonly payment: SourcePayment | null
  /** `pause_collection` without Crossbill's hold. */
  readonly pause: PauseImage | null
  readonly hold: Hold | null
  readonly raw: Stripe.Subscription
}

export interface SourceItem {
  readonly id: string
  readonly price: Stripe.Price
  readonly quantity: number | null
  readonly taxRates: readonly Stripe.TaxRate[]
  readonly discounts: readonly SourceDiscount[]
  readonly metadata: Readonly<Record<string, string>>
}

export interface SourceDiscount {
  readonly id: string
  /** Null when the list does not show the coupon: it is deleted, or too deep to expand. */
  readonly coupon: Stripe.Coupon | null
  readonly couponId: string | null
  readonly promotionCode: string | null
  readonly old: OldDiscount | null
}

/** The payment method that is charged today, and its place. */
export interface SourcePayment {
  readonly level: 'subscription' | 'customer'
  readonly kind: 'payment_method' | 'source'
  readonly id: string
  /** Its type if the object is expanded (`card`, `link`, `sepa_debit` …). */
  readonly type: string | null
}

/** `pause_collection` as it was before Crossbill's hold. */
export type PauseImage = { readonly behavior: string; readonly resumes_at: number | null }

/** Crossbill's hold on an old subscription, from its mark. */
export interface Hold {
  /** `pause_collection` before the hold. */
  readonly before: PauseImage | null
  /**
   * Time of the hold, in unix seconds: the hold kept back only invoices since then. 0 when unknown.
   */
  readonly since: number
  /**
   * `sourcePrint()` at the time of the hold, so that later changes of a held subscription are
   * visible without the store; '' when unknown.
   */
  readonly print: string
  /**
   * `aroundPrint()` at the time of the hold, which covers what decides the taxes; '' when unknown.
   */
  readonly around: string
  /** `partsPrint()` at the time of the hold, which says what changed; absent in earlier marks. */
  readonly parts?: string
  /** `datesOf()` at the time of the hold; absent in earlier marks. */
  readonly dates?: readonly [anchor: number, trialEnd: number]
  /** The new subscription was proven: a later change of the hold was made by a person. */
  readonly kept?: true
  /** The project of the hold; absent in marks of earlier versions. */
  readonly project?: string
  /** When the hold lets a subscription end that is billed by usage, unix seconds. */
  readonly ends?: number
}

/**
 * Reads an old subscription. `prices`: the account's prices with tiers and currency options, which
 * subscriptions do not show. `coupons`: by id, because item discounts are deeper than a list
 * expands.
 */
export function readSource(
  subscription: Stripe.Subscription,
  customer: Stripe.Customer | undefined,
  prices?: ReadonlyMap<string, Stripe.Price>,
  coupons?: ReadonlyMap<string, Stripe.Coupon>,
): SourceSubscription {
  const items = subscription.items.data.map((item) => readItem(item, prices, coupons))
  const cycle = readCycle(subscription)
  const next = readNext(subscription)
  const own = subscription.discounts.map((discount) => readDiscount(discount, coupons))
  const inherited = own.length === 0 && customer?.discount ? [readDiscount(customer.discount, coupons)] : []
  const hold = readHold(subscription)
  const raw = withoutOwnEnd(subscription)
  const ending = readEnding(raw, next)
  const running = runningTrialEnd(subscription)
  return {
    id: subscription.id,
    customer: idOf(subscription.customer),
    status: subscription.status,
    currency: subscription.currency,
    start: instant(subscription.start_date),
    items,
    cycle,
    mixed: isMixed(subscription),
    together: readTogether(subscription, next),
    next,
    trialEnd: running === null ? null : instant(running),
    ending,
    cancelAt: ending === null && raw.cancel_at !== null ? instant(raw.cancel_at) : null,
    discounts: own.length > 0 ? own : inherited,
    discountsFrom: own.length > 0 ? 'subscription' : inherited.length > 0 ? 'customer' : 'none',
    payment: readPayment(subscription, customer),
    pause: hold === null ? pauseImage(subscription.pause_collection) : hold.before,
    hold,
    raw,
  }
}

export function pauseImage(pause: Stripe.Subscription.PauseCollection | null): PauseImage | null {
  return pause === null ? null : { behavior: pause.behavior, resumes_at: pause.resumes_at }
}

/**
 * The hold in the mark; null without a mark. An unreadable mark counts as a hold whose previous
 * pause is unknown.
 */
export function readHold(subscription: Stripe.Subscription): Hold | null {
  const mark = subscription.metadata[markHold]
  if (mark === undefined) return null
  try {
    const value = JSON.parse(mark) as Partial<Hold>
    const project = typeof value.project === 'string' ? { project: value.project } : {}
    const ends = endOfHold(subscription)
    return {
      before: value.before ?? null,
      since: value.since ?? 0,
      print: value.print ?? '',
      around: value.around ?? '',
      ...(typeof value.parts === 'string' ? { parts: value.parts } : {}),
      ...(isDates(value.dates) ? { dates: value.dates } : {}),
      ...(value.kept === true ? { kept: true } : {}),
      ...project,
      ...(ends === undefined ? {} : { ends }),
    }
  } catch {
    return { before: null, since: 0, print: '', around: '' }
  }
}

function isDates(value: unknown): value is NonNullable<Hold['dates']> {
  return Array.isArray(value) && value.length === 2 && value.every((one) => Number.isSafeInteger(one))
}

/** The number of holds and releases, and the time of the last one; 0 without a mark. */
export function readHolds({ metadata }: Pick<Stripe.Subscription, 'metadata'>): {
  readonly count: number
  readonly at: number
} {
  const [, count, at] = /^(\d{1,9})(?: (\d{1,12}))?$/.exec(metadata[markHolds] ?? '') ?? []
  return { count: Number(count ?? 0), at: Number(at ?? 0) }
}

/** The text of the mark: about 250 characters, below Stripe's limit of 500. */
export function holdMark(hold: Hold): string {
  return JSON.stringify(hold)
}

const intervals = ['day', 'week', 'month', 'year'] as const
const durations = ['forever', 'once', 'repeating'] as const
const tierModes = ['graduated', 'volume'] as const

/** The value if it is a known one; Stripe may add values at any time. */
function among<const T extends string>(known: readonly T[], value: string | null | undefined): T | undefined {
  return known.find((one) => one === value)
}

export function recurrenceOf(price: Stripe.Price): Recurrence | null {
  const recurring = price.recurring
  if (recurring === null) return null
  const interval = among(intervals, recurring.interval)
  return interval === undefined ? null : { interval, count: recurring.interval_count }
}

function readItem(
  item: Stripe.SubscriptionItem,
  prices: ReadonlyMap<string, Stripe.Price> | undefined,
  coupons: ReadonlyMap<string, Stripe.Coupon> | undefined,
): SourceItem {
  return {
    id: item.id,
    price: prices?.get(item.price.id) ?? item.price,
    quantity: item.quantity ?? null,
    taxRates: item.tax_rates ?? [],
    discounts: item.discounts.map((discount) => readDiscount(discount, coupons)),
    metadata: item.metadata,
  }
}

export function readDiscount(
  discount: string | Stripe.Discount,
  coupons?: ReadonlyMap<string, Stripe.Coupon>,
): SourceDiscount {
  if (typeof discount === 'string')
    return { id: discount, coupon: null, couponId: null, promotionCode: null, old: null }
  const { coupon } = discount.source
  const known = typeof coupon === 'string' ? (coupons?.get(coupon) ?? null) : coupon
  const couponId = coupon === null ? null : idOf(coupon)
  const duration = among(durations, known?.duration)
  const code = discount.promotion_code
  return {
    id: discount.id,
    coupon: known,
    couponId,
    promotionCode: code === null ? null : idOf(code),
    old: duration === undefined ? null : { duration, end: discount.end === null ? null : instant(discount.end) },
  }
}

function readCycle(subscription: Stripe.Subscription): Cycle | null {
  const recurrences = subscription.items.data.map((item) => recurrenceOf(item.price))
  const [head, ...others] = recurrences.filter((one) => one !== null)
  if (head === undefined || others.length + 1 < recurrences.length) return null
  const { trial_settings: trial, billing_mode: mode } = subscription
  const trialEnd = runningTrialEnd(subscription)
  if (isMixed(subscription) && (trialEnd !== null || mode.type !== 'flexible')) return null
  const first = shortest([head, ...others])
  const anchor = instant(subscription.billing_cycle_anchor)
  const config = subscription.billing_cycle_anchor_config
  // A running trial moves the anchor to its end, unless the trial keeps the anchor or the anchor is
  // later than the trial.
  if (trialEnd !== null && anchor <= trialEnd && !config && trial?.end_behavior.billing_cycle_anchor !== 'unchanged')
    return cycleOf(instant(trialEnd), first)
  // A config keeps its day of the month, although the anchor may be on the last day of a short
  // month.
  return cycleOf(anchor, first, config?.day_of_month ?? dayOfMonth(anchor))
}

/** Whether the items have different intervals. */
function isMixed({ items }: Stripe.Subscription): boolean {
  const [first, ...others] = items.data.map(({ price }) => recurrenceOf(price))
  return others.some((one) => one !== null && first != null && !sameRecurrence(one, first))
}

function readTogether(subscription: Stripe.Subscription, next: Instant | null): Instant | null {
  if (next === null || runningTrialEnd(subscription) !== null) return next
  return instant(Math.max(...subscription.items.data.map((item) => item.current_period_end)))
}

function readNext(subscription: Stripe.Subscription): Instant | null {
  if (isOver(subscription)) return null
  const trialEnd = runningTrialEnd(subscription)
  if (trialEnd !== null) return instant(trialEnd)
  const ends = subscription.items.data.map((item) => item.current_period_end)
  return ends.length === 0 ? null : instant(Math.min(...ends))
}

/**
 * Portals set `cancel_at` in flexible mode and `cancel_at_period_end` in classic mode. Both mean
 * that no renewal follows.
 */
function readEnding(subscription: Stripe.Subscription, next: Instant | null): Instant | null {
  if (next === null) return null
  if (subscription.cancel_at !== null && subscription.cancel_at <= next) return instant(subscription.cancel_at)
  return subscription.cancel_at_period_end ? next : null
}

export function readPayment(
  subscription: Stripe.Subscription,
  customer: Stripe.Customer | undefined,
): SourcePayment | null {
  const method = subscription.default_payment_method
  if (method !== null) return { level: 'subscription', kind: 'payment_method', id: idOf(method), type: typeOf(method) }
  const source = subscription.default_source
  if (source !== null) return { level: 'subscription', kind: 'source', id: idOf(source), type: typeOf(source) }
  const usual = customer?.invoice_settings.default_payment_method ?? null
  if (usual !== null) return { level: 'customer', kind: 'payment_method', id: idOf(usual), type: typeOf(usual) }
  const card = customer?.default_source ?? null
  return card === null ? null : { level: 'customer', kind: 'source', id: idOf(card), type: typeOf(card) }
}

function typeOf(reference: string | { readonly object: string }): string | null {
  if (typeof reference === 'string') return null
  if ('type' in reference && typeof reference.type === 'string') return reference.type
  return reference.object
}

/**
 * The items as input of the billing arithmetic. A discount with an unknown coupon counts as no
 * discount, because such a subscriber is blocked anyway.
 */
export function billedItems({ items, raw, currency }: SourceSubscription): readonly BilledItem[] {
  return items.map((item) => {
    const rates = item.taxRates.length > 0 ? item.taxRates : (raw.default_tax_rates ?? [])
    return {
      ...billedPrice(item.price, currency, item.quantity ?? 1),
      discounts: item.discounts.flatMap(({ coupon }) => appliedDiscount(coupon, currency)),
      taxes: rates.map(({ percentage, inclusive }) => ({ percentage, inclusive })),
    }
  })
}

/** A quantity of a price, without discounts and taxes. */
export function billedPrice(price: Stripe.Price, currency: string, quantity: number): BilledItem {
  const terms = { ...unitOf(price, currency), transform: transformOf(price), quantity }
  return { ...terms, discounts: [], taxes: [], product: idOf(price.product) }
}

/**
 * Whether a discount has no effect: an amount off in another currency, which Stripe ignores on the
 * invoice (https://docs.stripe.com/billing/subscriptions/coupons), so there is nothing to carry. If
 * the coupon's other currencies were not read, the answer is no.
 */
export function isIdle({ coupon }: SourceDiscount, currency: string): boolean {
  if (coupon === null || coupon.amount_off === null || coupon.currency === currency) return false
  return coupon.currency_options !== undefined && coupon.currency_options[currency] === undefined
}

export function appliedDiscount(coupon: Stripe.Coupon | null, currency: string): readonly AppliedDiscount[] {
  if (coupon === null) return []
  const amountOff =
    coupon.currency === currency ? coupon.amount_off : (coupon.currency_options?.[currency]?.amount_off ?? null)
  // Stripe ignores an amount in another currency.
  if (coupon.percent_off === null && amountOff === null) return []
  return [{ percentOff: coupon.percent_off, amountOff, products: coupon.applies_to?.products ?? null }]
}

function unitOf(price: Stripe.Price, currency: string): Pick<BilledItem, 'unitAmount' | 'tiers' | 'tiersMode'> {
  const terms = price.currency === currency ? price : (price.currency_options?.[currency] ?? price)
  return {
    unitAmount: decimalText(terms.unit_amount_decimal, terms.unit_amount),
    tiers: (terms.tiers ?? []).map((tier): Tier => ({
      upTo: tier.up_to,
      unitAmount: decimalText(tier.unit_amount_decimal, tier.unit_amount),
      flatAmount: decimalText(tier.flat_amount_decimal, tier.flat_amount),
    })),
    tiersMode: among(tierModes, price.tiers_mode) ?? null,
  }
}

function transformOf({ transform_quantity: transform }: Stripe.Price): BilledItem['transform'] {
  return transform === null ? null : { divideBy: transform.divide_by, round: transform.round === 'up' ? 'up' : 'down' }
}

/**
 * A decimal amount in one form. The SDK returns decimals as objects and plain JSON as text. `0.50`
 * and `0.5` are the same price, so trailing zeros are removed.
 */
export function decimalText(
  decimal: string | { toString(): string } | null | undefined,
  whole: number | null,
): string | null {
  if (decimal === null || decimal === undefined) return whole === null ? null : String(whole)
  const text = decimal.toString()
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}
