import { guardDefaults, type GuardName } from '../catalog/guards.ts'
import type { Project } from '../catalog/types.ts'
import type { GuardReading } from './types.ts'

const explanations: Readonly<Record<GuardName, (actual: number, limit: number) => string>> = {
  people_moved: (actual, limit) =>
    `${actual} subscribers would be moved, settled or reverted in one apply; the limit is ${limit}`,
  mrr_share: (actual, limit) => `${actual} % of the monthly revenue would move in one apply; the limit is ${limit} %`,
  retire_share: (actual, limit) =>
    `${actual} % of the catalog's objects in use would be retired; the limit is ${limit} %`,
  removed_from_yaml: (actual) => `${actual} object(s) would be retired because they are no longer in the YAML`,
  empty_catalog: (actual) => `the catalog declares no resource, and ${actual} object(s) would be retired`,
  webhook_replace: (actual) =>
    `${actual} webhook endpoint(s) or event destination(s) would be replaced and get a new signing secret`,
  live_without_plan_file: (actual) => `${actual} change(s) would be made in live mode without a reviewed plan file`,
  plan_age: (actual, limit) => `the plan is ${actual} hours old; the limit is ${limit}`,
  declines: (actual, limit) =>
    `first renewals in the target are declined ${actual} points more often than in the sources; the limit is ${limit}`,
  old_webhooks_enabled: (actual) =>
    `${actual} webhook endpoint(s) of the old accounts still receive customer.subscription.deleted`,
  project_renamed: (actual) =>
    `${actual} object(s) of this catalog carry the mark of another project. The plan would mark them with the name of this project, or create them again. Subscribers whom that project moved stay its own: they are neither reverted nor settled here. If \`project:\` in project.yaml was renamed, write the earlier name again`,
  accounts_exchanged: (actual) =>
    `${actual} object(s) carry marks that Crossbill sets only in an account of the other role: a source has catalog objects or new subscriptions of this project, or the target has subscriptions that it put on hold. \`target\` and a source were exchanged in catalog/project.yaml. Write the accounts as they were before`,
  settle_unproven: (actual) =>
    `${actual} subscriber(s) would be settled before a payment in the target proves the move`,
  ended_unexplained: (actual) =>
    `${actual} member(s) would lose their old subscription, because their new one was cancelled at once in the target and nothing says that they asked. Look at each of them: crossbill explain names who it is. If one was cancelled by mistake, resume the collection of the old subscription in the Dashboard, remove \`crossbill_hold\` from its metadata and exclude the subscriber with a reason; they are then billed there`,
  access_revoked_from_payers: (actual) =>
    `${actual} offer(s) would be revoked from members who still pay, because access.yaml no longer gives these offers for the prices that they pay. Add each price under its earlier offer in catalog/access.yaml again to keep their access`,
}

/** What a guard that stops some changes leaves out. */
function stopped(id: GuardName): string {
  return id === 'access_revoked_from_payers' ? 'revokes' : 'settles'
}

/**
 * Reads one guard. It trips when `actual` exceeds the project's limit, or else the default limit.
 */
export function readGuard(
  id: GuardName,
  actual: number,
  limits: Project['guards'],
  stops: readonly string[] = [],
): GuardReading {
  const limit = limits[id] ?? guardDefaults[id]
  const tripped = actual > limit
  if (!tripped) return { id, limit, actual, tripped }
  const only = stops.length === 0 ? '' : `; these ${stopped(id)} are left out, the rest of the plan is applied`
  const message = `${explanations[id](actual, limit)}${only}. If this is intended, run crossbill apply --allow ${id}, or set guards.${id} in project.yaml`
  return { id, limit, actual, tripped, message, ...(stops.length === 0 ? {} : { stops }) }
}
