import { addAll } from '../../core/lists.ts'
import { idIn, noteObserved } from '../send/catalog-ids.ts'
import { isGuardName, type GuardName } from '../../catalog/guards.ts'
import { leftOutBlocked } from '../../plan/left-out.ts'
import { isJsonObject, type Json } from '../../core/json.ts'
import { referencesIn } from '../../plan/references.ts'
import { subscriberAddress } from '../../core/address.ts'
import type { Standing } from '../../live/observations.ts'
import { byPart, isHandover } from '../../plan/change.ts'
import type {
  AccessChange,
  Blocked,
  Change,
  GuardReading,
  HandoverChange,
  Plan,
  ResourceChange,
} from '../../plan/types.ts'
import type { AppliedChange, RemainingChange } from '../send/applied.ts'
import { carryOutAccess, knownContacts, noteAgain } from '../access/carry-out.ts'
import { rememberAccess } from '../access/remember.ts'
import { restoreGrants } from '../access/restore-grants.ts'
import type { Violation } from '../check/violations.ts'
import { CommandError } from '../../core/outcome.ts'
import { collectLeft } from '../send/collection.ts'
import { counted } from '../send/counted.ts'
import { finishedPlans, noteBegun, noteEnded, noteFinished } from './applied-log.ts'
import { checkBasis, checkDocument, checkGuards, checkService, stoppedBy, refuseExchanged } from './basis.ts'
import type { Context } from '../context.ts'
import { progressOf } from './earlier.ts'
import { applyLease, withLease, type Held } from '../lease.ts'
import { planOf } from '../plan/make-plan.ts'
import { noteIdentities, noteRests, proveDone, type Proof } from './prove-done.ts'
import { ApplyStopped } from './stopped.ts'
import { markElsewhere, type RunChanges } from './this-run.ts'
import { recoverHeld, recoverLost } from './recover.ts'
import type { Resolve } from '../send/references.ts'
import { applyResources } from './resources.ts'
import { DeclinesBreaker } from './declines.ts'
import { applySubscribers } from './subscribers.ts'
import { summaryOf, type ApplySummary } from './summary.ts'
import { survey, type Survey } from '../plan/survey.ts'

export interface ApplyOptions {
  /** Guards overridden by name (`--allow mrr_share`). */
  readonly allow?: readonly GuardName[]
  /**
   * The plan was reviewed as a saved file. Without one, live mode trips the guard
   * `live_without_plan_file`.
   */
  readonly fromFile?: boolean
}

export interface ApplyResult {
  readonly plan: string
  /**
   * Every change ended `done`, no entry of the YAML was left out, and a plan made afterwards is
   * empty for all addresses touched.
   */
  readonly ok: boolean
  /** The user asked to stop; the next run continues. */
  readonly interrupted: boolean
  /** What the recovery at the start finished or undid. */
  readonly recovered: readonly AppliedChange[]
  readonly changes: readonly AppliedChange[]
  /** What became of the plan's subscribers, in numbers: also of the deferred and blocked ones. */
  readonly summary: ApplySummary
  /**
   * What a plan made after the run still wants to do at the addresses touched; empty when the run
   * is proven.
   */
  readonly remaining: readonly RemainingChange[]
  /**
   * Entries of the YAML with an error. Nothing was done for them or for the entries that need them.
   */
  readonly left_out: readonly Blocked[]
  /**
   * Violations that `verify` finds afterwards for the people whom the plan or its recovery touched;
   * empty when the run is proven.
   */
  readonly violations: readonly Violation[]
}

/**
 * The store keeps here which plan was begun, so that a run after a crash can continue the same
 * plan.
 */
const runningKey = 'apply.running'

/**
 * Carries out the plan and nothing else, then reads everything again and proves it. Recovers
 * unfinished work first. Refuses before it sends anything of the plan (CommandError, code
 * `plan_edited`, `plan_stale`, `plan_expired`, `plan_other_account`, `guard_tripped`,
 * `apply_running`).
 */
export async function apply(context: Context, plan: Plan, options: ApplyOptions = {}): Promise<ApplyResult> {
  checkDocument(context, plan)
  return withLease(context, applyLease, (held, bound) => applyHeld(bound, plan, options, held))
}

async function applyHeld(opened: Context, plan: Plan, options: ApplyOptions, held: Held): Promise<ApplyResult> {
  const carriedOut = new Set<string>()
  const { context, writes } = counted({ ...opened, carriedOut })
  const recovered: AppliedChange[] = []
  const changes: AppliedChange[] = []
  const run: Run = { plan, options, held, recovered, changes, writes, sentByRecovery: undefined }
  const told = (): RunChanges => ({
    recovered: markElsewhere(recovered, plan, carriedOut),
    changes: markElsewhere(changes, plan, carriedOut),
  })
  try {
    const seen = await carryThrough(context, run)
    const interrupted = context.interrupt.requested
    const tried = changes.filter(({ outcome }) => outcome !== 'skipped')
    const touched = new Set([...tried, ...recovered].map(({ address }) => address))
    const before = recovered.length === 0 ? seen : undefined
    const { remaining, violations, waiting } = interrupted
      ? { ...noProof, waiting: plan }
      : await proveDone(context, plan, { touched, before })
    if (!interrupted) await context.store.put(runningKey, null)
    const open = [
      ...recovered.filter(({ outcome }) => outcome === 'held'),
      ...changes.filter(({ outcome }) => outcome !== 'done'),
    ]
    const left = leftOutBlocked(context.catalog)
    const isProven = remaining.length === 0 && violations.length === 0
    const ok = !interrupted && isProven && open.length === 0 && left.length === 0
    if (ok) await noteFinished(context, plan)
    await noteEnded(context, plan, ok ? 'proven' : interrupted ? 'interrupted' : 'open', changes)
    const summary = summaryOf(waiting, told())
    return { plan: plan.plan, ok, interrupted, ...told(), summary, remaining, left_out: left, violations }
  } catch (error) {
    if (!(error instanceof CommandError) || writes() === 0) throw error
    // What stopped the run may be the store.
    await noteEnded(context, plan, 'stopped', changes).catch(() => {})
    const sentByRecovery = run.sentByRecovery ?? writes()
    throw new ApplyStopped(error, { ...told(), sentByRecovery, sentByPlan: writes() - sentByRecovery })
  }
}

const noProof = { remaining: [], violations: [] } satisfies Partial<Proof>

interface Run {
  readonly plan: Plan
  readonly options: ApplyOptions
  readonly held: Held
  /** Both are filled during the work, so that a later failure does not lose the report. */
  readonly recovered: AppliedChange[]
  readonly changes: AppliedChange[]
  /** Requests sent so far. */
  readonly writes: () => number
  /** How many of them the recovery sent; undefined while it works. */
  sentByRecovery: number | undefined
}

/**
 * Returns the reading on which the run is based, if the proof may start from it. It is let go of
 * before the first subscriber moves: after a hand-over, everything is read again.
 */
async function carryThrough(context: Context, run: Run): Promise<Survey | undefined> {
  const { held, recovered, changes, plan } = run
  const begun = await begin(context, run)
  await carryOut(context, { plan, ...begun }, { held, changes })
  await takeUpAgain(context, held, [recovered, changes])
  return begun.before
}

/** What the work needs of everything that was read and compared before it. */
interface Begun {
  readonly ready: readonly Change[]
  readonly declines: DeclinesBreaker
  readonly access: Survey['access']
  /** Undefined when the plan hands over: its proof reads everything again. */
  readonly before: Survey | undefined
}

/** Recovers, reads, compares the plan with a new one, and records in the store what it begins. */
async function begin(context: Context, run: Run): Promise<Begun> {
  const { plan, options, held, recovered, changes } = run
  const running = await context.store.get(runningKey)
  const resumed = isJsonObject(running) && running['plan'] === plan.plan
  const given = [...(options.allow ?? []), ...(resumed ? guardsIn(running['allow']) : [])]
  refuseExchanged(plan, given)
  // Recovery writes to the store below. That does not make the plan stale: each change is checked
  // on its own.
  const state = await context.store.version()
  addAll(recovered, await recoverHeld(context, held))
  const seen = (await readAndRecover(context, held, recovered)) ?? (await survey(context))
  run.sentByRecovery = run.writes()
  const earlier = await progressOf(context, plan, { resumed, recovered })
  const resolve: Resolve = (at) => idIn(seen.resources, at)
  const fresh = await planOf(context, seen, plan)
  const resolveFound: Resolve = (at) => resolve(at) ?? seen.resources.adopting.get(at)
  const standings = new Map(seen.classified.map(({ key, standing }) => [subscriberAddress(key) as string, standing]))
  const standingOf = (address: string): Standing | undefined => standings.get(address)
  const finished = (await finishedPlans(context.store)).includes(plan.plan)
  const checked = checkBasis(plan, fresh, { ...earlier, resumed, finished, resolve, resolveFound, state, standingOf })
  const { ready, postponed } = checked
  // A resumed run keeps the guards that were allowed when it began.
  const allow = given
  const stopped = resumed
    ? stoppedBy(fresh.guards, allow)
    : checkGuards(context, plan, fresh.guards, { ...options, allow })
  const due = ready.filter(({ address }) => !stopped.has(address))
  await checkService(context, due)
  // From here on the store knows what the marks show, whichever store this run has. This decides
  // which move is a customer's last, because the money follows that move.
  await noteIdentities(context, seen)
  await noteRests(context, seen)
  await context.store.put(runningKey, { plan: plan.plan, allow })
  await noteBegun(context, plan, allow)
  addAll(changes, [
    ...plan.changes
      .filter((change) => earlier.done.has(change) || checked.done.includes(change))
      .map((change) => ended(change, 'done')),
    ...postponed.map(({ change, code, message }) => ({ ...ended(change, 'skipped'), code, message })),
    ...ready.flatMap((change) => skippedBy(change, stopped.get(change.address))),
  ])
  return {
    ready: due,
    declines: new DeclinesBreaker(seen.live, context.catalog.project.guards, allow),
    access: seen.access,
    before: plan.changes.some(isHandover) ? undefined : seen,
  }
}

/**
 * Reads everything, and finishes what an earlier run left and this store does not know. Undefined
 * when that changed something, so that everything must be read again.
 */
async function readAndRecover(context: Context, held: Held, recovered: AppliedChange[]): Promise<Survey | undefined> {
  const seen = await survey(context)
  await noteObserved(context, seen.resources)
  const lost = await recoverLost(context, held, seen)
  addAll(recovered, lost)
  const collected = await collectLeft(context, seen.live)
  for (const { account, invoice, cancelled } of collected)
    context.progress.note(
      `invoice ${invoice} of ${account} is collected again: an earlier run stopped it when it cancelled ${cancelled}`,
    )
  return lost.length + collected.length > 0 ? undefined : seen
}

/**
 * Retries the subscribers left on hold when the rest is done: what was unknown then may be known
 * now.
 */
async function takeUpAgain(context: Context, held: Held, reports: readonly AppliedChange[][]): Promise<void> {
  const isHeld = ({ outcome }: AppliedChange): boolean => outcome === 'held'
  if (context.interrupt.requested || held.lost || !reports.some((report) => report.some(isHeld))) return
  const again = new Map((await recoverHeld(context, held)).map((change) => [change.address, change]))
  for (const report of reports)
    for (const [at, change] of report.entries()) if (isHeld(change)) report[at] = again.get(change.address) ?? change
}

function ended({ address, action }: Change, outcome: AppliedChange['outcome']): AppliedChange {
  return { address, action, outcome }
}

function guardsIn(value: Json | undefined): readonly GuardName[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string').filter(isGuardName) : []
}

function skippedBy(change: Change, guard: GuardReading | undefined): readonly AppliedChange[] {
  if (guard === undefined) return []
  const message = guard.message ?? `${guard.actual} is more than ${guard.limit}`
  const fix = `review the plan; if this is intended: crossbill apply --allow ${guard.id}`
  return [{ ...ended(change, 'skipped'), code: guard.id, message, fix }]
}

/**
 * The resources that subscribers who did not move would have used. A product is needed as long as
 * one of its prices is.
 */
function stillNeeded(
  { catalog }: Pick<Context, 'catalog'>,
  people: readonly HandoverChange[],
  results: readonly AppliedChange[],
): ReadonlySet<string> {
  const missing = new Set(results.filter(({ outcome }) => outcome !== 'done').map(({ address }) => address))
  const left = people.filter(({ address }) => missing.has(address))
  const refs = new Set(left.flatMap(({ steps }) => steps.flatMap(({ params }) => referencesIn(params))))
  const products = catalog.resources
    .filter(({ address: at, kind }) => kind === 'price' && refs.has(at))
    .flatMap(({ value }) => (typeof value['product'] === 'string' ? [`product.${value['product']}`] : []))
  return new Set([...refs, ...products])
}

/**
 * The order: resources that subscribers need, then subscribers, then the retirement of what no
 * subscriber needs any more, then access.
 */
async function carryOut(
  context: Context,
  about: {
    readonly plan: Plan
  } & Pick<Begun, 'ready' | 'declines' | 'access'>,
  { held, changes }: Pick<Run, 'held' | 'changes'>,
): Promise<void> {
  const { plan, ready, access: given, declines } = about
  const people: HandoverChange[] = []
  const before: ResourceChange[] = []
  const closing: ResourceChange[] = []
  const access: AccessChange[] = []
  for (const change of ready)
    byPart(change, {
      // In the plan, what closes comes after the subscribers.
      resource: (one) => (people.length === 0 ? before : closing).push(one),
      handover: (one) => people.push(one),
      access: (one) => access.push(one),
    })
  context.progress.start('applying', ready.length)
  addAll(changes, await applyResources(context, before, held))
  const moved = await applySubscribers(context, people, { held, plan: plan.plan, declines })
  addAll(changes, moved)
  const needed = stillNeeded(context, people, moved)
  const free = closing.filter(({ address }) => !needed.has(address))
  addAll(changes, [
    ...(await applyResources(context, free, held)),
    ...closing
      .filter(({ address }) => needed.has(address))
      .map((change) => ({
        ...ended(change, 'not_started'),
        code: 'still_needed',
        message: 'a subscriber who needs it is not moved yet',
      })),
  ])
  addAll(changes, await applyAccess(context, access, given))
  context.progress.done()
}

/** Offers one after the other: Kajabi's rate limit is low, and no bill depends on it. */
async function applyAccess(
  context: Context,
  changes: readonly AccessChange[],
  seen: Survey['access'],
): Promise<readonly AppliedChange[]> {
  const { access, accounts, interrupt, progress } = context
  const results: AppliedChange[] = []
  const wait = (seconds: number): Promise<void> => context.wait(seconds)
  // Before the changes: a grant of this run would explain a mark that an earlier checkout wrote.
  const restored =
    access === undefined || seen === undefined ? undefined : await restoreGrants(access, seen, accounts.target.now())
  if (access !== undefined && !interrupt.requested)
    await noteAgain({ kajabi: access.kajabi, notes: context.store, wait })
  const grants = changes.filter(({ action }) => action === 'grant').length
  const known = access === undefined || interrupt.requested ? undefined : await knownContacts(access.kajabi, grants)
  for (const change of changes) {
    if (interrupt.requested || known === undefined || access === undefined || seen === undefined) {
      results.push(ended(change, 'not_started'))
      continue
    }
    const { kajabi, urls, grants: store, offers } = access
    const outcome = await carryOutAccess(
      {
        kajabi,
        ...(urls === undefined ? {} : { urls }),
        grants: store,
        access: offers,
        claims: seen.claims,
        known,
        notes: context.store,
        now: accounts.target.now(),
        wait,
      },
      change,
    )
    progress.step()
    const { code, message } = outcome.ok ? { code: undefined, message: undefined } : outcome.failure
    results.push(
      code === undefined
        ? ended(change, 'done')
        : { ...ended(change, 'failed'), code, message, fix: 'crossbill apply' },
    )
  }
  // An offer whose mark could not be read must not be recorded as given by hand.
  if (access !== undefined && seen !== undefined && restored?.ok === true) await rememberAccess(access.grants, seen)
  return results
}
