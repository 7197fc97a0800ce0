import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import { type Instant, parseInstant } from '../core/instant.ts'
import { present } from '../core/assert.ts'
import type { LintSwitches } from './rule-names.ts'
import type { SecretRef } from './secret-schema.ts'
import type { AlertsConfig, KajabiConfig, ServeConfig } from './service-schema.ts'
import type { AccountConfig, Policies, Project } from './types.ts'

const policyDefaults: Policies = {
  tax: 'same',
  tax_accepted: [],
  customer_balance: 'stop',
  pending_invoice_items: 'stop',
  past_due: 'stop',
  schedules: 'stop',
  collection_paused: 'stop',
  settle_after_days: 14,
  renewal_window_hours: 48,
  cancel: 'now',
  uncharged_period: 'invoice',
  setup_failed: 'keep',
  plan_hours: 24,
}

/**
 * Default start of the sandbox's clock. It is fixed, so that the same project gives the same plan.
 */
const sandboxClock = '2026-12-01T12:00:00Z'

/** Reads `project.yaml` after its schema has accepted it, and fills in the defaults. */
export function projectFrom(written: JsonObject): Project {
  const sandbox = part(written['sandbox'])
  const text = typeof sandbox['clock'] === 'string' ? sandbox['clock'] : sandboxClock
  return {
    name: String(written['project'] as string),
    accounts: part(written['accounts']) as Readonly<Record<string, AccountConfig>>,
    policies: { ...policyDefaults, ...(part(written['policies']) as Partial<Policies>) },
    guards: part(written['guards']) as Readonly<Record<string, number>>,
    store: (written['store'] ?? { file: 'state/crossbill.db' }) as
      | { readonly file: string }
      | { readonly url: SecretRef },
    sandbox: {
      ...(sandbox['population'] === 'school' ? { population: 'school' } : {}),
      ...(typeof sandbox['subscribers'] === 'number' ? { subscribers: sandbox['subscribers'] } : {}),
      seed: typeof sandbox['seed'] === 'number' ? sandbox['seed'] : 1,
      clock: instantOf(text),
      copied: (sandbox['copied'] ?? []) as readonly string[],
    },
    ...(isJsonObject(written['lint']) ? { lint: written['lint'] as LintSwitches } : {}),
    copy_maps: part(written['copy_maps']) as Readonly<Record<string, readonly string[]>>,
    ...(isJsonObject(written['kajabi']) ? { kajabi: written['kajabi'] as KajabiConfig } : {}),
    ...(isJsonObject(written['serve']) ? { serve: written['serve'] as ServeConfig } : {}),
    ...(isJsonObject(written['alerts']) ? { alerts: written['alerts'] as AlertsConfig } : {}),
  }
}

/** Parses an instant that the schema has accepted. */
export function instantOf(text: string): Instant {
  return present(parseInstant(text), `instant ${text}`)
}

function part(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {}
}
