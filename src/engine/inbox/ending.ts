import { instant, type Instant } from '../../core/instant.ts'
import { isJsonObject, type StripeObject } from '../../core/json.ts'
import { failed, success, type Outcome } from '../../core/outcome.ts'
import type { SubscriberKey } from '../../core/address.ts'
import { read } from '../perform.ts'
import type { InboxContext } from './context.ts'
import { isLive, readSides } from './live-sides.ts'

/** What a cancel would end, for the member who is asked once more. */
export interface Ending {
  readonly state: 'live' | 'ended'
  /** Names of products, as the school wrote them. */
  readonly products: readonly string[]
  readonly endsAt: Instant
  readonly nextPayment: Instant | undefined
}

/** Reads what the subscriber has now, in the account that bills them. Changes nothing. */
export async function describeEnding(context: InboxContext, subscriber: string): Promise<Outcome<Ending>> {
  const both = await readSides(context, subscriber as SubscriberKey)
  if (!both.ok) return both
  const { sides, old, oldAccount, successors } = both.value
  if (sides.successors === undefined)
    return failed({ kind: 'retryable', code: 'target_unreadable', message: 'the target could not be read', status: 0 })
  const successor = successors.find(isLive)
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
  const ending = whole.value['cancel_at_period_end'] === true || whole.value['cancel_at'] !== null
  return success({
    state: 'live',
    products: productNames(whole.value),
    endsAt: context.policy.cancel === 'now' || periodEnd === undefined ? now : periodEnd,
    nextPayment: ending ? undefined : periodEnd,
  })
}

function itemsOf(subscription: StripeObject) {
  const { items } = subscription
  const data = isJsonObject(items) ? items['data'] : undefined
  return Array.isArray(data) ? data.filter(isJsonObject) : []
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
