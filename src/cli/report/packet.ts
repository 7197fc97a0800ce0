import { groupBy, money, plural, shortAddress, when } from '../render/words.ts'
import type { Document, Section } from './document.ts'
import type { RowStanding } from '../../assumptions/standing.ts'
import type { Plan } from '../../plan/types.ts'
import { openResources, wavesOf, type Evidence } from './evidence.ts'

/**
 * The evidence packet: the plan, the mapping of ids, the open tasks, the checks and the rollback
 * plan. It names people by ids only.
 */
export function packet(evidence: Evidence): readonly Document[] {
  return [migrationPlan(evidence), mapping(evidence), checklist(evidence), checks(evidence), rollback(evidence)]
}

const code = (text: string): string => `\`${text}\``

function migrationPlan(evidence: Evidence): Document {
  const { plan, catalog, at, tool } = evidence
  const accounts = Object.entries(plan.basis.accounts)
  return {
    slug: 'migration-plan',
    title: `Migration plan of ${catalog.project.name}`,
    intro: `Read on ${when(at)} with ${tool}. Every subscriber of the old accounts is in exactly one row of "People".`,
    sections: [
      {
        heading: 'Accounts',
        table: {
          heads: ['name', 'id', 'mode', 'role'],
          rows: accounts.map(([name, { id, livemode }]) => [
            name,
            code(id),
            livemode ? 'live' : 'test',
            name === 'target' ? 'bills all subscribers in the end' : 'old account',
          ]),
        },
      },
      {
        heading: 'Waves',
        text: 'A wave is a file. Edit its `stage` to move, revert or settle the wave.',
        table: {
          heads: ['file', 'still in the old account', 'moved, can be undone', 'settled', 'ended or ending'],
          rows: wavesOf(evidence).map(({ file, people: { source, moved, settled, ended } }) => [
            code(file),
            ...[source, moved, settled, ended].map(String),
          ]),
        },
      },
      {
        heading: 'People',
        table: {
          heads: ['outcome', 'people'],
          rows: Object.entries(plan.people).map(([what, count]) => [what, String(count)]),
        },
      },
      ...standing(plan.deferred, 'Waiting', (one) => `until ${when(one.until)}`),
      ...standing(plan.blocked, 'Blocked', (one) => `${one.message}. ${one.fix}`),
      ...ahead(plan),
      {
        heading: 'Money',
        text: 'Monthly revenue before and after the current plan.',
        table: {
          heads: ['currency', 'before', 'after'],
          rows: Object.entries(plan.money.mrr).map(([currency, { before, after }]) => [
            currency,
            money(before, currency),
            money(after, currency),
          ]),
        },
      },
    ],
  }
}

/** Notices on what no row of "People" shows, such as subscriptions that begin or end later. */
function ahead({ notices = [] }: Plan): Section[] {
  if (notices.length === 0) return []
  const rows = notices.map((one) => [
    code(one.code),
    code(one.subscriber),
    one.at === null ? '' : when(one.at),
    one.amount === undefined || one.currency === undefined ? '' : money(one.amount, one.currency),
    `${one.message}. ${one.fix}`,
  ])
  const heads = ['notice', 'subscriber', 'when', 'amount', 'details']
  return [{ heading: `Notices (${notices.length})`, table: { heads, rows } }]
}

function standing<T extends { readonly address: string; readonly code: string }>(
  all: readonly T[],
  heading: string,
  detail: (one: T) => string,
): Section[] {
  if (all.length === 0) return []
  const rows = all.map((one) => [code(shortAddress(one.address)), code(one.code), detail(one)])
  return [{ heading: `${heading} (${all.length})`, table: { heads: ['subscriber', 'why', 'details'], rows } }]
}

function mapping({ identities, catalog }: Evidence): Document {
  const kinds = [...groupBy(identities, (one) => one.kind)].sort(([a], [b]) => (a < b ? -1 : 1))
  const written = [...catalog.mappings].flatMap(([source, sections]) =>
    Object.entries(sections).flatMap(([section, ids]) =>
      Object.entries(ids as Record<string, string>).map(([id, key]) => [source, section, code(id), code(key)]),
    ),
  )
  return {
    slug: 'mapping',
    title: 'Old and new ids',
    intro: 'Each old id with its new id. `crossbill state export --format csv` prints the same as CSV.',
    sections: [
      ...kinds.map(([kind, members]) => ({
        heading: `${kind} (${members.length})`,
        table: {
          heads: ['account', 'old id', 'in the catalog', 'new id'],
          rows: members.map((one) => [one.source, code(one.old_id), code(one.address), code(one.new_id)]),
        },
      })),
      {
        heading: `Mappings in the catalog (${written.length})`,
        table: { heads: ['account', 'kind', 'old id', 'key'], rows: written },
      },
    ],
  }
}

function checklist(evidence: Evidence): Document {
  const { plan, verified, doctor, copied } = evidence
  const open = openResources(plan)
  const missing = copied.findings.length
  const doors = doctor.findings.filter((finding) => finding.status !== 'ok')
  const waves = wavesOf(evidence)
  const undeclared = verified.violations.filter((one) => one.code === 'undeclared_subscription').length
  return {
    slug: 'cutover-checklist',
    title: 'Cutover checklist',
    intro: `The boxes show the accounts as of ${when(evidence.at)}. Each open box says what to do.`,
    sections: [
      {
        heading: 'Before the first wave',
        checks: [
          {
            done: open === 0,
            text:
              open === 0
                ? 'The catalog is in the target.'
                : `${plural(open, 'change')} of the catalog to apply: \`crossbill apply\`.`,
          },
          {
            done: missing === 0,
            text:
              missing === 0
                ? 'Every subscriber has a copied payment method.'
                : `${plural(missing, 'subscriber')} without a copied payment method: \`crossbill copy-map check\`.`,
          },
          {
            done: undeclared === 0,
            text:
              undeclared === 0
                ? 'Every live subscription of the old accounts is declared.'
                : `${plural(undeclared, 'subscription')} not declared: \`crossbill pull\`.`,
          },
          {
            done: plan.blocked.length === 0,
            text:
              plan.blocked.length === 0
                ? 'No subscriber is blocked.'
                : `${plural(plan.blocked.length, 'subscriber')} blocked: see the migration plan.`,
          },
        ],
      },
      {
        heading: 'Doors of the old accounts',
        checks:
          doors.length === 0
            ? [{ done: true, text: 'No door is open.' }]
            : doors.map(({ account, check, message, fix }) => ({
                done: false,
                text: `${account === undefined ? '' : `${account}: `}${code(check)} ${message}. ${fix}`,
              })),
      },
      {
        heading: 'Each wave',
        checks: waves.flatMap(({ file, people: { source, moved }, excluded }) => {
          const toMove = source - excluded
          const toSettle = toMove + moved
          return [
            { done: toMove === 0, text: `${code(file)} moved (${toMove} remaining)` },
            { done: toSettle === 0, text: `${code(file)} settled (${toSettle} remaining)` },
          ]
        }),
      },
      { heading: 'After each step', checks: [{ done: verified.ok, text: '`crossbill verify` finds no violation.' }] },
    ],
  }
}

const answers: Readonly<Record<RowStanding['status'], string>> = {
  confirmed: 'confirmed',
  otherwise: 'confirmed otherwise',
  unexpected: 'UNEXPECTED',
  open: 'never confirmed',
  by_hand: 'never confirmed; only a person can',
}

/** The questions that the documents leave open, with what a test account answered. */
function questionsSection(standing: readonly RowStanding[]): Section {
  const open = standing.filter(({ status }) => status === 'open' || status === 'by_hand').length
  return {
    heading: `Questions that the documents leave open (${standing.length}, ${open} never confirmed)`,
    table: {
      heads: ['row', 'question', 'answer', 'people', 'what it means'],
      rows: standing.map(({ row, asks, status, reading, people, consequence, side }) => [
        String(row),
        asks,
        `${answers[status]}${reading === undefined ? '' : ` (${reading})`}`,
        String(people),
        consequence ?? side,
      ]),
    },
  }
}

function checks({ verified, doctor, at, standing }: Evidence): Document {
  const findings = doctor.findings.map(({ status, account, check, message }) => [
    status,
    account ?? '',
    code(check),
    message,
  ])
  return {
    slug: 'verification',
    title: 'What was checked',
    intro: `On ${when(at)}: ${plural(verified.checked, 'subscriber')}, ${plural(verified.violations.length, 'violation')}.`,
    sections: [
      {
        heading: verified.ok ? 'Exactly one payer for each subscriber' : `Violations (${verified.violations.length})`,
        table: {
          heads: ['violation', 'subscriber', 'details', 'what to do'],
          rows: verified.violations.map((one) => [code(one.code), code(one.subscriber), one.detail, one.fix]),
        },
      },
      {
        heading: `Accounts and doors (${findings.length})`,
        table: { heads: ['result', 'account', 'check', 'details'], rows: findings },
      },
      questionsSection(standing),
    ],
  }
}

function rollback(evidence: Evidence): Document {
  const waves = wavesOf(evidence).filter(({ people }) => people.moved + people.settled > 0)
  return {
    slug: 'rollback',
    title: 'Rollback plan',
    intro:
      'Until a subscriber is settled, the old subscription is on hold, and the move can be reverted. A revert is a plan and can be reviewed like every plan.',
    sections: [
      {
        heading: 'Subscribers that can be reverted now',
        table: {
          heads: ['wave', 'can be reverted', 'settled, cannot be reverted'],
          rows: waves.map(({ file, people }) => [code(file), String(people.moved), String(people.settled)]),
        },
      },
      {
        heading: 'Phases in the store',
        table: {
          heads: ['phase', 'people'],
          rows: [...groupBy([...evidence.phases.values()], (phase) => phase)].map(([phase, all]) => [
            phase,
            String(all.length),
          ]),
        },
      },
      {
        heading: 'How to revert a wave',
        steps: [
          'In the wave file, change `stage: target` to `stage: source`.',
          'Run `crossbill plan --out plans/back.plan.json`. The plan lists the subscribers that can no longer be reverted, with the reason.',
          'Review the plan, then run `crossbill apply plans/back.plan.json`.',
          'Run `crossbill verify`. It must find no violation.',
        ],
      },
    ],
  }
}
