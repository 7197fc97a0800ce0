import type { RowStanding } from '../../assumptions/standing.ts'
import type { Catalog, DesiredSubscriber } from '../../catalog/types.ts'
import type { CopyMapCheck } from '../../engine/verify/copied.ts'
import type { DoctorResult } from '../../engine/doctor/doctor.ts'
import type { AppliedPlan } from '../../engine/apply/applied-log.ts'
import type { PersonDates } from '../../engine/plan/person-dates.ts'
import type { DeclineRates } from '../../engine/plan/decline-rates.ts'
import type { Identity } from '../../engine/state.ts'
import type { VerifyResult } from '../../engine/verify/verify.ts'
import type { Plan } from '../../plan/types.ts'
import type { Way, WayState } from '../../plan/way.ts'
import type { RehearsalRecord } from './rehearsal-record.ts'

/** The data of the evidence packet, read at one time. */
export interface Evidence {
  readonly tool: string
  /** The time of reading, by Stripe's clock. */
  readonly at: string
  readonly catalog: Catalog
  readonly plan: Plan
  /** Where each subscriber is on the way to the new account. */
  readonly way: Way
  readonly verified: VerifyResult
  readonly doctor: DoctorResult
  readonly copied: CopyMapCheck
  /** What is known of the questions that the documents leave open. */
  readonly standing: readonly RowStanding[]
  readonly identities: readonly Identity[]
  /** The phase of every subscriber whose hand-over has ever begun. */
  readonly phases: ReadonlyMap<string, string>
  /** Monthly amount of each subscriber who is billed, before discounts and taxes. */
  readonly monthly: ReadonlyMap<string, { readonly amount: number; readonly currency: string }>
  /** When each moved and was settled, and what is possible now. */
  readonly dates: ReadonlyMap<string, PersonDates>
  /** The plans that were applied with this store, the oldest first. */
  readonly applied: readonly AppliedPlan[]
  readonly oldPrices: readonly OldPrice[]
  readonly endpoints: readonly Endpoint[]
  /** How many first renewals in the target were declined, beside the rate of the sources. */
  readonly declines: DeclineRates
  /** The last rehearsals that were run in this project. */
  readonly rehearsals: readonly RehearsalRecord[]
}

/** A price of a source as its live subscriptions use it. */
export interface OldPrice {
  readonly source: string
  readonly id: string
  readonly amount: number | null
  readonly currency: string
  readonly interval: string
  readonly tax: string
  /** Number of live subscriptions with this price. */
  readonly people: number
}

/** A webhook endpoint of an account. */
export interface Endpoint {
  readonly account: string
  /** Without its query, which may hold a secret. */
  readonly url: string
  readonly status: string
  readonly events: readonly string[]
  /** The cancel service's own. */
  readonly isService: boolean
}

export type Place = 'source' | 'moved' | 'settled' | 'ended'

export interface Wave {
  readonly file: string
  readonly people: Readonly<Record<Place, number>>
  /** The number of those in the source that are excluded on purpose. */
  readonly excluded: number
  /** The next renewals of those who are still in the source, in order. */
  readonly renewals: readonly string[]
  /** When its people moved, in order; likewise when they were settled, and by which plans. */
  readonly moved: readonly string[]
  readonly settled: readonly string[]
  readonly plans: readonly string[]
}

/**
 * Where each subscriber is: every page counts people by this and by the rows of the way, so that
 * the numbers of the packet add up. A subscriber counts as moved when the move is done; the stage
 * in the YAML may still wait for an apply.
 */
export function placesOf({ catalog: { subscribers }, phases, way }: Evidence): ReadonlyMap<string, Place> {
  const over = new Set(
    way.rows.flatMap(({ state, subscribers: keys }) => (state === 'ended' || state === 'ends' ? keys : [])),
  )
  return new Map(
    subscribers.map(({ key }) => {
      const phase = phases.get(key) ?? 'source'
      if (phase === 'moved' || phase === 'settled' || phase === 'ended') return [key, phase]
      return [key, over.has(key) ? 'ended' : 'source']
    }),
  )
}

/** The number of people in these states of the way. */
export function peopleIn({ way: { rows } }: Pick<Evidence, 'way'>, ...states: readonly WayState[]): number {
  return rows.filter(({ state }) => states.includes(state)).reduce((sum, { people }) => sum + people, 0)
}

/** The waves: one for each file, in the order of the file names. */
export function wavesOf(evidence: Evidence): Wave[] {
  const places = placesOf(evidence)
  return [...Map.groupBy(evidence.catalog.subscribers, (one) => one.file)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([file, members]) => {
      const all = Map.groupBy(members, ({ key }) => places.get(key) ?? 'source')
      const count = (what: Place): number => all.get(what)?.length ?? 0
      return {
        file,
        people: { source: count('source'), moved: count('moved'), settled: count('settled'), ended: count('ended') },
        excluded: all.get('source')?.filter((one) => one.excluded !== undefined).length ?? 0,
        renewals: renewalsOf(all.get('source') ?? [], evidence.at),
        ...datesIn(members, evidence),
      }
    })
}

function datesIn(
  members: readonly DesiredSubscriber[],
  { dates }: Evidence,
): Pick<Wave, 'moved' | 'settled' | 'plans'> {
  const known = members.flatMap(({ key }) => dates.get(key) ?? [])
  return {
    moved: known.flatMap(({ moved }) => moved ?? []).sort(),
    settled: known.flatMap(({ settled }) => settled ?? []).sort(),
    plans: [...new Set(known.flatMap(({ plan }) => plan ?? []))].sort(),
  }
}

/** The next renewals after `at`, in order, by what was pulled. */
export function renewalsOf(members: readonly DesiredSubscriber[], at: string): readonly string[] {
  return members
    .flatMap((one) => (one.next_invoice === undefined ? [] : [iso(one.next_invoice)]))
    .filter((renewal) => renewal >= at)
    .sort()
}

function iso(at: number): string {
  return new Date(at * 1_000).toISOString().replace('.000Z', 'Z')
}

/** The number of catalog changes that are not applied yet. */
export function openResources(plan: Plan): number {
  return plan.changes.filter((change) => !/^(subscriber|access)\./.test(change.address)).length
}
