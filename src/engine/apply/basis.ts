import { addAll } from '../../core/lists.ts'
import { serveLease } from '../lease.ts'
import type { Earlier } from './earlier.ts'
import { markCard } from '../../live/entered-card.ts'
import { isAccess, isHandover } from '../../plan/change.ts'
import { canonicalJson } from '../../core/canonical.ts'
import { isJsonObject, type Json } from '../../core/json.ts'
import { formatInstant, parseInstant, secondsPerHour } from '../../core/instant.ts'
import { CommandError } from '../../core/outcome.ts'
import { planDigest } from '../../plan/assemble.ts'
import { parsePlan } from '../../plan/document.ts'
import { readGuard } from '../../plan/guards.ts'
import type { Change, GuardReading, Plan } from '../../plan/types.ts'
import { accountFacts, type Context } from '../context.ts'
import { contradictions, otherDifferences } from './recompute.ts'
import { restOf } from './rest.ts'
import { guardDefaults, type GuardName } from '../../catalog/guards.ts'
import { fillPath, type Resolve } from '../send/references.ts'

const stale = 'plan again, review, and apply the new plan'

/**
 * Checks that the plan document is complete and belongs to these accounts. Reads nothing from
 * outside.
 */
export function checkDocument(context: Context, plan: Plan): void {
  if (planDigest(plan) !== plan.plan)
    throw new CommandError(
      'plan_edited',
      'the plan does not match its own digest: it was edited or damaged after it was made',
      {
        notDone: 'nothing was sent',
        fix: stale,
      },
    )
  const parsed = parsePlan(plan)
  const wrong =
    'problem' in parsed
      ? [`it does not have the form of a plan (${parsed.problem})`]
      : contradictions(context, parsed.value)
  if (wrong.length > 0)
    throw new CommandError('plan_edited', `the plan was edited or damaged after it was made: ${wrong.join('; ')}`, {
      notDone: 'nothing was sent',
      fix: stale,
    })
  const now = accountFacts(context.accounts)
  for (const [name, planned] of Object.entries(plan.basis.accounts)) {
    const account = now[name]
    if (account?.id === planned.id && account.livemode === planned.livemode) continue
    const mode = (livemode: boolean): string => (livemode ? 'live mode' : 'test mode')
    const found = account === undefined ? 'not configured' : `${account.id} in ${mode(account.livemode)}`
    throw new CommandError(
      'plan_other_account',
      `the plan was made for account ${name} = ${planned.id} in ${mode(planned.livemode)}; it is ${found}`,
      { notDone: 'nothing was sent', fix: 'apply it to the accounts it was made for, or plan again here' },
    )
  }
  if (plan.basis.api_version !== context.accounts.target.apiVersion)
    throw new CommandError(
      'plan_stale',
      `the plan was made for API version ${plan.basis.api_version}; this is ${context.accounts.target.apiVersion}`,
      { notDone: 'nothing was sent', fix: stale },
    )
}

/**
 * The result of the check: changes that are still as reviewed, and changes that their own guard
 * window now postpones.
 */
export interface Checked {
  readonly ready: readonly Change[]
  /** Changes that the accounts show as done, by a run of which this store knows nothing. */
  readonly done: readonly Change[]
  readonly postponed: readonly { readonly change: Change; readonly code: string; readonly message: string }[]
}

/**
 * Compares the reviewed plan with one made now, change by change. Requests and expectations must be
 * the same, or the whole apply is refused. Changes elsewhere do not matter. `resumed`: this plan
 * was begun before, so the state differs by its own work. `done` are the changes it finished;
 * `begun` are those that it left unfinished and now continues. Without that knowledge, the accounts
 * may show that the rest of the plan is left: see `restOf`.
 * @throws CommandError `plan_stale`
 */
export function checkBasis(plan: Plan, fresh: Plan, earlier: Earlier): Checked {
  const { resumed, finished, done, begun, taken, resolve, resolveFound, state, standingOf } = earlier
  // The plan's own finished work changes the requests of the rest (a default price, a tax id), but
  // never their subject.
  const same = (one: Change, other: Change): boolean =>
    resumed
      ? one.expect.seen === other.expect.seen && holdsOf(one, taken) === holdsOf(other, taken)
      : essenceOf(one, resolve, taken) === essenceOf(other, resolve, taken)
  const differences: string[] = []
  if (plan.basis.catalog !== fresh.basis.catalog) differences.push('the YAML was edited after the plan was made')
  const { lineage, serial } = plan.basis.state
  // A store is a cache of the accounts. The store of another checkout does not make the plan stale;
  // a change in the plan's own store does.
  if (lineage === state.lineage && !resumed && serial !== state.serial)
    differences.push('the store was changed after the plan was made (another apply, import or rebuild)')
  const now = Map.groupBy(fresh.changes, ({ address }) => address)
  const places = new Map(fresh.changes.map((change, place) => [change, place]))
  const deferred = new Map(fresh.deferred.map((one) => [one.address, one]))
  const blocked = new Map(fresh.blocked.map((one) => [one.address, one]))
  const ready: Change[] = []
  const used = new Set<Change>()
  let last = -1
  const postponed: Checked['postponed'][number][] = []
  const entered = newlyEntered(plan, fresh)
  for (const change of plan.changes) {
    if (done.has(change)) continue
    if (begun.has(change)) {
      ready.push(change)
      continue
    }
    const there = now.get(change.address)
    const later = deferred.get(change.address)
    const stopped = blocked.get(change.address)
    const counterpart = there?.find((one) => !used.has(one) && same(one, change))
    if (counterpart !== undefined) {
      used.add(counterpart)
      const place = places.get(counterpart) ?? last
      if (!resumed && place < last) differences.push(`${change.address}: its place in the order of the plan changed`)
      last = place
      ready.push(change)
    }
    // Offers that the stopped run granted or revoked are read back in that state, so their change
    // is gone.
    else if (resumed && there === undefined && isAccess(change)) continue
    else if (change.action === 'move' && entered.has(change.expect.customer_new))
      postponed.push({ change, code: 'card_entered', message: 'the member entered a card after the plan was made' })
    else if (there === undefined && later !== undefined)
      postponed.push({ change, code: later.code, message: `not before ${later.until}` })
    else if (stopped !== undefined) differences.push(`${change.address}: ${stopped.code}: ${stopped.message}`)
    else
      differences.push(
        `${change.address}: ${there === undefined ? 'no longer to be done' : 'changed since the plan was made'}`,
      )
  }
  if (!resumed && differences.length === 0) addAll(differences, otherDifferences(plan, fresh, ready))
  if (differences.length === 0) return { ready, postponed, done: [] }
  const rest = restOf(plan, fresh, {
    resolve: resolveFound,
    standingOf,
    essenceOf: (change) => essenceOf(change, resolveFound, taken),
    resolved: (value) => resolved(value, resolveFound),
  })
  if (rest === undefined) throw staleError(differences)
  if (finished && rest.ready.length > 0)
    throw staleError(['the plan was carried out before; what differs now was changed afterwards'])
  const whole = { ...plan, changes: [...plan.changes, ...rest.ready] }
  if (otherDifferences(whole, fresh, rest.ready).length > 0) throw staleError(differences)
  return { ...rest, postponed: [] }
}

/**
 * Customers of the target who entered a card since the plan was made. Members do this at any time;
 * it postpones their own moves and leaves those of all others as reviewed.
 */
function newlyEntered(plan: Plan, fresh: Plan): ReadonlySet<string> {
  const cards = ({ changes }: Plan): ReadonlyMap<string, string | undefined> =>
    new Map(
      changes.flatMap((one) =>
        one.action === 'move' ? [[one.address, one.expect.proof?.metadata[markCard]] as const] : [],
      ),
    )
  const before = cards(plan)
  const now = cards(fresh)
  return new Set(
    fresh.changes.flatMap((one) => {
      if (one.action !== 'move') return []
      const card = now.get(one.address)
      return card === undefined || card === before.get(one.address) ? [] : [one.expect.customer_new]
    }),
  )
}

/**
 * What was reviewed of a change: everything except the keys, which belong to one plan. A reference
 * and the id that it now resolves to are equal. Holds and releases of this plan's own unfinished
 * work do not count; those of others do: a move that was done and then reverted needs a new review.
 */
function essenceOf(change: Change, resolve: Resolve, taken: Earlier['taken']): string {
  const steps = change.steps.map((step) => {
    const path = fillPath(step.path, resolve)
    return { ...step, path: path.ok ? path.value : step.path, idempotency_key: '' }
  })
  const expect = { ...change.expect, holds: holdsOf(change, taken) }
  return canonicalJson(resolved({ ...change, expect, steps }, resolve))
}

/** How often the old subscription was held; undefined if this plan may have done it. */
function holdsOf(change: Change, taken: Earlier['taken']): number | undefined {
  return isHandover(change) && !taken.has(change.address) ? (change.expect.holds ?? 0) : undefined
}

function resolved(value: Json, resolve: Resolve): Json {
  if (Array.isArray(value)) return value.map((one: Json) => resolved(one, resolve))
  if (!isJsonObject(value)) return value
  const ref = value['$ref']
  if (typeof ref === 'string') return resolve(ref) ?? value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, one]) => (one === undefined ? [] : [[key, resolved(one, resolve)]])),
  )
}

function staleError(differences: readonly string[]): CommandError {
  const shown = differences.slice(0, 10).map((line) => `  ${line}`)
  const more = differences.length > shown.length ? [`  … and ${differences.length - shown.length} more`] : []
  return new CommandError('plan_stale', ['the plan no longer matches the accounts:', ...shown, ...more].join('\n'), {
    notDone: 'nothing was sent',
    fix: stale,
  })
}

/**
 * Evaluates the guards again over the plan's own changes, and the two guards that only the moment
 * of applying can decide. A guard about some of the changes stops only those; a plan with no
 * changes left is refused.
 * @returns the stopped changes by address, with their guard
 * @throws CommandError `plan_expired`, `guard_tripped`
 */
export function checkGuards(
  context: Context,
  plan: Plan,
  now: readonly GuardReading[],
  { allow = [], fromFile = false }: { readonly allow?: readonly GuardName[]; readonly fromFile?: boolean },
): ReadonlyMap<string, GuardReading> {
  const readings: readonly GuardReading[] = [...now, ...applyGuards(context, plan, fromFile)]
  const tripped = readings.filter((guard) => guard.tripped && !allow.includes(guard.id))
  const stopped = stoppedBy(now, allow)
  const isPartial = tripped.every(({ stops }) => stops !== undefined)
  if (isPartial && (tripped.length === 0 || plan.changes.some(({ address }) => !stopped.has(address)))) return stopped
  const lines = tripped.map(
    (guard) => `  ${guard.id}: ${guard.message ?? `${guard.actual} is more than ${guard.limit}`}`,
  )
  const expired = tripped.some((guard) => guard.id === 'plan_age')
  throw new CommandError(expired ? 'plan_expired' : 'guard_tripped', ['stopped by a guard:', ...lines].join('\n'), {
    notDone: 'nothing was sent',
    fix: `review the plan; if all of it is intended: --allow ${tripped.map((guard) => guard.id).join(' --allow ')}`,
  })
}

/**
 * A recovery would write into accounts of the wrong role, so this guard stops an apply before it.
 * @throws CommandError `guard_tripped`
 */
export function refuseExchanged({ guards }: Plan, allow: readonly GuardName[]): void {
  const guard = guards.find(({ id, tripped }) => id === 'accounts_exchanged' && tripped)
  if (guard === undefined || allow.includes(guard.id)) return
  throw new CommandError('guard_tripped', `stopped by a guard:\n  ${guard.id}: ${guard.message ?? ''}`, {
    notDone: 'nothing was sent',
    fix: 'correct `accounts` in catalog/project.yaml, then run crossbill plan',
  })
}

/** Changes that a tripped guard stops, by address. */
export function stoppedBy(
  guards: readonly GuardReading[],
  allow: readonly GuardName[],
): ReadonlyMap<string, GuardReading> {
  const tripped = guards.filter((guard) => guard.tripped && !allow.includes(guard.id))
  return new Map(tripped.flatMap((guard) => (guard.stops ?? []).map((address) => [address, guard] as const)))
}

function applyGuards(context: Context, plan: Plan, fromFile: boolean): readonly GuardReading[] {
  const limits = context.catalog.project.guards
  const live = context.accounts.target.livemode
  const now = context.accounts.target.now()
  const expires = parseInstant(plan.expires) ?? now
  const created = parseInstant(plan.created) ?? now
  const age = readGuard('plan_age', Math.floor((now - created) / secondsPerHour), {
    plan_age: Math.min(limits['plan_age'] ?? guardDefaults.plan_age, Math.floor((expires - created) / secondsPerHour)),
  })
  const late: GuardReading =
    now > expires && !age.tripped
      ? {
          ...age,
          tripped: true,
          message: `the plan expired at ${formatInstant(expires)}; if it is still intended: --allow plan_age`,
        }
      : age
  return [late, readGuard('live_without_plan_file', live && !fromFile ? plan.changes.length : 0, limits)]
}

/**
 * The cancel service and `apply` must share one store. A service that does not know of a move would
 * end the wrong subscription. A running service is recognised by its lease.
 * @throws CommandError `service_elsewhere`
 */
export async function checkService({ store, catalog }: Context, changes: readonly Change[]): Promise<void> {
  const hands = changes.filter(({ action }) => action === 'move' || action === 'settle').length
  if (catalog.project.serve === undefined || hands === 0) return
  if ((await store.leaseHolder(serveLease)) !== undefined) return
  throw new CommandError(
    'service_elsewhere',
    'the project declares a cancel service (`serve:`), and no running one uses this store: a cancel would not know of these moves',
    {
      notDone: 'nothing was sent',
      fix: 'start `crossbill serve` on this store, or run apply on the store of the service',
    },
  )
}
