import { successorInPath } from '../placeholders.ts'
import type Stripe from 'stripe'
import { itemText } from '../live-values.ts'
import type { SubscriberKey } from '../../core/address.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Candidate } from '../candidate.ts'
import { goesOn, type Decided } from '../decided.ts'
import type { BlockedCode } from '../codes.ts'
import { invoicesBack, invoicesOut, isOwedAsWritten } from './invoices.ts'
import { isCarriedFor, markAddress, markCarried } from '../../live/marks.ts'
import { belongsTo } from '../while-held.ts'
import { blocked } from '../reasons.ts'
import { findTaxRate, refTo } from '../references.ts'
import { hasHoldMark, isOver } from '../../live/subscription.ts'
import type { Classification, HandoverPlan, PlannedStep, Reason } from '../types.ts'

/**
 * Money that belongs to a customer, not to a subscription: the balance, and pending invoice items
 * without a subscription. It leaves an account only with the customer's last live subscription
 * there, as marked requests that first take it out and then put it in. A crash in between leaves it
 * in neither account, which the next run repairs, and never in both. A revert carries back the
 * rest. Items of a subscription go with that subscription.
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
  return decided.map((one) => {
    const part = parts.get(one.classification.key)
    return part === undefined ? one : { ...one, classification: withMoney(one.classification, part) }
  })
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

/**
 * Inserts the steps before the last one, which switches the hold or releases the old subscription.
 */
function planWithMoney(plan: HandoverPlan, { steps, after }: MoneyPart): HandoverPlan {
  const last = plan.steps.slice(-1)
  return {
    ...plan,
    steps: [...plan.steps.slice(0, -1), ...steps, ...last],
    expect: {
      ...plan.expect,
      money: steps.map(({ id }) => id),
      money_after: after,
    },
  }
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

type Part = { readonly steps: readonly PlannedStep[] } | { readonly reason: Reason<BlockedCode> }

function moneyOut(candidate: Candidate, last: boolean): Part {
  const { old, desired, customerOld, customerNew, source, around } = candidate
  const { policies } = around
  if (customerOld === undefined || customerNew === undefined) return { steps: [] }
  const balance = last && policies.customer_balance === 'carry' ? customerOld.balance : 0
  const foreign = Object.entries(customerOld.invoice_credit_balance ?? {}).find(
    ([currency, amount]) => currency !== old.currency && amount !== 0,
  )
  if (balance !== 0 && foreign !== undefined)
    return { reason: blocked('customer_balance', `customer ${customerOld.id} also has a balance in ${foreign[0]}`) }
  const items = policies.pending_invoice_items === 'carry' ? (source.pendingItems.get(old.customer) ?? []) : []
  const own = items.filter((item) => belongsTo(item, old.id) && (last || isOf(item, old.id)))
  const steps: PlannedStep[] = balanceSteps(
    { account: desired.source, customer: customerOld.id },
    { account: 'target', customer: customerNew.id },
    { amount: balance, currency: old.currency, mark: desired.key },
  )
  for (const [i, item] of own.entries()) {
    if ((item.discounts ?? []).length > 0)
      return { reason: blocked('field_not_carried', `pending invoice item ${item.id} has a discount of its own`) }
    const rates: JsonObject[] = []
    for (const rate of item.tax_rates ?? []) {
      const found = findTaxRate(around.index, desired.source, rate)
      if (!found.ok)
        return { reason: blocked('tax_rate_unmapped', `pending invoice item ${item.id}: ${found.reason.message}`) }
      rates.push(refTo('tax_rate', found.value))
    }
    const params = itemParams(item, { account: desired.source, customer: customerNew.id, mark: desired.key, rates })
    const bound = isOf(item, old.id) ? { ...params, subscription: successorInPath } : params
    steps.push(...itemSteps(i, { account: desired.source, id: item.id }, { account: 'target', params: bound }))
  }
  const invoices = invoicesOut(candidate)
  return invoices.ok ? { steps: [...steps, ...invoices.value] } : { reason: invoices.reason }
}

/** The rest in the target of the money that was carried there. */
function moneyBack(candidate: Candidate, last: boolean): Part {
  const { old, desired, customerOld, customerNew, around } = candidate
  if (customerOld === undefined || customerNew === undefined) return { steps: [] }
  const stays = staysBehind(candidate, last)
  if (stays !== undefined) return { reason: stays }
  const balance = last && around.policies.customer_balance === 'carry' ? customerNew.balance : 0
  const steps: PlannedStep[] = balanceSteps(
    { account: 'target', customer: customerNew.id },
    { account: desired.source, customer: customerOld.id },
    { amount: balance, currency: old.currency, mark: desired.key },
  )
  const items = (around.target.pendingItems.get(customerNew.id) ?? []).filter(({ metadata }) =>
    isCarriedFor(metadata, desired.key),
  )
  const keys = new Map(
    Object.entries(around.index.mappings(desired.source).tax_rates).map(([id, key]) => [`tax_rate.${key}`, id]),
  )
  for (const [i, item] of items.entries()) {
    const rates = (item.tax_rates ?? []).map(({ id, metadata }) => ({
      id,
      back: keys.get(metadata?.[markAddress] ?? ''),
    }))
    const lost = rates.find(({ back }) => back === undefined)
    if (lost !== undefined)
      return {
        reason: blocked('tax_rate_unmapped', `tax rate ${lost.id} of item ${item.id} has no counterpart in the source`),
      }
    const own = rates.map(({ back }) => back ?? '')
    const params = itemParams(item, { account: 'target', customer: customerOld.id, mark: desired.key, rates: own })
    const bound = item.parent?.subscription_details ? { ...params, subscription: old.id } : params
    steps.push(...itemSteps(i, { account: 'target', id: item.id }, { account: desired.source, params: bound }))
  }
  const invoices = invoicesBack(candidate)
  return invoices.ok ? { steps: [...steps, ...invoices.value] } : { reason: invoices.reason }
}

/** A pending item that was added to the new subscription after the move. */
function isAddedThere(item: Stripe.InvoiceItem, { desired, successor }: Candidate): boolean {
  const isCarried = isCarriedFor(item.metadata, desired.key)
  return !isCarried && item.amount !== 0 && isOf(item, successor?.id ?? '')
}

/**
 * Money in the target that a revert would leave there while the old account charges the full
 * amount.
 */
function staysBehind(candidate: Candidate, last: boolean): Reason<BlockedCode> | undefined {
  const { successor, customerNew, around } = candidate
  // The revert would void this invoice. A balance applied to it would return to the customer there,
  // after this plan has read the balance.
  const settled = (around.target.invoices.get(successor?.id ?? '') ?? []).find(
    (one) => one.status === 'open' && !isOwedAsWritten(one),
  )
  if (settled !== undefined)
    return blocked(
      'open_invoice',
      `a part of invoice ${settled.id} in the target is settled, by a balance, a credit note or a payment`,
      'Wait until it is paid, or void it in the target, which gives a balance back to the customer; then plan again.',
    )
  const added = (around.target.pendingItems.get(customerNew?.id ?? '') ?? []).filter((item) =>
    isAddedThere(item, candidate),
  )
  // Crossbill did not create these items, so no policy permits deleting them.
  if (added.length > 0)
    return blocked(
      'pending_invoice_items',
      `${added.map(({ id }) => id).join(', ')} of ${successor?.id} in the target would never be billed`,
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

interface Side {
  readonly account: string
  readonly customer: string
}

/** https://docs.stripe.com/billing/customer/balance: a credit is negative. */
function balanceSteps(from: Side, to: Side, money: { amount: number; currency: string; mark: string }): PlannedStep[] {
  if (money.amount === 0) return []
  const step = (id: string, side: Side, amount: number): PlannedStep => ({
    id,
    account: side.account,
    method: 'POST',
    path: `/v1/customers/${side.customer}/balance_transactions`,
    params: { amount, currency: money.currency, metadata: { [markCarried]: money.mark } },
  })
  return [step('money-balance-out', from, -money.amount), step('money-balance-in', to, money.amount)]
}

/**
 * Whether this step takes a pending item out of its account; the next step puts it into the other.
 */
export function isItemTakenOut(step: string): boolean {
  return /^money-item-\d+-out$/.test(step)
}

function itemSteps(
  i: number,
  from: { account: string; id: string },
  to: { account: string; params: JsonObject },
): PlannedStep[] {
  return [
    {
      id: `money-item-${i}-out`,
      account: from.account,
      method: 'DELETE',
      path: `/v1/invoiceitems/${from.id}`,
      params: {},
    },
    { id: `money-item-${i}-in`, account: to.account, method: 'POST', path: '/v1/invoiceitems', params: to.params },
  ]
}

interface ItemTo {
  /** The account that holds the item now. */
  readonly account: string
  readonly customer: string
  readonly mark: string
  readonly rates: readonly (JsonObject | string)[]
}

function itemParams(item: Stripe.InvoiceItem, { account, customer, mark, rates }: ItemTo): JsonObject {
  return {
    customer,
    amount: item.amount,
    currency: item.currency,
    discountable: item.discountable,
    period: { start: item.period.start, end: item.period.end },
    ...(item.description === null ? {} : { description: itemText(account, item.id) }),
    ...(rates.length === 0 ? {} : { tax_rates: rates }),
    // Items can be identical in all other fields: after a crash, each is found by its own mark.
    metadata: { [markCarried]: `${mark} ${item.id}` },
  }
}

function isOf(item: Stripe.InvoiceItem, subscription: string): boolean {
  return item.parent?.subscription_details?.subscription === subscription
}

/** The customer's money that this plan moves, and the subscribers that must have moved first. */
export interface MoneyPart {
  readonly steps: readonly PlannedStep[]
  readonly after: readonly SubscriberKey[]
}
