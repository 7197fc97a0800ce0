import { subscriberKey, type SubscriberKey } from '../../core/address.ts'
import { targetAccount } from '../../catalog/types.ts'
import { idOf } from '../../core/reference.ts'
import type Stripe from 'stripe'
import type { Live, LiveAccount } from '../../live/accounts.ts'
import { leftMoney, type LeftPiece } from '../../live/left-money.ts'
import { isCarriedFor, markCarried } from '../../live/marks.ts'
import { readMoneyNote } from '../../live/money-note.ts'
import { isCancelledByUs, isHeld, isOver, isUndone, successorMark } from '../../live/subscription.ts'
import type { HandoverDrift } from '../../handover/types.ts'
import { otherLines } from '../../handover/while-held.ts'
import type { Sides } from './sides.ts'
import type { Violation } from './violations.ts'

/*
 * Money of members whom Crossbill moved or cancelled that stays in an account where no subscription
 * of the customer will bill or use it:
 *
 * | what ended the subscription there | code                 | who decides       |
 * |-----------------------------------|----------------------|-------------------|
 * | an undo or revert, in the target  | money_left_in_target | the old account   |
 * | member, cancel, dunning: anywhere | money_left_behind    | a person          |
 * | a settle, in the old account      | money_left_behind    | a person          |
 *
 * Nothing is reported while a run carries the money, or while `money_on_held_source` names it.
 */

interface Owner {
  readonly key: SubscriberKey
  /** The old subscription; undefined for one that began in the target. */
  readonly old: Stripe.Subscription | undefined
  /** The subscription of the subscriber in this account. */
  readonly subscription: Stripe.Subscription
  readonly isReverted: boolean
}

/** One violation for each subscriber and code, in every account. */
export function moneyLeftBehind(
  live: Live,
  everybody: readonly Sides[],
  drift: ReadonlyMap<string, readonly HandoverDrift[]>,
): readonly Violation[] {
  const touched = everybody.filter(({ old }) => old === undefined || readMoneyNote(old) === null)
  const inTarget = [...touched.flatMap(ownersInTarget), ...begunThere(live.target)]
  const named = (key: SubscriberKey): boolean =>
    drift.get(key)?.some(({ code }) => code === 'money_on_held_source') === true
  return [
    ...leftIn(live.target, inTarget),
    ...[...live.sources].flatMap(([source, account]) =>
      leftIn(
        account,
        touched
          .filter((sides) => sides.source === source && !isConfirmed(sides))
          .flatMap(ownersInSource)
          .filter(({ key }) => !named(key)),
      ),
    ),
  ]
}

/**
 * Every successor that ended, also beside a later one. A hand-over that is not finished carries the
 * money itself.
 */
function ownersInTarget({ key, old, successors }: Sides): readonly Owner[] {
  const areUndone = successors.every(isUndone)
  if (isHeld(old) && areUndone) return []
  const isReverted = areUndone && old !== undefined && !isOver(old)
  return successors.filter(isOver).map((subscription) => ({ key, old, subscription, isReverted }))
}

/** Under `override`, a person says that what the hold left in the old account is billed. */
function isConfirmed({ declared }: Sides): boolean {
  return declared?.override?.includes('money_on_held_source') === true
}

/** What began in the target, until Crossbill cancelled it there. */
function begunThere({ name, subscriptions }: LiveAccount): readonly Owner[] {
  return subscriptions
    .filter((one) => successorMark(one) === undefined && isOver(one) && isCancelledByUs(one))
    .map((subscription) => ({
      key: subscriberKey(name, subscription.id),
      old: undefined,
      subscription,
      isReverted: false,
    }))
}

/** An old subscription that Crossbill ended, or that waits for its settle. */
function ownersInSource({ key, old, successors, alive }: Sides): readonly Owner[] {
  if (old === undefined) return []
  const isOurs = isCancelledByUs(old) || successors.some((one) => !isUndone(one))
  const isDone = isOver(old) || (isHeld(old) && alive.length === 0)
  return isOurs && isDone ? [{ key, old, subscription: old, isReverted: false }] : []
}

/**
 * In an old account, a hold keeps the drafts of renewals that the target bills or that a recovery
 * has accounted for: there, only other lines may still be owed.
 */
function isOwedIn({ name }: LiveAccount): (invoice: Stripe.Invoice) => boolean {
  return (invoice) => name === targetAccount || otherLines(invoice).length > 0
}

function leftIn(account: LiveAccount, owners: readonly Owner[]): readonly Violation[] {
  if (owners.length === 0) return []
  const customers = Map.groupBy(owners, ({ subscription }) => idOf(subscription.customer))
  const theirs = Map.groupBy(
    account.subscriptions.filter(({ customer }) => customers.has(idOf(customer))),
    ({ customer }) => idOf(customer),
  )
  // A debt that was carried is an invoice of the customer alone.
  const debts = Map.groupBy(account.invoices.get('') ?? [], ({ customer }) => idOf(customer ?? ''))
  return [...customers].flatMap(([customer, own]) => {
    const subscriptions = theirs.get(customer) ?? []
    const shown = account.customers.get(customer)
    const pieces = leftMoney({
      customer,
      subscriptions,
      items: account.pendingItems.get(customer) ?? [],
      invoices: [
        ...subscriptions.flatMap(({ id }) => account.invoices.get(id) ?? []).filter(isOwedIn(account)),
        ...(debts.get(customer) ?? []).filter(({ metadata }) => own.some(({ key }) => isCarriedFor(metadata, key))),
      ],
      balance: shown?.balance ?? 0,
      currency: shown?.currency ?? own[0]?.subscription.currency ?? '',
      credits: shown?.invoice_credit_balance,
    })
    const byOwner = Map.groupBy(pieces, (piece) => ownerOf(piece, own))
    return [...byOwner].flatMap(([owner, left]) =>
      owner === undefined ? [] : [violationOf(account, customer, owner, left)],
    )
  })
}

/**
 * The subscriber of the subscription that the piece names, or whose mark it carries. Money of the
 * customer alone is the last subscriber's, for whom it stayed.
 */
function ownerOf({ subscription, mark }: LeftPiece, own: readonly Owner[]): Owner | undefined {
  const named = own.find((one) => one.subscription.id === subscription)
  if (subscription !== undefined) return named && firstOf(named, own)
  const marked = own.find(({ key }) => isCarriedFor({ [markCarried]: mark }, key))
  return marked ?? own.toSorted((a, b) => b.subscription.created - a.subscription.created)[0]
}

/** One entry for each subscriber, however often they were moved. */
function firstOf({ key }: Owner, own: readonly Owner[]): Owner | undefined {
  return own.find((one) => one.key === key)
}

function violationOf(
  { name }: LiveAccount,
  customer: string,
  { key, old, isReverted }: Owner,
  left: readonly LeftPiece[],
): Violation {
  const where = name === targetAccount ? 'the target' : name
  const detail = `${left.map(({ what }) => what).join(', ')} of ${customer} stayed in ${where}, where no subscription of the customer will bill or use it`
  if (isReverted)
    return {
      code: 'money_left_in_target',
      subscriber: key,
      detail,
      fix: `give it to ${old === undefined ? 'the customer' : idOf(old.customer)} in the old account, then remove it in the target: ${removal}`,
    }
  return { code: 'money_left_behind', subscriber: key, detail, fix: decision(name) }
}

const removal = 'delete an item, finalize and void a draft, void an invoice, adjust a balance to zero'

/** What a person decides about money that a member left behind in this account. */
export function decision(account: string): string {
  const where = account === targetAccount ? 'the target' : account
  return `in the Dashboard of ${where}: to bill it, create an invoice with the same amount, finalize the draft, or charge the customer on the open invoice; to pay out a credit, refund it. Then, or to forgive it, remove what is left: ${removal}`
}
