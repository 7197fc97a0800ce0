import { plural, when } from '../../render/words.ts'
import type { Document } from '../document.ts'
import { openResources, peopleIn, wavesOf, type Evidence } from '../evidence.ts'
import { verdictLine } from '../rehearsal-verdict.ts'
import { waveName } from '../rehearsal-words.ts'
import { findingText, openFindings } from './decisions.ts'
import { span } from './words.ts'

/** The boxes of the cutover, filled from what the accounts show; who ticks them, and by when. */
export function checklist(evidence: Evidence): Document {
  const { plan, verified, copied, catalog, way } = evidence
  const { settle_after_days: settleDays, renewal_window_hours: windowHours } = catalog.project.policies
  const open = openResources(plan)
  const missing = copied.findings.length
  const { doors, others } = openFindings(evidence)
  const uncopied = way.rows.filter(({ state }) => state === 'uncopied')
  const waves = wavesOf(evidence)
  const needed = peopleIn(evidence, 'needs', 'asked')
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
          ...uncopied.map(({ people, note = '' }) => ({
            done: false,
            text: `${plural(people, 'subscriber waits', 'subscribers wait')} for Stripe’s copy, which the owner requests. ${note}`,
          })),
          {
            done: missing === 0,
            text:
              missing === 0
                ? 'Every subscriber has a copied payment method.'
                : `${plural(missing, 'subscriber')}${uncopied.length > 0 ? ', these included,' : ''} without a copied payment method: \`crossbill copy-map check\`.`,
          },
          {
            done: undeclared === 0,
            text:
              undeclared === 0
                ? 'Every live subscription of the old accounts is declared.'
                : `${plural(undeclared, 'subscription')} not declared: \`crossbill pull\`.`,
          },
          {
            done: needed === 0,
            text:
              needed === 0
                ? 'No subscriber needs a decision.'
                : `${plural(needed, 'subscriber needs', 'subscribers need')} a decision or a card: see [who waits](people).`,
          },
          rehearsed(evidence),
          ...others.map((one) => ({ done: false, text: findingText(one) })),
        ],
      },
      {
        heading: 'Doors of the old accounts',
        text: 'Owner, in the Dashboard of each account.',
        checks:
          doors.length === 0
            ? [{ done: true, text: 'No door is open.' }]
            : doors.map((one) => ({ done: false, text: findingText(one) })),
      },
      {
        heading: 'Each wave',
        text: 'Billing engineer moves; the owner agrees before a wave is settled, because that cannot be undone.',
        checks: waves.flatMap(
          ({ file, people: { source, moved }, excluded, renewals, moved: movedOn, settled: settledOn }) => {
            const on = (days: readonly string[], left: number): string =>
              days.length === 0 ? '' : `${left === 0 ? ',' : '; so far'} ${span(days)}`
            const toMove = source - excluded
            const toSettle = toMove + moved
            return [
              {
                done: toMove === 0,
                text: `${waveName(file)} moved (${toMove} remaining)${on(movedOn, toMove)}${toMove === 0 || renewals.length === 0 ? '' : `; next renewals ${span(renewals)}; who renews within ${windowHours} hours moves after that renewal`}`,
              },
              {
                done: toSettle === 0,
                text: `${waveName(file)} settled (${toSettle} remaining)${on(settledOn, toSettle)}${toSettle === 0 ? '' : `; after the first paid renewal, or ${plural(settleDays, 'day')} after the move`}`,
              },
            ]
          },
        ),
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
  const beforeCopy = (last.uncopied ?? []).length > 0
  const assumed = beforeCopy ? `, as if Stripe had copied ${last.uncopied?.join(' and ')}` : ''
  const again = beforeCopy
    ? 'Repeat it after the copy: `crossbill rehearse`.'
    : 'Repeat it with the newest data: `crossbill rehearse`.'
  const age = Math.floor((Date.parse(at) - Date.parse(last.at)) / 86_400_000)
  return {
    done: last.ok && age < 7 && !beforeCopy,
    text: `Rehearsed on ${when(last.at)}${assumed}: ${verdictLine(last)} ${age < 7 && !beforeCopy ? '' : again}`.trim(),
  }
}
