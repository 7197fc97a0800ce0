import type { ChalkInstance } from 'chalk'
import type { Confirmed, RecordedAnswer } from '../../assumptions/record.ts'
import type { RowStanding } from '../../assumptions/standing.ts'
import { columns, plural } from './words.ts'

/** What the account answered, what differs, and what that means for the people of the project. */
export function confirmText(
  record: Confirmed,
  standing: readonly RowStanding[],
  { left, paint }: { readonly left: readonly string[]; readonly paint: ChalkInstance },
): string {
  const of = (verdict: RecordedAnswer['verdict']): readonly RecordedAnswer[] =>
    record.answers.filter((one) => one.verdict === verdict)
  const [different, failed, lacking] = [of('different'), of('failed'), of('not_asked')]
  const rows = record.answers.filter(({ row }) => row !== null).toSorted((a, b) => (a.row ?? 0) - (b.row ?? 0))
  const consequences = standing.flatMap(({ row, consequence }) =>
    consequence === undefined ? [] : [`  row ${row}: ${consequence}`],
  )
  return [
    `${record.account} on ${record.at}, API version ${record.api_version}: ${plural(record.answers.length, 'case')}, ${of('as_assumed').length} as assumed, ${different.length} different, ${lacking.length} not asked, ${failed.length} failed.`,
    '',
    paint.bold('Open questions (docs/to-confirm.md)'),
    ...columns(rows.map((one) => [`  ${one.row}`, answerOf(one), one.case])),
    ...list(
      'Different from what is documented',
      different.filter(({ row }) => row === null),
      paint,
    ),
    ...list('Not asked', lacking, paint),
    ...list('Failed', failed, paint),
    ...(consequences.length === 0 ? [] : ['', paint.bold('What that means for this project'), ...consequences]),
    ...(left.length === 0
      ? []
      : ['', `${plural(left.length, 'object')} could not be removed from the account: ${left.join(', ')}`]),
  ].join('\n')
}

function answerOf({ verdict, reading, seen }: RecordedAnswer): string {
  if (verdict === 'as_assumed') return `as assumed (${reading})`
  if (verdict === 'different') return reading === null ? `UNEXPECTED: ${seen}` : `otherwise (${reading})`
  return verdict === 'failed' ? 'failed' : 'not asked'
}

function list(heading: string, answers: readonly RecordedAnswer[], paint: ChalkInstance): readonly string[] {
  if (answers.length === 0) return []
  return ['', paint.bold(`${heading} (${answers.length})`), ...answers.map((one) => `  ${one.case}: ${one.seen ?? ''}`)]
}
