import type { Stage } from '../catalog/types.ts'
import { formatInstant, type Instant } from '../core/instant.ts'
import { doerOf, type Doer } from '../handover/doers.ts'
import type { BlockedCode } from '../handover/codes.ts'
import { firstCopyFix } from '../handover/first-copy.ts'
import type { Classification } from '../handover/types.ts'
import type { CardLink } from '../live/entered-card.ts'

/**
 * Where a subscriber is on the way to the new account.
 *
 * - `arrived`  the new account bills them
 * - `moves`    the next apply moves them
 * - `ready`    they can move as soon as their stage is `target`
 * - `waits`    a later plan moves them by itself
 * - `uncopied` Stripe has not copied the customers of their account yet
 * - `asked`    a link to enter a card was made for them, and no card is there yet
 * - `needs`    they need what `by` can do
 * - `left`     a decision in the YAML leaves them in the old account
 * - `ends`     their subscription ends by itself
 * - `ended`    it has ended
 */
const wayStates = ['arrived', 'moves', 'ready', 'waits', 'uncopied', 'asked', 'needs', 'left', 'ends', 'ended'] as const
export type WayState = (typeof wayStates)[number]

export interface WayRow {
  readonly state: WayState
  /** The code of those who wait or need something, or that a policy left. */
  readonly code?: string
  readonly by?: Doer
  /** Why they were left, or what to do. */
  readonly note?: string
  /** The latest date of this row: when waits are over, or subscriptions have ended. */
  readonly until?: string
  readonly people: number
  /** Monthly revenue by currency, in minor units, before discounts and taxes. */
  readonly mrr: Readonly<Record<string, number>>
  readonly subscribers: readonly string[]
}

/** The way of the whole school: every subscriber is in exactly one row. */
export interface Way {
  readonly at: string
  readonly people: number
  /** Live subscriptions of the old accounts that no subscriber file declares; in no row. */
  readonly undeclared: number
  readonly rows: readonly WayRow[]
  /** When the last of those who move can have arrived, if everybody does what is asked. */
  readonly everybody_by: string
  /** Members for whom a card link was made, by what became of it. */
  readonly cards: Readonly<Record<CardLink['state'], number>>
}

export interface WayInput {
  readonly classified: readonly Classification[]
  /**
   * The same subscribers as they would be if every stage were `target`: those of later waves show
   * today what will stop them.
   */
  readonly ahead: readonly Classification[]
  readonly stages: ReadonlyMap<string, Stage>
  readonly linkOf: (subscriber: string) => { readonly link: CardLink } | undefined
  readonly undeclared: number
  /** Sources of which no copy was imported yet. */
  readonly uncopied?: ReadonlySet<string>
  readonly now: Instant
}

type Place = Pick<WayRow, 'state' | 'code' | 'by' | 'note'> & { readonly until?: Instant }

/** Pure: equal input, equal output. */
export function wayOf({ classified, ahead, stages, linkOf, undeclared, uncopied, now }: WayInput): Way {
  const later = new Map(ahead.map((one) => [one.key, one]))
  const cards = { asked: 0, opened: 0, entered: 0 }
  const placed = classified.filter(isSubscriber).map((one) => {
    const link = linkOf(one.key)?.link
    if (link !== undefined) cards[link.state] += 1
    const waitsForStage = one.standing === 'source' && stages.get(one.key) === 'source'
    const decided = waitsForStage && one.outcome === 'unchanged' ? (later.get(one.key) ?? one) : one
    return { one, place: beforeCopy(decided, uncopied) ?? placeOf(decided, waitsForStage, link) }
  })
  const groups = Map.groupBy(placed, ({ place: { state, code = '', note = '' } }) => `${state} ${code} ${note}`)
  const rows = [...groups.values()].map((all): WayRow => {
    const { until: _until, ...about } = all[0]?.place ?? { state: 'arrived' as const }
    const dates = all.flatMap(({ place }) => place.until ?? [])
    return {
      ...about,
      ...(dates.length === 0 ? {} : { until: formatInstant(latest(dates, now)) }),
      people: all.length,
      mrr: sumOf(all.map(({ one }) => one.monthly)),
      subscribers: all.map(({ one }) => one.key),
    }
  })
  const waits = placed.flatMap(({ place }) => (place.state === 'waits' ? (place.until ?? []) : []))
  return {
    at: formatInstant(now),
    people: placed.length,
    undeclared,
    rows: rows.toSorted(
      (a, b) => wayStates.indexOf(a.state) - wayStates.indexOf(b.state) || b.people - a.people || before(a, b),
    ),
    everybody_by: formatInstant(latest(waits, now)),
    cards,
  }
}

/** Before the first copy nothing can be said of one person, and one step helps everybody. */
function beforeCopy(one: Classification, uncopied: ReadonlySet<string> = new Set()): Place | undefined {
  const [source = ''] = one.key.split('/')
  if (one.standing !== 'source' || one.outcome !== 'blocked' || !uncopied.has(source)) return undefined
  if (one.reasons[0].code !== 'customer_not_copied') return undefined
  const another = one.reasons.find(({ code }) => code !== 'customer_not_copied')
  return another === undefined
    ? { state: 'uncopied', code: 'customer_not_copied', by: 'owner', note: firstCopyFix(source) }
    : needs(another)
}

function placeOf(one: Classification, waitsForStage: boolean, link: CardLink | undefined): Place {
  if (one.standing === 'target' || one.standing === 'settled')
    return one.outcome === 'blocked' ? needs(one.reasons[0]) : { state: 'arrived' }
  switch (one.outcome) {
    case 'move':
      return waitsForStage
        ? { state: 'ready', note: 'set their stage to target, then crossbill apply' }
        : { state: 'moves', note: 'crossbill apply' }
    case 'deferred':
      return { state: 'waits', code: one.code, until: one.until }
    case 'blocked': {
      const isAsked = one.standing === 'source' && one.reasons.every(({ code }) => doerOf[code] === 'member')
      const [{ code }] = one.reasons
      return isAsked && link !== undefined && link.state !== 'entered'
        ? { state: 'asked', code, by: 'member', note: 'nothing while there is time; crossbill card-link asks again' }
        : needs(one.reasons[0])
    }
    case 'excluded':
      return { state: 'left', note: one.reason, ...(one.code === undefined ? {} : { code: one.code }) }
    case 'ending':
      return { state: 'ends', until: one.at }
    case 'settle':
    case 'ended':
      return { state: 'ended' }
    case 'revert':
    case 'unchanged':
      return { state: 'arrived' }
  }
}

function needs({ code, fix }: { readonly code: BlockedCode; readonly fix: string }): Place {
  return { state: 'needs', code, by: doerOf[code], note: fix }
}

/** An entry without a subscription is no subscriber. */
function isSubscriber(one: Classification): boolean {
  return one.outcome !== 'blocked' || one.reasons.every(({ code }) => code !== 'not_in_source')
}

function latest(dates: readonly Instant[], now: Instant): Instant {
  let found = now
  for (const one of dates) if (one > found) found = one
  return found
}

function sumOf(amounts: readonly Classification['monthly'][]): Readonly<Record<string, number>> {
  const sums = new Map<string, number>()
  for (const one of amounts) if (one !== undefined) sums.set(one.currency, (sums.get(one.currency) ?? 0) + one.amount)
  return Object.fromEntries([...sums].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function before(a: WayRow, b: WayRow): number {
  return `${a.code ?? ''} ${a.note ?? ''}` < `${b.code ?? ''} ${b.note ?? ''}` ? -1 : 1
}
