import type { Standing } from '../../live/observations.ts'
import type { RemainingChange } from '../send/applied.ts'
import { atSource, type HandoverState, type Rest } from '../../handover/state.ts'
import type { Classification } from '../../handover/types.ts'
import type { Context } from '../context.ts'
import { isUnfinished, recoveryRecord } from '../handover/hand-over.ts'
import type { Live } from '../../live/accounts.ts'
import { isAccess, isHandover } from '../../plan/change.ts'
import type { Plan } from '../../plan/types.ts'
import { kindsOfRequests, readAgain } from '../read/touched.ts'
import type { SubscriberRecord } from '../ports.ts'
import { check } from '../check/check.ts'
import type { Violation, ViolationCode } from '../check/violations.ts'
import { planOf } from '../plan/make-plan.ts'
import { recordsOf } from '../read/records.ts'
import { survey, type Survey } from '../plan/survey.ts'

export interface Proof {
  /** What a plan made now still wants to do at the addresses of the plan. */
  readonly remaining: readonly RemainingChange[]
  /**
   * Violations of the people whom the plan or its recovery touched, and of every subscriber whom a
   * hand-over left with two payers or with none.
   */
  readonly violations: readonly Violation[]
  /** Who still waits, as the plan made now lists them. */
  readonly waiting: Pick<Plan, 'deferred' | 'blocked'>
}

/**
 * Only a hand-over causes these. A run that ends with one of them, for any subscriber, is not
 * proven.
 */
const ofHandovers: readonly ViolationCode[] = [
  'double_payer',
  'duplicate_target',
  'hold_missing',
  'held_without_successor',
  'money_in_flight',
  'period_unaccounted',
]

/**
 * A member's own double purchase, and what a member who left has left behind, existed before the
 * run, which neither causes nor fixes it; `verify` reports it.
 */
const ofMembers: readonly ViolationCode[] = ['same_person_pays_twice', 'money_left_behind']

/**
 * Reads everything again: no change may remain where a change was done, and the rules of `verify`
 * must hold there. The store records the result.
 */
export async function proveDone(
  context: Context,
  plan: Plan,
  { touched, before }: { readonly touched: ReadonlySet<string>; readonly before: Survey | undefined },
): Promise<Proof> {
  const seen = await survey(context, before === undefined ? undefined : await sinceThen(context, plan, before))
  const after = await planOf(context, seen, plan)
  await noteResources(context, seen, new Set(after.changes.map(({ address: open }) => open)))
  await noteRests(context, seen)
  const planned = new Set(plan.changes.map(({ address }) => address))
  const remaining = after.changes
    .filter(({ address }) => planned.has(address) && touched.has(address))
    .map(({ address, action, because }) => ({ address, action, because }))
  const violations = check(context, seen).filter(
    ({ code, subscriber }) =>
      ofHandovers.includes(code) || (touched.has(`subscriber.${subscriber}`) && !ofMembers.includes(code)),
  )
  return { remaining, violations, waiting: after }
}

/**
 * A plan that changes objects of the catalog alone leaves every subscription as it is: the proof
 * then reads the kinds that the plan changes, and takes the rest from the reading on which the run
 * was based. Undefined: everything is read again.
 */
async function sinceThen({ accounts }: Context, { changes }: Plan, before: Survey): Promise<Live | undefined> {
  if (changes.some((change) => isHandover(change) || isAccess(change))) return undefined
  const touched = kindsOfRequests(changes.flatMap(({ steps }) => steps))
  return touched === undefined ? undefined : await readAgain(before.live, accounts.target, touched)
}

/**
 * Records the ids that the accounts show and this store does not: an earlier run crashed before it
 * recorded what it created, or another checkout created or replaced it. Changes that refer to the
 * object need its id.
 */
export async function noteIdentities({ store, accounts }: Context, { resources, known }: Survey): Promise<void> {
  const before = new Set(known)
  await store.putObjects(recordsOf(resources, known, accounts.target.name).filter((record) => !before.has(record)))
}

const rests: Readonly<Partial<Record<Standing, Rest>>> = {
  target: 'moved',
  ended_in_target: 'moved',
  cancelled_in_source: 'moved',
  settled: 'settled',
}

/**
 * The resting state that the live objects show for a subscriber who was once moved; undefined for
 * all others.
 */
function restOf({ standing, successor }: Classification): Rest | undefined {
  return standing === 'ended' && successor !== null ? 'ended' : rests[standing]
}

/**
 * The record that a rebuilt store would have of this subscriber; undefined for one that was never
 * moved.
 */
export function recordOf(one: Classification, updated: SubscriberRecord['updated']): SubscriberRecord | undefined {
  const { key, successor, recovery } = one
  if (recovery !== undefined) return recoveryRecord(key, recovery, updated)
  const phase = restOf(one)
  if (phase === undefined) return undefined
  const state: HandoverState = { ...atSource, phase, successor }
  return { key, phase, facts: state, updated }
}

/**
 * Members leave, cards lapse and entries return to the YAML without a run of Crossbill. The store
 * learns this from the objects, as a rebuilt store would. Unfinished hand-overs are left to
 * recovery.
 */
export async function noteRests({ store, accounts }: Context, { classified }: Survey): Promise<void> {
  const known = new Map((await store.subscribers()).map((record) => [record.key, record]))
  const updated = accounts.target.now()
  const changed = classified.flatMap((one) => {
    const record = known.get(one.key)
    const phase = restOf(one)
    if (phase === undefined || one.recovery !== undefined) return []
    if (record === undefined) return recordOf(one, updated) ?? []
    if (record.phase === phase || isUnfinished(record)) return []
    return [{ ...record, phase, facts: { ...record.facts, phase }, updated }]
  })
  await store.putSubscribers(changed)
}

export async function noteResources(
  { store, accounts }: Context,
  { resources, known }: Survey,
  open: ReadonlySet<string>,
): Promise<void> {
  const before = new Map(known.map((record) => [record.address, record]))
  const settled = [...resources.ids].filter(([at]) => !open.has(at))
  const blocked = new Set(resources.blocked.map(({ address: at }) => at))
  const shown = new Map(recordsOf(resources, known, accounts.target.name).map((one) => [one.address, one]))
  const records = settled.map(([at, id]) => ({
    address: at,
    account: accounts.target.name,
    id,
    // A blocked entry was not applied: the object is still what the last applied form made it.
    applied: (blocked.has(at) ? shown.get(at)?.applied : resources.forms.get(at)) ?? null,
  }))
  await store.putObjects(
    records.filter(({ address: at, id, applied }) => {
      const old = before.get(at)
      return old?.id !== id || old.applied !== applied
    }),
  )
}
