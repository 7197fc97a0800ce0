import { groupBy, money, plural, shortAddress, when } from '../render/words.ts'
import type { Document, Section } from './document.ts'
import type { Plan } from '../../plan/types.ts'
import { openResources, wavesOf, type Evidence } from './evidence.ts'

/**
 * The evidence packet: what is planned, what maps to what, what is left to do, what was checked,
 * how to go back. Ids only.
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
            name === 'target' ? 'bills everybody in the end' : 'old account',
          ]),
        },
      },
      {
        heading: 'Waves',
        text: 'A wave is a file; moving it, undoing it and finishing it are edits of its `stage`.',
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
        text: 'Revenue a month before and after the current plan.',
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

/** What no row of "People" shows: it begins or ends later, or nothing bills or gives it. */
function ahead({ notices = [] }: Plan): Section[] {
  if (notices.length === 0) return []
  const rows = notices.map((one) => [
    code(one.code),
    code(one.subscriber),
    one.at === null ? '' : when(one.at),
    one.amount === undefined || one.currency === undefined ? '' : money(one.amount, one.currency),
    `${one.message}. ${one.fix}`,
  ])
  const heads = ['what', 'who', 'when', 'amount', 'what to know']
  return [{ heading: `Worth knowing (${notices.length})`, table: { heads, rows } }]
}

function standing<T extends { readonly address: string; readonly code: string }>(
  all: readonly T[],
  heading: string,
  detail: (one: T) => string,
): Section[] {
  if (all.length === 0) return []
  const rows = all.map((one) => [code(shortAddress(one.address)), code(one.code), detail(one)])
  return [{ heading: `${heading} (${all.length})`, table: { heads: ['subscriber', 'why', 'what to know'], rows } }]
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
    intro: 'Each old id and its counterpart. As CSV: `crossbill state export --format csv`.',
    sections: [
      ...kinds.map(([kind, members]) => ({
        heading: `${kind} (${members.length})`,
        table: {
          heads: ['account', 'old id', 'in the catalog', 'new id'],
          rows: members.map((one) => [one.source, code(one.old_id), code(one.address), code(one.new_id)]),
        },
      })),
      {
        heading: `Mappings as written in the catalog (${written.length})`,
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
    intro: `The boxes are filled from the accounts as of ${when(evidence.at)}. Each open box says what to do.`,
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
                : `${plural(missing, 'subscriber')} without one: \`crossbill copy-map check\`.`,
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
                ? 'Nobody is blocked.'
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
            { done: toMove === 0, text: `${code(file)} moved (${toMove} to go)` },
            { done: toSettle === 0, text: `${code(file)} settled (${toSettle} to go)` },
          ]
        }),
      },
      { heading: 'After each act', checks: [{ done: verified.ok, text: '`crossbill verify` holds.' }] },
    ],
  }
}

function checks({ verified, doctor, at }: Evidence): Document {
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
        heading: verified.ok ? 'One payer each: holds' : `Violations (${verified.violations.length})`,
        table: {
          heads: ['violation', 'subscriber', 'what', 'what to do'],
          rows: verified.violations.map((one) => [code(one.code), code(one.subscriber), one.detail, one.fix]),
        },
      },
      {
        heading: `Accounts and doors (${findings.length})`,
        table: { heads: ['', 'account', 'check', 'what'], rows: findings },
      },
    ],
  }
}

function rollback(evidence: Evidence): Document {
  const waves = wavesOf(evidence).filter(({ people }) => people.moved + people.settled > 0)
  return {
    slug: 'rollback',
    title: 'Rollback plan',
    intro:
      'Until a subscriber is settled, the old subscription is on hold. A revert is a reviewed plan like any other.',
    sections: [
      {
        heading: 'Who can be set back now',
        table: {
          heads: ['wave', 'can be set back', 'settled, cannot'],
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
        heading: 'To set a wave back',
        steps: [
          'In the wave file change `stage: target` to `stage: source`.',
          '`crossbill plan --out plans/back.plan.json`: it lists the subscribers that can no longer be reverted, with the reason.',
          'Review it, then `crossbill apply plans/back.plan.json`.',
          '`crossbill verify` holds.',
        ],
      },
    ],
  }
}
