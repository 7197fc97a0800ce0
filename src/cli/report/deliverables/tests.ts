import { actionWords, plural, shortDigest, when } from '../../render/words.ts'
import type { AppliedPlan } from '../../../engine/apply/applied-log.ts'
import type { Action } from '../../../plan/types.ts'
import type { Document } from '../document.ts'
import type { Evidence } from '../evidence.ts'
import { chargesPerDay } from '../plots/charges.ts'
import { verdictLine } from '../rehearsal-verdict.ts'
import { said } from '../said.ts'
import { questionsSection } from './questions.ts'
import { code } from './words.ts'

/** What a check of `doctor` looks at, for those who do not know its code. */
const checkWords: Readonly<Record<string, string | undefined>> = {
  account: 'identity',
  permission: 'permissions of the key',
  portal_allows_changes: 'customer portal',
  payment_link_active: 'payment links',
  checkout_session_open: 'open checkouts',
  old_webhook_enabled: 'webhooks of old programs',
  charges_enabled: 'payments',
  tax_registrations: 'tax',
  service_events: 'events for the cancel service',
  unfinished_work: 'interrupted runs',
}

const resultWords: Readonly<Record<AppliedPlan['result'], string>> = {
  proven: 'read again and proven',
  open: 'a part was left open',
  interrupted: 'interrupted by a user',
  stopped: 'stopped; the next run continued',
}

/** `61 to create` is done by now: `create 61, move 5`. */
function doneWords(done: AppliedPlan['done']): string {
  const parts = Object.entries(done).map(([action, count]) => `${actionWords[action as Action].verb} ${count}`)
  return parts.length === 0 ? 'nothing' : parts.join(', ')
}

/** What was checked, when, by which version, and what was found. */
export function tests(evidence: Evidence): Document {
  const { applied, verified, doctor, at, tool, plan, rehearsals, standing } = evidence
  const findings = doctor.findings.map(({ status, account, check, message }) => [
    status,
    account ?? '',
    `${checkWords[check] ?? check.replaceAll('_', ' ')}: ${message} ${code(check)}`,
  ])
  const compared = plan.money.tax ?? []
  return {
    slug: 'verification',
    title: 'What was checked',
    intro: `On ${when(at)}: ${plural(verified.checked, 'subscriber')}, ${plural(verified.violations.length, 'violation')}.`,
    sections: [
      {
        heading: 'Tests',
        text: 'Each row names the command that repeats it.',
        table: {
          heads: ['test', 'when', 'version', 'result'],
          rows: [
            [
              '`crossbill verify`',
              when(at),
              tool,
              verified.ok ? 'holds' : plural(verified.violations.length, 'violation'),
            ],
            ['`crossbill doctor`', when(at), tool, doctor.ok ? 'no failed check' : 'a check failed'],
            ['`crossbill plan`', when(plan.created), plan.tool, `digest ${code(shortDigest(plan.plan))}`],
            ...rehearsals.map((one) => [
              code(`crossbill rehearse --months ${one.months}${one.withFaults ? ' --faults' : ''} --seed ${one.seed}`),
              when(one.at),
              one.tool,
              `${verdictLine(one)} ${one.counts.actual} of ${one.counts.expected} charges: [all of it](${one.withFaults ? 'rehearsal-faults' : 'rehearsal'})`,
            ]),
            ...(rehearsals.length === 0 ? [['`crossbill rehearse`', 'not run in this project folder', '', '']] : []),
            [
              'taxes compared by previews',
              when(plan.created),
              plan.tool,
              compared.length === 0 ? 'no difference' : `${plural(compared.length, 'line')} in the plan`,
            ],
          ],
        },
      },
      {
        heading: `Plans that were applied (${applied.length})`,
        text: 'As this store recorded them; plans of another store, or of a lost one, are not listed. A digest covers the whole plan: `crossbill show FILE` prints it for a saved one, and `report.json` has all 64 characters.',
        table: {
          heads: ['digest', 'made', 'applied', 'version', 'result', 'what it did', 'guards allowed'],
          rows: applied.map((one) => [
            code(shortDigest(one.plan)),
            when(one.made),
            when(one.ended ?? one.began),
            one.tool,
            resultWords[one.result],
            doneWords(one.done),
            one.allowed.length === 0 ? 'none' : one.allowed.map(code).join(' '),
          ]),
        },
      },
      ...rehearsals.slice(0, 1).map((one) => ({
        heading: 'Charges a day in both worlds',
        text: `The rehearsal of ${when(one.at)}, ${plural(one.months, 'month')} ahead. Declined payments: ${one.declines.expected} in the control run, ${one.declines.actual} with the migration. Subscriptions that fell behind because of them: ${one.dunning.expected} and ${one.dunning.actual}.`,
        plot: {
          picture: chargesPerDay(one),
          words: 'Bars: charges without a migration. Blue caps: charges with it. Shaded: a wave can still be undone.',
        },
      })),
      {
        heading: verified.ok ? 'Exactly one payer for each subscriber' : `Violations (${verified.violations.length})`,
        ...(verified.violations.length === 0
          ? { text: 'No violation.' }
          : {
              table: {
                heads: ['violation', 'subscriber', 'details', 'what to do'],
                rows: verified.violations.map((one) => [said(one.code), code(one.subscriber), one.detail, one.fix]),
              },
            }),
      },
      {
        heading: `Accounts and doors (${findings.length})`,
        table: { heads: ['result', 'account', 'what was seen'], rows: findings },
      },
      questionsSection(standing),
    ],
  }
}
