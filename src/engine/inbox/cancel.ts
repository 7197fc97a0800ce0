import { digest } from '../../core/canonical.ts'
import { isJsonObject, type StripeObject } from '../../core/json.ts'
import { failed, success, type Outcome } from '../../core/outcome.ts'
import { cancelledComment } from '../../live/marks.ts'
import { perform, read } from '../send/perform.ts'
import type { StripeAccount } from '../ports.ts'
import type { InboxContext } from './context.ts'
import { isLive } from './live-sides.ts'

/** One subscription to be cancelled in one account on behalf of one inbox row. */
export interface CancelWork {
  readonly row: string
  readonly subscriber: string
  readonly account: StripeAccount
  readonly subscription: string
  readonly customer: string
  /** A held subscription cannot charge, so it ends now whatever the policy says. */
  readonly when: 'now' | 'period_end'
}

/** Its own kind: what the inbox has begun is the inbox's to finish, and no recovery of moves touches it. */
function addressOf({ row }: Pick<CancelWork, 'row'>): string {
  return `inbox.${row}`
}

/**
 * Which finalized invoices of the customer are being collected and do not belong to this subscription. Cancelling stops the collection of all of them
 * (the SDK's `subscriptions.cancel`), so they are noted before and restored after.
 */
export async function invoicesToRestore(work: CancelWork): Promise<Outcome<readonly string[]>> {
  const found: string[] = []
  try {
    const list = work.account.list('/v1/invoices', { customer: work.customer, status: 'open' })
    for await (const invoice of list)
      if (willBeCollected(invoice) && subscriptionOf(invoice) !== work.subscription && invoice.id !== undefined)
        found.push(invoice.id)
    return success(found)
  } catch (error) {
    const message = error instanceof Error ? error.message : 'open invoices could not be read'
    return failed({ kind: 'retryable', code: 'invoices_unreadable', message, status: 0 })
  }
}

/** An invoice's subscription, since basil below `parent`. */
function subscriptionOf(invoice: StripeObject): string | undefined {
  const { parent } = invoice
  const details = isJsonObject(parent) ? parent['subscription_details'] : undefined
  const subscription = isJsonObject(details) ? details['subscription'] : undefined
  if (typeof subscription === 'string') return subscription
  return isJsonObject(subscription) && typeof subscription['id'] === 'string' ? subscription['id'] : undefined
}

/**
 * Cancels and confirms from Stripe's own answer. Cancelling something cancelled answers 404, so a re-read decides whether it is done; the marker says whose
 * cancel it was. Nothing is prorated or invoiced.
 */
export async function cancelSubscription(context: InboxContext, work: CancelWork): Promise<Outcome<StripeObject>> {
  const path = `/v1/subscriptions/${work.subscription}`
  const comment = `${cancelledComment}${work.row}`
  const request =
    work.when === 'now'
      ? { method: 'DELETE' as const, params: { invoice_now: false, prorate: false, cancellation_details: { comment } } }
      : {
          method: 'POST' as const,
          params: { cancel_at_period_end: true, cancellation_details: { comment } },
        }
  const outcome = await perform(context, {
    address: addressOf(work),
    step: `cancel ${work.account.name} ${work.subscription}`,
    account: work.account,
    path,
    ...request,
    key: digest([work.row, work.account.id, work.subscription, work.when]),
    find: async () => {
      const now = await read(context, work.account, path)
      if (!now.ok) return now
      return success(done(now.value, work.when) ? now.value : undefined)
    },
  })
  if (outcome.ok || outcome.failure.code !== 'resource_missing') return outcome
  // Cancelled by somebody else between our read and our request: that is what was wanted.
  const now = await read(context, work.account, path)
  return now.ok && done(now.value, work.when) ? now : outcome
}

function done(subscription: StripeObject, when: 'now' | 'period_end'): boolean {
  return !isLive(subscription) || (when === 'period_end' && subscription['cancel_at_period_end'] === true)
}

/** Lets the noted invoices be collected again. Harmless to repeat. */
export async function restoreCollection(
  context: InboxContext,
  work: Pick<CancelWork, 'row' | 'account'>,
  invoices: readonly string[],
): Promise<Outcome<true>> {
  for (const invoice of invoices) {
    const now = await read(context, work.account, `/v1/invoices/${invoice}`)
    if (!now.ok) return now
    // Paid or voided meanwhile: nothing to collect.
    if (now.value['status'] !== 'open' || now.value['auto_advance'] === true) continue
    const outcome = await perform(context, {
      address: addressOf(work),
      step: `collect ${work.account.name} ${invoice}`,
      account: work.account,
      method: 'POST',
      path: `/v1/invoices/${invoice}`,
      params: { auto_advance: true },
      key: digest([work.row, work.account.id, invoice, 'collect']),
    })
    if (!outcome.ok) return outcome
  }
  return success(true)
}

/** With a further attempt ahead. One without is given up or has a payment in flight: collected again it could be charged twice. */
function willBeCollected(invoice: StripeObject): boolean {
  // One that was sent is never charged by itself, but reminded of.
  const goesOn = (invoice['next_payment_attempt'] ?? null) !== null || invoice['collection_method'] === 'send_invoice'
  return invoice['auto_advance'] === true && goesOn
}
