import type Stripe from 'stripe'
import { idOf } from '../../core/reference.ts'
import type { DesiredSubscriber } from '../../catalog/types.ts'
import type { Classification } from '../../handover/types.ts'
import { readSource } from '../../live/source.ts'
import { forecastCards } from '../../plan/card-forecast.ts'
import { splitWaves, type Risk, type Wave, type WaveMember, type WaveRule } from '../../plan/waves.ts'
import type { Context } from '../context.ts'
import type { Survey } from './survey.ts'
import { asTargets } from './way.ts'

export interface WavesAsked {
  readonly by: WaveRule
  readonly pilot: number
  readonly size: number
  /** Only these sources. */
  readonly sources?: readonly string[]
}

export interface WavesProposed {
  readonly waves: readonly Wave[]
  /** Files that stay as they are, because a member of them has moved or has a stage. */
  readonly kept: readonly string[]
}

/**
 * Proposes waves for everybody who has not moved. A file in which a member has moved, or that has
 * another stage than `source`, keeps all its entries: its wave has begun. Read-only.
 */
export async function proposeWaves(context: Context, seen: Survey, asked: WavesAsked): Promise<WavesProposed> {
  const { by, pilot, size, sources } = asked
  const standing = new Map(seen.classified.map((one) => [one.key, one]))
  const isAsked = ({ source }: DesiredSubscriber): boolean => sources?.includes(source) ?? true
  const all = context.catalog.subscribers.filter(isAsked)
  const hasBegun = (one: DesiredSubscriber): boolean =>
    one.stage !== 'source' || !['source', 'ended'].includes(standing.get(one.key)?.standing ?? 'source')
  const begun = new Set(all.filter(hasBegun).map(({ file }) => file))
  const others = context.catalog.subscribers.filter((one) => !isAsked(one)).map(({ file }) => file)
  const kept = new Set([...begun, ...others])
  const ahead = new Map((await asTargets(context, seen)).map((one) => [one.key, one]))
  const failing = new Set(forecastCards([...ahead.values()], seen.input).notices.map(({ subscriber }) => subscriber))
  const olds = new Map(
    [...seen.live.sources].flatMap(([name, { subscriptions }]) =>
      subscriptions.map((one) => [`${name}/${one.id}`, one] as const),
    ),
  )
  const members = all
    .filter(({ file }) => !begun.has(file))
    .map((one) => memberOf(one, { live: seen.live, olds, ahead: ahead.get(one.key), failing }))
  return { waves: splitWaves(members, { by, pilot, size, kept }), kept: [...begun].toSorted() }
}

function memberOf(
  { key, source, subscription, file, items }: DesiredSubscriber,
  about: {
    readonly live: Survey['live']
    readonly olds: ReadonlyMap<string, Stripe.Subscription>
    readonly ahead: Classification | undefined
    readonly failing: ReadonlySet<string>
  },
): WaveMember {
  const { live, olds, ahead, failing } = about
  const raw = olds.get(key)
  const customer = raw === undefined ? undefined : live.sources.get(source)?.customers.get(idOf(raw.customer))
  const until = ahead?.outcome === 'deferred' ? { until: ahead.until } : {}
  return {
    key,
    source,
    subscription,
    // Without the subscription, nobody shares its money.
    customer: raw === undefined ? key : idOf(raw.customer),
    file,
    next: raw === undefined ? null : readSource(raw, customer).next,
    country: (customer?.address?.country ?? '').toLowerCase(),
    price: items[0]?.price ?? '',
    risk: riskOf(ahead, failing.has(key)),
    ...until,
    ...(ahead?.monthly === undefined ? {} : { monthly: ahead.monthly }),
  }
}

function riskOf(ahead: Classification | undefined, isFailing: boolean): Risk {
  if (ahead?.outcome === 'deferred') return 'waits'
  if (ahead?.outcome === 'excluded' || ahead?.outcome === 'ending' || ahead?.outcome === 'ended') return 'stays'
  if (ahead?.outcome !== 'move') return 'needs'
  if (isFailing) return 'card'
  const { steps, expect } = ahead.plan
  const isPlain = steps.every(({ id }) => plainSteps.has(id)) && expect.tax_change === null
  const { proof } = expect
  const isOrdinary = proof !== null && proof.trial_end === null && proof.cancel_at === null && isUndiscounted(proof)
  return isPlain && isOrdinary ? 'plain' : 'carries'
}

function isUndiscounted({
  discounts,
  items,
}: {
  discounts: readonly unknown[]
  items: readonly { discounts: readonly unknown[] }[]
}): boolean {
  return discounts.length === 0 && items.every((item) => item.discounts.length === 0)
}

/** The steps of every move; `carry-customer` sets a default payment method or a language. */
const plainSteps: ReadonlySet<string> = new Set(['carry-customer', 'hold', 'create', 'keep'])
