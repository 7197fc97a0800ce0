import { plural, when } from '../../render/words.ts'
import type { Document } from '../document.ts'
import { openResources, wavesOf, type Evidence } from '../evidence.ts'
import { code, span } from './words.ts'

/** The boxes of the cutover, filled from what the accounts show; who ticks them, and by when. */
export function checklist(evidence: Evidence): Document {
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
        text: 'Billing engineer.',
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
                : `${plural(plan.blocked.length, 'subscriber')} blocked: see [who waits](people).`,
          },
          rehearsed(evidence),
        ],
      },
      {
        heading: 'Doors of the old accounts',
        text: 'Owner, in the Dashboard of each account.',
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
        text: 'Billing engineer moves; the owner agrees before a wave is settled, because that cannot be undone.',
        checks: waves.flatMap(({ file, people: { source, moved }, excluded, renewals }) => {
          const toMove = source - excluded
          const toSettle = toMove + moved
          return [
            { done: toMove === 0, text: `${code(file)} moved (${toMove} remaining)` },
            ...(toMove === 0 ? [] : [{ done: false, text: `${code(file)} next renewals: ${span(renewals)}` }]),
            { done: toSettle === 0, text: `${code(file)} settled (${toSettle} remaining)` },
          ]
        }),
      },
      {
        heading: 'After each step',
        text: 'Billing engineer, and CI every night.',
        checks: [{ done: verified.ok, text: '`crossbill verify` finds no violation.' }],
      },
      {
        heading: 'Names',
        text: 'Fill in by hand. Crossbill stores no names.',
        table: {
          heads: ['role', 'name', 'reached at'],
          rows: ['owner', 'billing engineer', 'support', 'on call'].map((role) => [role, '', '']),
        },
      },
    ],
  }
}

function rehearsed({ rehearsals, at }: Evidence): { readonly done: boolean; readonly text: string } {
  const last = rehearsals.find(({ withFaults }) => withFaults) ?? rehearsals[0]
  if (last === undefined)
    return { done: false, text: 'Rehearsed: `crossbill rehearse`, then `crossbill rehearse --faults`.' }
  const age = Math.floor((Date.parse(at) - Date.parse(last.at)) / 86_400_000)
  const said = last.ok ? 'no subscriber would notice' : 'it found differences'
  return {
    done: last.ok && age < 7,
    text: `Rehearsed on ${when(last.at)}: ${said}. ${age < 7 ? '' : 'Repeat it with the newest data: `crossbill rehearse`.'}`.trim(),
  }
}
