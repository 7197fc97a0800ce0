import type Stripe from 'stripe'
import { targetAccount } from '../../catalog/types.ts'
import { formatInstant, instant, secondsPerDay, type Instant } from '../../core/instant.ts'
import { formatMoney } from '../../core/money.ts'
import { idOf } from '../../core/reference.ts'
import { sameItems } from '../../handover/changed-terms.ts'
import { givenSince, isPendingProration, uncredited } from '../../handover/uncredited.ts'
import { firstRenewal } from '../../live/first-renewal.ts'
import { readSource } from '../../live/source.ts'
import { isAlive, isHeld, isOver, isUndone } from '../../live/subscription.ts'
import type { Live, LiveAccount } from '../../live/accounts.ts'
import { sidesOf, type Sides } from '../check/sides.ts'
import type { Violation } from '../check/violations.ts'
import { accountNamed, type Context } from '../context.ts'
import type { Survey } from '../plan/survey.ts'
import { readBalance, readBilled } from '../read/billed.ts'

/** The subscription that bills now, and the one that was paid for the running period. */
interface Pair {
  readonly now: Stripe.Subscription
  readonly here: LiveAccount
  readonly before: Stripe.Subscription
  readonly there: LiveAccount
  /** Until when a change is looked for. */
  readonly until: number
}

/**
 * Members who changed their subscription in a period that the other account was paid for, and got
 * no credit for it. Only who shows a sign of such a change costs reads: a waiting proration, an
 * invoice of a change, or other items.
 */
export async function uncreditedChanges(
  context: Context,
  { live, input }: Pick<Survey, 'live' | 'input'>,
): Promise<readonly Violation[]> {
  const { subscribers, project } = context.catalog
  const found: Violation[] = []
  for (const sides of sidesOf(live, subscribers, project.name)) {
    if (sides.movedBy !== undefined || sides.declared?.override?.includes('proration_uncredited') === true) continue
    const pair = pairOf(sides, live)
    if (pair === undefined || !showsChange(pair, input.now)) continue
    const wrong = await wrongIn(context, pair)
    if (wrong !== undefined) found.push({ code: 'proration_uncredited', subscriber: sides.key, ...wrong })
  }
  return found
}

function pairOf({ old, source, successors }: Sides, { target, sources }: Live): Pair | undefined {
  const account = sources.get(source)
  if (old === undefined || account === undefined) return undefined
  const bills = successors.find((one) => !isUndone(one))
  if (bills !== undefined)
    return { now: bills, here: target, before: old, there: account, until: firstRenewal(bills) + lateSeconds }
  const [undone] = successors
  if (undone === undefined || isHeld(old) || !isAlive(old)) return undefined
  const paidUntil = Math.max(0, ...undone.items.data.map(({ current_period_end: end }) => end))
  return { now: old, here: account, before: undone, there: target, until: paidUntil + lateSeconds }
}

/** The finding stays for a while after the period, until the credit is given. */
const lateSeconds = 100 * secondsPerDay

function showsChange({ now, here, before, there, until }: Pair, at: Instant): boolean {
  // Classic mode credits the present price, whichever account was paid.
  if (now.billing_mode.type !== 'flexible' || at > until) return false
  const pending = here.pendingItems.get(idOf(now.customer)) ?? []
  if (pending.some((item) => isPendingProration(item, now.id))) return true
  const { latest_invoice: latest } = now
  if (latest !== null && typeof latest !== 'string' && latest.billing_reason === 'subscription_update') return true
  const [is, was] = [readSource(now, undefined, here.prices), readSource(before, undefined, there.prices)]
  return !isOver(now) && !sameItems(was.items, is.items, was.currency)
}

async function wrongIn(
  context: Context,
  { now, here, before, there }: Pair,
): Promise<Pick<Violation, 'detail' | 'fix'> | undefined> {
  const [own, other] = await Promise.all([
    readBilled(accountNamed(context, here.name), now.id),
    readBilled(accountNamed(context, there.name), before.id),
  ])
  const customer = idOf(now.customer)
  const pending = here.pendingItems.get(customer) ?? []
  const change = uncredited(
    { read: readSource(now, undefined, here.prices), invoices: own, pending },
    { read: readSource(before, undefined, there.prices), invoices: other },
  )
  if (change === undefined) return undefined
  const balance = await readBalance(accountNamed(context, here.name), customer)
  const given = givenSince(now.id, change.invoices, balance)
  const amount = change.paid - change.credited - given
  if (amount <= 0) return undefined
  const money = formatMoney({ amount, currency: now.currency })
  const [where, elsewhere] = [here, there].map(({ name }) => (name === targetAccount ? 'the target' : name))
  const on = change.invoices.map(({ id }) => id).join(', ')
  return {
    detail: `${now.id} was changed in ${where} on ${formatInstant(instant(change.at))}${on === '' ? '' : ` (${on})`}, and ${before.id} had paid in ${elsewhere} until ${formatInstant(instant(change.until))}: Stripe credits only what ${where} itself has debited, so ${money} of it are owed to the member`,
    fix: `in the Dashboard of ${where}, give ${customer} a credit balance of ${money} whose note contains ${now.id}${on === '' ? '' : `, or issue credit notes on ${on}`}; if it was given in another way, name \`proration_uncredited\` under \`override\``,
  }
}
