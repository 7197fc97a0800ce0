import { idOf } from '../core/reference.ts'
import { hasHoldMark, isAlive, isOver } from '../live/subscription.ts'
import { objectIn } from '../core/json.ts'
import { copyMismatch } from './copied-customer.ts'
import { methodMismatch } from './copied-method.ts'
import { sharedDefaults } from './shared-default.ts'
import { enteredOf, type EnteredCard } from '../live/entered-card.ts'
import { markFrom, oldIdOf } from '../live/marks.ts'
import type Stripe from 'stripe'
import type { DesiredSubscriber, Policies } from '../catalog/types.ts'
import { instant, secondsPerHour, type Instant } from '../core/instant.ts'
import { lengthInDays } from '../billing/calendar.ts'
import type { LiveAccount } from '../live/accounts.ts'
import { catalogIndex, type CatalogIndex, taxRateKeys } from './references.ts'
import { hasRenewed } from '../live/first-renewal.ts'
import { readMoneyNote } from '../live/money-note.ts'
import { portalWithoutReason } from '../live/portals.ts'
import { readSource, type SourceSubscription } from '../live/source.ts'
import { readDue } from '../live/due.ts'
import {
  isOfPresentHold,
  observeNew,
  observeOld,
  standingOf,
  successorOf,
  type NewObservation,
  type OldObservation,
  type Standing,
} from '../live/observations.ts'
import { successorsByProject } from '../live/projects.ts'
import type { CopyMap, HandoverInput } from './types.ts'

/** One subscriber with everything that a decision about it needs. */
export interface Candidate {
  readonly desired: DesiredSubscriber
  readonly old: SourceSubscription
  readonly observations: {
    readonly old: Exclude<OldObservation, 'unreadable'>
    readonly new: Exclude<NewObservation, 'unreadable'>
  }
  readonly standing: Standing
  readonly successor: Stripe.Subscription | undefined
  readonly customerOld: Stripe.Customer | undefined
  readonly customerNew: Stripe.Customer | undefined
  /** Also set for a customer that does not exist (any more) in the target. */
  readonly customerNewId: string
  /** Whether the customer was deleted in the target. */
  readonly isErased: boolean
  /** The other project that moved this subscriber, if there is one. */
  readonly movedBy: string | undefined
  readonly copyMap: CopyMap
  /** The card that the member entered in the target for this subscription. */
  readonly entered: EnteredCard | undefined
  readonly source: LiveAccount
  readonly around: Surroundings
}

/** The data that all subscribers of one plan share. Look-ups are built once. */
export interface Surroundings {
  readonly project: string
  readonly policies: Policies
  readonly index: CatalogIndex
  readonly now: Instant
  readonly target: LiveAccount
  /** Live subscriptions of the target by customer. */
  readonly targetByCustomer: ReadonlyMap<string, readonly Stripe.Subscription[]>
  readonly successors: ReadonlyMap<string, readonly Stripe.Subscription[]>
  /**
   * Customers of the target whose default payment method cannot be right for all of their
   * subscriptions.
   */
  readonly sharedDefaults: ReadonlySet<string>
  /** By old subscription: the other project whose successor is live in the target. */
  readonly movedByOthers: ReadonlyMap<string, string>
  /** By subscriber: why the target refused the creation at the last try, from the store. */
  readonly refused: ReadonlyMap<string, string>
  /** By subscriber: the new subscription that an earlier run proved, from the store. */
  readonly proven: ReadonlyMap<string, string>
  /** Keys of the target's tax rates by id. */
  readonly targetTaxRates: ReadonlyMap<string, string>
  /** The portal of the target that ends subscriptions at once and asks for no reason. */
  readonly portalWithoutReason: string | undefined
  readonly sources: ReadonlyMap<string, SourceSide>
  /** Copied payment methods of every source. No member chose one of these in the target. */
  readonly copiedMethods: ReadonlySet<string>
}

interface SourceSide {
  readonly account: LiveAccount
  readonly byId: ReadonlyMap<string, Stripe.Subscription>
  /** Live subscriptions by customer. */
  readonly byCustomer: ReadonlyMap<string, readonly Stripe.Subscription[]>
  readonly copyMap: CopyMap
  /**
   * The prices that the source's subscriptions use, and the prices of its own list if that was
   * read.
   */
  readonly prices: ReadonlyMap<string, Stripe.Price>
}

const emptyCopyMap: CopyMap = { customers: new Map(), payments: new Map() }

export function surroundingsOf(input: HandoverInput): Surroundings {
  const { catalog, live, copyMaps, now } = input
  const sides = [...live.sources].map(([name, account]): [string, SourceSide] => [
    name,
    {
      account,
      byId: new Map(account.subscriptions.map((one) => [one.id, one])),
      byCustomer: Map.groupBy(account.subscriptions.filter(isAlive), ({ customer }) => idOf(customer)),
      copyMap: copyMaps.get(name) ?? emptyCopyMap,
      prices: account.prices ?? pricesInUse(account.subscriptions),
    },
  ])
  const { name: project } = catalog.project
  const { own, others } = successorsByProject(live.target.subscriptions, project)
  return {
    project,
    policies: catalog.project.policies,
    index: catalogIndex(catalog),
    now,
    target: live.target,
    targetByCustomer: Map.groupBy(live.target.subscriptions.filter(isAlive), ({ customer }) => idOf(customer)),
    successors: Map.groupBy(
      own.toSorted((a, b) => b.created - a.created),
      ({ metadata }) => oldIdOf(metadata[markFrom]),
    ),
    movedByOthers: others,
    sharedDefaults: sharedDefaults(input),
    refused: refusedIn(input.remembered),
    proven: provenIn(input.remembered),
    targetTaxRates: taxRateKeys(live.resources.get('tax_rate') ?? []),
    portalWithoutReason: portalWithoutReason(live.resources),
    sources: new Map(sides),
    copiedMethods: new Set(
      [...copyMaps.values()].flatMap(({ payments }) => [...payments.values()].map(({ id }) => id)),
    ),
  }
}

/**
 * A method of another customer is refused at the creation, after the hold. Without this memory each
 * run would hold and undo the same subscriber again.
 */
function refusedIn(remembered: HandoverInput['remembered']): ReadonlyMap<string, string> {
  return new Map(
    [...remembered].flatMap(([key, { phase, facts }]) => {
      const reason = objectIn(facts['reason'])
      const { code, message } = reason
      return phase === 'source' && code === 'resource_missing' && typeof message === 'string' ? [[key, message]] : []
    }),
  )
}

function provenIn(remembered: HandoverInput['remembered']): ReadonlyMap<string, string> {
  return new Map(
    [...remembered].flatMap(([key, { phase, facts }]) =>
      phase === 'moved' && typeof facts['successor'] === 'string' ? [[key, facts['successor']] as const] : [],
    ),
  )
}

/**
 * Whether an earlier run proved the new subscription: its hold says so, or the store, or, where a
 * person removed the mark, a renewal in the target. Their subscriber may have changed it since, so
 * it is not compared with the old one again: an undo would cancel it.
 */
export function wasProven({ desired, old, successor, around }: Candidate): boolean {
  if (successor === undefined) return false
  if (old.hold?.kept === true || around.proven.get(desired.key) === successor.id) return true
  return old.hold === null && hasRenewed(successor)
}

function pricesInUse(subscriptions: readonly Stripe.Subscription[]): ReadonlyMap<string, Stripe.Price> {
  return new Map(subscriptions.flatMap(({ items }) => items.data.map(({ price }) => [price.id, price] as const)))
}

/** Undefined when the source has no such subscription. */
export function candidateOf(desired: DesiredSubscriber, around: Surroundings): Candidate | undefined {
  const side = around.sources.get(desired.source)
  const raw = side?.byId.get(desired.subscription)
  if (side === undefined || raw === undefined) return undefined
  const { account, copyMap } = side
  const customerOld = account.customers.get(idOf(raw.customer)) ?? expandedCustomer(raw)
  const successors = around.successors.get(desired.subscription) ?? []
  const observations = {
    old: observeOld(raw) as Candidate['observations']['old'],
    new: observeNew(successors, raw) as Candidate['observations']['new'],
  }
  const old = readSource(raw, customerOld, account.prices, account.coupons)
  const successor = successorOf(successors)
  const movedBy = otherProject(old, successors, around)
  const standing =
    movedBy !== undefined ? 'source' : isBegun(raw) ? 'unfinished' : standingOf(observations.old, observations.new)
  // A successor decides its customer, even where the copy map has changed or lost the entry since.
  // In unfinished work this also holds for one that was undone: its invoices are its customer's.
  const undone = standing === 'unfinished' ? successors.find((one) => isOfPresentHold(one, raw)) : undefined
  const copied = customerOf(successor ?? undone) ?? copiedCustomer(old.customer, copyMap, around)
  const customerNewId = copied ?? old.customer
  return {
    desired,
    old,
    observations,
    standing,
    successor,
    customerOld,
    customerNew: copied === undefined ? undefined : around.target.customers.get(customerNewId),
    customerNewId,
    isErased: around.target.erased?.has(customerNewId) === true,
    movedBy,
    copyMap,
    entered: successor === undefined ? around.target.entered?.get(old.id) : enteredOf(successor),
    source: account,
    around,
  }
}

/**
 * Money was taken out of an account, or a hold was released and its renewals are not accounted for:
 * the marks of an earlier run say so, whatever the two subscriptions look like.
 */
function isBegun(old: Stripe.Subscription): boolean {
  return !isOver(old) && (readMoneyNote(old) !== null || (readDue(old) !== null && !hasHoldMark(old)))
}

/**
 * The other project that holds the old subscription, by the hold's mark, or that bills its
 * successor.
 */
function otherProject(
  { id, hold }: SourceSubscription,
  own: readonly Stripe.Subscription[],
  { project, movedByOthers }: Surroundings,
): string | undefined {
  if (hold?.project !== undefined) return hold.project === project ? undefined : hold.project
  return own.length > 0 ? undefined : movedByOthers.get(id)
}

/**
 * The mapping file has one row per payment method, so a customer without a copied method has no
 * row. The copy keeps customer ids, so a customer of the target with this id is the copy.
 * https://docs.stripe.com/get-started/data-migrations/pan-copy-self-serve
 */
function copiedCustomer(id: string, { customers }: CopyMap, { target }: Surroundings): string | undefined {
  return customers.get(id) ?? (target.customers.has(id) ? id : undefined)
}

function customerOf(successor: Stripe.Subscription | undefined): string | undefined {
  return successor === undefined ? undefined : idOf(successor.customer)
}

function expandedCustomer({ customer }: Stripe.Subscription): Stripe.Customer | undefined {
  return typeof customer === 'object' && customer.deleted !== true ? (customer as Stripe.Customer) : undefined
}

/** Why the new customer is not the copy of the old one, unless a person confirmed that it is. */
export function mismatchOf({ desired, customerOld, customerNew, ...rest }: Candidate): string | undefined {
  if (customerOld === undefined || customerNew === undefined) return undefined
  if (desired.override?.includes('copy_mismatch') === true) return undefined
  const { copyMap, source, around } = rest
  return copyMismatch({ old: customerOld, copy: customerNew, copyMap, source, target: around.target })
}

/**
 * Why the payment method that a move would charge is another one than the old account charges,
 * unless a person confirmed it.
 */
export function otherMethod(candidate: Candidate): string | undefined {
  const { desired, old, copyMap, entered, source, around } = candidate
  if (entered !== undefined || desired.override?.includes('copy_mismatch') === true) return undefined
  const copy = copyMap.payments.get(old.payment?.id ?? '')
  const mismatch = methodMismatch({ old: old.payment, copy, copyMap, source, target: around.target })
  if (mismatch !== undefined || copy === undefined) return mismatch
  const refused = around.refused.get(desired.key)
  return refused?.includes(copy.id) === true
    ? `the target refused ${copy.id} at the last try to move the subscriber: ${refused}`
    : undefined
}

/** Other live subscriptions of the same customer in the same source. */
export function siblingsOf({ desired, old, around }: Candidate): readonly Stripe.Subscription[] {
  const all = around.sources.get(desired.source)?.byCustomer.get(old.customer) ?? []
  return all.filter(({ id }) => id !== old.id)
}

/**
 * The guard window: no subscriber is moved, reverted or settled when a renewal is nearer than this.
 * It is 48 hours or the project's value, but at most a third of the interval.
 */
export function windowSeconds({ old, around }: Candidate): number {
  const hours = around.policies.renewal_window_hours * secondsPerHour
  return old.cycle === null ? hours : Math.min(hours, Math.floor((lengthInDays(old.cycle) * 86_400) / 3))
}

/** The end of the guard window around a renewal, when `now` is inside it; undefined outside. */
export function insideWindow(next: Instant, now: Instant, seconds: number): Instant | undefined {
  return next - now < seconds ? instant(Math.max(next, now) + secondsPerHour) : undefined
}

/** Builds the copy map of one source from its rows; a later row wins. */
export function copyMapOf(
  rows: Iterable<{
    readonly customerOld: string
    readonly customerNew: string
    readonly sourceOld: string
    readonly sourceNew: string
  }>,
): CopyMap {
  const customers = new Map<string, string>()
  const payments = new Map<string, { customer: string; id: string }>()
  for (const { customerOld, customerNew, sourceOld, sourceNew } of rows) {
    customers.set(customerOld, customerNew)
    if (sourceOld !== '') payments.set(sourceOld, { customer: customerNew, id: sourceNew })
  }
  return { customers, payments }
}
