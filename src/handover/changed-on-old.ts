import type Stripe from 'stripe'
import { targetAccount } from '../catalog/types.ts'
import type { Candidate } from './candidate.ts'
import type { Changed } from './changed-terms.ts'
import { changedParts, hasPart, type HeldPart } from './held-terms.ts'

/*
 * The two subscriptions differ, and a person changed the old one while it was on hold. The mark of
 * the hold has a digest of what it was: where the new subscription still has that, nothing was
 * changed in the target, and a revert loses nothing.
 */

/** By what a difference is called: the part of the mark that shows who changed it. */
const partOf: Readonly<Partial<Record<string, HeldPart>>> = {
  'items or quantities': 'items',
  'payment method': 'payment method',
  'default payment method of the customer': 'payment method',
  'tax rates of an item': 'tax rates of an item',
  'its end': 'its end',
  collection_method: 'collection_method',
  'tax rates': 'tax rates',
  'automatic tax': 'automatic tax',
  'billing thresholds': 'billing thresholds',
  'payment method types': 'payment method types',
  'billing mode': 'billing mode',
}

/** Whether the old subscription was changed, and the new one is as the old one was when held. */
export function isChangeOfOld(
  { what }: Pick<Changed, 'what'>,
  candidate: Candidate,
  successor: Stripe.Subscription,
): boolean {
  const { old, customerOld } = candidate
  const part = partOf[what]
  const { hold } = old
  if (part === undefined || hold === null || !changedParts(old.raw, customerOld, hold).includes(part)) return false
  return asSold(candidate, successor).some((one) => hasPart(part, one, customerOld, hold))
}

/**
 * Whether this part of the old subscription is as it was when it was held: what differs then was
 * changed in the target, whatever else was changed on the old one.
 */
export function isChangeInTarget({ what }: Pick<Changed, 'what'>, { old, customerOld }: Candidate): boolean {
  const part = partOf[what]
  return part !== undefined && old.hold !== null && hasPart(part, old.raw, customerOld, old.hold)
}

/** More old ids than this for one entry of the catalog are not tried: the difference then stays. */
const formsMost = 64

/**
 * The new subscription in words of the old account, in every form that the mappings allow: several
 * old prices may have become one.
 */
function asSold(candidate: Candidate, successor: Stripe.Subscription): readonly Stripe.Subscription[] {
  const { old, desired, around } = candidate
  const mappings = around.index.mappings(desired.source)
  const rates = (all: readonly Stripe.TaxRate[] | null | undefined): Stripe.TaxRate[] =>
    (all ?? []).map((one) => {
      const [id = one.id] = oldIds(mappings.tax_rates, around.targetTaxRates.get(one.id))
      return { ...one, id }
    })
  const forms = successor.items.data.reduce<readonly (readonly Stripe.SubscriptionItem[])[]>(
    (sofar, item) => {
      const key = around.index.billedKey(targetAccount, around.target.prices?.get(item.price.id) ?? item.price)
      const ids = oldIds(mappings.prices, key)
      const next = sofar.flatMap((items) =>
        ids.map((id) => [...items, { ...item, price: { ...item.price, id }, tax_rates: rates(item.tax_rates) }]),
      )
      return next.slice(0, formsMost)
    },
    [[]],
  )
  const default_tax_rates = rates(successor.default_tax_rates)
  return forms.map((data) => ({
    ...successor,
    id: old.id,
    default_tax_rates,
    items: { ...successor.items, data: [...data] },
  }))
}

function oldIds(mapping: Readonly<Record<string, string>>, key: string | undefined): readonly string[] {
  return Object.entries(mapping).flatMap(([id, to]) => (to === key ? [id] : []))
}
