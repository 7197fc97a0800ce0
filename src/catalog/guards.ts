/**
 * Default limits of the guards, by name. A guard trips when its reading exceeds its limit. `--allow
 * NAME` overrides it once; `guards:` in project.yaml changes the limit permanently.
 */
export const guardDefaults = {
  /** Subscribers moved, settled or reverted by one apply. */
  people_moved: 500,
  /**
   * Percent of the monthly recurring revenue that one apply moves, in the currency where the share
   * is highest.
   */
  mrr_share: 100,
  /** Percent of this project's objects in use that one apply retires. */
  retire_share: 20,
  /**
   * Objects retired because their entries left the YAML without `retire: true` or a `removed:`
   * block.
   */
  removed_from_yaml: 0,
  /** Objects retired although the catalog declares no resource. */
  empty_catalog: 0,
  /**
   * Webhook endpoints and event destinations replaced; a replacement changes the signing secret.
   */
  webhook_replace: 0,
  /** Changes applied in live mode without a reviewed plan file. */
  live_without_plan_file: 0,
  /** Hours since the plan was made. */
  plan_age: 24,
  /**
   * Percentage points by which declines of first renewals in the target exceed the declines in the
   * sources. Within one apply, methods that cannot be set up count, and the other moves stop.
   */
  declines: 10,
  /**
   * Enabled endpoints and applications of a source that receive `customer.subscription.deleted`
   * while a subscription there is settled.
   */
  old_webhooks_enabled: 0,
  /**
   * Catalog objects that carry the mark of another project and would be marked with this project's
   * name or created again: `project:` in project.yaml was renamed.
   */
  project_renamed: 0,
  /**
   * Marked objects in an account of the other role: `target` and a source were exchanged in
   * project.yaml.
   */
  accounts_exchanged: 0,
  /** Settles without a captured payment in the target. A settled move cannot be reverted. */
  settle_unproven: 0,
  /**
   * Settles of subscribers whose new subscription was cancelled at once in the target, although
   * nothing says that the member asked. Members leave one by one; many at once are a mistake.
   */
  ended_unexplained: 5,
  /**
   * Offers revoked from members who still pay the price that gave them: `access.yaml` no longer
   * gives them for it.
   */
  access_revoked_from_payers: 0,
} as const satisfies Readonly<Record<string, number>>

export type GuardName = keyof typeof guardDefaults

export const guardNames = Object.keys(guardDefaults) as readonly GuardName[]

export function isGuardName(name: string): name is GuardName {
  return Object.hasOwn(guardDefaults, name)
}
