import { isJsonObject, type JsonObject, objectIn, type StripeObject } from '../../core/json.ts'
import { digest } from '../../core/canonical.ts'
import { failed, success, type Failure, type Outcome } from '../../core/outcome.ts'
import { markCard } from '../../live/entered-card.ts'
import { markFrom, oldIdOf } from '../../live/marks.ts'
import { isAlive } from '../../live/subscription.ts'
import { isUnfinished } from '../handover/hand-over.ts'
import { applyLease } from '../lease.ts'
import { listed } from '../send/listed.ts'
import { perform } from '../send/perform.ts'
import { cardAddress, type CardContext, type CardOwner } from './context.ts'

const leaseSeconds = 30

/** A run is working on this store; the card is charged after it. */
const busy: Failure = {
  kind: 'retryable',
  code: 'apply_running',
  message: 'a run is moving subscribers; the card is taken after it',
  status: 0,
}

/**
 * Makes the new subscription of a moved member charge the card that they entered. True when it
 * does; false for a member who has not moved, whose card the next move takes. The card becomes the
 * default of the customer only where the subscription uses that default and no other live
 * subscription of the customer does.
 */
export async function attachEntered(context: CardContext, owner: CardOwner, method: string): Promise<Outcome<boolean>> {
  const theirs = await listed(
    context.accounts.target,
    '/v1/subscriptions',
    { customer: owner.customer, status: 'all' },
    'target_unreadable',
  )
  if (!theirs.ok) return theirs
  const alive = theirs.value.filter(isAlive)
  const [successor, ...more] = alive.filter((one) => isOf(one, owner.subscriber))
  // `verify` reports two successors, and a person decides which of them is charged.
  if (successor?.id === undefined || more.length > 0) return success(false)
  if (marksOf(successor)[markCard] === method) return success(true)
  const lease = await context.store.acquire(applyLease, context.run, leaseSeconds)
  if (lease === undefined) return failed(busy)
  try {
    const record = await context.store.subscriber(owner.subscriber)
    if (record !== undefined && isUnfinished(record)) return failed(busy)
    return await charged(context, { owner, successor, method, isAlone: alive.length === 1 })
  } finally {
    await lease.release()
  }
}

async function charged(
  context: CardContext,
  about: {
    readonly owner: CardOwner
    readonly successor: StripeObject
    readonly method: string
    readonly isAlone: boolean
  },
): Promise<Outcome<boolean>> {
  const { owner, successor, method, isAlone } = about
  const send = async (step: string, path: string, params: JsonObject): Promise<Outcome<StripeObject>> =>
    perform(context, {
      address: cardAddress(owner.subscriber),
      step,
      account: context.accounts.target,
      method: 'POST',
      path,
      params,
      key: `crossbill-card-${digest([step, owner.subscriber, successor.id, method])}`,
    })
  const { default_payment_method: pinned, default_source: source } = successor
  const isDefault = (pinned ?? null) === null && (source ?? null) === null && isAlone
  if (isDefault) {
    const params = { invoice_settings: { default_payment_method: method } }
    const set = await send('default', `/v1/customers/${owner.customer}`, params)
    if (!set.ok) return set
  }
  // The mark is written last, so that a run that was cut off is repeated.
  const done = await send('charge', `/v1/subscriptions/${successor.id}`, {
    ...(isDefault ? {} : { default_payment_method: method }),
    ...withCard(successor),
    metadata: { [markCard]: method },
  })
  return done.ok ? success(true) : done
}

/** The types of methods that the subscription accepts must contain cards. */
function withCard({ payment_settings: settings }: StripeObject): JsonObject {
  const types = isJsonObject(settings) ? settings['payment_method_types'] : null
  return Array.isArray(types) && !types.includes('card')
    ? { payment_settings: { payment_method_types: [...types, 'card'] } }
    : {}
}

function isOf(subscription: StripeObject, subscriber: string): boolean {
  const mark = marksOf(subscription)[markFrom]
  return typeof mark === 'string' && oldIdOf(mark) === oldIdOf(subscriber)
}

function marksOf({ metadata }: StripeObject): JsonObject {
  return objectIn(metadata)
}
