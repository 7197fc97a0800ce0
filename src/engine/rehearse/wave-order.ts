import { least } from '../../core/lists.ts'
import type { DesiredSubscriber } from '../../catalog/types.ts'
import { instant, secondsPerDay, type Instant } from '../../core/instant.ts'
import type { Live } from '../../live/accounts.ts'
import { readHold } from '../../live/source.ts'
import { isAlive, isOver, successorMark } from '../../live/subscription.ts'
import type { RehearsalReport } from './report.ts'

export const weekSeconds = 7 * secondsPerDay
/** A wave is settled eight weeks after its move, or later when the proof takes longer. */
export const settleAfterWeeks = 8
/** All waves that have not begun begin within this many weeks. */
const startWeeks = 12

/** Where the declared subscribers are when a rehearsal begins. */
export interface Standing {
  /** Keys of those who have moved, with the instant of their move. */
  readonly moved: ReadonlyMap<string, Instant>
  /** Keys of those whose old subscription has ended; no run bills them. */
  readonly over: ReadonlySet<string>
  readonly people: RehearsalReport['people']
}

export function standingNow(subscribers: readonly DesiredSubscriber[], live: Live): Standing {
  const successors = new Map(
    live.target.subscriptions.filter(isAlive).map((one) => [successorMark(one), one.created] as const),
  )
  const inSource = new Map(
    [...live.sources].flatMap(([name, { subscriptions }]) =>
      subscriptions.filter((one) => !isOver(one)).map((one) => [`${name}/${one.id}`, one] as const),
    ),
  )
  const moved = new Map<string, Instant>()
  for (const { key } of subscribers) {
    const [old, since] = [inSource.get(key), successors.get(key)]
    if (old !== undefined && since !== undefined && readHold(old) !== null) moved.set(key, instant(since))
  }
  const over = subscribers.filter(({ key }) => !inSource.has(key)).map(({ key }) => key as string)
  const settled = over.filter((key) => successors.has(key)).length
  return {
    moved,
    over: new Set(over),
    people: {
      declared: subscribers.length,
      played: subscribers.length - over.length,
      moved: moved.size,
      settled,
      ended: over.length - settled,
    },
  }
}

/** The week in which a wave that moves in week `start` may be settled. */
export function settleWeek(start: number): number {
  return Math.max(1, start + settleAfterWeeks)
}

interface PlayedWave {
  readonly name: string
  readonly people: number
  /** The week of its move; negative when it moved before the rehearsal. */
  readonly start: number
}

/**
 * When each wave moves. Those that have begun are moved in the first week and keep their real date.
 * Then come the pilots, and then the others by their names, so that the first waves of all accounts
 * come before the second ones. Waves that are over are left out. Pure.
 */
export function weeksOfWaves(
  subscribers: readonly DesiredSubscriber[],
  { moved, over }: Pick<Standing, 'moved' | 'over'>,
  began: Instant,
): readonly PlayedWave[] {
  const files = Map.groupBy(
    subscribers.filter(({ key }) => !over.has(key)),
    ({ file }) => file,
  )
  const begun = (members: readonly DesiredSubscriber[]): number | undefined => {
    const since = members.flatMap(({ key }) => moved.get(key) ?? [])
    return since.length === 0 ? undefined : -Math.floor((began - least(since)) / weekSeconds)
  }
  const waves = [...files].map(([name, members]) => ({ name, people: members.length, since: begun(members) }))
  const ahead = waves.filter(({ since }) => since === undefined).toSorted((a, b) => inOrder(a.name, b.name))
  const perWeek = Math.max(1, Math.ceil(ahead.length / startWeeks))
  return [
    ...waves
      .flatMap(({ name, people, since }) => (since === undefined ? [] : [{ name, people, start: since }]))
      .toSorted((a, b) => a.start - b.start || inOrder(a.name, b.name)),
    ...ahead.map(({ name, people }, at) => ({ name, people, start: Math.floor(at / perWeek) })),
  ]
}

function inOrder(a: string, b: string): number {
  return orderOf(a) < orderOf(b) ? -1 : 1
}

function orderOf(file: string): string {
  const base = file.split('/').at(-1) ?? file
  return `${/(^|[-_.])pilot([-_.]|$)/.test(base) ? 0 : 1} ${base} ${file}`
}
