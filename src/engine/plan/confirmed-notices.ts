import { brokenPromises, standingOf } from '../../assumptions/standing.ts'
import type { Notice } from '../../plan/types.ts'
import type { Context } from '../context.ts'

/** What a test account answered otherwise than assumed, for the people whom it concerns. */
export function confirmedNotices({ confirmed, catalog }: Pick<Context, 'confirmed' | 'catalog'>): readonly Notice[] {
  if (confirmed === undefined) return []
  const rows = standingOf(confirmed, catalog).filter(({ consequence }) => consequence !== undefined)
  const answered = rows
    .filter(({ status, people }) => status === 'unexpected' || people > 0)
    .map(({ row, consequence = '', status }) => ({
      code: 'stripe_differs' as const,
      subscriber: `question.${row}`,
      at: null,
      message: consequence.replace(/\.$/, ''),
      fix: status === 'unexpected' ? askAgain : `docs/to-confirm.md, row ${row}, says what Crossbill does`,
    }))
  const broken = brokenPromises(confirmed).map((one) => ({
    code: 'stripe_differs' as const,
    subscriber: 'question.documented',
    at: null,
    message: `the test account does not behave as documented: ${one.case} (it answers ${one.seen ?? 'otherwise'})`,
    fix: askAgain,
  }))
  return [...answered, ...broken]
}

const askAgain = 'run crossbill confirm again; if the answer stays, move nobody until it is understood'
