import { digest } from '../../core/canonical.ts'
import type { Json, JsonObject, StripeObject } from '../../core/json.ts'
import { success, type Outcome } from '../../core/outcome.ts'
import {
  cancelsNoted,
  invoiceSubscription,
  isNotedFor,
  leftNoted,
  type LeftNoted,
  willBeCollected,
  withCancel,
  withoutCancel,
} from '../../live/collection.ts'
import type { Live } from '../../live/accounts.ts'
import { standsStill } from '../../live/invoice.ts'
import { isCarriedFor } from '../../live/marks.ts'
import { accountNamed } from '../context.ts'
import type { Accounts, StripeAccount } from '../ports.ts'
import { listed } from './listed.ts'
import { perform, read, type Performer } from './perform.ts'

/** A cancel by Crossbill, which stops the collection of its customer's other invoices. */
export interface OwnCancel {
  /** Where the journal keeps the requests. */
  readonly address: string
  readonly account: StripeAccount
  readonly customer: string
  readonly subscription: string
  /** What the idempotency keys derive from, besides the request. */
  readonly key: readonly Json[]
  /**
   * The subscriber who leaves. A debt that was carried for them is an invoice of the customer now.
   * In the old account it was one of the subscription, and the cancel treats it as such.
   */
  readonly leaver?: string
}

/**
 * Marks the invoices whose collection the cancel would stop. Sent right before the cancel. An
 * invoice that an earlier run marked and that is no longer collected loses the mark: others have
 * stopped it since.
 */
export async function noteCollection(
  context: Performer,
  cancel: OwnCancel,
  whose: 'all' | 'others',
): Promise<Outcome<true>> {
  const open = await openInvoices(cancel)
  if (!open.ok) return open
  const { subscription } = cancel
  for (const invoice of open.value) {
    const isMeant = whose === 'all' || (invoiceSubscription(invoice) !== subscription && !isCarried(invoice, cancel))
    const wanted = isMeant && willBeCollected(invoice)
    if (wanted === cancelsNoted(invoice).includes(subscription)) continue
    const metadata = wanted ? withCancel(invoice, subscription) : withoutCancel(invoice, subscription)
    const noted = await update(context, cancel, invoice, { metadata })
    // An invoice that was paid or voided in the meantime is not collected any more.
    if (!noted.ok && noted.failure.kind !== 'rejected') return noted
  }
  return success(true)
}

/** Invoices with the mark of the cancel: it has stopped their collection, or left it alone. */
export async function notedInvoices(
  cancel: Pick<OwnCancel, 'account' | 'customer' | 'subscription'>,
): Promise<Outcome<readonly StripeObject[]>> {
  const open = await openInvoices(cancel)
  return open.ok ? success(open.value.filter((one) => isNotedFor(one, cancel.subscription))) : open
}

/**
 * Lets Stripe collect an invoice again, and removes the mark in the same request. An invoice that
 * was paid or voided meanwhile is not touched; one that is still being collected loses the mark:
 * whether a cancel stops the invoices of other subscriptions is open in Stripe's documentation.
 */
export async function collectAgain(
  context: Performer,
  cancel: OwnCancel,
  invoice: string,
): Promise<Outcome<StripeObject>> {
  const now = await read(context, cancel.account, `/v1/invoices/${invoice}`)
  if (!now.ok || !isNotedFor(now.value, cancel.subscription)) return now
  const metadata = withoutCancel(now.value, cancel.subscription)
  return update(context, cancel, now.value, standsStill(now.value) ? { auto_advance: true, metadata } : { metadata })
}

/**
 * Stops the collection of the debts that were carried for a member who has left, as Stripe stops
 * the invoices of a subscription with its cancel. `verify` names them: whether they are owed is for
 * a person to decide. Safe to repeat.
 */
export async function stopCarried(context: Performer, cancel: OwnCancel): Promise<Outcome<true>> {
  const open = await openInvoices(cancel)
  if (!open.ok) return open
  for (const invoice of open.value) {
    if (!isCarried(invoice, cancel) || standsStill(invoice)) continue
    const stopped = await update(context, cancel, invoice, { auto_advance: false })
    // It was paid or voided in the meantime.
    if (!stopped.ok && stopped.failure.kind !== 'rejected') return stopped
  }
  return success(true)
}

function isCarried({ metadata }: StripeObject, { leaver }: OwnCancel): boolean {
  return leaver !== undefined && isCarriedFor(metadata, leaver)
}

/** Restores everything that the cancel has stopped. Safe to repeat. */
export async function collectAllAgain(context: Performer, cancel: OwnCancel): Promise<Outcome<true>> {
  const noted = await notedInvoices(cancel)
  if (!noted.ok) return noted
  for (const { id } of noted.value) {
    if (id === undefined) continue
    const collected = await collectAgain(context, cancel, id)
    if (!collected.ok) return collected
  }
  return success(true)
}

/**
 * Restores what any earlier run stopped with its cancel, whichever store it had. Returns the
 * invoices that are collected again.
 */
export async function collectLeft(
  context: Performer & { readonly accounts: Accounts },
  live: Live,
): Promise<readonly LeftNoted[]> {
  const collected: LeftNoted[] = []
  for (const one of leftNoted(live)) {
    const { account: name, invoice, customer, cancelled } = one
    const account = accountNamed(context, name)
    const key = [cancelled, account.now()]
    const cancel = { address: `invoice.${name}/${invoice}`, account, customer, subscription: cancelled, key }
    if ((await collectAgain(context, cancel, invoice)).ok && one.isStopped) collected.push(one)
  }
  return collected
}

function openInvoices({ account, customer }: Pick<OwnCancel, 'account' | 'customer'>) {
  return listed(account, '/v1/invoices', { customer, status: 'open' }, 'invoices_unreadable')
}

function update(
  context: Performer,
  { address, account, customer, key }: OwnCancel,
  { id = '' }: StripeObject,
  params: JsonObject,
): Promise<Outcome<StripeObject>> {
  return perform(context, {
    address,
    step: `${params['auto_advance'] === true ? 'collect' : 'note'} ${account.name} ${id}`,
    account,
    method: 'POST',
    path: `/v1/invoices/${id}`,
    params,
    key: `crossbill-${digest([...key, account.id, id, params])}`,
    shutAt: `/v1/customers/${customer}`,
  })
}
