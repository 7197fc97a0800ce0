import type Stripe from 'stripe'
import type { SubscriberKey } from '../../core/address.ts'
import type { Candidate } from '../candidate.ts'
import { goesOn, type Decided } from '../decided.ts'
import type { BlockedCode } from '../codes.ts'
import { invoicesBack, invoicesOut } from './invoices.ts'
import { isOf, noted, planWithMoney, wayBack, wayOut, type MoneyPart, type Part } from './money-steps.ts'
import { isCarriedFor, markCarried } from '../../live/marks.ts'
import { readMoneyNote } from '../../live/money-note.ts'
import { unpaidInvoices } from '../unpaid-invoices.ts'
import { belongsTo } from '../while-held.ts'
import { blocked } from '../reasons.ts'
import { findTaxRate } from '../references.ts'
import { hasHoldMark, isOver } from '../../live/subscription.ts'
import type { Classification, Reason } from '../types.ts'

/**
 * Money that belongs to a customer, not to a subscription: the balance, and pending invoice items
 * without a subscription. It leaves an account only with the customer's last live subscription
 * there, as marked requests that first take it out and then put it in. A crash in between leaves it
 * in neither account, and never in both. Before the first of these requests, a note on the old
 * subscription names every piece (`money-note.ts`), so that any later run finishes from the
 * accounts alone. A revert carries back the rest. Items of a subscription go with that
 * subscription.
 */
export function withCustomerMoney(decided: readonly Decided[]): readonly Decided[] {
  const parts = new Map<SubscriberKey, MoneyPart | { readonly reason: Reason<BlockedCode> }>()
  for (const goal of ['move', 'revert'] as const) {
    const group = decided.filter(({ classification }) => classification.outcome === goal)
    const byCustomer = Map.groupBy(
      group,
      ({ candidate }) => `${candidate?.desired.source ?? ''}/${candidate?.old.customer ?? ''}`,
    )
    for (const leaving of byCustomer.values()) {
      const candidates = leaving.flatMap(({ candidate }) => candidate ?? [])
      const everybody = goal === 'move' ? leavesSource(candidates) : leavesTarget(candidates)
      for (const [i, candidate] of candidates.entries()) {
        const last = everybody && i === candidates.length - 1
        const after = candidates.slice(0, i).map(({ desired }) => desired.key)
        const part = goal === 'move' ? moneyOut(candidate, last) : moneyBack(candidate, last)
        parts.set(candidate.desired.key, 'reason' in part ? part : { steps: part.steps, after: last ? after : [] })
      }
    }
  }
  const unfinished = decided.filter(({ classification }) => classification.recovery !== undefined)
  return decided.map((one) => {
    const part = parts.get(one.classification.key)
    const classification = part === undefined ? one.classification : withMoney(one.classification, part)
    return { ...one, classification: withRecoveredMoney({ ...one, classification }, unfinished) }
  })
}

/**
 * An earlier run stopped between the creation and the note, or between the cancel of the successor
 * and the note: its recovery carries what the plan would have carried. What cannot be carried stays
 * where it is, and `verify` names it: a recovery does not wait for a policy.
 */
function withRecoveredMoney({ candidate, classification }: Decided, unfinished: readonly Decided[]): Classification {
  const { recovery } = classification
  if (recovery === undefined || candidate === undefined || readMoneyNote(candidate.old.raw) !== null)
    return classification
  const others = unfinished.filter((one) => one.candidate !== candidate && isSameCustomer(one.candidate, candidate))
  const isAlone = others.length === 0
  const out = recovery.goal === 'move' && candidate.observations.old === 'held'
  const part = out
    ? moneyOut(candidate, isAlone && leavesSource([candidate]))
    : recovery.goal === 'revert'
      ? moneyBack(candidate, isAlone && leavesTarget([candidate]))
      : { steps: [] }
  if ('reason' in part || part.steps.length === 0) return classification
  return { ...classification, recovery: planWithMoney(recovery, { steps: part.steps, after: [] }) }
}

function isSameCustomer(a: Candidate | undefined, b: Candidate): boolean {
  return a?.desired.source === b.desired.source && a.old.customer === b.old.customer
}

function withMoney(
  classification: Classification,
  part: MoneyPart | { readonly reason: Reason<BlockedCode> },
): Classification {
  if (!('plan' in classification)) return classification
  if ('reason' in part) {
    const { key, standing, successor, drift, monthly } = classification
    const about = { key, standing, successor, drift, ...(monthly === undefined ? {} : { monthly }) }
    return { ...about, outcome: 'blocked', reasons: [part.reason] }
  }
  return part.steps.length === 0
    ? classification
    : { ...classification, plan: planWithMoney(classification.plan, part) }
}

/** Whether every live subscription that the customer still has in the source moves. */
function leavesSource(candidates: readonly Candidate[]): boolean {
  const [first] = candidates
  if (first === undefined) return false
  const moving = new Set(candidates.map(({ old }) => old.id))
  const all = first.around.sources.get(first.desired.source)?.byCustomer.get(first.old.customer) ?? []
  return all.every((one) => moving.has(one.id) || hasHoldMark(one) || !goesOn(one))
}

function leavesTarget(candidates: readonly Candidate[]): boolean {
  const [first] = candidates
  if (first === undefined) return false
  const going = new Set(candidates.map(({ successor }) => successor?.id))
  const all = first.around.targetByCustomer.get(first.customerNew?.id ?? '') ?? []
  return all.every((one) => going.has(one.id) || isOver(one))
}

function moneyOut(candidate: Candidate, last: boolean): Part {
  const { old, desired, customerOld, source, around } = candidate
  const { policies } = around
  const way = wayOut(candidate)
  if (customerOld === undefined || way === undefined) return { steps: [] }
  const balance = last && policies.customer_balance === 'carry' ? customerOld.balance : 0
  const foreign = Object.entries(customerOld.invoice_credit_balance ?? {}).find(
    ([currency, amount]) => currency !== old.currency && amount !== 0,
  )
  if (balance !== 0 && foreign !== undefined)
    return { reason: blocked('customer_balance', `customer ${customerOld.id} also has a balance in ${foreign[0]}`) }
  const items = policies.pending_invoice_items === 'carry' ? (source.pendingItems.get(old.customer) ?? []) : []
  const own = items.filter((item) => belongsTo(item, old.id) && (last || isOf(item, old.id)))
  for (const item of own) {
    if ((item.discounts ?? []).length > 0)
      return { reason: blocked('field_not_carried', `pending invoice item ${item.id} has a discount of its own`) }
    for (const rate of item.tax_rates ?? []) {
      const found = findTaxRate(around.index, desired.source, rate)
      if (!found.ok)
        return { reason: blocked('tax_rate_unmapped', `pending invoice item ${item.id}: ${found.reason.message}`) }
    }
  }
  const invoices = invoicesOut(candidate)
  if (!invoices.ok) return { reason: invoices.reason }
  return noted(candidate, 'target', { balance, items: own, invoices: invoices.value, way })
}

/** The rest in the target of the money that was carried there. */
function moneyBack(candidate: Candidate, last: boolean): Part {
  const { desired, customerNew, around } = candidate
  const way = wayBack(candidate)
  if (customerNew === undefined || way === undefined) return { steps: [] }
  const stays = staysBehind(candidate, last)
  if (stays !== undefined) return { reason: stays }
  const balance = last && around.policies.customer_balance === 'carry' ? unpaidInvoices(candidate).balance : 0
  const items = (around.target.pendingItems.get(customerNew.id) ?? []).filter(({ metadata }) =>
    isCarriedFor(metadata, desired.key),
  )
  const invoices = invoicesBack(candidate)
  if (!invoices.ok) return { reason: invoices.reason }
  return noted(candidate, 'source', { balance, items, invoices: invoices.value, way })
}

/**
 * A pending item that was added after the move, to the new subscription or, when no other one of
 * the customer is left to bill it, to the customer alone.
 */
function isAddedThere(item: Stripe.InvoiceItem, { desired, successor }: Candidate, last: boolean): boolean {
  if (item.amount === 0 || isCarriedFor(item.metadata, desired.key)) return false
  const id = successor?.id ?? ''
  return isOf(item, id) || (last && belongsTo(item, id) && item.metadata?.[markCarried] === undefined)
}

/**
 * Money in the target that a revert would leave there while the old account charges the full
 * amount.
 */
function staysBehind(candidate: Candidate, last: boolean): Reason<BlockedCode> | undefined {
  const { successor, customerNew, around } = candidate
  const added = (around.target.pendingItems.get(customerNew?.id ?? '') ?? []).filter((item) =>
    isAddedThere(item, candidate, last),
  )
  // Crossbill did not create these items, so no policy permits deleting them.
  if (added.length > 0)
    return blocked(
      'pending_invoice_items',
      `${added.map(({ id }) => id).join(', ')} of ${successor?.id} or its customer in the target would never be billed`,
      'Bill them at once with an invoice of their own in the target, or delete them there and add them to the old subscription; then `crossbill plan`.',
    )
  const balance = customerNew?.balance ?? 0
  return last && balance !== 0 && around.policies.customer_balance !== 'carry'
    ? blocked(
        'customer_balance',
        `customer ${customerNew?.id} has a balance of ${balance} in the smallest unit in the target`,
      )
    : undefined
}
