import { hasRenewed } from '../live/first-renewal.ts'
import { idOf } from '../core/reference.ts'
import { isCurrent, runningTrialEnd } from '../live/subscription.ts'
import type Stripe from 'stripe'
import { chargeDatesAfter, type Cycle } from '../billing/calendar.ts'
import { boundarySeconds } from '../billing/discounts.ts'
import { canonicalJson } from '../core/canonical.ts'
import { formatInstant, instant } from '../core/instant.ts'
import { methodsDiffer } from './copied-method.ts'
import { fingerprint } from './fingerprint.ts'
import { stopped } from './reasons.ts'
import { observeOld } from '../live/observations.ts'
import { setupFailure } from '../live/setup.ts'
import { shownPayment } from '../live/shown-method.ts'
import { pauseImage, readDiscount, readSource, type SourceSubscription, type PauseImage } from '../live/source.ts'
import { livePriceDifferences } from './terms.ts'
import type { Expectation, ExpectedAnchor, ExpectedDiscount, ExpectedItem, ProofExpectation, Reason } from './types.ts'

/** The old and the new subscription right after the creation, with expanded customers. */
export interface ProofInput {
  /** References resolved to ids. */
  readonly expect: Expectation
  readonly answer: Stripe.Subscription
  /** The old subscription, read again after the creation. */
  readonly old: Stripe.Subscription
}

export interface Proof {
  /** `charged`: the creation made an invoice that charges the customer. */
  readonly result: 'ok' | 'differs' | 'charged'
  readonly findings: readonly string[]
  /** Also set for `ok`: the move is done, and a person must look before the renewal. */
  readonly reason: Reason | null
  readonly invoice: string | null
}

/** Every difference between the new subscription and the plan. An empty list is the proof. */
export function prove({ expect, answer: found, old }: ProofInput): Proof {
  const answer = withoutWishes(found, expect.proof ?? { ...old, pause: null })
  const invoice = unexpectedInvoice(answer)
  const setup = setupReason(answer)
  const findings = [
    ...(expect.proof === null ? [] : successorFindings(expect.proof, answer)),
    ...pairFindings(old, answer),
    ...cardFindings(expect, old, answer),
    ...heldFindings(expect, old),
  ]
  if (invoice !== null) {
    const message = `the creation made invoice ${invoice.id} of ${invoice.amount_due} ${invoice.currency}`
    return { result: 'charged', findings: [message, ...findings], reason: proofFailed([message]), invoice: invoice.id }
  }
  if (findings.length > 0) return { result: 'differs', findings, reason: proofFailed(findings), invoice: null }
  if (setup !== null && expect.undoes_failed_setup === true && !hasRenewed(answer))
    return { result: 'differs', findings: [setup.message], reason: setup, invoice: null }
  return { result: 'ok', findings, reason: setup, invoice: null }
}

/**
 * The answer without what a person asked of the new subscription since its creation: an end or a
 * pause. A creation sends neither unless the plan has it, so it is a wish. The move stands with it;
 * an undo would cancel the only subscription that knows it, and the next move would charge.
 */
function withoutWishes(
  answer: Stripe.Subscription,
  planned: Pick<ProofExpectation, 'cancel_at' | 'cancel_at_period_end' | 'pause'>,
): Stripe.Subscription {
  const endless = planned.cancel_at === null && !planned.cancel_at_period_end
  return {
    ...answer,
    ...(endless ? { cancel_at: null, cancel_at_period_end: false } : {}),
    ...(planned.pause === null ? { pause_collection: null } : {}),
  }
}

/**
 * A failed set-up predicts that the renewal fails, although the new subscription is what was
 * planned: the policy decides whether the move is undone.
 */
function setupReason(answer: Stripe.Subscription): Reason | null {
  const failure = setupFailure(answer, readSource(answer, customerOf(answer)).payment?.id ?? null)
  return failure === undefined ? null : stopped('setup_failed', failure.message)
}

function proofFailed(findings: readonly string[]): Reason {
  return stopped('proof_failed', `the new subscription is not what was planned: ${findings.join('; ')}`)
}

type Rule = (
  expected: ProofExpectation,
  answer: Stripe.Subscription,
  successor: SourceSubscription,
) => string | undefined

/**
 * One rule for each field of the recipe. Each names the expected and the actual value. After an
 * outage over T, the subscription has renewed before its proof: its periods are compared with the
 * old one's, and dunning handles its payment.
 */
const rules: readonly Rule[] = [
  (expected, answer) =>
    hasRenewed(answer) && isCurrent(answer) ? undefined : differs('status', expected.status, answer.status),
  (expected, { currency }) => differs('currency', expected.currency, currency),
  (expected, { customer }) => differs('customer', expected.customer, idOf(customer)),
  (expected, { collection_method: method }) => differs('collection_method', expected.collection_method, method),
  (expected, { days_until_due: days }) => differs('days_until_due', expected.days_until_due, days),
  (expected, { billing_mode: mode }) => differs('billing_mode', expected.billing_mode, mode.type),
  (expected, answer) =>
    hasRenewed(answer) ? undefined : differs('trial_end', expected.trial_end, runningTrialEnd(answer)),
  (expected, { cancel_at: at }) => differs('cancel_at', expected.cancel_at, at),
  (expected, { cancel_at_period_end: ends }) => differs('cancel_at_period_end', expected.cancel_at_period_end, ends),
  (expected, { automatic_tax: tax }) => differs('automatic_tax', expected.automatic_tax, tax.enabled),
  (expected, { default_tax_rates: rates }) =>
    differs('default_tax_rates', ids(expected.default_tax_rates), ids((rates ?? []).map(({ id }) => id))),
  (expected, _, successor) => differs('payment method', expected.payment, successor.payment?.id ?? null),
  (expected, answer) =>
    hasRenewed(answer) || answer.items.data.every((item) => item.current_period_end === expected.period_end)
      ? undefined
      : `the current period ends on ${answer.items.data.map((item) => formatInstant(instant(item.current_period_end))).join(', ')}, not on ${formatInstant(instant(expected.period_end))}`,
  ({ anchor }, answer, { cycle }) => anchorDiffers(anchor, answer, cycle),
  (expected, { metadata }) => {
    const missing = Object.entries(expected.metadata).filter(([key, value]) => metadata[key] !== value)
    return missing.length === 0 ? undefined : `metadata ${missing.map(([key]) => key).join(', ')} differs`
  },
  (expected, answer) =>
    itemsDiffer(expected.items, answer.items.data) ??
    discountsDiffer('the subscription', discountsLeft(expected, answer), answer.discounts),
  (expected, { pause_collection: pause }) => differs('pause_collection', told(expected.pause), told(pauseImage(pause))),
  (expected, { schedule }) => differs('a schedule', expected.schedule, schedule !== null),
  (_, { customer }) =>
    typeof customer === 'object' && !('deleted' in customer) && (customer.discount ?? null) !== null
      ? 'the target’s customer has a discount of its own'
      : undefined,
]

function successorFindings(expected: ProofExpectation, answer: Stripe.Subscription): readonly string[] {
  const successor = readSource(answer, customerOf(answer))
  return rules.flatMap((rule) => rule(expected, answer, successor) ?? [])
}

/**
 * Compares old and new directly, without the plan: the same prices and the same next 24 charge
 * dates.
 */
function pairFindings(old: Stripe.Subscription, answer: Stripe.Subscription): readonly string[] {
  const source = readSource(old, customerOf(old))
  const successor = readSource(answer, customerOf(answer))
  if (source.cycle === null || successor.cycle === null || source.next === null || successor.next === null)
    return ['the billing cycles cannot be compared']
  const dates = chargeDatesAfter(source.cycle, instant(source.next - 1), 24)
  const same = chargeDatesAfter(successor.cycle, instant(successor.next - 1), 24)
  const prices = unpaired(source, successor)
  const [before, after] = [old, answer].map(({ billing_thresholds: one }) => canonicalJson({ ...one }))
  return [
    ...(before === after ? [] : [`billing_thresholds is ${after}, not ${before}`]),
    ...(String(dates) === String(same) ? [] : ['the next 24 charge dates differ']),
    ...(prices.length === 0 ? [] : [`prices differ: ${prices.join('; ')}`]),
  ]
}

/**
 * The copy map says which method is the copy. Where the customer has several, a mixed-up file names
 * another card of theirs.
 */
function cardFindings(
  { same_card: compared }: Expectation,
  old: Stripe.Subscription,
  answer: Stripe.Subscription,
): readonly string[] {
  const before = shownPayment(old, customerOf(old))
  const now = shownPayment(answer, customerOf(answer))
  if (compared !== true || before === undefined || now === undefined) return []
  const differs = methodsDiffer(before, now)
  return differs === undefined ? [] : [`the payment method is another card: ${differs}`]
}

/** Items of the old subscription without an item of equal price and quantity in the new one. */
function unpaired(source: SourceSubscription, successor: SourceSubscription): readonly string[] {
  if (source.items.length !== successor.items.length)
    return [`${source.items.length} items became ${successor.items.length}`]
  const left = [...successor.items]
  return source.items.flatMap((item) => {
    const match = left.findIndex(
      (one) =>
        one.quantity === item.quantity && livePriceDifferences(item.price, one.price, source.currency).length === 0,
    )
    if (match >= 0) {
      left.splice(match, 1)
      return []
    }
    return [`${item.price.id} × ${item.quantity ?? 1} has no counterpart`]
  })
}

function heldFindings(expect: Expectation, old: Stripe.Subscription): readonly string[] {
  const observation = observeOld(old)
  if (observation !== 'held' && observation !== 'kept') return [`the old subscription is not on hold (${observation})`]
  return fingerprint(old, customerOf(old)) === expect.fingerprint
    ? []
    : ['the old subscription was changed in the meantime']
}

/**
 * The creation must not bill anything; a trial makes exactly one invoice of zero. A renewal at T is
 * expected.
 */
function unexpectedInvoice(answer: Stripe.Subscription): Stripe.Invoice | null {
  const { latest_invoice: latest } = answer
  if (latest === null || typeof latest === 'string' || hasRenewed(answer)) return null
  return latest.amount_paid > 0 || latest.amount_due > 0 || latest.total !== 0 ? latest : null
}

export function customerOf({ customer }: Stripe.Subscription): Stripe.Customer | undefined {
  return typeof customer === 'object' && !('deleted' in customer && customer.deleted === true)
    ? (customer as Stripe.Customer)
    : undefined
}

const configFields = ['day_of_month', 'month', 'hour', 'minute', 'second'] as const

/**
 * The config must be the one sent, or absent if none was sent. The anchor must be one of the dates
 * it may show, and the day of the month must be the old one's.
 */
function anchorDiffers(
  { at, day, config }: ExpectedAnchor,
  { billing_cycle_anchor: anchor, billing_cycle_anchor_config: shown }: Stripe.Subscription,
  cycle: Cycle | null,
): string | undefined {
  const asSent =
    config === null
      ? !shown
      : shown && configFields.every((field) => (shown[field] ?? null) === (config[field] ?? null))
  if (!asSent) return `billing_cycle_anchor_config is ${JSON.stringify(shown)}, not ${JSON.stringify(config)}`
  const known = at.includes(anchor) && cycle !== null && at.includes(cycle.anchor)
  if (known && (day === null || cycle.day === day)) return undefined
  const dates = at.map((one) => formatInstant(instant(one))).join(' or ')
  return `the billing cycle has a different anchor: ${formatInstant(instant(anchor))}, not ${dates}`
}

function itemsDiffer(expected: readonly ExpectedItem[], items: readonly Stripe.SubscriptionItem[]): string | undefined {
  if (expected.length !== items.length) return `${items.length} items instead of ${expected.length}`
  const left = [...items]
  for (const one of expected) {
    const at = left.findIndex((item) => item.price.id === one.price && (item.quantity ?? null) === one.quantity)
    const item = left[at]
    if (item === undefined) return `no item of ${JSON.stringify(one.price)} × ${one.quantity ?? 1}`
    left.splice(at, 1)
    const rates = differs(
      `tax rates of ${item.id}`,
      ids(one.tax_rates),
      ids((item.tax_rates ?? []).map(({ id }) => id)),
    )
    const discounts = discountsDiffer(`item ${item.id}`, one.discounts, item.discounts)
    if (rates !== undefined || discounts !== undefined) return rates ?? discounts
  }
  return undefined
}

/** The renewals since the creation may have used up a discount. */
function discountsLeft(expected: ProofExpectation, answer: Stripe.Subscription): readonly ExpectedDiscount[] {
  if (!hasRenewed(answer)) return expected.discounts
  const there = new Set(answer.discounts.map((one) => readDiscount(one).couponId))
  return expected.discounts.filter(({ coupon }) => typeof coupon === 'string' && there.has(coupon))
}

function discountsDiffer(
  where: string,
  expected: readonly ExpectedDiscount[],
  discounts: readonly (string | Stripe.Discount)[],
): string | undefined {
  if (expected.length !== discounts.length)
    return `${where} has ${discounts.length} discounts instead of ${expected.length}`
  const read = discounts.map((discount) => readDiscount(discount))
  for (const [i, one] of expected.entries()) {
    // The order decides the amount, so it is compared as well.
    const found = read[i]
    if (found?.couponId !== one.coupon)
      return `${where} has coupon ${found?.couponId ?? 'none that can be read'}, not ${JSON.stringify(one.coupon)}`
    const raw = discounts[i]
    const end = typeof raw === 'object' ? raw.end : null
    if (one.after === null || one.until === null) {
      if (end !== null) return `${where}: discount ${found.id} ends`
    } else if (end === null || end < one.after + boundarySeconds || end > one.until) {
      return `${where}: discount ${found.id} ends on ${end === null ? 'no date' : formatInstant(instant(end))}`
    }
  }
  return undefined
}

function told(pause: PauseImage | null): string {
  return pause === null ? 'none' : `${pause.behavior} until ${pause.resumes_at ?? 'resumed'}`
}

function differs(field: string, expected: unknown, actual: unknown): string | undefined {
  return expected === actual ? undefined : `${field} is ${String(actual)}, not ${String(expected)}`
}

function ids(references: readonly unknown[]): string {
  return references.map(String).toSorted().join(',')
}
