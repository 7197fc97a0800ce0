import type Stripe from 'stripe'
import { targetAccount } from '../../catalog/types.ts'
import { formatInstant, instant, secondsPerDay, type Instant } from '../../core/instant.ts'
import { formatMoney } from '../../core/money.ts'
import { idOf } from '../../core/reference.ts'
import type { SubscriberKey } from '../../core/address.ts'
import { sameItems } from '../../handover/changed-terms.ts'
import { billedPriceKey } from '../../handover/billed-prices.ts'
import { givenSince, isPendingProration, uncredited } from '../../handover/uncredited.ts'
import { firstRenewal } from '../../live/first-renewal.ts'
import { readSource } from '../../live/source.ts'
import { isAlive, isHeld, isOver, isUndone } from '../../live/subscription.ts'
import type { Live, LiveAccount } from '../../live/accounts.ts'
import { sidesOf, type Sides } from '../check/sides.ts'
import type { Violation } from '../check/violations.ts'
import { accountNamed, type Context } from '../context.ts'
import type { StripeAccount } from '../ports.ts'
import type { Survey } from '../plan/survey.ts'
import { readBalance, readBilled, readProrated, withCharges } from '../read/billed.ts'
import { sideBySide } from '../side-by-side.ts'

/** The subscription that bills now, and the one that was paid for the running period. */
interface Pair {
  readonly now: Stripe.Subscription
  readonly here: LiveAccount
  readonly before: Stripe.Subscription
  readonly there: LiveAccount
  /** From when to when a change is looked for. */
  readonly since: number
  readonly until: number
}

/**
 * Members who changed their subscription in a period that the other account was paid for, and got
 * no credit for it. Only who shows a sign of such a change costs reads: a waiting proration, an
 * invoice of a change, or items that are not the catalog's own for the same entries. Their own
 * invoices are read first; only those with a proration cost more.
 */
export async function uncreditedChanges(
  context: Context,
  { live, input }: Pick<Survey, 'live' | 'input'>,
): Promise<readonly Violation[]> {
  const { subscribers, project } = context.catalog
  const billedKey: BilledKey = (account, price) => billedPriceKey(context.catalog, account, price)
  const suspects = sidesOf(live, subscribers, project.name).flatMap((sides): readonly Suspect[] => {
    if (sides.movedBy !== undefined || sides.declared?.override?.includes('proration_uncredited') === true) return []
    const pair = pairOf(sides, live)
    return pair !== undefined && showsChange(pair, input.now, billedKey) ? [{ key: sides.key, pair }] : []
  })
  const found: Violation[] = []
  for (const [name, some] of Map.groupBy(suspects, ({ pair }) => pair.here.name)) {
    const since = new Map(some.map(({ pair }) => [pair.now.id, pair.since]))
    const own = await readProrated(accountNamed(context, name), since)
    const changed = some.filter(({ pair }) => (own.get(pair.now.id) ?? []).length > 0 || waitingFor(pair).length > 0)
    await sideBySide(
      changed.map((one) => [one]),
      atOnce,
      async ({ key, pair }) => {
        const wrong = await wrongIn(context, pair, own.get(pair.now.id) ?? [])
        if (wrong !== undefined) found.push({ code: 'proration_uncredited', subscriber: key, ...wrong })
        return true
      },
    )
  }
  const order = new Map(suspects.map(({ key }, index) => [key, index]))
  return found.toSorted(
    (a, b) => (order.get(a.subscriber as SubscriberKey) ?? 0) - (order.get(b.subscriber as SubscriberKey) ?? 0),
  )
}

interface Suspect {
  readonly key: SubscriberKey
  readonly pair: Pair
}

const atOnce = 8

function pairOf({ old, source, successors }: Sides, { target, sources }: Live): Pair | undefined {
  const account = sources.get(source)
  if (old === undefined || account === undefined) return undefined
  const bills = successors.find((one) => !isUndone(one))
  if (bills !== undefined) {
    const { created: since } = bills
    return { now: bills, here: target, before: old, there: account, since, until: firstRenewal(bills) + lateSeconds }
  }
  const [undone] = successors
  if (undone === undefined || isHeld(old) || !isAlive(old)) return undefined
  const paidUntil = Math.max(0, ...undone.items.data.map(({ current_period_end: end }) => end))
  const { created: since } = undone
  return { now: old, here: account, before: undone, there: target, since, until: paidUntil + lateSeconds }
}

/** The finding stays for a while after the period, until the credit is given. */
const lateSeconds = 100 * secondsPerDay

function showsChange(pair: Pair, at: Instant, billedKey: BilledKey): boolean {
  const { now, here, before, there, until } = pair
  // Classic mode credits the present price, whichever account was paid.
  if (now.billing_mode.type !== 'flexible' || at > until) return false
  if (waitingFor(pair).length > 0) return true
  const { latest_invoice: latest } = now
  if (latest !== null && typeof latest !== 'string' && latest.billing_reason === 'subscription_update') return true
  const [is, was] = [readSource(now, undefined, here.prices), readSource(before, undefined, there.prices)]
  return !isOver(now) && !sameItems(was.items, is.items, was.currency) && !isOnlyRepriced(pair, billedKey)
}

type BilledKey = (account: string, price: Stripe.Price) => string | undefined

/** A price that the catalog raised or lowered: no member changed anything. */
function isOnlyRepriced({ now, here, before, there }: Pair, billedKey: BilledKey): boolean {
  const entriesOf = ({ items }: Stripe.Subscription, { name }: LiveAccount): readonly string[] =>
    items.data.map(({ price, quantity }) => `${billedKey(name, price) ?? price.id} ${quantity ?? 1}`).toSorted()
  return entriesOf(now, here).join() === entriesOf(before, there).join()
}

/** Prorations of the subscription that wait for an invoice. */
function waitingFor({ now, here }: Pair): readonly Stripe.InvoiceItem[] {
  return (here.pendingItems.get(idOf(now.customer)) ?? []).filter((item) => isPendingProration(item, now.id))
}

async function wrongIn(
  context: Context,
  pair: Pair,
  own: readonly Stripe.Invoice[],
): Promise<Pick<Violation, 'detail' | 'fix'> | undefined> {
  const { now, here, before, there } = pair
  const [account, elsewhere] = [here, there].map(({ name }) => accountNamed(context, name)) as [
    StripeAccount,
    StripeAccount,
  ]
  const paid = await readBilled(elsewhere, before.id)
  const is = { read: readSource(now, undefined, here.prices), pending: waitingFor(pair) }
  const was = readSource(before, undefined, there.prices)
  const shown = uncredited({ ...is, invoices: own }, { read: was, invoices: paid })
  if (shown === undefined) return undefined
  // A list shows neither refunds nor disputes: an invoice that was given back is still `paid`.
  const covers = ({ status, lines }: Stripe.Invoice): boolean =>
    status === 'paid' && lines.data.some(({ period: { start, end } }) => start <= shown.at && shown.at < end)
  const [mine, theirs] = await Promise.all([withCharges(account, own), withCharges(elsewhere, paid.filter(covers))])
  const whole = new Map(theirs.map((one) => [one.id, one]))
  const change = uncredited(
    { ...is, invoices: mine },
    { read: was, invoices: paid.map((one) => whole.get(one.id) ?? one) },
  )
  if (change === undefined) return undefined
  const customer = idOf(now.customer)
  const balance = await readBalance(account, customer)
  const given = givenSince(now.id, change.invoices, balance)
  const amount = change.paid - change.credited - given
  if (amount <= 0) return undefined
  const money = formatMoney({ amount, currency: now.currency })
  const [where, other] = [here, there].map(({ name }) => (name === targetAccount ? 'the target' : name))
  const on = change.invoices.map(({ id }) => id).join(', ')
  return {
    detail: `${now.id} was changed in ${where} on ${formatInstant(instant(change.at))}${on === '' ? '' : ` (${on})`}, and ${before.id} had paid in ${other} until ${formatInstant(instant(change.until))}: Stripe credits only what ${where} itself has debited, so ${money} of it are owed to the member`,
    fix: `in the Dashboard of ${where}, give ${customer} a credit balance of ${money} whose note contains ${now.id}${on === '' ? '' : `, or issue credit notes on ${on}`}; if it was given in another way, name \`proration_uncredited\` under \`override\``,
  }
}
