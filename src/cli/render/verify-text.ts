import type { ChalkInstance } from 'chalk'
import type { VerifyResult } from '../../engine/verify/verify.ts'
import { code as inCode, fittingMarkdown, markdownTable } from './markdown-table.ts'
import { noticeLines } from './notice-lines.ts'
import { noticeTable } from './plan-markdown.ts'
import { firstFew, groupBy, plural } from './words.ts'

/**
 * The result of verify: one sentence without violations, else every violation by code with its fix.
 */
export function verifyText(result: VerifyResult, paint: ChalkInstance): string {
  const accounts = Object.keys(result.accounts).join(', ')
  if (result.ok)
    return [
      paint.green(`No violation: ${plural(result.checked, 'subscriber')} in ${accounts}, ${billed(result)}`),
      ...noticed(result, paint),
    ].join('\n')
  const groups = [...groupBy(result.violations, (violation) => violation.code)]
  return [
    paint.red(
      `${plural(result.violations.length, 'violation')} among ${plural(result.checked, 'subscriber')} in ${accounts}:`,
    ),
    ...groups.flatMap(([code, violations]) => {
      const { shown, more } = firstFew(violations, 10)
      return [
        '',
        paint.bold(`${code} (${violations.length})`),
        ...shown.flatMap(({ subscriber, detail, fix }) => [`  ${subscriber}: ${detail}`, `    fix: ${fix}`]),
        ...(more === 0 ? [] : [`  … and ${more} more (--format json lists all)`]),
      ]
    }),
    ...noticed(result, paint),
  ].join('\n')
}

/** The difference to the number of those who are billed is said, so that the totals add up. */
function billed({ checked, ended }: VerifyResult): string {
  if (ended === 0) return 'each billed by exactly one account, as declared.'
  return `${checked - ended} of them billed by exactly one account, as declared; ${plural(ended, 'has', 'have')} ended.`
}

function noticed({ notices }: VerifyResult, paint: ChalkInstance): string[] {
  return notices.length === 0 ? [] : ['', paint.bold('Notices'), ...noticeLines(notices)]
}

/** The result of verify as Markdown, for the summary page of a job. */
export function verifyMarkdown(result: VerifyResult): string {
  if (result.ok)
    return fittingMarkdown((limit) =>
      [
        `## Crossbill verify: no violation\n\n${plural(result.checked, 'subscriber')}, ${billed(result)}`,
        noticeTable(result.notices, limit),
      ]
        .filter((part) => part !== '')
        .join('\n\n'),
    )
  const groups = [...groupBy(result.violations, ({ code }) => code)]
  const counts = groups.map(([code, { length }]) => `${inCode(code)} ${length}`).join(' · ')
  const rows = result.violations.map(({ code, subscriber, detail, fix }) => [
    inCode(code),
    inCode(subscriber),
    detail,
    fix,
  ])
  return fittingMarkdown((limit) =>
    [
      markdownTable(
        `Crossbill verify: ${plural(rows.length, 'violation')}`,
        ['violation', 'subscriber', 'details', 'what to do'],
        rows,
        { limit, text: groups.length < 2 ? '' : counts },
      ),
      noticeTable(result.notices, limit),
    ]
      .filter((part) => part !== '')
      .join('\n\n'),
  )
}
