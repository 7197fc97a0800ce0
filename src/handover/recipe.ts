import type { RecipeInput } from './recipe-input.ts'
import { type Wait, Findings } from './findings.ts'
import type Stripe from 'stripe'
import { anchorsShown, chooseAnchor, chooseTrialAnchor, type AnchorChoice } from '../billing/anchor.ts'
import { chargeDate, indexAfter, monthsOf, previousChargeDate, type Cycle } from '../billing/calendar.ts'
import { present } from '../core/assert.ts'
import { formatInstant, instant, secondsPerHour, type Instant } from '../core/instant.ts'
import type { JsonObject } from '../core/json.ts'
import { idOf } from '../core/reference.ts'
import type { BlockedCode } from './codes.ts'
import { carriedDiscounts } from './carried/discounts.ts'
import { carriedPayment } from './carried/payment.ts'
import { fieldsNotCarried } from './fields.ts'
import { liveValue } from './live-values.ts'
import {
  foreignMetadata,
  markFrom,
  markProject,
  markPromotion,
  markStart,
  markDiscounts,
  markPayment,
  paymentMark,
} from '../live/marks.ts'
import { discountsMark } from '../live/from-creation.ts'
import { markCard } from '../live/entered-card.ts'
import { findPrice, findTaxRate, refTo } from './references.ts'
import type { SourceItem, SourceSubscription } from '../live/source.ts'
import type { ExpectedItem, ProofExpectation, Reason } from './types.ts'

/**
 * The complete creation request of the new subscription, or every reason why it cannot be
 * made (yet).
 * There is no partial recipe: one field that cannot be carried refuses the whole.
 */
export type Recipe =
  | {
      readonly ok: true
      readonly params: JsonObject
      readonly proof: ProofExpectation
      /**
       * A step that sets the customer's default payment method where the source sets it there and
       * the copy left it empty.
       */
      readonly defaultPayment: JsonObject | null
      readonly pause: JsonObject | null
    }
  | { readonly ok: false; readonly reasons: readonly Reason<BlockedCode>[]; readonly waits: readonly Wait[] }

/**
 * The expansions for every answer that is compared: https://docs.stripe.com/expand (create and
 * update take the same paths).
 */
export const provenExpansions = ['customer', 'discounts', 'items.data.discounts', 'latest_invoice'] as const

export function recipe(input: RecipeInput): Recipe {
  const findings = new Findings()
  const { old } = input
  for (const field of fieldsNotCarried(old.raw)) findings.block('field_not_carried', `${field} is set`)
  const anchor = anchorOf(input, findings)
  const items = old.items.map((item) => itemOf(input, item, anchor, findings))
  const discounts = carriedDiscounts(input, old.discounts, findings)
  const taxRates = ratesOf(input, old.raw.default_tax_rates ?? [], findings)
  const payment = carriedPayment(input, findings)
  const coupons = [...discounts, ...items.flatMap((item) => item?.discounts ?? [])].map(({ key }) => key)
  const made = { payment: payment?.expected ?? null, coupons }
  const metadata = metadataOf(input, anchor, made, findings)
  const cancelAt = cancelAtOf(input, findings)
  if (!findings.none || anchor === undefined || payment === undefined)
    return { ok: false, reasons: findings.reasons, waits: findings.waits }
  const parts = { anchor, items: items.map((item) => present(item, 'item')), discounts, taxRates, metadata, cancelAt }
  return {
    ok: true,
    params: paramsOf(input, parts, payment.params),
    proof: proofOf(input, parts, payment.expected),
    defaultPayment: payment.customer,
    pause: pauseOf(old),
  }
}

interface Parts {
  readonly anchor: AnchorChoice
  readonly items: readonly CarriedItem[]
  readonly discounts: ReturnType<typeof carriedDiscounts>
  readonly taxRates: readonly string[]
  readonly metadata: Readonly<Record<string, string>>
  readonly cancelAt: Instant | null
}

interface CarriedItem {
  readonly discounts: ReturnType<typeof carriedDiscounts>
  readonly params: JsonObject
  readonly expected: ExpectedItem
}

function anchorOf({ old, now }: RecipeInput, findings: Findings): AnchorChoice | undefined {
  const { cycle, next, trialEnd, mixed, together } = old
  if (cycle === null || next === null) return findings.block('mixed_intervals', 'the items have different intervals')
  if (mixed && together !== null && together !== next) {
    // One anchor for all items reproduces their dates only where they renew together.
    const until = instant(previousChargeDate(cycle, together) + secondsPerHour)
    const on = formatInstant(together)
    return findings.wait(
      'anchor_not_yet_allowed',
      until,
      `its items have different intervals, and renew together on ${on}`,
    )
  }
  const choice = trialEnd === null ? chooseAnchor(cycle, next, now) : chooseTrialAnchor(cycle, trialEnd, now)
  if (choice.form === 'refuse') return findings.block('anchor_unrepresentable', choice.reason)
  if (mixed && choice.form === 'config')
    return findings.block('mixed_intervals', 'its items have different intervals, and renew together in a short month')
  if (choice.form !== 'wait') return choice
  return findings.wait(
    'anchor_not_yet_allowed',
    choice.until,
    `the next charge on ${formatInstant(next)} is more than one period ahead`,
  )
}

function itemOf(
  input: RecipeInput,
  item: SourceItem,
  anchor: AnchorChoice | undefined,
  findings: Findings,
): CarriedItem | undefined {
  const { index, desired, old } = input
  const price = findPrice(index, desired.source, item.price, old.currency)
  if (!price.ok) findings.reasons.push(price.reason)
  const rates = ratesOf(input, item.taxRates, findings)
  const discounts = carriedDiscounts(input, item.discounts, findings)
  if (!price.ok || anchor === undefined) return undefined
  const taxRates = rates.map((key) => refTo('tax_rate', key))
  return {
    discounts,
    params: {
      price: refTo('price', price.value),
      ...(item.quantity === null ? {} : { quantity: item.quantity }),
      ...(taxRates.length === 0 ? {} : { tax_rates: taxRates }),
      ...(discounts.length === 0 ? {} : { discounts: discounts.map(({ params }) => params) }),
      ...(Object.keys(item.metadata).length === 0
        ? {}
        : { metadata: liveValue(`subscription/items/${item.id}/metadata`) }),
    },
    expected: {
      price: refTo('price', price.value),
      quantity: item.quantity,
      tax_rates: taxRates,
      discounts: discounts.map(({ expected }) => expected),
    },
  }
}

function ratesOf(
  { index, desired }: RecipeInput,
  rates: readonly Stripe.TaxRate[],
  findings: Findings,
): readonly string[] {
  return rates.flatMap((rate) => {
    const found = findTaxRate(index, desired.source, rate)
    if (found.ok) return [found.value]
    findings.reasons.push(found.reason)
    return []
  })
}

/** Stripe allows 50 keys (https://docs.stripe.com/api/metadata). */
const metadataKeysMax = 50

/** The marks. The subscription's own metadata is inserted when it is created. */
function metadataOf(
  { desired, old, project, now, entered }: RecipeInput,
  anchor: AnchorChoice | undefined,
  { payment, coupons }: { readonly payment: string | null; readonly coupons: readonly string[] },
  findings: Findings,
): Readonly<Record<string, string>> {
  const promotion = old.discounts.find(({ promotionCode }) => promotionCode !== null)?.promotionCode ?? null
  const marks: Record<string, string> = {
    [markProject]: project,
    [markFrom]: desired.key,
    ...(promotion === null ? {} : { [markPromotion]: promotion }),
    ...(entered === undefined || entered.id !== payment ? {} : { [markCard]: entered.id }),
    ...(anchor !== undefined && backdates(old, anchor, now) ? {} : { [markStart]: String(old.start) }),
  }
  const own = Object.keys(foreignMetadata(old.raw.metadata)).length
  // A new subscription also gets the mark of its hold; an old one gets two marks.
  if (own + Math.max(2, Object.keys(marks).length + 1) > metadataKeysMax)
    findings.block('metadata_full', `${own} keys leave no room for the marks`)
  // Without these marks, a lost copy map leaves it unknown whether the card changed, and only the
  // time of a discount says whether it was carried. That is no reason to refuse a move.
  const listed = discountsMark(coupons)
  const more: Record<string, string> = {
    ...(old.payment === null || payment === null ? {} : { [markPayment]: paymentMark(old.payment.id, payment) }),
    ...(listed === undefined ? {} : { [markDiscounts]: listed }),
  }
  const room = Math.max(0, metadataKeysMax - 1 - own - Object.keys(marks).length)
  return { ...marks, ...Object.fromEntries(Object.entries(more).slice(0, room)) }
}

/**
 * Flexible mode splits the backdated time into periods, 250 lines at most
 * (https://docs.stripe.com/billing/subscriptions/backdating).
 */
const backdatedLinesMax = 250

/**
 * Whether the old start date is sent: only with a plain anchor, without a discount whose duration
 * would start there, and within Stripe's limit of lines.
 */
function backdates(old: SourceSubscription, anchor: AnchorChoice, now: Instant): boolean {
  if (anchor.form !== 'plain' || old.cycle === null || old.mixed || old.start >= now) return false
  const clocked = [...old.discounts, ...old.items.flatMap(({ discounts }) => discounts)]
  if (clocked.some(({ coupon }) => coupon?.duration !== 'forever')) return false
  const periods = indexAfter(old.cycle, now) - indexAfter(old.cycle, old.start) + 2
  return periods * old.items.length <= backdatedLinesMax
}

/**
 * `payments_left: n` ends the subscription at the renewal after the n-th charge, without a charge
 * there.
 */
function cancelAtOf({ desired, old, policies }: RecipeInput, findings: Findings): Instant | null {
  const { application } = old.raw
  const id = application === null ? undefined : idOf(application)
  const managed = desired.managed_by_application ?? (id === undefined ? undefined : policies.applications[id])
  if (id !== undefined && managed === undefined)
    findings.block('managed_by_application', `the Connect application ${id} created this subscription`)
  if (typeof managed !== 'object' || old.cycle === null || old.next === null) return old.cancelAt
  if (old.mixed)
    return findings.block('mixed_intervals', 'payments_left does not say which items a payment has') ?? old.cancelAt
  const first = indexAfter(old.cycle, old.next) - 1
  return chargeDate(old.cycle, first + managed.payments_left)
}

function paramsOf({ old, customerNew, now, entered }: RecipeInput, parts: Parts, payment: JsonObject): JsonObject {
  const { raw } = old
  const { anchor, items, discounts, taxRates, metadata, cancelAt } = parts
  return {
    customer: customerNew.id,
    currency: old.currency,
    items: items.map(({ params }) => params),
    ...anchorParams(anchor),
    ...(backdates(old, anchor, now) ? { backdate_start_date: old.start } : {}),
    proration_behavior: 'none',
    payment_behavior: 'default_incomplete',
    ...(old.trialEnd === null ? {} : trialSettings(raw)),
    ...thresholdsOf(raw),
    collection_method: raw.collection_method,
    ...(raw.days_until_due === null ? {} : { days_until_due: raw.days_until_due }),
    ...payment,
    ...paymentSettings(raw.payment_settings, entered !== undefined),
    ...(discounts.length === 0 ? {} : { discounts: discounts.map(({ params }) => params) }),
    ...(taxRates.length === 0 ? {} : { default_tax_rates: taxRates.map((key) => refTo('tax_rate', key)) }),
    automatic_tax: { enabled: raw.automatic_tax.enabled },
    ...(raw.description === null ? {} : { description: liveValue('subscription/description') }),
    ...(cancelAt === null ? {} : { cancel_at: cancelAt }),
    billing_mode: billingMode(raw.billing_mode),
    metadata: liveValue('subscription/metadata', metadata),
    expand: [...provenExpansions],
  }
}

function anchorParams(anchor: AnchorChoice): JsonObject {
  if (anchor.form === 'plain') return { billing_cycle_anchor: anchor.anchor }
  if (anchor.form === 'config') return { billing_cycle_anchor_config: anchor.config }
  return anchor.form === 'trial' ? { trial_end: anchor.trialEnd } : {}
}

function trialSettings({ trial_settings: settings }: Stripe.Subscription): JsonObject {
  const missing = settings?.end_behavior.missing_payment_method ?? null
  return missing === null ? {} : { trial_settings: { end_behavior: { missing_payment_method: missing } } }
}

function billingMode({ type, flexible }: Stripe.Subscription.BillingMode): JsonObject {
  const discounts = flexible?.proration_discounts
  return type === 'flexible' && discounts !== undefined
    ? { type, flexible: { proration_discounts: discounts } }
    : { type }
}

/** The amount from which Stripe bills before the period ends. */
function thresholdsOf({ billing_thresholds: thresholds }: Stripe.Subscription): JsonObject {
  const set = withoutNulls(thresholds ?? {})
  return Object.keys(set).length === 0 ? {} : { billing_thresholds: set }
}

/** A card that the member entered must be a type that the subscription accepts. */
function paymentSettings(settings: Stripe.Subscription.PaymentSettings | null, isEntered: boolean): JsonObject {
  const types = settings?.payment_method_types ?? null
  const sent = withoutNulls({
    payment_method_types: isEntered && types?.includes('card') === false ? [...types, 'card'] : types,
    payment_method_options: settings?.payment_method_options ?? null,
    save_default_payment_method: settings?.save_default_payment_method ?? null,
  })
  return Object.keys(sent).length === 0 ? {} : { payment_settings: sent }
}

/** Stripe shows an unset value as null, and refuses null when it is sent back. */
function withoutNulls(value: object): JsonObject {
  const kept = Object.entries(value).flatMap(([key, one]: [string, unknown]) => {
    if (one === null || one === undefined) return []
    const inner = typeof one === 'object' && !Array.isArray(one) ? withoutNulls(one) : one
    return typeof inner === 'object' && !Array.isArray(inner) && Object.keys(inner ?? {}).length === 0
      ? []
      : [[key, inner]]
  })
  return Object.fromEntries(kept) as JsonObject
}

function pauseOf({ pause }: SourceSubscription): JsonObject | null {
  if (pause === null) return null
  return { behavior: pause.behavior, ...(pause.resumes_at === null ? {} : { resumes_at: pause.resumes_at }) }
}

function proofOf({ old, customerNew }: RecipeInput, parts: Parts, payment: string | null): ProofExpectation {
  const { raw } = old
  const next = present(old.next, 'next charge')
  const cycle: Cycle = present(old.cycle, 'cycle')
  return {
    status: old.trialEnd === null ? 'active' : 'trialing',
    currency: old.currency,
    customer: customerNew.id,
    collection_method: raw.collection_method,
    days_until_due: raw.days_until_due,
    billing_mode: raw.billing_mode.type,
    period_end: next,
    anchor: {
      at: anchorsShown(parts.anchor, cycle),
      day: monthsOf(cycle) === undefined ? null : cycle.day,
      config: parts.anchor.form === 'config' ? parts.anchor.config : null,
    },
    trial_end: old.trialEnd,
    cancel_at: parts.cancelAt,
    cancel_at_period_end: raw.cancel_at_period_end,
    automatic_tax: raw.automatic_tax.enabled,
    default_tax_rates: parts.taxRates.map((key) => refTo('tax_rate', key)),
    payment,
    items: parts.items.map(({ expected }) => expected),
    discounts: parts.discounts.map(({ expected }) => expected),
    pause: old.pause,
    schedule: false,
    metadata: { ...parts.metadata },
  }
}
