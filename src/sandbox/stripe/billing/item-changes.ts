// The items of an update: added, changed, removed, with the prorations that follow
// (https://docs.stripe.com/billing/subscriptions/prorations).
import type { Context } from '../../kernel/context.ts'
import { invalid } from '../../kernel/errors.ts'
import { mergeMetadata } from '../../kernel/params.ts'
import type { ItemChange, UpdateGiven } from '../subscription-params.ts'
import { chooseDiscounts, takeUp } from './discounts.ts'
import { askedItem, askedPrice, cadenceOf, checkedRates, checkTogether, commonCurrency, itemRow } from './items.ts'
import { fullPeriod, itemAmount, usageLine } from './lines.ts'
import { priceFacts, type PriceFacts } from './lookups.ts'
import type { Mint } from './mint.ts'
import { proration } from './prorating.ts'
import type { InvoiceItemRow, ItemRow, SubscriptionRow } from './rows.ts'
import { creditFor, worthOf } from './unused.ts'

export interface ItemsChanged {
  readonly row: SubscriptionRow
  readonly prorations: readonly InvoiceItemRow[]
  /** The items whose interval changed: their period starts now. */
  readonly restarts: readonly string[]
}

interface Work {
  readonly context: Context
  readonly row: SubscriptionRow
  readonly given: UpdateGiven
  readonly mint: Mint
  readonly at: number
}

type Changed = { item: ItemRow | null; prorations: InvoiceItemRow[]; restarts: boolean }

export function changeItems(context: Context, row: SubscriptionRow, given: UpdateGiven, mint: Mint): ItemsChanged {
  if (given.items === undefined || given.items.length === 0) return { row, prorations: [], restarts: [] }
  const work: Work = { context, row, given, mint, at: given.proration_date ?? context.now }
  const items = new Map(row.items.map((item) => [item.id, item]))
  const prorations: InvoiceItemRow[] = []
  const restarts: string[] = []
  given.items.forEach((change, index) => {
    const done = changeOne(work, change, { name: `items[${index}]`, items })
    for (const one of done.prorations) prorations.push(one)
    if (done.item === null) items.delete(change.id ?? '')
    else {
      items.set(done.item.id, done.item)
      if (done.restarts) restarts.push(done.item.id)
    }
  })
  const left = [...items.values()]
  if (left.length === 0)
    throw invalid('A subscription must have at least one active plan. Cancel the subscription instead.', {
      param: 'items',
    })
  const prices = left.map((item) => priceFacts(context, item.price))
  checkTogether(prices, row.billing_mode)
  commonCurrency(prices, row.currency)
  return { row: { ...row, items: left }, prorations, restarts }
}

function changeOne(work: Work, change: ItemChange, at: { name: string; items: Map<string, ItemRow> }): Changed {
  const { context, row, mint } = work
  if (change.id === undefined) {
    const { id: _id, deleted: _deleted, clear_usage: _usage, ...fresh } = change
    const asked = askedItem(context, fresh, { customer: row.customer, mint, at: at.name })
    return addItem(work, asked)
  }
  const before = at.items.get(change.id)
  if (before === undefined)
    throw invalid(`No such subscription item: '${change.id}'`, { code: 'resource_missing', param: `${at.name}[id]` })
  if (change.deleted === true) return { item: null, prorations: credit(work, before), restarts: false }
  return alter(work, { before, change, name: at.name })
}

function addItem(work: Work, asked: ReturnType<typeof askedItem>): Changed {
  const { context, row, mint, at } = work
  const cadence = cadenceOf(asked.price)
  const whole = fullPeriod(row, cadence, at)
  const trial = row.status === 'trialing' && row.trial_end !== null
  const item = itemRow(context, asked, {
    mint,
    customer: row.customer,
    subscription: row.id,
    created: context.now,
    discountStart: context.now,
    start: at,
    end: trial ? (row.trial_end ?? at) : whole.end,
  })
  return { item, prorations: debit(work, item, { ...row, items: [...row.items, item] }), restarts: false }
}

function alter(work: Work, about: { before: ItemRow; change: ItemChange; name: string }): Changed {
  const { context, row, mint } = work
  const { before, change, name } = about
  const asker = { customer: row.customer, mint, at: name }
  const price = askedPrice(context, change, asker) ?? priceFacts(context, before.price)
  const old = priceFacts(context, before.price)
  const quantity = price.metered ? null : (change.quantity ?? before.quantity ?? 1)
  const after: ItemRow = {
    ...before,
    price: price.id,
    quantity,
    metadata: mergeMetadata(before.metadata, change.metadata),
    tax_rates:
      change.tax_rates === undefined ? before.tax_rates : checkedRates(context, change.tax_rates, `${name}[tax_rates]`),
    discounts:
      change.discounts === undefined
        ? before.discounts
        : takeUp(
            context,
            chooseDiscounts(context, change.discounts ?? [], { ...asker, at: `${name}[discounts]` }),
            { customer: row.customer, subscription: row.id, subscription_item: before.id, start: context.now },
            mint,
          ),
    billing_thresholds: change.billing_thresholds === undefined ? before.billing_thresholds : change.billing_thresholds,
  }
  const [was, is] = [cadenceOf(old), cadenceOf(price)]
  const restarts = was.interval !== is.interval || was.count !== is.count
  if (restarts) return { item: after, prorations: credit(work, before), restarts: row.status !== 'trialing' }
  if (price.id === old.id && quantity === before.quantity) return { item: after, prorations: [], restarts: false }
  const changed = { ...row, items: row.items.map((one) => (one.id === after.id ? after : one)) }
  const freeBefore = isFree(old, row.currency, before) && !isFree(price, row.currency, after)
  const restartsNow = freeBefore && row.billing_mode === 'classic' && row.status !== 'trialing'
  if (restartsNow) return { item: after, prorations: [], restarts: true }
  return { item: after, prorations: [...credit(work, before), ...debit(work, after, changed)], restarts: false }
}

/**
 * In classic mode the period restarts when a free price becomes a paid one (billing mode
 * comparison).
 */
function isFree(price: PriceFacts, currency: string, item: ItemRow): boolean {
  return !price.metered && itemAmount(price, currency, item, { period: { start: 0, end: 1 } }) === 0
}

/** A trial charged nothing, so it causes neither a credit nor a debit. */
function counts(work: Work, item: ItemRow): boolean {
  return work.row.status !== 'trialing' && item.current_period_end > work.at
}

function credit(work: Work, item: ItemRow): InvoiceItemRow[] {
  if (!counts(work, item)) return []
  const { context, row, at } = work
  const used = unbilledUsage(work, item)
  const amount = creditFor(context, row, item, { start: at, end: item.current_period_end })
  return amount === 0 ? used : [...used, prorated(work, item, amount)]
}

/**
 * Flexible mode bills the usage of a removed metered item; classic mode drops it (billing mode
 * comparison).
 */
function unbilledUsage(work: Work, item: ItemRow): InvoiceItemRow[] {
  const { context, row, mint, at } = work
  const price = priceFacts(context, item.price)
  if (!price.metered || row.billing_mode === 'classic') return []
  const line = usageLine(context, row, item, at)
  if (line.amount === 0) return []
  const { amount, period } = line
  const made = proration(context, { id: mint.id('ii'), subscription: row, item, price, amount, period })
  return [{ ...made, proration: false, discountable: true, description: line.description }]
}

/**
 * `row` is the subscription with the items after the change, since all of them share an amount off.
 */
function debit(work: Work, item: ItemRow, row: SubscriptionRow): InvoiceItemRow[] {
  if (!counts(work, item) || priceFacts(work.context, item.price).metered) return []
  const stretch = { start: work.at, end: item.current_period_end }
  return [prorated(work, item, worthOf(work.context, row, item, stretch))]
}

function prorated(work: Work, item: ItemRow, amount: number): InvoiceItemRow {
  const { context, row, mint, at } = work
  const price = priceFacts(context, item.price)
  const period = { start: at, end: item.current_period_end }
  return proration(context, { id: mint.id('ii'), subscription: row, item, price, amount, period })
}
