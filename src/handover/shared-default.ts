import type Stripe from 'stripe'
import type { LiveAccount } from '../live/accounts.ts'
import { enteredOf, type EnteredCard } from '../live/entered-card.ts'
import { markFrom, oldIdOf } from '../live/marks.ts'
import { idOf } from '../core/reference.ts'
import { readPayment } from '../live/source.ts'
import { isAlive, isOver } from '../live/subscription.ts'
import { methodInTarget } from './method-in-target.ts'
import type { HandoverInput } from './types.ts'

/**
 * Customers of the target whose subscriptions are charged to different methods, although each uses
 * a customer's default today: the same customer id in two sources, two old customers with one copy,
 * or a subscription that is already live in the target. All declared subscriptions count, whatever
 * their stage, so that the order of the waves does not matter.
 */
export function sharedDefaults({ catalog, live, copyMaps }: HandoverInput): ReadonlySet<string> {
  const methods = new Map<string, Set<string>>()
  const note = (customer: string, method: string): void => {
    const known = methods.get(customer)
    if (known === undefined) methods.set(customer, new Set([method]))
    else known.add(method)
  }
  const byId = new Map(
    [...live.sources].map(([name, { subscriptions }]) => [name, new Map(subscriptions.map((one) => [one.id, one]))]),
  )
  const entered = enteredIn(live.target)
  for (const { source, subscription, excluded } of catalog.subscribers) {
    const account = live.sources.get(source)
    const old = byId.get(source)?.get(subscription)
    if (excluded !== undefined || account === undefined || old === undefined || !isCharged(old)) continue
    const customer = idOf(old.customer)
    const payment = readPayment(old, account.customers.get(customer))
    if (payment?.level === 'subscription') continue
    const map = copyMaps.get(source)
    const copy = methodInTarget(payment, map, entered.get(subscription))
    note(copy?.customer ?? map?.customers.get(customer) ?? customer, copy?.id ?? `${source} ${payment?.id ?? 'none'}`)
  }
  for (const one of live.target.subscriptions) {
    if (one.metadata[markFrom] !== undefined || !isCharged(one) || readPayment(one, undefined) !== null) continue
    const customer = live.target.customers.get(idOf(one.customer))
    note(idOf(one.customer), readPayment(one, customer)?.id ?? 'target none')
  }
  return new Set([...methods].flatMap(([customer, all]) => (all.size > 1 ? [customer] : [])))
}

/**
 * Whether the customer's default in the target is a copied method that no live subscription there
 * is charged to. A move that was reverted or undone leaves the default that it set, also a wrong
 * one of a mixed-up copy map; the next move may then set the right one.
 */
export function isFreeDefault(
  customer: Stripe.Customer,
  {
    copiedMethods,
    targetByCustomer,
  }: {
    readonly copiedMethods: ReadonlySet<string>
    readonly targetByCustomer: ReadonlyMap<string, readonly Stripe.Subscription[]>
  },
): boolean {
  const usual = customer.invoice_settings.default_payment_method
  if (usual === null || !copiedMethods.has(idOf(usual))) return false
  return (targetByCustomer.get(customer.id) ?? []).every((one) => readPayment(one, undefined) !== null)
}

/** Cards that members entered in the target, by old subscription, before and after the move. */
function enteredIn({ subscriptions, entered }: LiveAccount): ReadonlyMap<string, EnteredCard> {
  const moved = subscriptions.filter(isAlive).flatMap((one): [string, EnteredCard][] => {
    const card = enteredOf(one)
    return card === undefined ? [] : [[oldIdOf(one.metadata[markFrom]), card]]
  })
  return new Map([...(entered ?? []), ...moved])
}

function isCharged(subscription: Stripe.Subscription): boolean {
  return !isOver(subscription) && subscription.collection_method === 'charge_automatically'
}
