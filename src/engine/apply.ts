import { isJsonObject } from '../core/json.ts'
import { address } from '../core/address.ts'
import type { Action, Change, Plan } from '../plan/types.ts'
import { checkBasis, checkDocument, checkGuards, type Earlier } from './basis.ts'
import type { Context } from './context.ts'
import { applyLease, withLease, type Held } from './lease.ts'
import { planOf } from './make-plan.ts'
import type { SubscriberRecord } from './ports.ts'
import { recoverHeld } from './recover.ts'
import type { Resolve } from './references.ts'
import { applyResources } from './resources.ts'
import { applySubscribers } from './subscribers.ts'
import { survey, type Survey } from './survey.ts'

export interface ApplyOptions {
  /** Guards overridden by name (`--allow mrr_share`). Names are checked against `guardNames` by the command line. */
  readonly allow?: readonly string[]
  /** The plan was reviewed as a saved file; without it live mode needs the guard `live_without_plan_file`. */
  readonly fromFile?: boolean
}

/** How one change of the plan ended. `undone` and `skipped` left everything as it was; `held` is on hold and will be finished by the next run. */
export interface AppliedChange {
  readonly address: string
  readonly action: Action
  readonly outcome: 'done' | 'skipped' | 'undone' | 'held' | 'failed' | 'not_started'
  /** An outcome code of `docs/outcomes`, when there is something to say. */
  readonly code?: string
  readonly message?: string
  readonly fix?: string
}

export interface ApplyResult {
  readonly plan: string
  /** Every change ended `done`, and the plan made afterwards is empty for all addresses touched. */
  readonly ok: boolean
  /** The user asked to stop: run again to go on. */
  readonly interrupted: boolean
  /** What the recovery at the start finished or undid. */
  readonly recovered: readonly AppliedChange[]
  readonly changes: readonly AppliedChange[]
  /** What a plan made after the run still wants to do at the addresses touched; empty when the run proved itself. */
  readonly remaining: readonly {
    readonly address: string
    readonly action: Action
    readonly because: readonly string[]
  }[]
}

/** Where the store remembers which plan was begun, so that the same plan can be taken up again after a crash. */
const runningKey = 'apply.running'

/**
 * Does what the plan says and nothing else, then reads again and proves it. Recovery of unfinished work comes first. Refuses (CommandError, code
 * `plan_edited`, `plan_stale`, `plan_expired`, `plan_other_account`, `guard_tripped`, `apply_running`) before any of it is sent.
 */
export async function apply(context: Context, plan: Plan, options: ApplyOptions = {}): Promise<ApplyResult> {
  checkDocument(context, plan)
  return withLease(context, applyLease, (held) => applyHeld(context, plan, options, held))
}

async function applyHeld(context: Context, plan: Plan, options: ApplyOptions, held: Held): Promise<ApplyResult> {
  const running = await context.store.get(runningKey)
  const resumed = isJsonObject(running) && running['plan'] === plan.plan
  const recovered = await recoverHeld(context, held)
  const { done, begun } = resumed
    ? await progressOf(context, plan)
    : { done: new Set<Change>(), begun: new Set<Change>() }
  const seen = await survey(context)
  const resolve: Resolve = (at) => seen.resources.ids.get(at)
  const { ready, postponed } = checkBasis(plan, await planOf(context, seen), { resumed, done, begun, resolve })
  if (resumed) await noteMissing(context, seen)
  else checkGuards(context, plan, options)
  await context.store.put(runningKey, { plan: plan.plan })
  const changes = [
    ...plan.changes.filter((change) => done.has(change)).map((change) => ended(change, 'done')),
    ...postponed.map(({ change, code, message }) => ({ ...ended(change, 'skipped'), code, message })),
    ...(await carryOut(context, plan, ready, held)),
  ]
  const interrupted = context.interrupt.requested
  const remaining = interrupted
    ? []
    : await prove(
        context,
        ready.map(({ address }) => address),
      )
  const ok = !interrupted && remaining.length === 0 && changes.every(({ outcome }) => outcome === 'done')
  if (!interrupted) await context.store.put(runningKey, null)
  return { plan: plan.plan, ok, interrupted, recovered, changes, remaining }
}

function ended({ address, action }: Change, outcome: AppliedChange['outcome']): AppliedChange {
  return { address, action, outcome }
}

/** Resources that people need, then people, then what could only be put away once nobody needs it any more. */
async function carryOut(
  context: Context,
  plan: Plan,
  ready: readonly Change[],
  held: Held,
): Promise<readonly AppliedChange[]> {
  const firstPerson = ready.findIndex(isPerson)
  const people = ready.filter(isPerson)
  const before = ready.filter((change, at) => !isPerson(change) && (firstPerson === -1 || at < firstPerson))
  const closing = ready.filter((change, at) => !isPerson(change) && firstPerson !== -1 && at > firstPerson)
  context.progress.start('applying', ready.length)
  const first = await applyResources(context, before, held)
  const moved = await applySubscribers(context, people, { held, plan: plan.plan })
  const all = moved.every(({ outcome }) => outcome === 'done')
  const last = all
    ? await applyResources(context, closing, held)
    : closing.map((change) => ({
        ...ended(change, 'not_started'),
        code: 'still_needed',
        message: 'somebody was not moved yet',
      }))
  context.progress.done()
  return [...first, ...moved, ...last]
}

/** How far an earlier run of this very plan came, by the journal and by what is remembered of each subscriber. */
async function progressOf(context: Context, plan: Plan): Promise<Pick<Earlier, 'done' | 'begun'>> {
  const records = new Map<string, SubscriberRecord>(
    (await context.store.subscribers()).map((record) => [address('subscriber', record.key), record]),
  )
  const done = new Set<Change>()
  const begun = new Set<Change>()
  for (const change of plan.changes) {
    if (isPerson(change)) {
      if (records.get(change.address)?.facts['finished'] === plan.plan) done.add(change)
      continue
    }
    const entries = (await context.store.journal({ address: change.address })).filter(
      ({ status }) => status === 'succeeded',
    )
    const sent = change.steps.filter(({ idempotency_key: key }) =>
      entries.some((one) => one.idempotencyKey.startsWith(key)),
    )
    if (sent.length > 0) (sent.length === change.steps.length ? done : begun).add(change)
  }
  return { done, begun }
}

function isPerson({ address: at }: Change): boolean {
  return at.startsWith('subscriber.')
}

/** Reads everything again: nothing may be left to do where something was done. The store takes note of what is there. */
async function prove(context: Context, touched: readonly string[]): Promise<ApplyResult['remaining']> {
  const seen = await survey(context)
  const after = await planOf(context, seen)
  await noteResources(context, seen, new Set(after.changes.map(({ address: open }) => open)))
  return after.changes
    .filter(({ address }) => touched.includes(address))
    .map(({ address, action, because }) => ({ address, action, because }))
}

/** What an earlier run made and died before it took note of: those who refer to it need its id. */
async function noteMissing({ store, accounts }: Context, { resources, known }: Survey): Promise<void> {
  const there = new Set(known.map(({ address: at }) => at))
  const missing = [...resources.ids].filter(([at]) => !there.has(at))
  const account = accounts.target.name
  await store.putObjects(missing.map(([at, id]) => ({ address: at, account, id, applied: null })))
}

async function noteResources(
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
