import { givesAccess, isUndone } from '../../live/subscription.ts'
import type Stripe from 'stripe'
import type { Claim, Granted } from '../../access/plan.ts'
import type { Catalog, DesiredSubscriber } from '../../catalog/types.ts'
import { markFrom, oldIdOf, priceKey } from '../../live/marks.ts'
import type { Live, LiveAccount } from '../../live/accounts.ts'

/**
 * A claim with the customer whose access it is. The name is only for creating a contact and is
 * stored nowhere.
 */
export interface PersonalClaim extends Claim {
  /** The target's customer: a PAN copy keeps the id of the source. */
  readonly customer: string
  readonly name: string
}

/**
 * Who pays for what now, from the account that bills each subscriber: the successor if there is
 * one, else the old subscription. An excluded subscriber has access elsewhere and no claim here; an
 * ending subscription keeps access until it ends.
 */
export function claimsOf(catalog: Catalog, accounts: Live): PersonalClaim[] {
  const declared = allPayers(catalog, accounts).flatMap(({ desired, paying, customer }) => {
    const person = customer?.email?.trim().toLowerCase()
    if (customer === undefined || person === undefined || person === '') return []
    return [claim(desired, paying, { customer: customer.id, person, name: customer.name ?? '' })]
  })
  return [...declared, ...undeclaredOf(catalog, accounts)]
}

interface Payer {
  readonly desired: DesiredSubscriber
  readonly paying: Stripe.Subscription
  readonly customer: Stripe.Customer | undefined
}

/** Every declared subscriber who is not excluded, with the subscription that bills them. */
function allPayers(catalog: Catalog, accounts: Live): readonly Payer[] {
  const successors = successorsByMark(accounts.target)
  const sources = new Map([...accounts.sources].map(([name, account]) => [name, byId(account)]))
  return catalog.subscribers.flatMap((desired) => {
    if (desired.excluded !== undefined) return []
    const old = sources.get(desired.source)?.get(desired.subscription)
    const paying = successors.get(desired.subscription) ?? old
    if (paying === undefined) return []
    const customer = customerOf(paying, [accounts.target, accounts.sources.get(desired.source)])
    return [{ desired, paying, customer }]
  })
}

/** Those of them who pay, by the status of their subscription. */
export function livePayers(catalog: Catalog, accounts: Live): readonly Payer[] {
  return allPayers(catalog, accounts).filter(({ paying }) => givesAccess(paying))
}

/**
 * Payers whose subscription no YAML names: they subscribed again, or their entry was removed.
 * Removing an entry revokes nothing, so offers that the catalog shows them paying for stay.
 */
function undeclaredOf(catalog: Catalog, { target, sources }: Live): PersonalClaim[] {
  // During a move there are two subscriptions, the held old one and its successor. They count as
  // one claim.
  const named = new Set(catalog.subscribers.map(({ subscription }) => subscription))
  return [['target', target] as const, ...sources].flatMap(([name, account]) =>
    account.subscriptions.flatMap((one) => {
      const key = (account === target ? one.metadata[markFrom] : undefined) ?? `${name}/${one.id}`
      if (named.has(oldIdOf(key)) || !givesAccess(one)) return []
      named.add(oldIdOf(key))
      const customer = customerOf(one, [account])
      const person = customer?.email?.trim().toLowerCase()
      if (customer === undefined || person === undefined || person === '') return []
      const mapped = catalog.mappings.get(name)?.prices ?? {}
      const prices = one.items.data.flatMap(({ price }) => {
        const mark = account === target ? priceKey(price) : undefined
        return mark ?? (Object.hasOwn(mapped, price.id) ? mapped[price.id] : undefined) ?? []
      })
      const who = { customer: customer.id, person, name: customer.name ?? '' }
      return [{ subscriber: key, prices, live: true, undeclared: true as const, ...who }]
    }),
  )
}

/**
 * The grants that the catalog may revoke. It may not revoke those of a payer without an entry, who
 * may pay by a price that the mappings do not know.
 */
export function takeable<G extends Granted>(catalog: Catalog, accounts: Live, granted: readonly G[]): readonly G[] {
  const declared = new Set(catalog.subscribers.map(({ subscription }) => subscription))
  const old = [...accounts.sources.values()].flatMap(({ subscriptions }) =>
    subscriptions.filter(givesAccess).map(({ id }) => id),
  )
  const moved = accounts.target.subscriptions.filter(givesAccess)
  const paying = new Set([...old, ...moved.map(({ metadata }) => oldIdOf(metadata[markFrom]))])
  return granted.filter(
    ({ subscribers }) => !subscribers.some((one) => paying.has(oldIdOf(one)) && !declared.has(oldIdOf(one))),
  )
}

function claim(
  desired: DesiredSubscriber,
  paying: Stripe.Subscription,
  who: { customer: string; person: string; name: string },
): PersonalClaim {
  return {
    subscriber: desired.key,
    prices: desired.items.map((item) => item.price),
    live: givesAccess(paying),
    ...who,
  }
}

/** A live successor wins over an ended one with the same mark. */
function successorsByMark(target: LiveAccount): Map<string, Stripe.Subscription> {
  const found = new Map<string, Stripe.Subscription>()
  for (const subscription of target.subscriptions) {
    const mark = subscription.metadata[markFrom]
    if (mark === undefined) continue
    const old = oldIdOf(mark)
    if (!isUndone(subscription) && (!found.has(old) || givesAccess(subscription))) found.set(old, subscription)
  }
  return found
}

function byId(account: LiveAccount): Map<string, Stripe.Subscription> {
  return new Map(account.subscriptions.map((one) => [one.id, one]))
}

function customerOf(
  subscription: Stripe.Subscription,
  accounts: readonly (LiveAccount | undefined)[],
): Stripe.Customer | undefined {
  const { customer } = subscription
  if (typeof customer !== 'string') return customer.deleted === true ? undefined : customer
  for (const account of accounts) {
    const found = account?.customers.get(customer)
    if (found !== undefined) return found
  }
  return undefined
}
