import { digest } from '../core/canonical.ts'
import { formatInstant, instant, secondsPerHour, type Instant } from '../core/instant.ts'
import { actions, bound, type Keyless } from './change.ts'
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

/** The content of a plan before digests bind it to its basis. */
export interface PlanParts {
  readonly tool: string
  readonly now: Instant
  /** Hours during which the plan can be applied. */
  readonly hours: number
  readonly catalog: string
  readonly state: Plan['basis']['state']
  readonly apiVersion: string
  readonly accounts: Plan['basis']['accounts']
  /** In order of execution. */
  readonly changes: readonly Keyless[]
  /** By address: digest of the live objects that the change touches, without volatile fields. */
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
  readonly cards: NonNullable<Plan['cards']>
  readonly notices: readonly Notice[]
}

/** Assembles the plan. Equal parts give equal bytes. */
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
    ...(parts.cards.failing === 0 ? {} : { cards: parts.cards }),
    ...(parts.notices.length === 0 ? {} : { notices: parts.notices }),
  }
  return { ...rest, plan: digest(rest) }
}

/**
 * The digest that a saved plan must carry. It covers everything else in the plan, so that an edited
 * file is refused.
 */
export function planDigest(plan: Plan): string {
  return digest({ ...plan, plan: undefined })
}

/**
 * Covers only the objects that the plan touches, so that a renewal elsewhere does not make the plan
 * stale.
 */
function liveDigest(addresses: readonly string[], touched: ReadonlyMap<string, string>): string {
  return digest(addresses.toSorted().map((address) => [address, touched.get(address) ?? '']))
}

/**
 * An idempotency key derives from the plan (basis and time), the position in it, the address, the
 * step and the observed object. A repeated step therefore replays its request, and a later plan
 * never does. The observation is stored with the change, because a resumed run compares it after
 * its own requests have changed the object. Retries append their number. Keys stay well below
 * Stripe's limit of 255 characters.
 */
function keyed(change: Keyless, seed: readonly (string | number)[], seen: string): Change {
  const steps = change.steps.map((step) => ({ ...step, idempotency_key: keyOf(change, step, [...seed, seen]) }))
  return bound(change, steps, seen)
}

function seedOf({ basis, created }: Pick<Plan, 'basis' | 'created'>): string {
  return digest({ basis, created })
}

function keyOf({ address }: Keyless, { id }: Pick<Step, 'id'>, seed: readonly (string | number)[]): string {
  return `crossbill-${digest([...seed, address, id])}`
}

/** The idempotency keys that the steps of a plan must have, by change and step. */
export function rekeyed(plan: Plan): readonly (readonly string[])[] {
  const seed = seedOf(plan)
  return plan.changes.map((change, index) => {
    return change.steps.map((step) => keyOf(change, step, [seed, index, change.expect.seen]))
  })
}

/**
 * Counts of a plan by action. The number of unchanged resources is known only when the plan is
 * made.
 */
export function summaryOf(
  parts: Pick<PlanParts, 'drift' | 'deferred' | 'blocked'> & {
    readonly changes: readonly Keyless[]
    readonly unchanged?: number
  },
): Plan['summary'] {
  const count = (action: Action): number => parts.changes.filter((change) => change.action === action).length
  const byAction = Object.fromEntries(actions.map((action) => [action, count(action)])) as Record<Action, number>
  return {
    ...byAction,
    unchanged: parts.unchanged ?? 0,
    drift: parts.drift.length,
    deferred: addressesOf(parts.deferred).size,
    blocked: addressesOf(parts.blocked).size,
  }
}

/** An entry with several reasons counts once, here and in what `apply` reports. */
export function addressesOf(list: readonly { readonly address: string }[]): ReadonlySet<string> {
  return new Set(list.map(({ address }) => address))
}
