import { instant, secondsPerHour, type Instant } from '../core/instant.ts'
import { addMonths, civil, daysInMonth, nextChargeDate, previousChargeDate, toInstant, type Cycle } from './calendar.ts'

/**
 * What is left of a discount, counted in renewals. A `repeating` discount covers every renewal
 * before its end: its months run from the instant it starts, not from invoice to invoice
 * (https://docs.stripe.com/billing/subscriptions/coupons#coupon-duration), so a three-month coupon
 * on a yearly price covers a whole year, and on a weekly price about thirteen weeks.
 */
export type Remainder =
  /** It ended, or ends before the next renewal. */
  | { readonly kind: 'over' }
  | { readonly kind: 'forever' }
  /** Covers the renewals up to `last`, and none from `following` on. */
  | { readonly kind: 'renewals'; readonly count: number; readonly last: Instant; readonly following: Instant }
  /**
   * Its end lies within hours after a renewal: Stripe's time of finalization decides whether that
   * renewal is discounted.
   */
  | { readonly kind: 'unsure'; readonly renewal: Instant }

export interface OldDiscount {
  readonly duration: 'forever' | 'once' | 'repeating'
  /** When it ends; null for `forever` and for a `once` that no invoice has used yet. */
  readonly end: Instant | null
}

/** A coupon's duration in Stripe's terms. */
export type CouponDuration =
  | { readonly duration: 'forever' }
  | { readonly duration: 'once' }
  | { readonly duration: 'repeating'; readonly duration_in_months: number }

export type DiscountForm =
  /** Any of these durations, started now, covers exactly the remainder; best first. */
  | { readonly form: 'carry'; readonly durations: readonly [CouponDuration, ...CouponDuration[]] }
  | { readonly form: 'drop' }
  | { readonly form: 'wait'; readonly until: Instant }
  | { readonly form: 'refuse'; readonly reason: string }

/**
 * An invoice is drafted at its renewal and finalized about an hour later; a discount whose end lies
 * between is unsure. Two hours are a safe distance.
 * https://docs.stripe.com/invoicing/integration/workflow-transitions
 */
export const boundarySeconds = 2 * secondsPerHour

/** How many renewals, the first of them `next`, a discount still covers. */
export function remainderOf(discount: OldDiscount, cycle: Cycle, next: Instant): Remainder {
  if (discount.duration === 'forever') return { kind: 'forever' }
  if (discount.duration === 'once')
    return { kind: 'renewals', count: 1, last: next, following: nextChargeDate(cycle, next) }
  const { end } = discount
  // A repeating discount always has an end; without one it was misread, and "unsure" stops the
  // move.
  if (end === null) return { kind: 'unsure', renewal: next }
  if (end <= next) return { kind: 'over' }
  let count = 1
  let last = next
  for (let at = nextChargeDate(cycle, last); at < end; at = nextChargeDate(cycle, at)) {
    last = at
    count += 1
  }
  if (end - last < boundarySeconds) return { kind: 'unsure', renewal: last }
  return { kind: 'renewals', count, last, following: nextChargeDate(cycle, last) }
}

/**
 * The coupon durations that, on a subscription created at `now` without an invoice, cover exactly
 * the remainder.
 *
 * | remainder        | subscription | durations                                                   |
 * |------------------|--------------|-------------------------------------------------------------|
 * | over             | any          | none: the discount is not carried                           |
 * | forever          | any          | forever                                                     |
 * | one renewal      | paid         | once (applies to the first real renewal), or fitting months |
 * | one renewal      | in trial     | fitting months                                              |
 * | several renewals | any          | fitting months                                              |
 * | unsure           | any          | refuse                                                      |
 *
 * A zero trial invoice may use up a `once` discount (unsure in Stripe), so a trial gets months.
 * Months fit when the clock started now ends after the last covered renewal (by two hours) and not
 * after the one that follows. When none fits now but will later, the answer says when.
 */
export function discountForm(remainder: Remainder, cycle: Cycle, now: Instant, inTrial: boolean): DiscountForm {
  switch (remainder.kind) {
    case 'over':
      return { form: 'drop' }
    case 'forever':
      return { form: 'carry', durations: [{ duration: 'forever' }] }
    case 'unsure':
      return { form: 'refuse', reason: 'the discount ends within hours of a renewal' }
    case 'renewals': {
      const [first, ...others] = durationsAt(remainder, now, inTrial)
      if (first !== undefined) return { form: 'carry', durations: [first, ...others] }
      const until = nextFit(remainder, cycle, now, inTrial)
      return until === undefined
        ? { form: 'refuse', reason: 'no coupon in whole months covers exactly the renewals that are left' }
        : { form: 'wait', until }
    }
  }
}

type Renewals = Extract<Remainder, { kind: 'renewals' }>

function durationsAt(remainder: Renewals, now: Instant, inTrial: boolean): readonly CouponDuration[] {
  const once: readonly CouponDuration[] = remainder.count === 1 && !inTrial ? [{ duration: 'once' }] : []
  const months = monthsFitting(remainder, now)
  const repeating: readonly CouponDuration[] =
    months === undefined ? [] : [{ duration: 'repeating', duration_in_months: months }]
  // A repeating discount shows its end, which the proof compares; a single renewal of a coupon that
  // was `once` stays one.
  return [...repeating, ...once]
}

/** The number of months that a coupon started at `start` must run; undefined when none fits. */
function monthsFitting(
  { last, following }: { readonly last: Instant; readonly following: Instant },
  start: Instant,
): number | undefined {
  const from = civil(start)
  const to = civil(last)
  const about = (to.year - from.year) * 12 + to.month - from.month
  for (let months = Math.max(1, about - 1); months <= about + 2; months++) {
    const end = addMonths(start, months)
    if (end >= last + boundarySeconds && end <= following) return months
  }
  return undefined
}

/** The first instant after `now`, before the last covered renewal, at which some duration fits. */
function nextFit(remainder: Renewals, cycle: Cycle, now: Instant, inTrial: boolean): Instant | undefined {
  const { last } = remainder
  const candidates = [...monthStarts(remainder, now), ...onlyOneLeft(remainder, cycle)]
  const fitting = candidates
    .filter((at) => at > now && at < last - boundarySeconds)
    .filter((at) => durationsAt(renewalsFrom(remainder, cycle, at), at, inTrial).length > 0)
  return fitting.length === 0 ? undefined : instant(Math.min(...fitting))
}

/**
 * Starts from which m months end just after the last covered renewal, for every m that is still
 * possible.
 */
function monthStarts({ last }: Renewals, now: Instant): readonly Instant[] {
  const due = civil(instant(last + boundarySeconds))
  const starts: Instant[] = []
  for (let months = 1; ; months++) {
    const back = { ...due, month: due.month - months }
    const days = daysInMonth(back)
    const exact = toInstant(back)
    // From a month too short to have the day, the first start that reaches it is the first of the
    // month after.
    starts.push(days < due.day ? toInstant({ ...back, month: back.month + 1, day: 1, seconds: 0 }) : exact)
    if (exact <= now) return starts
  }
}

/**
 * After the renewal before the last covered one, a single renewal is left, which `once` covers.
 */
function onlyOneLeft({ last, count }: Renewals, cycle: Cycle): readonly Instant[] {
  return count === 1 ? [] : [instant(previousChargeDate(cycle, last) + 1)]
}

/** The same remainder as seen from a later instant: the renewals until then are used up. */
function renewalsFrom(remainder: Renewals, cycle: Cycle, at: Instant): Renewals {
  return { ...remainder, count: nextChargeDate(cycle, at) === remainder.last ? 1 : remainder.count }
}
