import { instantOf } from './instant-of.ts'
import type { WrittenProject } from './schemas/project.ts'
import type { Policies, Project } from './types.ts'

const policyDefaults: Policies = {
  tax: 'same',
  tax_accepted: [],
  customer_balance: 'stop',
  pending_invoice_items: 'stop',
  past_due: 'stop',
  schedules: 'stop',
  collection_paused: 'stop',
  metered: 'stop',
  settle_after_days: 14,
  renewal_window_hours: 48,
  cancel: 'now',
  uncharged_period: 'invoice',
  setup_failed: 'keep',
  applications: {},
  leave: {},
  plan_hours: 24,
}

/**
 * Default start of the sandbox's clock. It is fixed, so that the same project gives the same plan.
 */
const sandboxClock = '2026-12-01T12:00:00Z'

/**
 * Reads `project.yaml` after its schema has accepted it, and fills in the defaults. Partial: a
 * lenient reader leaves out what the schema refuses, down to an empty project.
 */
export function projectFrom(written: Partial<WrittenProject>): Project {
  const { lint, kajabi, serve, alerts, sandbox = {} } = written
  return {
    name: written.project ?? '',
    accounts: written.accounts ?? {},
    policies: { ...policyDefaults, ...written.policies },
    guards: written.guards ?? {},
    store: written.store ?? { file: 'state/crossbill.db' },
    sandbox: {
      ...(sandbox.population === undefined ? {} : { population: sandbox.population }),
      ...(sandbox.subscribers === undefined ? {} : { subscribers: sandbox.subscribers }),
      seed: sandbox.seed ?? 1,
      clock: instantOf(sandbox.clock ?? sandboxClock),
      copied: sandbox.copied ?? [],
    },
    ...(lint === undefined ? {} : { lint }),
    copy_maps: written.copy_maps ?? {},
    ...(kajabi === undefined ? {} : { kajabi }),
    ...(serve === undefined ? {} : { serve }),
    ...(alerts === undefined ? {} : { alerts }),
  }
}
