import type { ChalkInstance } from 'chalk'
import type { AppliedChange } from '../../engine/send/applied.ts'
import type { ApplyResult } from '../../engine/apply/apply.ts'
import type { ApplyStopped } from '../../engine/apply/stopped.ts'
import { actionWords, firstFew, groupBy, money, plural, shortAddress } from './words.ts'

/** What an apply did: counts of what is done, every change that is not, and what to do next. */
export function applyText(result: ApplyResult, paint: ChalkInstance): string {
  const unfinished = result.changes.filter((change) => change.outcome !== 'done')
  return [
    ...recovered(result.recovered),
    ...done(result.changes),
    ...periods([...result.recovered, ...result.changes]),
    ...[...groupBy(unfinished, (change) => change.outcome)].flatMap(([outcome, changes]) =>
      notDone(outcome, changes, paint),
    ),
    ...remaining(result),
    ...leftOut(result),
    ...violations(result, paint),
    verdict(result, paint),
  ].join('\n')
}

/** What an apply did before it had to stop. */
export function stoppedText({ recovered: earlier, changes }: ApplyStopped['done'], paint: ChalkInstance): string {
  const unfinished = changes.filter((change) => change.outcome !== 'done')
  return [
    ...recovered(earlier),
    ...done(changes),
    ...[...groupBy(unfinished, (change) => change.outcome)].flatMap(([outcome, group]) =>
      notDone(outcome, group, paint),
    ),
  ].join('\n')
}

function violations({ violations: found }: ApplyResult, paint: ChalkInstance): string[] {
  if (found.length === 0) return []
  const { shown, more } = firstFew(found, 20)
  return [
    paint.red('Read again afterwards, the standing check (crossbill verify) finds:'),
    ...shown.flatMap(({ code, subscriber, detail, fix }) => [`  ${subscriber}: ${code}, ${detail}`, `    fix: ${fix}`]),
    ...(more === 0 ? [] : [`  … and ${more} more (--format json lists all)`]),
  ]
}

function recovered(changes: readonly AppliedChange[]): string[] {
  if (changes.length === 0) return []
  return [
    `An earlier run had left ${plural(changes.length, 'change')} unfinished; now:`,
    ...changes.map((change) => `  ${shortAddress(change.address)}: ${leftAs[change.outcome]}${reason(change)}`),
  ]
}

/**
 * Money that a hold kept back from both accounts: a person must be able to see each period, billed
 * or not.
 */
function periods(changes: readonly AppliedChange[]): string[] {
  const all = changes.flatMap((change) => (change.periods ?? []).map((period) => ({ change, period })))
  if (all.length === 0) return []
  return [
    'Kept back by a hold, and charged by neither account until now:',
    ...all.map(({ change, period: { at, amount, currency, outcome, invoice } }) => {
      const what = `${at.slice(0, 10)}  ${money(amount, currency)}`
      return `  ${shortAddress(change.address)}  ${what}  ${periodWords[outcome]} (${invoice})`
    }),
  ]
}

const periodWords: Readonly<Record<NonNullable<AppliedChange['periods']>[number]['outcome'], string>> = {
  billed: 'billed now by the old account',
  left: 'left uncharged',
}

/**
 * How something begun earlier ended: "skipped" alone would sound as if somebody had been forgotten.
 */
const leftAs: Readonly<Record<AppliedChange['outcome'], string>> = {
  done: 'finished',
  skipped: 'had not begun in any account; begins anew',
  undone: 'taken back',
  held: 'stays on hold',
  failed: 'failed',
  not_started: 'not started',
}

function done(changes: readonly AppliedChange[]): string[] {
  const groups = groupBy(
    changes.filter((change) => change.outcome === 'done'),
    (change) => change.action,
  )
  return [...groups].map(
    ([action, { length }]) =>
      `  ${actionWords[action as AppliedChange['action']].sign} ${length} ${pastTense[action as AppliedChange['action']]}`,
  )
}

const pastTense: Readonly<Record<AppliedChange['action'], string>> = {
  create: 'created',
  update: 'updated',
  replace: 'replaced',
  retire: 'retired',
  adopt: 'adopted',
  move: 'moved to the target account',
  settle: 'settled',
  revert: 'set back to the old account',
  grant: 'given access in Kajabi',
  revoke: 'without access in Kajabi from now on',
}

function notDone(outcome: string, changes: readonly AppliedChange[], paint: ChalkInstance): string[] {
  const { shown, more } = firstFew(changes, outcome === 'not_started' ? 3 : 20)
  return [
    paint.yellow(`${outcome.replace('_', ' ')} (${changes.length})`),
    ...shown.flatMap((change) => [
      `  ${shortAddress(change.address)}${reason(change)}`,
      ...(change.fix === undefined || change.fix === '' ? [] : [`    fix: ${change.fix}`]),
    ]),
    ...(more === 0 ? [] : [`  … and ${more} more`]),
  ]
}

function reason({ code, message }: AppliedChange): string {
  return code === undefined ? '' : `: ${code}${message === undefined ? '' : `, ${message}`}`
}

function remaining({ remaining: left, interrupted }: ApplyResult): string[] {
  if (left.length === 0 || interrupted) return []
  const { shown, more } = firstFew(left, 20)
  return [
    'Read again afterwards, these still differ from the catalog:',
    ...shown.map(({ address, action, because }) => `  ${shortAddress(address)}: ${action} (${because.join(', ')})`),
    ...(more === 0 ? [] : [`  … and ${more} more (--format json lists all)`]),
  ]
}

function leftOut({ left_out: left }: ApplyResult): string[] {
  if (left.length === 0) return []
  const { shown, more } = firstFew(left, 20)
  return [
    `Left out, because the YAML has errors (${left.length}):`,
    ...shown.flatMap(({ address, message, fix }) => [`  ${shortAddress(address)}: ${message}`, `    fix: ${fix}`]),
    ...(more === 0 ? [] : [`  … and ${more} more (crossbill validate lists all)`]),
  ]
}

function verdict(result: ApplyResult, paint: ChalkInstance): string {
  if (result.interrupted) return paint.yellow('Stopped as asked. Nothing is lost: crossbill apply goes on from here.')
  if (result.ok) return paint.green('Applied, read again and proven: nothing is left to do for what this plan touched.')
  return paint.red(
    'Not everything was done; what is listed above says what and why. crossbill plan shows where things stand.',
  )
}
