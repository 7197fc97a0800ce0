import type Stripe from 'stripe'
import { inStage } from '../../catalog/subscribers.ts'
import type { Stage } from '../../catalog/types.ts'
import { formatInstant, instant } from '../../core/instant.ts'
import { classifySubscribers } from '../../handover/classify.ts'
import type { Classification } from '../../handover/types.ts'
import { firstRenewal } from '../../live/first-renewal.ts'
import { readHold } from '../../live/source.ts'
import { isOver, settledAs } from '../../live/subscription.ts'
import type { Context } from '../context.ts'
import type { Survey } from './survey.ts'

/** Whether a step is possible now, from when, or what stands in its way. */
type Possible =
  | { readonly possible: 'now' }
  | { readonly possible: 'later'; readonly code: string; readonly from: string }
  | { readonly possible: 'no'; readonly code: string }

/** When a subscriber moved and was settled, as the accounts show it, and what is possible now. */
export interface PersonDates {
  readonly successor?: string
  readonly moved?: string
  /** The first renewal in the target, past or future. */
  readonly renewal?: string
  readonly settled?: string
  /** When the last subscription of the member ended, before or after a move. */
  readonly ended?: string
  /** Of those who have moved and are not settled. */
  readonly back?: Possible
  readonly settle?: Possible
  /** The digest of the plan that brought them where they are, as far as this store knows it. */
  readonly plan?: string
}

/** The dates of everybody who has moved. Read-only. */
export async function personDates(
  context: Pick<Context, 'store'>,
  seen: Survey,
): Promise<ReadonlyMap<string, PersonDates>> {
  const olds = new Map(
    [...seen.live.sources].flatMap(([source, { subscriptions }]) =>
      subscriptions.map((one) => [`${source}/${one.id}`, one] as const),
    ),
  )
  const news = new Map(seen.live.target.subscriptions.map((one) => [one.id, one]))
  const records = new Map((await context.store.subscribers()).map((one) => [one.key, one]))
  const moved = new Set(seen.classified.filter(({ standing }) => standing === 'target').map(({ key }) => key as string))
  const back = asStage(seen, moved, 'source')
  const settle = asStage(seen, moved, 'settled')
  return new Map(
    seen.classified.flatMap(({ key, successor: latest }): (readonly [string, PersonDates])[] => {
      const old = olds.get(key)
      const record = records.get(key)
      if (old === undefined) return []
      const settledTo = settledAs(old)
      const successor = news.get(latest ?? settledTo ?? '')
      const over = endOf(successor ?? old)
      if (successor === undefined && settledTo === undefined) return over === undefined ? [] : [[key, { ended: over }]]
      const since = readHold(old)?.since ?? 0
      const began = since > 0 ? since : successor?.created
      const plan = record?.facts['finished']
      const ended = settledTo === undefined ? null : (old.canceled_at ?? old.ended_at)
      return [
        [
          key,
          {
            ...(successor === undefined
              ? {}
              : { successor: successor.id, renewal: formatInstant(firstRenewal(successor)) }),
            ...(began === undefined ? {} : { moved: formatInstant(instant(began)) }),
            ...(ended === null ? {} : { settled: formatInstant(instant(ended)) }),
            ...(over === undefined || successor === undefined ? {} : { ended: over }),
            ...possible('back', back.get(key), 'revert'),
            ...possible('settle', settle.get(key), 'settle'),
            ...(typeof plan === 'string' ? { plan } : {}),
          },
        ],
      ]
    }),
  )
}

function endOf(subscription: Stripe.Subscription): string | undefined {
  const { ended_at: ended, canceled_at: cancelled } = subscription
  const at = ended ?? cancelled
  return isOver(subscription) && at !== null ? formatInstant(instant(at)) : undefined
}

/**
 * The moved subscribers judged as if their stage were another one. A plan of a revert also reads
 * their older invoices, and may find more reasons.
 */
function asStage({ input }: Survey, moved: ReadonlySet<string>, stage: Stage): ReadonlyMap<string, Classification> {
  if (moved.size === 0) return new Map()
  const subscribers = input.catalog.subscribers.map((one) => (moved.has(one.key) ? inStage(one, stage) : one))
  const catalog = { ...input.catalog, subscribers }
  const classified = classifySubscribers({ ...input, catalog })
  return new Map(classified.filter(({ key }) => moved.has(key)).map((one) => [one.key as string, one]))
}

function possible<Name extends 'back' | 'settle'>(
  name: Name,
  one: Classification | undefined,
  wanted: 'revert' | 'settle',
): { readonly [name in Name]?: Possible } {
  if (one === undefined) return {}
  const found = possibleOf(one, wanted)
  return found === undefined ? {} : ({ [name]: found } as { [name in Name]?: Possible })
}

function possibleOf(one: Classification, wanted: 'revert' | 'settle'): Possible | undefined {
  if (one.outcome === wanted) return { possible: 'now' }
  if (one.outcome === 'deferred') return { possible: 'later', code: one.code, from: formatInstant(one.until) }
  if (one.outcome === 'blocked') return { possible: 'no', code: one.reasons[0].code }
  return undefined
}
