import type { SubscriberKey } from '../../core/address.ts'
import { idOf } from '../../core/reference.ts'
import { textIn, type StripeObject } from '../../core/json.ts'
import { failed, success, type Outcome } from '../../core/outcome.ts'
import { isCarriedFor } from '../../live/marks.ts'
import { leftMoney } from '../../live/left-money.ts'
import { isOver } from '../../live/subscription.ts'
import type { StripeAccount } from '../ports.ts'
import { listed } from '../send/listed.ts'
import { read } from '../send/perform.ts'
import type { InboxContext } from './context.ts'
import { readSides, subscriptionsOf, targetUnreadable } from './live-sides.ts'

/** What a cancelled subscriber has left in one account. */
export interface LeftIn {
  readonly account: string
  /** `item ii_… of 42.00 usd` */
  readonly what: readonly string[]
}

/**
 * The money of a subscriber that waits in an account where nothing bills it any more. A cancel
 * neither bills nor deletes it: whether it is owed is a person's decision. Reads only.
 */
export async function moneyLeftBy(
  context: InboxContext,
  subscriber: SubscriberKey,
): Promise<Outcome<readonly LeftIn[]>> {
  const both = await readSides(context, subscriber)
  if (!both.ok) return both
  const { old, oldAccount, successors, sides } = both.value
  if (sides.successors === undefined) return failed(targetUnreadable)
  const ended = [
    ...successors.map((one) => ({ account: context.accounts.target, one })),
    ...(old === undefined || oldAccount === undefined ? [] : [{ account: oldAccount, one: old }]),
  ].filter(({ one }) => isOver(one))
  const found: LeftIn[] = []
  const seen = new Set<string>()
  for (const { account, one } of ended) {
    const customer = idOf(one['customer'])
    if (customer === undefined || seen.has(`${account.name} ${customer}`)) continue
    seen.add(`${account.name} ${customer}`)
    const what = await leftIn(context, account, one, subscriber)
    if (!what.ok) return what
    if (what.value.length > 0) found.push({ account: account.name, what: what.value })
  }
  return success(found)
}

async function leftIn(
  context: InboxContext,
  account: StripeAccount,
  ended: StripeObject,
  subscriber: SubscriberKey,
): Promise<Outcome<readonly string[]>> {
  const customer = idOf(ended['customer']) ?? ''
  const [owner, subscriptions, items, drafts, open] = await Promise.all([
    read(context, account, `/v1/customers/${customer}`, { expand: ['invoice_credit_balance'] }),
    subscriptionsOf(account, customer),
    listed(account, '/v1/invoiceitems', { customer, pending: true }),
    listed(account, '/v1/invoices', { customer, status: 'draft' }),
    listed(account, '/v1/invoices', { customer, status: 'open' }),
  ])
  if (!owner.ok) return owner
  // Everything of a deleted customer is gone.
  if (owner.value['deleted'] === true) return success([])
  if (!subscriptions.ok) return subscriptions
  if (!items.ok) return items
  if (!drafts.ok) return drafts
  if (!open.ok) return open
  const carried = open.value.filter(({ metadata }) => isCarriedFor(metadata, subscriber))
  const { balance } = owner.value
  const pieces = leftMoney({
    customer,
    subscriptions: subscriptions.value,
    items: items.value,
    invoices: [...drafts.value, ...carried],
    balance: typeof balance === 'number' ? balance : 0,
    currency: textIn(owner.value['currency']) || textIn(ended['currency']),
    credits: owner.value['invoice_credit_balance'],
  })
  return success(pieces.map(({ what }) => what))
}
