import { hasBegun, isKnownStatus, isStoppedAfterTrial, paymentFailure } from '../live/subscription.ts'
import type Stripe from 'stripe'
import { formatInstant, instant, secondsPerDay, secondsPerHour } from '../core/instant.ts'
import { insideWindow, mismatchOf, otherMethod, windowSeconds, type Candidate } from './candidate.ts'
import { lostMark } from './lost-mark.ts'
import { noFailedSetup } from './earlier-setup.ts'
import { noLooseUsage } from './by-usage.ts'
import { changesSincePull } from './since-pull.ts'
import { Findings } from './findings.ts'
import { firstCopyFix, isUncopied } from './first-copy.ts'
import { firstRenewal } from '../live/first-renewal.ts'
import { finalizationError, isAdvancing, isCollected } from '../live/invoice.ts'
import { observeInvoice } from '../live/observations.ts'
import { belongsTo } from './while-held.ts'
import { taxPlace } from './carried/tax.ts'

/**
 * The rules that can stop a move. All of them run, so that the user sees every obstacle at once.
 * What the recipe itself refuses (mappings, anchor, discounts, payment method, fields) is not
 * repeated here.
 */
const obstacles: readonly ((candidate: Candidate, findings: Findings) => void)[] = [
  statusIsKnown,
  customerIsCopied,
  copyIsTheSamePerson,
  copyIsTheSameCard,
  unchangedSincePull,
  notPastDue,
  trialGoesOn,
  noInvoiceUnderWay,
  noPendingItems,
  noBalance,
  noSchedule,
  notPaused,
  noLooseUsage,
  taxLocationKnown,
  noDiscountInTarget,
  noFailedSetup,
  outsideWindow,
]

export function findObstacles(candidate: Candidate): Findings {
  const findings = new Findings()
  if (isStoppedAfterTrial(candidate.old.raw)) {
    // It has no period, no next charge and often no payment method: one reason says it all.
    findings.block('collection_paused', whyStopped, stoppedFix)
    return findings
  }
  // Another subscription may bill this person. The fixes of other reasons could start a second
  // payer.
  noLostMark(candidate, findings)
  if (findings.reasons.length > 0) return findings
  for (const obstacle of obstacles) obstacle(candidate, findings)
  return findings
}

const whyStopped =
  'the trial ended without a payment method, and Stripe paused the subscription itself: nothing is charged until it is resumed'

/** No policy carries a subscription that bills nothing. */
const stoppedFix =
  'Let the member enter a card in the old account and resume the subscription there, then `crossbill pull`. Or leave them: `policies: { leave: { collection_paused: REASON } }`.'

function statusIsKnown({ old }: Candidate, findings: Findings): void {
  if (!isKnownStatus(old.status) || !hasBegun(old.raw)) findings.block('unknown_status', `status is ${old.status}`)
}

function customerIsCopied({ desired, old, copyMap, customerNew, customerOld }: Candidate, findings: Findings): void {
  if (customerNew === undefined && isUncopied(copyMap))
    findings.block(
      'customer_not_copied',
      `no copy of ${desired.source} was imported, and the target has no customer ${old.customer}`,
      firstCopyFix(desired.source),
    )
  else if (customerNew === undefined)
    findings.block(
      'customer_not_copied',
      `customer ${old.customer} has no row in the copy map and is not in the target`,
    )
  else if (customerOld === undefined)
    findings.block('customer_not_copied', `customer ${old.customer} is deleted in the source`)
}

function copyIsTheSamePerson(candidate: Candidate, findings: Findings): void {
  const mismatch = mismatchOf(candidate)
  if (mismatch !== undefined) findings.block('copy_mismatch', mismatch)
}

function copyIsTheSameCard(candidate: Candidate, findings: Findings): void {
  const mismatch = otherMethod(candidate)
  if (mismatch !== undefined) findings.block('copy_mismatch', mismatch)
}

function noLostMark(candidate: Candidate, findings: Findings): void {
  const lost = lostMark(candidate)
  if (lost !== undefined) findings.block('unmarked_successor', lost.message, lost.fix)
}

function unchangedSincePull(candidate: Candidate, findings: Findings): void {
  const changes = changesSincePull(candidate).map(({ message }) => message)
  if (changes.length === 0) return
  const { old, around } = candidate
  const isLost = changes.some((change) => change.includes(' was removed')) && firstRenewal(old.raw) > around.now
  findings.block('changed_since_pull', changes.join('; '), isLost ? lostBeforeFirstFix : undefined)
}

/**
 * Before the first billing date, any update may unset a discount: a pull would then write the loss
 * into the file.
 */
const lostBeforeFirstFix =
  'The first billing date is still ahead. Any update before it, including a hold by an older version of Crossbill, may have unset the discount. Add the discount again in the old account, then `crossbill plan`. Do not pull before that: the file would lose the discount.'

/**
 * Past due: the open invoices are collected where they are (`leave`) or are carried (`carry`). Sent
 * invoices always stay where they are. In both cases the old account may end the subscription, and
 * the new one begins as if nothing were due, so `stop` is for both. Unpaid: Stripe has stopped
 * collecting, so a person must decide.
 */
function notPastDue({ old, around }: Candidate, findings: Findings): void {
  const failure = paymentFailure(old.raw)
  if (failure === 'given up') findings.block('past_due', whyUnpaid(old.raw), unpaidFix)
  if (failure === 'retrying' && around.policies.past_due === 'stop')
    findings.block('past_due', 'the subscription is past due')
}

/**
 * Stripe cancels this trial at its end, so it previews no next invoice of it, and no move could be
 * proven. A card that the member entered in the target does not change what the old account does.
 */
function trialGoesOn({ old, entered }: Candidate, findings: Findings): void {
  const { trialEnd, payment, raw } = old
  if (trialEnd === null || payment !== null || raw.collection_method !== 'charge_automatically') return
  if (raw.trial_settings?.end_behavior.missing_payment_method !== 'cancel') return
  const card =
    entered === undefined ? '' : `; the card ${entered.id} that the member entered in the target does not count there`
  findings.block(
    'trial_without_card',
    `the old account cancels ${old.id} when its trial ends on ${formatInstant(trialEnd)}, because it has no payment method${card}`,
  )
}

/** No policy moves an unpaid subscription, so the fix names none. */
const unpaidFix =
  'Collect, void or mark uncollectible its open invoices in the old account, which makes it active again, then `crossbill pull`. Or leave them: `policies: { leave: { past_due: REASON } }`.'

function whyUnpaid({ collection_method: method }: Stripe.Subscription): string {
  return method === 'send_invoice'
    ? 'the subscription is unpaid: a sent invoice is long overdue'
    : 'the subscription is unpaid: Stripe has stopped collecting its invoice'
}

/**
 * If an endpoint never answers, Stripe holds a subscription's draft for up to three days
 * (https://docs.stripe.com/invoicing/integration/workflow-transitions).
 */
const draftSecondsMax = 3 * secondsPerDay

function noInvoiceUnderWay({ old, source, around }: Candidate, findings: Findings): void {
  for (const invoice of source.invoices.get(old.id) ?? []) {
    const why = finalizationError(invoice)
    if (why !== undefined)
      findings.block('finalization_failed', `Stripe could not finalize invoice ${invoice.id}: ${why}`)
    else if (isAdvancing(invoice)) {
      const until = invoice.automatically_finalizes_at ?? invoice.created + draftSecondsMax
      const later = instant(Math.max(until, around.now) + secondsPerHour)
      findings.wait('draft_invoice', later, `invoice ${invoice.id} is a draft until ${formatInstant(instant(until))}`)
    }
    if (invoice.status === 'open') openInvoice(invoice, around, findings)
  }
}

function openInvoice(invoice: Stripe.Invoice, { policies, now }: Candidate['around'], findings: Findings): void {
  // A sent invoice waits for its customer and stays where it is; it delays only a settle.
  const collected = isCollected(invoice)
  // Lists do not show the state of a payment. An invoice that was tried and has no further attempt
  // has a payment in progress, which can take days for a bank debit.
  const underWay = collected && invoice.attempted && invoice.next_payment_attempt === null
  if (underWay || observeInvoice(invoice) === 'in_flight') {
    findings.wait(
      'payment_in_flight',
      instant(now + secondsPerDay),
      `a payment of invoice ${invoice.id} is being processed`,
    )
    return
  }
  if (collected && policies.past_due === 'stop')
    findings.block('open_invoice', `invoice ${invoice.id} is still being collected`)
}

function noPendingItems({ old, source, around }: Candidate, findings: Findings): void {
  if (around.policies.pending_invoice_items === 'carry') return
  const items = (source.pendingItems.get(old.customer) ?? []).filter((item) => belongsTo(item, old.id))
  if (items.length > 0)
    findings.block(
      'pending_invoice_items',
      `${items.length} pending invoice items (${items.map(({ id }) => id).join(', ')})`,
    )
}

function noBalance({ customerOld, around }: Candidate, findings: Findings): void {
  if (customerOld === undefined || around.policies.customer_balance === 'carry') return
  if (customerOld.balance !== 0)
    findings.block(
      'customer_balance',
      `customer ${customerOld.id} has a balance of ${customerOld.balance} in the smallest unit`,
    )
}

function noSchedule({ old, around }: Candidate, findings: Findings): void {
  if (old.raw.schedule !== null && around.policies.schedules === 'stop')
    findings.block(
      'schedule_managed',
      'a subscription schedule manages the subscription',
      'Set `policies: { schedules: carry }` in project.yaml, or release the schedule in the old account; then `crossbill plan`.',
    )
}

function notPaused({ old, around }: Candidate, findings: Findings): void {
  if (old.pause !== null && around.policies.collection_paused === 'stop')
    findings.block('collection_paused', `collection is paused (${old.pause.behavior})`)
}

function taxLocationKnown({ old, customerNew, customerOld }: Candidate, findings: Findings): void {
  if (!old.raw.automatic_tax.enabled || customerNew === undefined) return
  const recognised = customerNew.tax?.automatic_tax
  // A shipping address that is carried first locates the customer, whatever Stripe recognises now.
  const carried = customerNew.shipping === null && customerOld?.shipping != null
  const known =
    recognised === undefined || carried
      ? taxPlace(customerNew, customerOld?.shipping).country !== ''
      : recognised === 'supported' || recognised === 'not_collecting'
  if (!known)
    findings.block('tax_location_missing', `customer ${customerNew.id} has no location that automatic tax recognises`)
}

/**
 * A subscription created without discounts would inherit it. One with discounts does not at first,
 * but would when they end.
 */
function noDiscountInTarget({ customerNew }: Candidate, findings: Findings): void {
  if ((customerNew?.discount ?? null) !== null)
    findings.block('customer_discount_in_target', `customer ${customerNew?.id ?? ''} has a discount in the target`)
}

function outsideWindow(candidate: Candidate, findings: Findings): void {
  const { old, around } = candidate
  if (old.next === null) return
  const until = insideWindow(old.next, around.now, windowSeconds(candidate))
  if (until !== undefined) findings.wait('renews_soon', until, `renews on ${formatInstant(old.next)}`)
}
