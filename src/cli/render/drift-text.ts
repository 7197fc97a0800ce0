import type { ChalkInstance } from 'chalk'
import { targetAccount } from '../../catalog/types.ts'
import { subscriberAddress } from '../../core/address.ts'
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
    ...remedies(drift, (command) => command),
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
      ...remedies(drift, code),
    ].join('\n\n'),
  )
}

/**
 * A pull of the target or an apply undoes changes of the catalog; an object that is only observed
 * is never restored. For people, each change has its own fix.
 */
function remedies(drift: DriftResult['drift'], command: (text: string) => string): readonly string[] {
  const people = drift.filter(({ address }) => address.startsWith(subscriberAddress('')))
  const observed = drift.filter(({ code: name }) => name === 'observed_differs')
  const pull = command(`crossbill pull --source ${targetAccount}`)
  return [
    ...(people.length + observed.length < drift.length
      ? [
          `To keep changed objects as they are, run ${pull}. To restore the catalog’s values, run ${command('crossbill plan')} and ${command('crossbill apply')}.`,
        ]
      : []),
    ...(observed.length === 0 ? [] : [`To write what observed objects show into their entries, run ${pull}.`]),
    ...(people.length === 0 ? [] : [`What to do about each changed subscriber is in ${command('crossbill verify')}.`]),
  ]
}
