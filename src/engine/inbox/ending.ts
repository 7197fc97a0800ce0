import { isAlive } from '../../live/subscription.ts'
import { digest } from '../../core/canonical.ts'
import { instant, type Instant } from '../../core/instant.ts'
import { isJsonObject, objectsIn, type StripeObject } from '../../core/json.ts'
import type { Money } from '../../core/money.ts'
import { failed, success, type Outcome } from '../../core/outcome.ts'
import type { SubscriberKey } from '../../core/address.ts'
import { read } from '../send/perform.ts'
import type { StripeAccount } from '../ports.ts'
import type { InboxContext } from './context.ts'
import { readSides, targetUnreadable } from './live-sides.ts'

/** What a cancel would end. The page shows it to the member before the confirmation. */
export interface Ending {
  /** `ending`: it already ends at `endsAt`, and nothing more is charged. */
  readonly state: 'live' | 'ending' | 'ended'
  /** Product names, as the school wrote them. */
  readonly products: readonly string[]
  readonly endsAt: Instant
  readonly nextPayment: Instant | undefined
  /** Whether the target bills it. */
  readonly moved?: boolean
  /** The total of the next payment as Stripe previews it; absent when Stripe does not answer. */
  readonly nextAmount?: Money
}

/** Reads what the subscriber has now, in the account that bills them. Changes nothing. */
export async function describeEnding(context: InboxContext, subscriber: string): Promise<Outcome<Ending>> {
  const both = await readSides(context, subscriber as SubscriberKey)
  if (!both.ok) return both
  const { sides, old, oldAccount, successors } = both.value
  if (sides.successors === undefined) return failed(targetUnreadable)
  const successor = successors.find(isAlive)
  const now = context.clock()
  const ended = { state: 'ended', products: [], endsAt: now, nextPayment: undefined } as const
  const [account, id] =
    successor === undefined
      ? [oldAccount, sides.old === 'live' ? old?.id : undefined]
      : [context.accounts.target, successor.id]
  if (account === undefined || id === undefined) return success(ended)
  const whole = await read(context, account, `/v1/subscriptions/${id}`, { expand: ['items.data.price.product'] })
  if (!whole.ok) return whole
  const periodEnd = firstPeriodEnd(whole.value)
  const products = productNames(whole.value)
  const cancelAt = whole.value['cancel_at_period_end'] === true ? periodEnd : whole.value['cancel_at']
  if (typeof cancelAt === 'number' && periodEnd !== undefined && cancelAt <= periodEnd)
    return success({ state: 'ending', products, endsAt: instant(cancelAt), nextPayment: undefined })
  const nextAmount = await amountOfNext(context, account, id)
  return success({
    state: 'live',
    products,
    endsAt: context.policy.cancel === 'now' || periodEnd === undefined ? now : periodEnd,
    nextPayment: periodEnd,
    moved: account === context.accounts.target,
    ...(nextAmount === undefined ? {} : { nextAmount }),
  })
}

/** Stripe's preview, which has no side effect. Without it, the page omits the amount. */
async function amountOfNext(
  context: InboxContext,
  account: StripeAccount,
  subscription: string,
): Promise<Money | undefined> {
  const preview = await account.send({
    method: 'POST',
    path: '/v1/invoices/create_preview',
    params: { subscription },
    idempotencyKey: `crossbill-page-${digest([subscription, context.run, context.random()])}`,
  })
  if (!preview.ok) return undefined
  const { amount_due: amount, currency } = preview.value
  return typeof amount === 'number' && amount > 0 && typeof currency === 'string' ? { amount, currency } : undefined
}

function itemsOf(subscription: StripeObject) {
  const { items } = subscription
  const data = isJsonObject(items) ? items['data'] : undefined
  return objectsIn(data)
}

function firstPeriodEnd(subscription: StripeObject): Instant | undefined {
  const ends = itemsOf(subscription)
    .map((item) => item['current_period_end'])
    .filter((end) => typeof end === 'number')
  return ends.length === 0 ? undefined : instant(Math.min(...ends))
}

function productNames(subscription: StripeObject): string[] {
  const names = itemsOf(subscription).map(({ price }) => {
    const product = isJsonObject(price) ? price['product'] : undefined
    return isJsonObject(product) ? product['name'] : undefined
  })
  return [...new Set(names.filter((name) => typeof name === 'string'))]
}
