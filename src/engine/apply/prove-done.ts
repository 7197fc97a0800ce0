import type { Standing } from '../../live/sights.ts'
import type { RemainingChange } from '../send/applied.ts'
import type { JsonObject } from '../../core/json.ts'
import { atSource, type HandoverState } from '../../handover/state.ts'
import type { Classification } from '../../handover/types.ts'
import type { Context } from '../context.ts'
import { isUnfinished, recoveryRecord } from '../handover/hand-over.ts'
import type { Plan } from '../../plan/types.ts'
import type { SubscriberRecord } from '../ports.ts'
import { planOf } from '../plan/make-plan.ts'
import { survey, type Survey } from '../plan/survey.ts'

/** Reads everything again: nothing may be left to do where something was done. The store takes note of what is there. */
export async function proveDone(
  context: Context,
  touched: ReadonlySet<string>,
  plan: Plan,
): Promise<readonly RemainingChange[]> {
  const seen = await survey(context)
  const after = await planOf(context, seen, plan)
  await noteResources(context, seen, new Set(after.changes.map(({ address: open }) => open)))
  await noteRests(context, seen)
  return after.changes
    .filter(({ address }) => touched.has(address))
    .map(({ address, action, because }) => ({ address, action, because }))
}

/** What an earlier run made and died before it took note of: those who refer to it need its id. */
export async function noteMissing({ store, accounts }: Context, { resources, known }: Survey): Promise<void> {
  const there = new Set(known.map(({ address: at }) => at))
  const missing = [...resources.ids].filter(([at]) => !there.has(at))
  const account = accounts.target.name
  await store.putObjects(missing.map(([at, id]) => ({ address: at, account, id, applied: null })))
}

const rests: Readonly<Partial<Record<Standing, HandoverState['phase']>>> = {
  target: 'moved',
  ended_in_target: 'moved',
  cancelled_in_source: 'moved',
  settled: 'settled',
}

/** Where the live objects say that somebody rests who was moved at some time; nothing for everybody else. */
function restOf({ standing, successor }: Classification): HandoverState['phase'] | undefined {
  return standing === 'ended' && successor !== null ? 'ended' : rests[standing]
}

/** What a rebuilt store holds of this subscriber; nothing for one that was never moved. */
export function recordOf(one: Classification, updated: SubscriberRecord['updated']): SubscriberRecord | undefined {
  const { key, successor, recovery } = one
  if (recovery !== undefined) return recoveryRecord(key, recovery, updated)
  const phase = restOf(one)
  if (phase === undefined) return undefined
  const state: HandoverState = { ...atSource, phase, successor }
  return { key, phase, facts: state as unknown as JsonObject, updated }
}

/**
 * People leave, cards lapse, entries come back into the YAML without any run of ours: the store learns it from the objects, as a rebuilt one would. What is in the middle
 * is recovery's.
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
  const records = settled.map(([at, id]) => ({
    address: at,
    account: accounts.target.name,
    id,
    applied: resources.forms.get(at) ?? null,
  }))
  await store.putObjects(
    records.filter(({ address: at, id, applied }) => {
      const old = before.get(at)
      return old?.id !== id || old.applied !== applied
    }),
  )
}
