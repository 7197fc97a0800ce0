/** Guards by name: the limit that applies without a word in project.yaml, and what it means when it trips. */
export const guardDefaults = {
  /** Subscribers moved, settled or reverted by one apply. */
  people_moved: 500,
  /** Percent of monthly recurring revenue touched by moves of one apply. */
  mrr_share: 100,
  /** Percent of the catalog's live objects retired by one apply. */
  retire_share: 20,
  /** Objects retired because nothing at all is declared. */
  empty_catalog: 0,
  /** Webhook endpoints replaced (their signing secret changes). */
  webhook_replace: 0,
  /** Changes applied in live mode without a reviewed plan file. */
  live_without_plan_file: 0,
  /** Hours since the plan was made. */
  plan_age: 24,
  /** Percent of first renewals in the target that were declined. */
  declines: 10,
  /** Enabled webhook endpoints in a source that hear `customer.subscription.deleted`, while something is settled. */
  old_webhooks_enabled: 0,
  /** Settles without a captured payment in the target: undo ends with them. */
  settle_unproven: 0,
} as const satisfies Readonly<Record<string, number>>

export type GuardName = keyof typeof guardDefaults

export const guardNames: readonly string[] = Object.keys(guardDefaults)
