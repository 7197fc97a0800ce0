import { checklist } from './deliverables/checklist.ts'
import { cover } from './deliverables/cover.ts'
import { mapping } from './deliverables/mapping.ts'
import { migrationPlan } from './deliverables/migration-plan.ts'
import { people } from './deliverables/people.ts'
import { rollback } from './deliverables/rollback.ts'
import { runbook } from './deliverables/runbook.ts'
import { tests } from './deliverables/tests.ts'
import { webhooks } from './deliverables/webhooks.ts'
import type { Document } from './document.ts'
import type { Evidence } from './evidence.ts'
import type { Since } from './since.ts'

/**
 * The evidence packet: a cover, the seven deliverables and the people who wait. It names people by
 * ids only.
 */
export function packet(evidence: Evidence, since?: Since): readonly Document[] {
  const deliverables = [migrationPlan, mapping, tests, checklist, rollback, runbook, webhooks, people].map((one) =>
    one(evidence),
  )
  return [cover(evidence, deliverables, since), ...deliverables]
}
