import type Stripe from 'stripe'
import { idOf } from '../../core/reference.ts'
import type { Live } from '../../live/accounts.ts'
import { markFrom, oldIdOf } from '../../live/marks.ts'
import { setupFailure } from '../../live/setup.ts'
import { readPayment } from '../../live/source.ts'
import { isAlive, isCurrent, isUndone, paymentFailure, successorMark } from '../../live/subscription.ts'
import type { Survey } from './survey.ts'

/** Below this many first renewals, a rate has no meaning. */
export const enoughToCompare = 10

/** Of how many, how many failed. */
interface Rate {
  readonly of: number
  readonly failed: number
}

/**
 * Declines in the target beside those of the sources. A payment method that Stripe could not set up
 * is a decline that is known before the renewal. The two are counted separately, because the many
 * subscriptions without a renewal would hide the declined renewals.
 */
export interface DeclineRates {
  /** Renewals in the target. */
  readonly renewals: Rate
  /** Payment methods that Stripe set up at a move; undone moves count as well. */
  readonly setups: Rate
  /** Subscriptions of the sources that are billed. */
  readonly sources: Rate
}

export function declineRates(live: Live): DeclineRates {
  return { renewals: renewals(live), setups: setups(live), sources: sourcesRate(live) }
}

/**
 * By how many percentage points more first renewals are declined in the target than in the sources.
 * Zero while there are too few to compare.
 */
export function declinesExcess({ live }: Pick<Survey, 'live'>): number {
  const { renewals: renewed, setups: tried, sources } = declineRates(live)
  const excess = (one: Rate): number => (one.of < enoughToCompare ? 0 : excessOf(shareOf(one), shareOf(sources)))
  return Math.max(excess(renewed), excess(tried))
}

/** Undone moves count as well: they show what the next moves would meet. */
function setups(live: Live): Rate {
  const tried = live.target.subscriptions.filter(
    (one) => successorMark(one) !== undefined && one.collection_method === 'charge_automatically',
  )
  const latest = [...Map.groupBy(tried, (one) => oldIdOf(successorMark(one))).values()].map((theirs) =>
    theirs.reduce((newest, one) => (one.created > newest.created ? one : newest)),
  )
  const known = latest.filter((one) => isAlive(one) || isUndone(one))
  const failed = known.filter((one) => {
    const customer = live.target.customers.get(idOf(one.customer))
    return setupFailure(one, readPayment(one, customer)?.id ?? null) !== undefined
  }).length
  return { of: known.length, failed }
}

function renewals({ target }: Live): Rate {
  const renewed = target.subscriptions.filter(
    (one) =>
      one.metadata[markFrom] !== undefined && typeof one.latest_invoice === 'object' && one.latest_invoice !== null,
  )
  return { of: renewed.length, failed: renewed.filter((one) => isFailing(one)).length }
}

/** The share of the sources' subscriptions whose payment fails. Looks at every subscription. */
export function failingShare(live: Pick<Live, 'sources'>): number {
  return shareOf(sourcesRate(live))
}

function sourcesRate({ sources }: Pick<Live, 'sources'>): Rate {
  const old = [...sources.values()].flatMap((source) =>
    source.subscriptions.filter((one) => isCurrent(one) || isFailing(one)),
  )
  return { of: old.length, failed: old.filter((one) => isFailing(one)).length }
}

function shareOf({ of, failed }: Rate): number {
  return of === 0 ? 0 : failed / of
}

/** By how many percentage points a rate of the target exceeds the rate of the sources. */
export function excessOf(rate: number, own: number): number {
  return Math.max(0, Math.round(100 * (rate - own)))
}

function isFailing(subscription: Stripe.Subscription): boolean {
  return paymentFailure(subscription) !== undefined
}
