import { markMoney } from '../../src/live/marks.ts'
import { invoiceItems, invoices, type SubscriptionRow } from '../../src/sandbox/stripe/billing/rows.ts'
import type { Line } from '../../src/sandbox/stripe/billing/totals.ts'
import { customers } from '../../src/sandbox/stripe/customer-row.ts'
import { isLive, isSettled, rowsOf, sidesOf } from './ground.ts'
import type { BothWorlds, Member } from './world.ts'

/** Whether the money of a member is left where nothing bills it, as the rows show it. */
export interface Left {
  readonly must: readonly string[]
  readonly may: readonly string[]
}

const behind = 'money_left_behind'
const reverted = 'money_left_in_target'

export function leftOf(worlds: BothWorlds, member: Member): Left {
  const { old, live, ended, held, successors } = sidesOf(worlds, member)
  const isCarrying = Object.keys(old?.metadata ?? {}).some((name) => name.startsWith(markMoney))
  if (isCarrying || (held && ended.length === 0 && live.length === 0)) return { must: [], may: [behind, reverted] }
  const over = successors.filter((row) => !isLive(row))
  const isReverted = ended.length === 0 && live.length === 0 && old !== undefined && isLive(old)
  const inTarget = moneyAt(worlds, 'target', over, member)
  const isOurs = old !== undefined && (isSettled(old) || isCancelled(old) || ended.length + live.length > 0)
  const isDone = old !== undefined && (!isLive(old) || (held && live.length === 0))
  const inSource = isOurs && isDone ? moneyAt(worlds, member.account, [old], member) : 'none'
  const code = isReverted ? reverted : behind
  const must = [
    ...(inTarget === 'own' ? [code] : []),
    // While the new one lives, `money_on_held_source` may say the same.
    ...(inSource === 'own' && live.length === 0 ? [behind] : []),
  ]
  const may = [...(inTarget === 'none' ? [] : [code]), ...(inSource === 'none' ? [] : [behind])]
  return { must, may }
}

const isCancelled = (row: SubscriptionRow): boolean =>
  row.cancellation_details.comment?.startsWith('crossbill cancelled') === true

/** `shared`: the customer has other members, one of whom is named instead. */
function moneyAt(
  { moved, members }: BothWorlds,
  account: string,
  over: readonly SubscriptionRow[],
  member: Member,
): 'none' | 'own' | 'shared' {
  const tables = moved.world.account(account)
  const ids = new Set(over.map(({ id }) => id))
  const isNamed = (subscription: string | null): boolean => subscription !== null && ids.has(subscription)
  const items = [...tables.table(invoiceItems).all()].filter((row) => row.invoice === null && row.amount !== 0)
  const drafts = [...tables.table(invoices).all()].filter(
    (row) => row.status === 'draft' && !row.auto_advance && row.total > 0 && isNamed(row.subscription),
  )
  const owed = account === 'target' ? drafts : drafts.filter(({ lines }) => lines.some((line) => !isRenewal(line)))
  if (items.some((row) => isNamed(row.subscription)) || owed.length > 0) return 'own'
  const isShared = members.some((one) => one !== member && one.customer === member.customer)
  for (const customer of new Set(over.map((row) => row.customer))) {
    const bills = rowsOf(moved, account).some(
      (row) => row.customer === customer && row.status !== 'canceled' && row.metadata['crossbill_hold'] === undefined,
    )
    if (bills) continue
    const row = tables.table(customers).get(customer)
    const balance = Object.values(row?.balances ?? {}).some((amount) => amount !== 0) && row?.deleted !== true
    const loose = items.some((item) => item.customer === customer && item.subscription === null)
    if (balance || loose) return isShared ? 'shared' : 'own'
  }
  return 'none'
}

/** What a period of the subscription costs; other lines are items and prorations. */
function isRenewal({ invoiceItem, proration }: Pick<Line, 'invoiceItem' | 'proration'>): boolean {
  return invoiceItem === null && !proration
}
