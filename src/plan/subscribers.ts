import { greatest } from '../core/lists.ts'
import { subscriberAddress } from '../core/address.ts'
import { digest } from '../core/canonical.ts'
import { formatInstant } from '../core/instant.ts'
import type { Classification, HandoverPlan } from '../handover/types.ts'
import type { Keyless } from './change.ts'
import type { Blocked, Deferred, Drift, HandoverChange } from './types.ts'

/** The part of a plan that concerns subscribers. */
export interface SubscriberParts {
  readonly changes: readonly Keyless<HandoverChange>[]
  readonly touched: ReadonlyMap<string, string>
  readonly drift: readonly Drift[]
  readonly deferred: readonly Deferred[]
  readonly blocked: readonly Blocked[]
  readonly unchanged: number
  readonly people: Readonly<Record<string, number>>
  /** Number of subscribers moved, settled or reverted, for the guards. */
  readonly moved: number
  /** Addresses of settles that no captured payment has proven. */
  readonly unproven: readonly string[]
  /** Addresses of settles after a cancel in the target that nothing explains. */
  readonly unexplained: readonly string[]
  readonly movedShare: number
}

/**
 * Turns outcomes into the plan's lists, in the order of the classification, which follows the
 * files.
 */
export function planSubscribers(classified: readonly Classification[]): SubscriberParts {
  const planned = classified.flatMap((one) => ('plan' in one ? [{ key: one.key, plan: one.plan }] : []))
  const people: Record<string, number> = {}
  for (const one of classified) if (exists(one)) people[one.outcome] = (people[one.outcome] ?? 0) + 1
  return {
    changes: planned.map(({ key, plan }) => change(key, plan)),
    touched: new Map(planned.map(({ key, plan }) => [subscriberAddress(key), seenOf(plan)])),
    drift: classified.flatMap((one) =>
      one.drift
        .filter(({ code }) => code !== 'entry_differs' || !isBlockedBy(one, code))
        .map(({ code, message }) => ({ address: subscriberAddress(one.key), code, message, patch: [] })),
    ),
    deferred: classified.flatMap((one) => deferred(one)),
    blocked: classified.flatMap((one) => blocked(one)),
    unchanged: people['unchanged'] ?? 0,
    people,
    moved: planned.length,
    unproven: planned.filter(({ plan }) => plan.unproven).map(({ key }) => subscriberAddress(key)),
    unexplained: planned.filter(({ plan }) => plan.unexplained === true).map(({ key }) => subscriberAddress(key)),
    movedShare: movedShare(classified),
  }
}

/** An entry without a subscription is blocked, and is not a subscriber. */
function exists(one: Classification): boolean {
  return one.outcome !== 'blocked' || one.reasons.every(({ code }) => code !== 'not_in_source')
}

/** Its edited entry is listed there with a fix, and not once more as drift. */
function isBlockedBy(one: Classification, code: string): boolean {
  return one.outcome === 'blocked' && one.reasons.some((reason) => reason.code === code)
}

/**
 * What must not change between review and hand-over: the old subscription, its next renewal, its
 * successor if one exists, and a tax change that the plan showed.
 */
function seenOf({ expect }: HandoverPlan): string {
  const tax = expect.tax_change === null ? [] : [expect.tax_change]
  return digest([expect.fingerprint, expect.next, expect.successor, expect.successor_fingerprint, ...tax])
}

function change(key: string, plan: HandoverPlan): Keyless<HandoverChange> {
  return {
    address: subscriberAddress(key),
    action: plan.goal,
    because: plan.because,
    patch: [],
    people: 1,
    steps: plan.steps,
    expect: plan.expect,
  }
}

function deferred(one: Classification): Deferred[] {
  if (one.outcome !== 'deferred') return []
  const { code, until, message } = one
  return [{ address: subscriberAddress(one.key), code, until: formatInstant(until), message }]
}

function blocked(one: Classification): Blocked[] {
  if (one.outcome !== 'blocked') return []
  return one.reasons.map(({ code, message, fix }) => ({ address: subscriberAddress(one.key), code, message, fix }))
}

/**
 * Percent of the monthly revenue whose payer changes, in the currency where the share is highest.
 */
function movedShare(classified: readonly Classification[]): number {
  const sums = new Map<string, { all: number; moved: number }>()
  for (const one of classified) {
    if (one.monthly === undefined) continue
    const sum = sums.get(one.monthly.currency) ?? { all: 0, moved: 0 }
    const moves = one.outcome === 'move' || one.outcome === 'revert'
    sums.set(one.monthly.currency, {
      all: sum.all + one.monthly.amount,
      moved: sum.moved + (moves ? one.monthly.amount : 0),
    })
  }
  const shares = [...sums.values()].map(({ all, moved }) => (all === 0 ? 0 : Math.round((100 * moved) / all)))
  return Math.max(0, greatest(shares))
}
