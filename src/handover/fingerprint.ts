import { idOf } from '../core/reference.ts'
import type Stripe from 'stripe'
import { digest } from '../core/canonical.ts'
import { isFingerprinted, itemFields, subscriptionFields, type FieldPolicy } from './fields.ts'
import { foreignMetadata } from '../live/marks.ts'
import { withoutOwnEnd } from '../live/own-end.ts'
import { readPayment, readSource } from '../live/source.ts'

/**
 * Digest of everything about a subscription that the hand-over carries or decides on, and of what
 * it takes from its customer (effective payment method, inherited discount). It omits what changes
 * with every renewal, and our own hold and marks. The answer to the hold request must have the
 * fingerprint that the plan saw; otherwise another change happened in between.
 */
export function fingerprint(subscription: Stripe.Subscription, customer: Stripe.Customer | undefined): string {
  const source = readSource(subscription, customer)
  return digest({
    ...picked(source.raw, subscriptionFields),
    items: subscription.items.data
      .map((item) => picked(item, itemFields))
      .sort((a, b) => String(a['price']).localeCompare(String(b['price']), 'en')),
    metadata: foreignMetadata(subscription.metadata),
    pause_collection: source.pause,
    payment: readPayment(subscription, customer)?.id ?? null,
    inherited: source.discountsFrom === 'customer' ? source.discounts.map(({ id }) => id) : [],
  })
}

/**
 * The same digest of a new subscription, to detect a change by its subscriber during a revert. It
 * omits the schedule, which a revert releases itself.
 */
export function successorPrint(subscription: Stripe.Subscription, customer: Stripe.Customer | undefined): string {
  return fingerprint({ ...subscription, schedule: null }, customer)
}

/**
 * Digest of what only a person changes on a held subscription: items, quantities, card, its end.
 * Trials and discounts expire automatically during the hold and are omitted. Sixteen characters,
 * written into the hold's mark.
 */
export function sourcePrint(subscription: Stripe.Subscription, customer: Stripe.Customer | undefined): string {
  // A schedule changes the subscription automatically, as planned.
  if (subscription.schedule !== null) return ''
  const { cancel_at, cancel_at_period_end } = withoutOwnEnd(subscription)
  return digest({
    items: subscription.items.data.map(({ price, quantity, tax_rates: rates }) => [
      price.id,
      quantity ?? null,
      (rates ?? []).map(({ id }) => id),
    ]),
    payment: readPayment(subscription, customer)?.id ?? null,
    cancel_at,
    cancel_at_period_end,
    collection_method: subscription.collection_method,
  }).slice(0, 16)
}

/**
 * Digest of what decides the taxes of a held subscription and is set on its customer or beside its
 * items: address, tax ids, exemption, rates. Sixteen characters, written into the hold's mark,
 * salted with the subscription.
 */
export function aroundPrint(subscription: Stripe.Subscription, customer: Stripe.Customer | undefined): string {
  if (customer === undefined || subscription.schedule !== null) return ''
  const taxIds = (customer.tax_ids?.data ?? []).map(({ type, value }) => `${type} ${value}`).toSorted()
  return digest({
    salt: subscription.id,
    address: customer.address ?? null,
    shipping: customer.shipping?.address ?? null,
    exempt: customer.tax_exempt ?? null,
    taxIds,
    automatic: subscription.automatic_tax.enabled,
    rates: (subscription.default_tax_rates ?? []).map(({ id }) => id),
  }).slice(0, 16)
}

function picked(value: object, policies: Readonly<Record<string, FieldPolicy>>): Record<string, unknown> {
  const kept = Object.entries(value).filter(([field]) => {
    const policy = policies[field]
    return policy === undefined || isFingerprinted(policy)
  })
  return Object.fromEntries(kept.map(([field, one]) => [field, referenced(one)]))
}

/**
 * Replaces expanded objects by their ids, so that the digest does not depend on how far a read was
 * expanded. Decimals and absent fields have one form.
 */
function referenced(value: unknown): unknown {
  if (value === undefined || value === null) return undefined
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(referenced)
  if (typeof value !== 'object') return value
  if ('id' in value && 'object' in value && typeof value.id === 'string') return idOf({ id: value.id })
  const entries = Object.entries(value).map(([key, one]) => [key, referenced(one)] as const)
  return Object.fromEntries(entries.filter(([, one]) => one !== undefined))
}
