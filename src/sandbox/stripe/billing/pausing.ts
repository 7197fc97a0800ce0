// The `paused` status, which differs from paused collection
// (https://docs.stripe.com/api/subscriptions/pause, …/resume).
import type { Context } from '../../kernel/context.ts'
import { invalid } from '../../kernel/errors.ts'
import type { PauseGiven, ResumeGiven } from '../subscription-params.ts'
import { renderSubscription } from '../subscription-view.ts'
import { applyChange } from './applying.ts'
import { cadenceOf } from './items.ts'
import { fullPeriod, itemLine } from './lines.ts'
import { priceFacts } from './lookups.ts'
import { proration } from './prorating.ts'
import type { InvoiceItemRow, SubscriptionRow } from './rows.ts'
import type { LineDraft } from './totals.ts'
import { creditFor } from './unused.ts'

/**
 * Flexible mode only, and not with a schedule. Credits unused time unless the request says
 * otherwise.
 */
export function pause(context: Context, row: SubscriptionRow, given: PauseGiven): SubscriptionRow {
  if (row.billing_mode !== 'flexible')
    throw invalid('Only subscriptions with `billing_mode` `flexible` can be paused.', { param: 'type' })
  if (row.schedule !== null) throw invalid('Cannot pause a subscription that has a schedule attached.')
  if (row.status !== 'active' && row.status !== 'trialing' && row.status !== 'past_due')
    throw invalid(`A subscription with status \`${row.status}\` cannot be paused.`)
  const from = given.bill_for?.unused_time_from?.type ?? 'now'
  const items = from === 'none' || row.status === 'trialing' ? [] : unused(context, row, from)
  const paused = applyChange(context, {
    before: row,
    change: {
      row: { ...row, status: 'paused', paused: { at: context.now, type: 'pause_requested' } },
      items,
      lines: [],
      bill: given.invoicing_behavior === 'invoice' && items.length > 0,
    },
    given: {},
  })
  context.emit('customer.subscription.paused', () => renderSubscription(context, paused))
  return paused
}

function unused(context: Context, row: SubscriptionRow, from: 'item_current_period_start' | 'now'): InvoiceItemRow[] {
  return row.items.flatMap((item) => {
    const start = from === 'now' ? context.now : item.current_period_start
    const period = { start, end: item.current_period_end }
    const amount = creditFor(context, row, item, period)
    if (amount === 0) return []
    const price = priceFacts(context, item.price)
    return [proration(context, { id: context.newId('ii'), subscription: row, item, price, amount, period })]
  })
}

/** Resumes with the anchor at now (the default: the billing date moves) or with the same anchor. */
export function resume(context: Context, row: SubscriptionRow, given: ResumeGiven): SubscriptionRow {
  if (row.status !== 'paused')
    throw invalid(`The subscription cannot be resumed because its status is \`${row.status}\`.`)
  const { now } = context
  const keeps = given.billing_cycle_anchor?.type === 'unchanged'
  const active: SubscriptionRow = {
    ...row,
    status: 'active',
    paused: null,
    ...(keeps ? {} : { billing_cycle_anchor: now, billing_cycle_anchor_config: null }),
  }
  const lines: LineDraft[] = []
  const free = keeps && given.proration_behavior === 'none'
  const items = row.items.map((item) => {
    const whole = fullPeriod(active, cadenceOf(priceFacts(context, item.price)), now)
    const period = { start: now, end: whole.end }
    if (!free) lines.push(itemLine(context, active, item, { period, whole, at: now }))
    return { ...item, current_period_start: period.start, current_period_end: period.end }
  })
  const resumed = applyChange(context, {
    before: row,
    change: { row: { ...active, items }, items: [], lines, bill: lines.length > 0 },
    given: {},
  })
  context.emit('customer.subscription.resumed', () => renderSubscription(context, resumed))
  return resumed
}
