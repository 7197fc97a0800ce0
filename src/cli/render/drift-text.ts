import type { ChalkInstance } from 'chalk'
import type { DriftResult } from '../../engine/verify/drift.ts'
import { driftLines } from './change-phrase.ts'
import { code, fittingMarkdown, markdownTable } from './markdown-table.ts'
import { firstFew, plural, shortAddress } from './words.ts'

export function driftText({ drift, accounts }: DriftResult, paint: ChalkInstance): string {
  if (drift.length === 0)
    return paint.green(`No drift: ${Object.keys(accounts).join(', ')} match the catalog and the last apply.`)
  const { shown, more } = firstFew(drift, 30)
  return [
    paint.bold(plural(drift.length, 'change outside', 'changes outside')),
    ...shown.flatMap((one) => [
      `  ${shortAddress(one.address)} ${paint.yellow(one.code)}: ${one.message}`,
      ...driftLines(one).map((line) => `      ${line}`),
    ]),
    ...(more === 0 ? [] : [`  … and ${more} more (--format json lists all)`]),
    'To keep these changes, run: crossbill pull. To restore the catalog’s values, run: crossbill plan, crossbill apply.',
  ].join('\n')
}

/** The result of drift as Markdown, for an issue. */
export function driftMarkdown({ drift, accounts }: DriftResult): string {
  const names = Object.keys(accounts).join(', ')
  if (drift.length === 0) return `## Crossbill drift: none\n\n${names} match the catalog and the last apply.`
  return fittingMarkdown((limit) =>
    [
      `## Crossbill drift: ${plural(drift.length, 'change outside', 'changes outside')}`,
      markdownTable(
        'Changed outside Crossbill',
        ['object', 'change'],
        drift.map((one) => [
          code(shortAddress(one.address)),
          [`${code(one.code)} ${one.message}`, ...driftLines(one)].join('; '),
        ]),
        { limit },
      ),
      'To keep these changes, run `crossbill pull`. To restore the catalog’s values, run `crossbill plan` and `crossbill apply`.',
    ].join('\n\n'),
  )
}
