// A period that starts now because of an update: a new anchor, the end of a trial, a new trial,
// another interval.
import type { Context } from '../../kernel/context.ts'
import { invalid } from '../../kernel/errors.ts'
import type { UpdateGiven } from '../subscription-params.ts'
import { cadenceOf } from './items.ts'
import { fullPeriod, itemLine } from './lines.ts'
import { priceFacts } from './lookups.ts'
import type { Mint } from './mint.ts'
import { proration } from './prorating.ts'
import type { InvoiceItemRow, ItemRow, SubscriptionRow } from './rows.ts'
import type { LineDraft } from './totals.ts'
import { creditFor } from './unused.ts'

export interface Restart {
  readonly row: SubscriptionRow
  readonly lines: readonly LineDraft[]
  /** The credits for the periods that end early. */
  readonly credits: (mint: Mint) => InvoiceItemRow[]
}

export interface RestartAbout {
  /** Items whose interval changed. */
  readonly fresh: readonly string[]
  readonly before: SubscriptionRow
}

export function restart(context: Context, row: SubscriptionRow, given: UpdateGiven, about: RestartAbout): Restart {
  const { now } = context
  const end = given.trial_end
  const asksNow = given.billing_cycle_anchor?.type === 'now'
  if (typeof end === 'number') {
    if (asksNow)
      throw invalid('`billing_cycle_anchor` cannot be earlier than `trial_end`.', {
        code: 'subscription_update_trial_after_billing_cycle_anchor',
        param: 'billing_cycle_anchor',
      })
    return newTrial(context, row, { end, before: about.before })
  }
  const endsTrial = end === 'now' && row.status === 'trialing'
  if (endsTrial || asksNow || (about.fresh.length > 0 && row.billing_mode === 'classic')) {
    const active: SubscriptionRow = {
      ...row,
      status: row.status === 'trialing' ? 'active' : row.status,
      billing_cycle_anchor: now,
      billing_cycle_anchor_config: null,
      ...(endsTrial || row.status === 'trialing' ? { trial_end: now } : {}),
    }
    return begin(context, active, { items: row.items.map((item) => item.id), before: about.before })
  }
  // Flexible mode keeps the anchor: the new interval starts now and ends at its next boundary
  // (docs, billing mode comparison).
  if (about.fresh.length > 0) return begin(context, row, { items: about.fresh, before: about.before })
  return { row, lines: [], credits: () => [] }
}

function begin(
  context: Context,
  row: SubscriptionRow,
  about: { items: readonly string[]; before: SubscriptionRow },
): Restart {
  const { now } = context
  const lines: LineDraft[] = []
  const cut: ItemRow[] = []
  const items = row.items.map((item) => {
    if (!about.items.includes(item.id)) return item
    const whole = fullPeriod(row, cadenceOf(priceFacts(context, item.price)), now)
    const period = { start: now, end: whole.end }
    lines.push(itemLine(context, row, item, { period, whole, at: now }))
    const was = about.before.items.find((one) => one.id === item.id)
    // An item whose interval changed already has its credit.
    if (was !== undefined && was.price === item.price) cut.push(was)
    return { ...item, current_period_start: period.start, current_period_end: period.end }
  })
  return { row: { ...row, items }, lines, credits: (mint) => credits(context, about.before, { cut, mint }) }
}

function newTrial(context: Context, row: SubscriptionRow, about: { end: number; before: SubscriptionRow }): Restart {
  const { now } = context
  const { end, before } = about
  if (end <= now)
    throw invalid('Invalid timestamp: must be an integer Unix timestamp in the future.', { param: 'trial_end' })
  if (end > now + 730 * 86_400)
    throw invalid('The maximum number of trial period days is 730 (2 years).', { param: 'trial_end' })
  const trialing = row.status === 'trialing'
  const after: SubscriptionRow = {
    ...row,
    status: 'trialing',
    // In flexible mode the start of the newest trial, in classic mode that of the first (billing
    // mode comparison).
    trial_start: row.billing_mode === 'classic' || trialing ? (row.trial_start ?? now) : now,
    trial_end: end,
    billing_cycle_anchor: end,
    billing_cycle_anchor_config: null,
    items: row.items.map((item) => ({
      ...item,
      current_period_start: trialing ? item.current_period_start : now,
      current_period_end: end,
    })),
  }
  return {
    row: after,
    lines: [],
    credits: (mint) => (trialing ? [] : credits(context, before, { cut: before.items, mint })),
  }
}

function credits(
  context: Context,
  before: SubscriptionRow,
  about: { cut: readonly ItemRow[]; mint: Mint },
): InvoiceItemRow[] {
  if (before.status === 'trialing') return []
  return about.cut.flatMap((item) => {
    const price = priceFacts(context, item.price)
    const period = { start: context.now, end: item.current_period_end }
    const amount = creditFor(context, before, item, period)
    if (amount === 0) return []
    return [proration(context, { id: about.mint.id('ii'), subscription: before, item, price, amount, period })]
  })
}
