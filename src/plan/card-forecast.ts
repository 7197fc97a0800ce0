import type Stripe from 'stripe'
import { formatInstant } from '../core/instant.ts'
import { formatMoney } from '../core/money.ts'
import { idOf } from '../core/reference.ts'
import { findingsOf, type ChargedMethod } from '../handover/cards.ts'
import { nextChargeOf } from '../handover/charges.ts'
import type { Classification, CopyMap, HandoverInput } from '../handover/types.ts'
import type { Live, LiveAccount } from '../live/accounts.ts'
import { readPayment, readSource } from '../live/source.ts'
import { hasHoldMark, isOver, runningTrialEnd, successorMark } from '../live/subscription.ts'
import { noticeCodes, type NoticeCode } from './notice-codes.ts'
import type { Notice, Plan } from './types.ts'

export interface CardForecast {
  readonly cards: NonNullable<Plan['cards']>
  readonly notices: readonly Notice[]
}

/**
 * The first renewals that the moves of a plan lead to, and those that will probably fail, from what
 * the lists show. Where the lists do not show the copy in the target, the card of the old account
 * stands for it: a copy has the same expiry and country. Pure.
 */
export function forecastCards(
  classified: readonly Classification[],
  { live, now }: Pick<HandoverInput, 'live' | 'now'>,
): CardForecast {
  const olds = new Map(
    [...live.sources].flatMap(([name, { subscriptions }]) =>
      subscriptions.map((one) => [`${name}/${one.id}`, one] as const),
    ),
  )
  let renewals = 0
  const notices = classified.flatMap((one): Notice[] => {
    const move = one.outcome === 'move' ? one.plan : undefined
    const { charge, expect } = move ?? {}
    const id = expect?.proof?.payment ?? null
    if (charge == null || charge.amount === 0 || expect?.proof?.collection_method !== 'charge_automatically') return []
    renewals += 1
    const about = { subscriber: one.key, customer: expect.customer_new, charge }
    if (id === null) return [noticeOf('no_method', 'no payment method would be charged', about)]
    const old = olds.get(one.key)
    if (old === undefined) return []
    const entered = live.target.entered?.get(expect.old)
    const before = methodOf(old, live.sources.get(expect.source))
    const shown = entered?.shown ?? defaultOf(live.target.customers.get(expect.customer_new), id) ?? before
    if (shown === undefined) return []
    const isEntered = entered !== undefined
    const method = { id, shown, old: isEntered ? undefined : before, isEntered, successor: undefined, next: charge.at }
    return noticesOf(method, now, about)
  })
  return { cards: { renewals, failing: new Set(notices.map(({ subscriber }) => subscriber)).size }, notices }
}

/**
 * Cards of moved members that expire before their next renewal, or that the old account has
 * replaced since, and renewals that nothing would pay. The end of a trial without a card has a
 * notice of its own.
 */
export function cardsOfMoved(
  { target, sources }: Pick<Live, 'target' | 'sources'>,
  copyMaps: ReadonlyMap<string, CopyMap>,
): readonly Notice[] {
  const olds = oldMethods(sources, copyMaps)
  return target.subscriptions.flatMap((one): Notice[] => {
    const subscriber = successorMark(one)
    if (subscriber === undefined || isOver(one) || one.collection_method !== 'charge_automatically') return []
    const customer = idOf(one.customer)
    const shown = methodOf(one, target)
    const charge = nextChargeOf(readSource(one, target.customers.get(customer), target.prices, target.coupons))
    if (charge === null || charge.amount === 0) return []
    const about = { subscriber, customer, charge }
    const isPaid = readPayment(one, target.customers.get(customer)) !== null
    if (!isPaid && runningTrialEnd(one) === null && one.pause_collection === null)
      return [noticeOf('no_method', 'no payment method would be charged', about)]
    if (shown === undefined) return []
    // Without the set-up, which has a notice of its own.
    const old = olds.get(subscriber)
    const method = {
      id: shown.id,
      shown,
      old: old?.copy === shown.id ? old.method : undefined,
      isEntered: true,
      isMoved: true,
      successor: undefined,
      next: charge.at,
    }
    return noticesOf(method, target.now, about)
  })
}

/** What each old subscription would charge, and the id of its copy, by subscriber. */
function oldMethods(
  sources: Live['sources'],
  copyMaps: ReadonlyMap<string, CopyMap>,
): ReadonlyMap<string, { readonly method: Stripe.PaymentMethod; readonly copy: string | undefined }> {
  const all = [...sources].flatMap(([name, account]) =>
    account.subscriptions.flatMap((one) => {
      const method = hasHoldMark(one) ? methodOf(one, account) : undefined
      if (method === undefined) return []
      return [[`${name}/${one.id}`, { method, copy: copyMaps.get(name)?.payments.get(method.id)?.id }] as const]
    }),
  )
  return new Map(all)
}

/** Whose renewal it is, and what is due. */
interface Due {
  readonly subscriber: string
  readonly customer: string
  readonly charge: { readonly at: HandoverInput['now']; readonly amount: number; readonly currency: string }
}

function noticesOf(method: ChargedMethod, now: HandoverInput['now'], about: Due): Notice[] {
  return findingsOf(method, now).flatMap(({ code, message }) =>
    isNotice(code) ? [noticeOf(code, message, about)] : [],
  )
}

function noticeOf(code: NoticeCode, message: string, { subscriber, customer, charge }: Due): Notice {
  return {
    code,
    subscriber,
    customer,
    at: formatInstant(charge.at),
    amount: charge.amount,
    currency: charge.currency,
    message: `${message}; ${formatMoney(charge)} is due`,
    fix: `let the member enter a card before then: crossbill card-link ${subscriber}`,
  }
}

function isNotice(code: string): code is NoticeCode {
  return Object.hasOwn(noticeCodes, code)
}

/** The method that a subscription charges, where the lists show it as a whole. */
function methodOf(
  subscription: Stripe.Subscription,
  account: LiveAccount | undefined,
): Stripe.PaymentMethod | undefined {
  const { default_payment_method: pinned } = subscription
  if (pinned !== null) return typeof pinned === 'string' ? undefined : pinned
  const customer = account?.customers.get(idOf(subscription.customer))
  const id = readPayment(subscription, customer)?.id
  return id === undefined ? undefined : defaultOf(customer, id)
}

function defaultOf(customer: Stripe.Customer | undefined, id: string): Stripe.PaymentMethod | undefined {
  const method = customer?.invoice_settings.default_payment_method
  return typeof method === 'object' && method?.id === id ? method : undefined
}
