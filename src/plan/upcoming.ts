import { idOf } from '../core/reference.ts'
import type Stripe from 'stripe'
import { forecastInvoice } from '../billing/amount.ts'
import { formatInstant, instant, type Instant } from '../core/instant.ts'
import { formatMoney } from '../core/money.ts'
import { nextChargeOf } from '../handover/charges.ts'
import type { LiveAccount } from '../live/accounts.ts'
import { billedPrice, readSource } from '../live/source.ts'
import { needsMandate, renewalFailure } from '../live/setup.ts'
import { isMetered } from '../live/metered.ts'
import { isOver, successorMark } from '../live/subscription.ts'
import type { Notice } from './types.ts'

export interface Upcoming {
  readonly account: LiveAccount
  /** In the target, a future subscription is in its place; in a source, it would be left behind. */
  readonly isTarget: boolean
  /**
   * `us/sub_…` of subscribers and `us/cus_…` of customers that the catalog leaves in the source
   * with a reason.
   */
  readonly left: ReadonlySet<string>
  /** Old subscriptions that have ended, `us/sub_…`: nothing goes back to them. */
  readonly ended: ReadonlySet<string>
  /** `policies.pending_invoice_items: carry`. */
  readonly carriesItems: boolean
}

/**
 * Future events of an account that its list of subscriptions does not show, soonest first. Pure.
 */
export function upcomingIn(input: Upcoming): readonly Notice[] {
  const found = [
    ...notBegun(input),
    ...trialsWithoutCard(input),
    ...failedSetups(input),
    ...endings(input),
    ...looseItems(input),
  ]
  return found.toSorted((a, b) => order(a.at) - order(b.at) || (a.subscriber < b.subscriber ? -1 : 1))
}

function order(at: string | null): number {
  return at === null ? Number.MAX_SAFE_INTEGER : Date.parse(at)
}

function notBegun({ account, isTarget, left }: Upcoming): Notice[] {
  if (isTarget) return []
  return [...account.schedules.values()].flatMap((schedule): Notice[] => {
    const customer = idOf(schedule.customer)
    const [first] = schedule.phases
    if (schedule.status !== 'not_started' || first === undefined || left.has(`${account.name}/${customer}`)) return []
    const charge = firstCharge(account, first)
    return [
      {
        code: 'schedule_not_begun',
        subscriber: `${account.name}/${schedule.id}`,
        customer,
        at: formatInstant(instant(first.start_date)),
        ...charge,
        message: `${schedule.id} of ${customer} starts later in ${account.name}${amountWords(charge)}; it has no subscription yet, so no plan moves it`,
        fix: `cancel it in ${account.name} and sell it in the target; or, after it has started, run crossbill pull --source ${account.name}; to leave it there, declare it in catalog/externals.yaml (externals: { ${account.name}: { ${customer}: REASON } })`,
      },
    ]
  })
}

/** The first phase's amount, if the account's list of prices has all its prices. */
function firstCharge(
  account: LiveAccount,
  phase: Stripe.SubscriptionSchedule.Phase,
): Partial<Pick<Notice, 'amount' | 'currency'>> {
  const prices = phase.items.map(({ price }) => account.prices?.get(idOf(price)))
  const currency = phase.currency || prices[0]?.currency
  if (currency === undefined || prices.some((price) => price === undefined)) return {}
  const items = phase.items.flatMap(({ quantity }, at) => {
    const price = prices[at]
    return price === undefined || isMetered(price) ? [] : [billedPrice(price, currency, quantity ?? 1)]
  })
  return { amount: forecastInvoice(items, []).total, currency }
}

function amountWords({ amount, currency }: Partial<Pick<Notice, 'amount' | 'currency'>>): string {
  return amount === undefined || currency === undefined ? '' : `, with ${formatMoney({ amount, currency })} per period`
}

const withoutCard: Readonly<Record<string, string>> = {
  cancel: 'Stripe then cancels it',
  pause: 'Stripe then pauses it and bills nothing',
  create_invoice: 'Stripe then creates an invoice that cannot be collected',
}

function trialsWithoutCard(input: Upcoming): Notice[] {
  return going(input).flatMap(({ subscriber, customer, read }): Notice[] => {
    const { trialEnd, payment, raw } = read
    if (trialEnd === null || payment !== null || raw.collection_method !== 'charge_automatically') return []
    const charge = nextChargeOf(read)
    if (charge === null || charge.amount === 0) return []
    const end = raw.trial_settings?.end_behavior.missing_payment_method ?? 'create_invoice'
    return [
      {
        code: 'trial_without_card',
        subscriber,
        customer,
        at: formatInstant(trialEnd),
        amount: charge.amount,
        currency: charge.currency,
        message: `the trial of ${raw.id} ends and ${formatMoney(charge)} is due, but ${customer} has no payment method; ${withoutCard[end] ?? ''}`,
        fix: `ask the member for a card before then, and save it as the default of ${customer} in ${input.account.name}${input.isTarget ? '' : '; before a move, make another copy, which brings it along'}`,
      },
    ]
  })
}

/** Renewals of the target that will probably fail, before they do. */
function failedSetups(input: Upcoming): Notice[] {
  if (!input.isTarget) return []
  return going(input).flatMap(({ subscriber, customer, read }): Notice[] => {
    const failure = renewalFailure(read.raw, read.payment?.id ?? null)
    if (failure === undefined) return []
    const charge = nextChargeOf(read)
    const due = charge === null ? '' : `; ${formatMoney(charge)} is due`
    const key = successorMark(read.raw) ?? subscriber
    const back = input.ended.has(key)
      ? ''
      : '; or set the stage to source and run crossbill apply, and the old account bills them'
    return [
      {
        code: needsMandate(failure) ? 'mandate_missing' : 'setup_failed',
        subscriber: key,
        customer,
        at: read.next === null ? null : formatInstant(read.next),
        ...(charge === null ? {} : { amount: charge.amount, currency: charge.currency }),
        message: `${failure.message}${due}`,
        fix: `let the member enter a card before then: crossbill card-link ${key}${back}`,
      },
    ]
  })
}

function endings(input: Upcoming): Notice[] {
  return going(input).flatMap(({ subscriber, customer, read }): Notice[] => {
    if (read.cancelAt === null) return []
    const charge = nextChargeOf(read)
    const until = charge === null ? '' : `, and renews until then (next ${formatMoney(charge)})`
    return [
      {
        code: 'ends_later',
        subscriber,
        customer,
        at: formatInstant(read.cancelAt),
        ...(charge === null ? {} : { amount: charge.amount, currency: charge.currency }),
        message: `${read.id} has an end date (cancel_at)${until}`,
        fix: `nothing, if the end is intended; otherwise remove cancel_at from ${read.id} in ${input.account.name}`,
      },
    ]
  })
}

interface Going {
  readonly subscriber: string
  readonly customer: string
  readonly read: ReturnType<typeof readSource>
}

/**
 * Subscriptions that this account bills. A subscription on hold is billed by its successor and is
 * left out.
 */
function going({ account, left }: Upcoming): Going[] {
  return account.subscriptions.flatMap((one) => {
    const subscriber = `${account.name}/${one.id}`
    if (isOver(one) || left.has(subscriber)) return []
    const customer = idOf(one.customer)
    const read = readSource(one, account.customers.get(customer), account.prices, account.coupons)
    return read.hold === null ? [{ subscriber, customer, read }] : []
  })
}

function looseItems(input: Upcoming): Notice[] {
  const { account, isTarget, carriesItems } = input
  const billed = new Map<string, Instant>()
  for (const { customer, read } of going({ ...input, left: new Set() })) {
    if (read.next === null || read.ending !== null) continue
    const known = billed.get(customer)
    if (known === undefined || read.next < known) billed.set(customer, read.next)
  }
  return [...account.pendingItems].flatMap(([customer, items]) =>
    items.flatMap((item): Notice[] => {
      if (namesSubscription(item)) return []
      const at = billed.get(customer)
      // In the target, an item that the next invoice includes is normal.
      if (isTarget && at !== undefined) return []
      const amount = formatMoney(item)
      return [
        {
          code: 'item_without_subscription',
          subscriber: `${account.name}/${customer}`,
          customer,
          at: at === undefined ? null : formatInstant(at),
          amount: item.amount,
          currency: item.currency,
          message:
            at === undefined
              ? `${item.id} (${amount}) waits for an invoice, but no subscription of ${customer} in ${account.name} creates one`
              : `${item.id} (${amount}) belongs to no subscription; the next invoice of ${customer} in ${account.name} includes it`,
          fix: fixOfItem({ account: account.name, isTarget, carriesItems, isBilled: at !== undefined }),
        },
      ]
    }),
  )
}

function fixOfItem({
  account,
  isTarget,
  carriesItems,
  isBilled,
}: {
  readonly account: string
  readonly isTarget: boolean
  readonly carriesItems: boolean
  readonly isBilled: boolean
}): string {
  const byHand = `invoice or delete it in ${account}`
  if (isTarget) return byHand
  if (!carriesItems) return `${byHand}, or set policies.pending_invoice_items: carry`
  return isBilled
    ? `nothing: it goes along when the customer's subscriptions move, all of them together`
    : `${byHand}: no subscription is left there that could take it along`
}

function namesSubscription({ parent }: Stripe.InvoiceItem): boolean {
  return typeof parent?.subscription_details?.subscription === 'string'
}
