import { digest } from '../core/canonical.ts'
import { formatInstant, instant, secondsPerHour, type Instant } from '../core/instant.ts'
import type {
  Action,
  Blocked,
  Change,
  Deferred,
  Drift,
  GuardReading,
  Notice,
  OpenDoor,
  Plan,
  Removed,
  Step,
} from './types.ts'

/** A change whose requests have no final idempotency keys yet: they derive from the whole plan. */
export type KeylessChange = Omit<Change, 'steps'> & { readonly steps: readonly Omit<Step, 'idempotency_key'>[] }

/** Everything a plan says, before it is bound to its basis by digests. */
export interface PlanParts {
  readonly tool: string
  readonly now: Instant
  /** Hours for which the plan may be applied. */
  readonly hours: number
  readonly catalog: string
  readonly state: Plan['basis']['state']
  readonly apiVersion: string
  readonly accounts: Plan['basis']['accounts']
  /** In the order in which they are done. */
  readonly changes: readonly KeylessChange[]
  /** By address: digest of the live objects that the change touches, volatile fields left out. */
  readonly touched: ReadonlyMap<string, string>
  readonly drift: readonly Drift[]
  readonly deferred: readonly Deferred[]
  readonly blocked: readonly Blocked[]
  readonly unchanged: number
  readonly people: Readonly<Record<string, number>>
  readonly money: Plan['money']
  readonly guards: readonly GuardReading[]
  readonly doors: readonly OpenDoor[]
  readonly removed: readonly Removed[]
  readonly notices: readonly Notice[]
}

const actions: readonly Action[] = [
  'create',
  'update',
  'replace',
  'retire',
  'adopt',
  'move',
  'settle',
  'revert',
  'grant',
  'revoke',
]

/** Puts the plan together. Equal parts give equal bytes. */
export function assemblePlan(parts: PlanParts): Plan {
  const basis: Plan['basis'] = {
    catalog: parts.catalog,
    live: liveDigest(
      parts.changes.map(({ address }) => address),
      parts.touched,
    ),
    state: parts.state,
    api_version: parts.apiVersion,
    accounts: parts.accounts,
  }
  const created = formatInstant(parts.now)
  const seed = seedOf({ basis, created })
  const rest: Omit<Plan, 'plan'> = {
    format: 1,
    tool: parts.tool,
    created,
    expires: formatInstant(instant(parts.now + parts.hours * secondsPerHour)),
    basis,
    summary: summaryOf(parts),
    money: parts.money,
    changes: parts.changes.map((change, index) =>
      keyed(change, [seed, index], parts.touched.get(change.address) ?? ''),
    ),
    drift: parts.drift,
    deferred: parts.deferred,
    blocked: parts.blocked,
    guards: parts.guards,
    people: parts.people,
    ...(parts.removed.length === 0 ? {} : { removed: parts.removed }),
    ...(parts.doors.length === 0 ? {} : { doors: parts.doors }),
    ...(parts.notices.length === 0 ? {} : { notices: parts.notices }),
  }
  return { ...rest, plan: digest(rest) }
}

/** The digest that a saved plan must carry, taken over everything else in it: a file edited by hand does not pass. */
export function planDigest(plan: Plan): string {
  return digest({ ...plan, plan: undefined })
}

/** Covers only the objects the plan touches: a renewal elsewhere does not spoil a plan. */
export function liveDigest(addresses: readonly string[], touched: ReadonlyMap<string, string>): string {
  return digest(addresses.toSorted().map((address) => [address, touched.get(address) ?? '']))
}

/**
 * Keys are derived from the plan (its basis and time), the place in it, the address, the step and what was seen of the object: a repeated step replays, a later plan never
 * does. What was seen stays with the change: a run that is taken up again compares it, since its own work has changed the rest. Attempts append their number. Well under Stripe's 255 characters.
 */
function keyed(change: KeylessChange, seed: readonly (string | number)[], seen: string): Change {
  const steps = change.steps.map((step) => ({ ...step, idempotency_key: keyOf(change, step, [...seed, seen]) }))
  return { ...change, steps, expect: { ...change.expect, seen } }
}

function seedOf({ basis, created }: Pick<Plan, 'basis' | 'created'>): string {
  return digest({ basis, created })
}

function keyOf({ address }: KeylessChange, { id }: Pick<Step, 'id'>, seed: readonly (string | number)[]): string {
  return `crossbill-${digest([...seed, address, id])}`
}

/** The keys that a plan's steps must have, by change and step. */
export function rekeyed(plan: Plan): readonly (readonly string[])[] {
  const seed = seedOf(plan)
  return plan.changes.map((change, index) => {
    const seen = change.expect?.['seen']
    return change.steps.map((step) => keyOf(change, step, [seed, index, typeof seen === 'string' ? seen : '']))
  })
}

/** What a plan does, by action. How much is unchanged is known only where it is made. */
export function summaryOf(
  parts: Pick<PlanParts, 'drift' | 'deferred' | 'blocked'> & {
    readonly changes: readonly KeylessChange[]
    readonly unchanged?: number
  },
): Plan['summary'] {
  const count = (action: Action): number => parts.changes.filter((change) => change.action === action).length
  const byAction = Object.fromEntries(actions.map((action) => [action, count(action)])) as Record<Action, number>
  return {
    ...byAction,
    unchanged: parts.unchanged ?? 0,
    drift: parts.drift.length,
    deferred: parts.deferred.length,
    blocked: parts.blocked.length,
  }
}
