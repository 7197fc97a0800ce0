import { givesAccess, isUndone, mayCharge } from '../../live/subscription.ts'
import type Stripe from 'stripe'
import type { Claim, Granted } from '../../access/plan.ts'
import { targetAccount, type Catalog, type DesiredSubscriber } from '../../catalog/types.ts'
import { address } from '../../core/address.ts'
import { billedPriceKey, wrongMapping } from '../../handover/billed-prices.ts'
import { homesOf, isMisplaced, type Live, type LiveAccount } from '../../live/accounts.ts'
import { instant, type Instant } from '../../core/instant.ts'
import { markFrom, markStart, oldIdOf } from '../../live/marks.ts'

/**
 * A claim with the customer whose access it is. The name is only for creating a contact and is
 * stored nowhere.
 */
export interface PersonalClaim extends Claim {
  /** The target's customer: a PAN copy keeps the id of the source. */
  readonly customer: string
  readonly name: string
  /** When the subscription began, in either account: no earlier request can mean it. */
  readonly since: Instant
}

/**
 * Who pays for what now, from the account that bills each subscriber. The prices are those that
 * the account bills, not those in the YAML, so that an edit of an entry neither grants nor revokes.
 * An excluded subscriber has access elsewhere and is granted nothing, but loses nothing while they
 * pay. An ending subscription keeps access until it ends.
 */
export function claimsOf(catalog: Catalog, accounts: Live): PersonalClaim[] {
  const declared = allPayers(catalog, accounts).flatMap((payer): PersonalClaim[] => {
    const { desired, paying, customer } = payer
    const person = addressOf(customer)
    if (customer === undefined || person === undefined) return []
    const { prices, unknown } = payer.billed
    const who = { customer: customer.id, person, name: customer.name ?? '', since: payer.since }
    const subscriber = desired.key
    const live = givesAccess(paying)
    if (desired.excluded !== undefined)
      return live ? [{ subscriber, prices, live, keepsOnly: true, ...(unknown ? { keepsAll: true } : {}), ...who }] : []
    return [{ subscriber, prices, live, ...(unknown && live ? { keepsAll: true } : {}), ...who }]
  })
  return [...declared, ...undeclaredOf(catalog, accounts)]
}

interface Billed {
  /** Keys in prices.yaml. */
  readonly prices: readonly string[]
  /**
   * A billed price that the catalog does not know, or whose mapping names another price: what it
   * gives is unknown.
   */
  readonly unknown: boolean
}

interface Payer {
  readonly desired: DesiredSubscriber
  readonly paying: Stripe.Subscription
  readonly customer: Stripe.Customer | undefined
  readonly since: Instant
  readonly billed: Billed
}

/**
 * Every declared subscriber, with the subscription that bills them and its prices: the successor if
 * there is one, else the old subscription. An old one that was taken off hold after its successor
 * ended bills again.
 */
function allPayers(catalog: Catalog, accounts: Live): readonly Payer[] {
  const successors = successorsByMark(accounts.target)
  const sources = new Map([...accounts.sources].map(([name, account]) => [name, byId(account)]))
  const billedBy = billedPrices(catalog)
  return entriesInPlace(catalog, accounts).flatMap((desired) => {
    const old = sources.get(desired.source)?.get(desired.subscription)
    const successor = successors.get(desired.subscription)
    const isResumed = successor !== undefined && !givesAccess(successor) && mayCharge(old)
    const paying = isResumed ? old : (successor ?? old)
    if (paying === undefined) return []
    const customer = customerPaying(paying, [accounts.target, accounts.sources.get(desired.source)])
    const { prices, unknown, wrong } = billedBy(paying === successor ? targetAccount : desired.source, paying)
    // The YAML decides only where the catalog does not know a price of the account. A pull with a
    // wrong mapping wrote the wrong price into it.
    const written = unknown && !wrong ? desired.items.map(({ price }) => price) : []
    const since = beginOf([old, successor])
    return [{ desired, paying, customer, since, billed: { prices: [...new Set([...prices, ...written])], unknown } }]
  })
}

/**
 * The date of a grant whose own date is lost. A request to cancel that is older than its grant
 * means an earlier subscription, so the date must not be later than it was.
 */
export function firstStart(claims: readonly PersonalClaim[]): Instant {
  return instant(claims.length === 0 ? 0 : Math.min(...claims.map(({ since }) => since)))
}

/** The first start of these subscriptions. A successor that was not backdated has a mark of it. */
function beginOf(subscriptions: readonly (Stripe.Subscription | undefined)[]): Instant {
  const starts = subscriptions.flatMap((one) => {
    if (one === undefined) return []
    const marked = Number(one.metadata[markStart])
    return Number.isFinite(marked) && marked > 0 ? [one.start_date, marked] : [one.start_date]
  })
  return instant(Math.min(...starts))
}

/** Entries in a file of the source that has their subscription. */
function entriesInPlace({ subscribers }: Catalog, accounts: Live): readonly DesiredSubscriber[] {
  const homes = homesOf(accounts)
  return subscribers.filter((one) => !isMisplaced(one, homes))
}

/** Subscribers who pay and are not excluded, by the status of their subscription. */
export function livePayers(catalog: Catalog, accounts: Live): readonly Payer[] {
  return allPayers(catalog, accounts).filter(
    ({ desired, paying }) => desired.excluded === undefined && givesAccess(paying),
  )
}

/** The catalog's keys of the prices that a subscription bills. */
function billedPrices(
  catalog: Catalog,
): (account: string, subscription: Stripe.Subscription) => Billed & { readonly wrong: boolean } {
  const known = new Set(catalog.resources.map((one) => one.address))
  const wrong = wrongMappings(catalog)
  return (account, { items }) => {
    const keys = items.data.map(({ price }) =>
      wrong(account, price) ? undefined : billedPriceKey(catalog, account, price),
    )
    const prices = keys.filter((key) => key !== undefined && known.has(address('price', key))) as string[]
    return {
      prices: [...new Set(prices)],
      unknown: prices.length < keys.length,
      wrong: items.data.some(({ price }) => wrong(account, price)),
    }
  }
}

/** Whether the mapping of a price is wrong; each price is compared once. */
function wrongMappings(catalog: Catalog): (account: string, price: Stripe.Price) => boolean {
  const seen = new Map<string, boolean>()
  return (account, price) => {
    const id = `${account}/${price.id}`
    const before = seen.get(id) ?? wrongMapping(catalog, account, price) !== undefined
    seen.set(id, before)
    return before
  }
}

/**
 * Payers whose subscription no YAML names: they subscribed again, or their entry was removed or
 * misplaced. Removing an entry revokes nothing, so offers that the catalog shows them paying for
 * stay.
 */
function undeclaredOf(catalog: Catalog, accounts: Live): PersonalClaim[] {
  const { target, sources } = accounts
  // During a move there are two subscriptions, the held old one and its successor. They count as
  // one claim.
  const named = new Set(entriesInPlace(catalog, accounts).map(({ subscription }) => subscription))
  const billedBy = billedPrices(catalog)
  return [['target', target] as const, ...sources].flatMap(([name, account]) =>
    account.subscriptions.flatMap((one): PersonalClaim[] => {
      const key = (account === target ? one.metadata[markFrom] : undefined) ?? `${name}/${one.id}`
      if (named.has(oldIdOf(key)) || !givesAccess(one)) return []
      named.add(oldIdOf(key))
      const customer = customerPaying(one, [account])
      const person = addressOf(customer)
      if (customer === undefined || person === undefined) return []
      const { prices } = billedBy(account === target ? targetAccount : name, one)
      const who = { customer: customer.id, person, name: customer.name ?? '', since: beginOf([one]) }
      return [{ subscriber: key, prices, live: true, keepsOnly: true, ...who }]
    }),
  )
}

/**
 * The grants that the catalog may revoke. It may not revoke those of a payer without a complete
 * claim: without an entry, excluded, without an e-mail address, or with a price that the catalog
 * does not know.
 */
export function takeable<G extends Granted>(catalog: Catalog, accounts: Live, granted: readonly G[]): readonly G[] {
  const complete = new Set(
    livePayers(catalog, accounts)
      .filter(({ billed, customer }) => !billed.unknown && addressOf(customer) !== undefined)
      .map(({ desired }) => desired.subscription),
  )
  const successors = successorsByMark(accounts.target)
  const old = [...accounts.sources.values()].flatMap(({ subscriptions }) =>
    // A held old subscription whose successor has ended pays for nothing.
    subscriptions.filter((one) => givesAccess(one) && (mayCharge(one) || !successors.has(one.id))).map(({ id }) => id),
  )
  const moved = accounts.target.subscriptions.filter(givesAccess)
  const paying = new Set([...old, ...moved.map(({ id, metadata }) => oldIdOf(metadata[markFrom] ?? id))])
  return granted.filter(
    ({ subscribers }) => !subscribers.some((one) => paying.has(oldIdOf(one)) && !complete.has(oldIdOf(one))),
  )
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

/** The address by which Kajabi knows a person; undefined without one. */
function addressOf(customer: Stripe.Customer | undefined): string | undefined {
  const person = customer?.email?.trim().toLowerCase() ?? ''
  return person === '' ? undefined : person
}

function customerPaying(
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
