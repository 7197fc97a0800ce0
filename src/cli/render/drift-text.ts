import type { ChalkInstance } from 'chalk'
import type { DriftResult } from '../../engine/verify/drift.ts'
import { driftLines } from './change-phrase.ts'
import { firstFew, plural, shortAddress } from './words.ts'

export function driftText({ drift, accounts }: DriftResult, paint: ChalkInstance): string {
  if (drift.length === 0)
    return paint.green(`No drift: ${Object.keys(accounts).join(', ')} are as the catalog and the last apply left them.`)
  const { shown, more } = firstFew(drift, 30)
  return [
    paint.bold(plural(drift.length, 'change outside', 'changes outside')),
    ...shown.flatMap((one) => [
      `  ${shortAddress(one.address)} ${paint.yellow(one.code)}: ${one.message}`,
      ...driftLines(one).map((line) => `      ${line}`),
    ]),
    ...(more === 0 ? [] : [`  … and ${more} more (--format json lists all)`]),
    'Keep what changed with: crossbill pull. Put back what the catalog says with: crossbill plan, crossbill apply.',
  ].join('\n')
}
