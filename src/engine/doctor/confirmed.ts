import { brokenPromises, standingOf, type RowStanding } from '../../assumptions/standing.ts'
import type { Context } from '../context.ts'
import type { DoctorFinding } from '../finding.ts'

/**
 * What a test account answered to the questions that Stripe's documents leave open, and which of
 * them nobody has asked. A project of simulated accounts has nothing to ask.
 */
export function checkConfirmed({ confirmed, catalog, accounts }: Context): readonly DoctorFinding[] {
  if (confirmed === undefined) return []
  const simulated = Object.values(catalog.project.accounts).every((account) => account.sandbox === true)
  if ('missing' in confirmed) return simulated ? [] : [unasked(standingOf(confirmed, catalog))]
  if ('problem' in confirmed)
    return [
      {
        check: 'confirmed_unreadable',
        status: 'warning',
        message: `state/confirmed.json cannot be read: ${confirmed.problem}`,
        fix: 'crossbill confirm: it writes the file again',
      },
    ]
  const { account, at, api_version: version } = confirmed.record
  const rows = standingOf(confirmed, catalog)
  const open = rows.filter(({ status }) => status === 'open')
  return [
    ...(version === accounts.target.apiVersion
      ? []
      : [
          {
            check: 'confirmed_other_version',
            status: 'warning' as const,
            message: `${account} was asked on ${at} in the API version ${version}; Crossbill now uses ${accounts.target.apiVersion}`,
            fix: 'crossbill confirm: it asks again',
          },
        ]),
    ...rows.flatMap(answered),
    ...brokenPromises(confirmed).map((one) => ({
      check: 'stripe_differs',
      status: 'failed' as const,
      message: `${account} does not behave as documented: ${one.case} (it answers ${one.seen ?? 'otherwise'})`,
      fix: 'crossbill confirm: it asks again; if the answer stays, move nobody until it is understood',
    })),
    {
      check: 'questions',
      status: open.length === 0 ? ('ok' as const) : ('warning' as const),
      message: `${account} answered ${rows.filter(isAnswered).length} open questions about Stripe on ${at}${open.length === 0 ? '' : `; never confirmed: rows ${listOf(open)}`}; for people to confirm: rows ${listOf(rows.filter(({ status }) => status === 'by_hand'))}`,
      fix: open.length === 0 ? '' : 'crossbill confirm, with an account that offers what those cases need',
    },
  ]
}

function isAnswered({ status }: RowStanding): boolean {
  return status === 'confirmed' || status === 'otherwise' || status === 'unexpected'
}

/** An answer that the documents allow is no fault: it is shown with what it changes. */
function answered({ row, status, consequence, asks }: RowStanding): readonly DoctorFinding[] {
  if (consequence === undefined) return []
  const unexpected = status === 'unexpected'
  return [
    {
      check: 'stripe_differs',
      status: unexpected ? 'failed' : 'warning',
      message: `row ${row} (${asks}): ${consequence}`,
      fix: unexpected
        ? 'crossbill confirm: it asks again; if the answer stays, move nobody until it is understood'
        : `docs/to-confirm.md, row ${row}, says what Crossbill does`,
    },
  ]
}

function unasked(rows: readonly RowStanding[]): DoctorFinding {
  const open = rows.filter(({ status }) => status === 'open')
  return {
    check: 'questions',
    status: 'warning',
    message: `no test account was asked about the ${open.length} questions that Stripe's documents leave open (rows ${listOf(open)})`,
    fix: 'CROSSBILL_STRIPE_TEST_KEY=sk_test_… crossbill confirm: it takes about fifteen minutes and writes the answers for doctor, plan and report',
  }
}

function listOf(rows: readonly RowStanding[]): string {
  return rows.map(({ row }) => row).join(', ')
}
