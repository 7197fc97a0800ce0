import { leftOutBlocked } from '../../plan/left-out.ts'
import type { Catalog } from '../../catalog/types.ts'
import { CommandError } from '../../core/outcome.ts'
import { suggest } from '../../core/suggest.ts'
import { splitAddress, subscriberAddress } from '../../core/address.ts'
import { assemblePlan } from '../../plan/assemble.ts'
import { forecastCards } from '../../plan/card-forecast.ts'
import type { Keyless } from '../../plan/change.ts'
import { guardDefaults, type GuardName } from '../../catalog/guards.ts'
import { readGuard } from '../../plan/guards.ts'
import { exchangedAccounts } from '../../live/exchanged.ts'
import { planMoney } from '../../plan/money.ts'
import { isTargeted, narrow } from '../../plan/narrow.ts'
import { planSubscribers, type SubscriberParts } from '../../plan/subscribers.ts'
import type { GuardReading, Plan, ResourceChange } from '../../plan/types.ts'
import { compareTaxes } from './compare-taxes.ts'
import { accountFacts, type Context } from '../context.ts'
import { openDoors } from '../read/old-doors.ts'
import { confirmedNotices } from './confirmed-notices.ts'
import { earlierVersions } from './earlier-versions.ts'
import { sharedCustomers } from '../../plan/shared-customers.ts'
import { noticesOf, splitNotices } from './notices.ts'
import { undeclaredNotices } from './undeclared.ts'
import { declinesExcess } from './decline-rates.ts'
import { enabledOldWebhooks } from './guard-readings.ts'
import { sampleMethods } from './sample-methods.ts'
import { survey, type Survey } from './survey.ts'

export interface PlanOptions {
  /**
   * Only changes of these addresses (`price.x`, `subscriber.us/sub_…`) or address prefixes ending
   * in `*`; everything when absent.
   */
  readonly targets?: readonly string[]
  /** What was already read of the accounts and the store; read now when absent. */
  readonly seen?: Survey
  /**
   * Guards allowed by name. With `removed_from_yaml`, the plan retires what the YAML no longer
   * declares.
   */
  readonly allow?: readonly GuardName[]
}

/**
 * Reads the accounts and the store, and plans the changes. Read-only.
 * @throws CommandError when an account or the store cannot be read, or when a target matches
 * nothing.
 */
export async function makePlan(context: Context, options: PlanOptions = {}): Promise<Plan> {
  const lookAround = (changes: readonly Keyless[]): ReturnType<typeof openDoors> => openDoors(context, changes)
  const { targets, allow = [], seen } = options
  return planned(context, seen ?? (await survey(context)), { targets, lookAround, allow })
}

/**
 * Makes the plan from an earlier read, for comparison with `other`, whose changes its guards are
 * evaluated for. Open doors are not read again.
 */
export async function planOf(context: Context, surveyed: Survey, other?: Plan): Promise<Plan> {
  const allow: readonly GuardName[] = other === undefined || !retiresRemoved(other) ? [] : [removedGuard]
  return planned(context, surveyed, { targets: undefined, lookAround: async () => [], allow, guarded: other?.changes })
}

const removedGuard = 'removed_from_yaml'

/** Whether a plan retires what the YAML no longer declares. */
function retiresRemoved({ guards: read }: Plan): boolean {
  return read.some(({ id, actual }) => id === removedGuard && actual > 0)
}

interface Looking {
  readonly targets: readonly string[] | undefined
  readonly lookAround: (changes: readonly Keyless[]) => ReturnType<typeof openDoors>
  readonly allow: readonly GuardName[]
  readonly guarded?: readonly Keyless[] | undefined
}

async function planned(
  context: Context,
  surveyed: Survey,
  { targets, lookAround, allow, guarded }: Looking,
): Promise<Plan> {
  const { accounts, catalog, tool } = context
  const { seen, tax } = await compareTaxes(context, await sampleMethods(context, surveyed))
  const people = planSubscribers(seen.classified)
  const resources = (changes: Survey['resources']['changes']): Survey['resources']['changes'] =>
    changes.map((change) => withApplied(change, seen.resources.forms.get(change.address)))
  const { removals, removed } = seen.resources
  const limit = catalog.project.guards[removedGuard] ?? guardDefaults[removedGuard]
  const retires = allow.includes(removedGuard) || removed.length <= limit
  const all = [
    ...resources(seen.resources.changes),
    ...(retires ? removals : []),
    ...people.changes,
    ...resources(seen.resources.closing),
    ...(seen.access?.changes ?? []),
  ]
  const leftOut = leftOutBlocked(catalog)
  const others = [...leftOut, ...seen.resources.drift, ...people.drift, ...people.deferred, ...people.blocked]
  if (targets !== undefined)
    refuseStrayTargets(targets, [...all, ...others, ...seen.resources.blocked, ...removed], catalog)
  const changes = targets === undefined ? all : narrow(all, targets)
  const keep = <T extends { readonly address: string }>(list: readonly T[]): readonly T[] =>
    targets === undefined ? list : list.filter((one) => isTargeted(one.address, targets))
  const moving = new Set(changes.map(({ address }) => address))
  const forecast = forecastCards(
    seen.classified.filter(({ key }) => moving.has(subscriberAddress(key))),
    seen.input,
  )
  return assemblePlan({
    tool,
    now: accounts.target.now(),
    hours: catalog.project.policies.plan_hours,
    catalog: catalog.digest,
    state: seen.state,
    apiVersion: accounts.target.apiVersion,
    accounts: accountFacts(accounts),
    changes,
    touched: new Map([...seen.resources.touched, ...people.touched, ...(seen.access?.touched ?? [])]),
    drift: keep([...seen.resources.drift, ...people.drift]),
    deferred: keep(people.deferred),
    blocked: keep([...seen.resources.blocked, ...people.blocked, ...leftOut]),
    unchanged: seen.resources.unchanged + people.unchanged + (seen.access?.unchanged ?? 0),
    people: people.people,
    money: moneyOf(seen, tax, changes),
    guards: await guards(context, seen, {
      people,
      changes: guarded ?? changes,
      left: new Set(changes.filter(({ action }) => action === 'retire').map(({ address }) => address)),
      removed: retires ? removals.length : 0,
    }),
    removed: retires ? [] : keep(removed),
    doors: await lookAround(changes),
    cards: forecast.cards,
    notices: [
      ...undeclaredNotices(catalog, seen.live),
      ...noticesOf(catalog, seen, movesIn(changes)),
      ...earlierVersions(catalog, seen.live, changes),
      ...forecast.notices,
      ...splitNotices(seen.classified.filter(({ key }) => moving.has(subscriberAddress(key)))),
      ...sharedCustomers(
        seen.classified.filter(({ key }) => moving.has(subscriberAddress(key))),
        seen.live,
      ),
      ...confirmedNotices(context),
      ...seen.resources.notices,
    ],
  })
}

/** The subscribers whom these changes move. */
function movesIn(changes: readonly Keyless[]): ReadonlySet<string> {
  return new Set(changes.flatMap(({ action, address }) => (action === 'move' ? [splitAddress(address).key] : [])))
}

/** A later plan replaces a price that `--target` leaves out. */
function moneyOf(
  { classified, live, resources }: Survey,
  tax: Plan['money']['tax'],
  changes: readonly Keyless[],
): Plan['money'] {
  const planned = new Set(changes.map(({ address }) => address))
  const repriced = resources.repriced.map((one) => ({ ...one, applies: one.applies && planned.has(one.address) }))
  return planMoney({ classified, target: live.target, repriced, tax: tax ?? [] })
}

/**
 * Objects of a renamed project. Objects to create count only where the entries name subscribers
 * whom the other project moved: two projects may use the same addresses in one account.
 */
function renamed({ classified, resources: { otherMarks: others, owned } }: Survey): number {
  const isMoved = classified.some(
    (one) => one.outcome === 'blocked' && one.reasons.some(({ code }) => code === 'other_project'),
  )
  return others.remarked.length + (owned === 0 && isMoved ? others.again.length : 0)
}

/** A mistyped target would give an empty plan, which looks like nothing left to do. */
function refuseStrayTargets(targets: readonly string[], met: readonly { address: string }[], catalog: Catalog): void {
  const known = new Set([
    ...met.map(({ address }) => address),
    ...catalog.resources.map(({ address }) => address),
    ...catalog.subscribers.map(({ key }) => `subscriber.${key}`),
  ])
  // Access that needs no change is in no list of changes, but its subscriber is known.
  const givers = catalog.subscribers.map(({ key }) => `access.${key}.`)
  const stray = targets.find((target) => {
    const start = target.endsWith('*') ? target.slice(0, -1) : target
    const isAccess = givers.some((one) => start.startsWith(one) || (start !== target && one.startsWith(start)))
    return !isAccess && ![...known].some((address) => isTargeted(address, [target]))
  })
  if (stray === undefined) return
  const near = suggest(stray, known)
  throw new CommandError(
    'target_unknown',
    `--target ${stray}: nothing in the catalog or the accounts has this address`,
    {
      notDone: 'nothing was planned',
      fix:
        near === undefined
          ? 'Addresses are written like price.x or subscriber.us/sub_…, beginnings end in *: subscriber.us/*'
          : `Did you mean ${near}?`,
    },
  )
}

/** The store records what was applied by its digest, which travels with the change. */
function withApplied(change: Keyless<ResourceChange>, applied: string | undefined): Keyless<ResourceChange> {
  return applied === undefined ? change : { ...change, expect: { ...change.expect, applied } }
}

/** Rounded up, so that a limit is never exceeded. */
function percentOf(part: number, whole: number): number {
  return part === 0 ? 0 : Math.ceil((100 * part) / Math.max(part, whole))
}

async function guards(
  context: Context,
  seen: Survey,
  {
    people,
    changes,
    left,
    removed,
  }: {
    people: SubscriberParts
    changes: readonly Keyless[]
    /** What is still to be retired: a plan that is continued has retired the others. */
    left: ReadonlySet<string>
    removed: number
  },
): Promise<readonly GuardReading[]> {
  const limits = context.catalog.project.guards
  const count = (...actions: Keyless['action'][]): number =>
    changes.filter(({ action }) => actions.includes(action)).length
  const retired = changes.filter(({ address, action }) => action === 'retire' && left.has(address)).length
  const settles = changes.filter(({ action }) => action === 'settle').map(({ address }) => address)
  const listening = settles.length === 0 ? new Map<string, number>() : await enabledOldWebhooks(context)
  const sourceOf = (address: string): string => address.slice('subscriber.'.length).split('/')[0] ?? ''
  // Each guard stops only the settles it is about: those in accounts whose endpoints would receive
  // them, and those without proof.
  const heard = settles.filter((address) => listening.has(sourceOf(address)))
  const endpoints = [...new Set(heard.map(sourceOf))].reduce((sum, source) => sum + (listening.get(source) ?? 0), 0)
  const unproven = people.unproven.filter((address) => settles.includes(address))
  const unexplained = people.unexplained.filter((address) => settles.includes(address))
  const planned = new Set(changes.map(({ address }) => address))
  const fromPayers = (seen.access?.fromPayers ?? []).filter((address) => planned.has(address))
  const moves = count('move')
  const wrong = exchangedAccounts(seen.live, context.catalog.project.name)
  const exchanged = wrong.reduce((sum, { objects }) => sum + objects, 0)
  const secrets = changes.filter(
    ({ action, steps }) => action === 'replace' && steps.some(({ secret_to: sink }) => sink !== undefined),
  )
  return [
    readGuard('people_moved', count('move', 'settle', 'revert'), limits),
    readGuard('mrr_share', moves + count('revert') === 0 ? 0 : people.movedShare, limits),
    readGuard('retire_share', percentOf(retired, seen.resources.inUse), limits),
    readGuard(removedGuard, removed, limits),
    readGuard('empty_catalog', context.catalog.resources.length === 0 ? retired : 0, limits),
    readGuard('webhook_replace', secrets.length, limits),
    readGuard('declines', moves === 0 ? 0 : declinesExcess(seen), limits),
    readGuard('old_webhooks_enabled', endpoints, limits, heard),
    readGuard('project_renamed', renamed(seen), limits),
    readGuard('accounts_exchanged', exchanged, limits),
    readGuard('settle_unproven', unproven.length, limits, unproven),
    readGuard('ended_unexplained', unexplained.length, limits, unexplained),
    readGuard('access_revoked_from_payers', fromPayers.length, limits, fromPayers),
  ]
}
