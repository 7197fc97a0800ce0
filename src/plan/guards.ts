import { guardDefaults, type GuardName } from '../catalog/guards.ts'
import type { GuardReading } from './types.ts'

const explanations: Readonly<Record<GuardName, (actual: number, limit: number) => string>> = {
  people_moved: (actual, limit) => `${actual} subscribers change hands at once, more than ${limit}`,
  mrr_share: (actual, limit) => `${actual} % of the monthly revenue moves at once, more than ${limit} %`,
  retire_share: (actual, limit) => `${actual} % of the catalog's live objects would be retired, more than ${limit} %`,
  removed_from_yaml: (actual) => `${actual} object(s) would be retired because they are no longer in the YAML`,
  empty_catalog: (actual) => `nothing is declared, so all ${actual} objects would be retired`,
  webhook_replace: (actual) => `${actual} webhook endpoint(s) would be replaced and get a new signing secret`,
  live_without_plan_file: (actual) => `${actual} change(s) in live mode without a reviewed plan file`,
  plan_age: (actual, limit) => `the plan is ${actual} hours old, more than ${limit}`,
  declines: (actual, limit) =>
    `first renewals in the target are declined ${actual} points more often than in the sources, more than ${limit}`,
  old_webhooks_enabled: (actual) =>
    `${actual} webhook endpoint(s) of the old accounts still hear customer.subscription.deleted`,
  settle_unproven: (actual) =>
    `${actual} subscriber(s) would be settled before a payment in the target proved the move`,
}

/** One guard read: tripped when `actual` is above the project's limit, or the default one. */
export function readGuard(
  id: GuardName,
  actual: number,
  limits: Readonly<Record<string, number>>,
  stops: readonly string[] = [],
): GuardReading {
  const limit = limits[id] ?? guardDefaults[id]
  const tripped = actual > limit
  if (!tripped) return { id, limit, actual, tripped }
  const only = stops.length === 0 ? '' : ', which leaves these settles out and does the rest of the plan'
  const message = `${explanations[id](actual, limit)}${only}; if that is meant: crossbill apply --allow ${id}, or guards.${id} in project.yaml`
  return { id, limit, actual, tripped, message, ...(stops.length === 0 ? {} : { stops }) }
}
