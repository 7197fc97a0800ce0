import { greatest } from '../core/lists.ts'
import type Stripe from 'stripe'
import type { Catalog } from '../catalog/types.ts'
import { formatInstant, instant } from '../core/instant.ts'
import type { StripeObject } from '../core/json.ts'
import { formatMoney } from '../core/money.ts'
import { nextChargeOf } from '../handover/charges.ts'
import { firstRenewal } from '../live/first-renewal.ts'
import { isOfPeriod } from '../live/invoice.ts'
import { markFrom, oldIdOf } from '../live/marks.ts'
import { makesProrations } from '../live/portals.ts'
import { readSource } from '../live/source.ts'
import { givenBack } from '../live/observations.ts'
import { isAlive, paymentFailure, runningTrialEnd } from '../live/subscription.ts'
import type { Live, LiveAccount } from '../live/accounts.ts'
import type { Notice } from './types.ts'

/**
 * Members who will be billed by the target, or are, and whose running period the old account was
 * paid for, in flexible billing mode: a change with a proration gives them no credit for it
 * (`handover/uncredited.ts`). One notice for each account and currency, whatever the number of
 * members. Without `moving`, only a portal of the target that makes such changes is a reason. Pure.
 */
export function paidElsewhere(
  { subscribers }: Pick<Catalog, 'subscribers'>,
  live: Live,
  moving: ReadonlySet<string>,
): readonly Notice[] {
  const portals = (live.resources.get('portal_configuration') ?? []).filter(makesProrations)
  if (moving.size === 0 && portals.length === 0) return []
  const bills = new Map(live.target.subscriptions.filter(isAlive).map((one) => [oldIdOf(one.metadata[markFrom]), one]))
  const declared = new Set<string>(subscribers.map(({ key }) => key))
  return [...live.sources.values()].flatMap((account) => {
    const all = account.subscriptions.flatMap((old): readonly Paid[] => {
      const key = `${account.name}/${old.id}`
      const successor = bills.get(old.id)
      const isThere = successor !== undefined && firstRenewal(successor) > live.target.now
      return declared.has(key) && (isThere || (moving.has(key) && isAlive(old))) ? paidBy(key, old) : []
    })
    return [...Map.groupBy(all, ({ currency }) => currency).values()].map((some) => noticeOf(account, some, portals))
  })
}

interface Paid {
  readonly key: string
  readonly amount: number
  readonly currency: string
  readonly until: number
}

/**
 * What was paid for the running period, and until when. The newest invoice says it if it is the one
 * of the period; after another one (of a change, or by hand), the terms do. What a credit note took
 * off or gave back was not paid.
 */
function paidBy(key: string, old: Stripe.Subscription): readonly Paid[] {
  const { latest_invoice: latest, billing_mode: mode, currency } = old
  const read = readSource(old, undefined)
  const until = read.next
  if (mode.type !== 'flexible' || latest === null || typeof latest === 'string' || until === null) return []
  if (runningTrialEnd(old) !== null || paymentFailure(old) !== undefined) return []
  const isThePeriods = isOfPeriod(latest)
  if (isThePeriods && latest.status !== 'paid') return []
  const amount = isThePeriods ? latest.total - givenBack(latest) : (nextChargeOf(read)?.amount ?? 0)
  return amount > 0 ? [{ key, amount, currency, until }] : []
}

const namedMost = 3

function noticeOf({ name }: LiveAccount, some: readonly Paid[], portals: readonly StripeObject[]): Notice {
  const [first] = some
  const currency = first?.currency ?? ''
  const amount = some.reduce((sum, one) => sum + one.amount, 0)
  const until = formatInstant(instant(greatest(some.map((one) => one.until))))
  const more = some.length - namedMost
  const who = `${some
    .slice(0, namedMost)
    .map(({ key }) => key)
    .join(', ')}${more > 0 ? ` and ${more} more` : ''}`
  const open = portals.map(({ id }) => id ?? '').join(', ')
  return {
    code: 'paid_in_old_account',
    subscriber: some.length === 1 ? (first?.key ?? name) : name,
    at: until,
    amount,
    currency,
    message: `${some.length} in flexible billing mode (${who}) paid ${formatMoney({ amount, currency })} in ${name} for periods that still run; a change with a proration in the target before their first renewal there gives no credit for it${open === '' ? '' : `, and members can make such a change in the portal ${open}`}`,
    fix: `let members change their subscriptions without proration until then${open === '' ? '' : ` (\`proration_behavior: none\` of ${open})`}; \`verify\` names a change with a proration, and what is owed (\`proration_uncredited\`)`,
  }
}
