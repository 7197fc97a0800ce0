import type { Findings } from '../findings.ts'
import type { JsonObject } from '../../core/json.ts'
import type { RecipeInput } from '../recipe-input.ts'
import { idOf } from '../../core/reference.ts'

export interface CarriedPayment {
  /** Parameters of the creation, when the source sets the method on the subscription. */
  readonly params: JsonObject
  /**
   * Parameters of the customer, when the source sets the method there and the target's customer has
   * none.
   */
  readonly customer: JsonObject | null
  /** Id of the method that must be effective afterwards; null if the source has none. */
  readonly expected: string | null
}

/**
 * Stripe does not copy these:
 * https://docs.stripe.com/get-started/data-migrations/pan-copy-self-serve
 */
const notCopyable = new Set(['link', 'bacs_debit', 'acss_debit'])

/**
 * The payment method, from the copy map alone, set at the same level as in the source. It is pinned
 * on the new subscription only if it was pinned on the old one; otherwise the old card would be
 * charged after the member changes it. Where several subscriptions share the customer and use
 * different methods, those that relied on a default are pinned as well, because one default cannot
 * be right for all of them.
 */
export function carriedPayment(input: RecipeInput, findings: Findings): CarriedPayment | undefined {
  const { old, copyMap, entered, customerNew } = input
  if (entered !== undefined && entered.customer === customerNew.id) return enteredPayment(input, entered.id)
  const { payment } = old
  if (payment === null) return withoutPayment(input, findings)
  const copied = copyMap.payments.get(payment.id)
  if (copied === undefined || copied.customer !== customerNew.id) {
    if (payment.type !== null && (notCopyable.has(payment.type) || isSepaSource(payment.id, payment.type)))
      return findings.block('payment_method_not_copyable', `${payment.id} is a ${payment.type} method`)
    return findings.block('payment_method_unmapped', `${payment.id} has no row in the copy map`)
  }
  const field = copied.id.startsWith('pm_') ? 'default_payment_method' : 'default_source'
  if (payment.level === 'subscription') return { params: { [field]: copied.id }, customer: null, expected: copied.id }
  const usual = effectiveDefault(input)
  if (usual === copied.id) return { params: {}, customer: null, expected: copied.id }
  if (input.sharesDefault) return { params: { [field]: copied.id }, customer: null, expected: copied.id }
  const mayReplace = field === 'default_payment_method' && (input.isDefaultFree || isCopiedSource(input))
  if (usual !== null && !mayReplace)
    return findings.block('payment_default_differs', `customer ${customerNew.id} has ${usual}, not ${copied.id}`)
  const params =
    field === 'default_source'
      ? { default_source: copied.id }
      : { invoice_settings: { default_payment_method: copied.id } }
  return { params: {}, customer: params, expected: copied.id }
}

/**
 * The card that the member entered in the target for this subscription. It becomes the customer's
 * default only where the old account uses a default and the target has none, so that no other
 * subscription is charged to it.
 */
function enteredPayment(input: RecipeInput, id: string): CarriedPayment {
  const usual = effectiveDefault(input)
  const { old, sharesDefault } = input
  if (usual === id && old.payment?.level !== 'subscription') return { params: {}, customer: null, expected: id }
  if (old.payment?.level === 'subscription' || sharesDefault || usual !== null)
    return { params: { default_payment_method: id }, customer: null, expected: id }
  return { params: {}, customer: { invoice_settings: { default_payment_method: id } }, expected: id }
}

const bothSidesFix =
  'If the member is to pay with it, save a card as the default of the customer in the old account as well, and make another copy; or ask the member for a card with `crossbill card-link --code payment_default_differs`. Otherwise remove the payment method from the customer in the target.'

/** Nothing is charged automatically today, so nothing may be chargeable in the target either. */
function withoutPayment(input: RecipeInput, findings: Findings): CarriedPayment | undefined {
  const usual = effectiveDefault(input)
  if (usual === null || input.old.raw.collection_method === 'send_invoice')
    return { params: {}, customer: null, expected: usual }
  return findings.block(
    'payment_default_differs',
    `the source has no payment method to charge, but customer ${input.customerNew.id} of the target has ${usual}`,
    bothSidesFix,
  )
}

function effectiveDefault({ customerNew }: RecipeInput): string | null {
  const method = customerNew.invoice_settings.default_payment_method ?? customerNew.default_source
  return method === null ? null : idOf(method)
}

/**
 * Whether the customer's default in the target is the copy of their older card, kept as their
 * source, with no newer method before it. In the source, a newer method takes precedence.
 */
function isCopiedSource({ customerOld, customerNew, copyMap }: RecipeInput): boolean {
  if (customerNew.invoice_settings.default_payment_method !== null || customerNew.default_source === null) return false
  const before = customerOld?.default_source ?? null
  return before !== null && copyMap.payments.get(idOf(before))?.id === idOf(customerNew.default_source)
}

function isSepaSource(id: string, type: string): boolean {
  return id.startsWith('src_') && type === 'sepa_debit'
}
