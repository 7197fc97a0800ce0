import { approvals } from './deliverables/approvals.ts'
import { checklist } from './deliverables/checklist.ts'
import { cover } from './deliverables/cover.ts'
import { mapping } from './deliverables/mapping.ts'
import { migrationPlan } from './deliverables/migration-plan.ts'
import { people } from './deliverables/people.ts'
import { rollback } from './deliverables/rollback.ts'
import { runbook } from './deliverables/runbook.ts'
import { tests } from './deliverables/tests.ts'
import { webhooks } from './deliverables/webhooks.ts'
import { codes } from './deliverables/codes.ts'
import { sincePage } from './deliverables/since-page.ts'
import type { Document } from './document.ts'
import type { Evidence } from './evidence.ts'
import { rehearsalBody } from './rehearsal-page.ts'
import { pageFile, type RehearsalRecord } from './rehearsal-record.ts'
import { assumedOf, peopleLine, verdictLine } from './rehearsal-verdict.ts'
import type { Since } from './since.ts'

/**
 * The evidence packet: a cover, the seven deliverables, the people who wait, the rehearsals, and
 * what the codes mean. It names people by ids only.
 */
export function packet(evidence: Evidence, since?: Since): readonly Document[] {
  const others = [
    ...[migrationPlan, mapping, tests, checklist, rollback, runbook, webhooks, approvals, people].map((one) =>
      one(evidence),
    ),
    ...evidence.rehearsals.map(rehearsalDocument),
    ...(since === undefined ? [] : [sincePage(since)]),
    codes(evidence),
  ]
  return [cover(evidence, others, since), ...others]
}

/** The page of a rehearsal, as the command wrote it, with its date and the way back. */
function rehearsalDocument(record: RehearsalRecord): Document {
  const { at, withFaults, counts, ok } = record
  const name = `Rehearsal of ${at.slice(0, 10)}${withFaults ? ', with faults' : ''}`
  const slug = pageFile(record).replace(/\.html$/, '')
  return {
    slug,
    title: name,
    intro: `${peopleLine(record)}. ${assumedOf(record).join(' ')} \`${slug}.html\` shows every day and every difference.`,
    verdict: { good: ok, text: verdictLine(record) },
    figures: [
      { label: 'charges expected', value: counts.expected },
      { label: 'charges made', value: counts.actual },
      { label: 'charged twice', value: counts.double },
      { label: 'missed', value: counts.missed },
      { label: 'different amount', value: counts.amount_differs },
      { label: 'different date', value: counts.date_differs },
    ],
    sections: [],
    page: rehearsalBody(record),
  }
}
