import type { ChalkInstance } from 'chalk'
import type { AppliedChange } from '../../engine/send/applied.ts'
import type { ApplyResult } from '../../engine/apply/apply.ts'
import type { Waiting } from '../../engine/apply/summary.ts'
import type { ApplyStopped } from '../../engine/apply/stopped.ts'
import { doneElsewhere, doneHere, type RunChanges } from '../../engine/apply/this-run.ts'
import { actionWords, firstFew, groupBy, money, plural, shortAddress } from './words.ts'

/**
 * The result of an apply: counts of finished changes, each unfinished change, and the next step.
 */
export function applyText(result: ApplyResult, paint: ChalkInstance): string {
  const unfinished = result.changes.filter((change) => change.outcome !== 'done')
  return [
    ...recovered(result.recovered),
    ...done(doneHere(result), result.recovered),
    ...elsewhere(result),
    ...failedSetups([...result.recovered, ...result.changes]),
    ...periods([...result.recovered, ...result.changes]),
    ...[...groupBy(unfinished, (change) => change.outcome)].flatMap(([outcome, changes]) =>
      notDone(outcome, changes, paint),
    ),
    ...remaining(result),
    ...leftOut(result),
    ...violations(result, paint),
    ...counts(result, paint),
    verdict(result, paint),
  ].join('\n')
}

/** The changes of an apply until it stopped. */
export function stoppedText(soFar: ApplyStopped['done'], paint: ChalkInstance): string {
  const { recovered: earlier, changes } = soFar
  const unfinished = changes.filter((change) => change.outcome !== 'done')
  return [
    ...recovered(earlier),
    ...done(doneHere(soFar), earlier),
    ...elsewhere(soFar),
    ...failedSetups([...earlier, ...changes]),
    ...[...groupBy(unfinished, (change) => change.outcome)].flatMap(([outcome, group]) =>
      notDone(outcome, group, paint),
    ),
  ].join('\n')
}

function violations({ violations: found }: ApplyResult, paint: ChalkInstance): string[] {
  if (found.length === 0) return []
  const { shown, more } = firstFew(found, 20)
  return [
    paint.red('crossbill verify finds violations after this apply:'),
    ...shown.flatMap(({ code, subscriber, detail, fix }) => [`  ${subscriber}: ${code}, ${detail}`, `    fix: ${fix}`]),
    ...(more === 0 ? [] : [`  … and ${more} more (--format json lists all)`]),
  ]
}

function recovered(changes: readonly AppliedChange[]): string[] {
  if (changes.length === 0) return []
  return [
    `An earlier run left ${plural(changes.length, 'change')} unfinished. This apply recovered them first:`,
    ...changes.map(
      (change) =>
        `  ${shortAddress(change.address)}: ${change.by === undefined ? leftAs[change.outcome] : 'finished by another run'}${reason(change)}`,
    ),
  ]
}

/** Moves that are done and whose next renewal will probably fail. */
function failedSetups(changes: readonly AppliedChange[]): string[] {
  const failed = changes.filter(({ outcome, code }) => outcome === 'done' && code !== undefined)
  if (failed.length === 0) return []
  const { shown, more } = firstFew(failed, 20)
  return [
    `Moved, and the next renewal will probably fail (${failed.length}):`,
    ...shown.flatMap((change) => [
      `  ${shortAddress(change.address)}${reason(change)}`,
      ...(change.fix === undefined ? [] : [`    fix: ${change.fix}`]),
    ]),
    ...(more === 0 ? [] : [`  … and ${more} more (--format json lists all)`]),
  ]
}

/**
 * The billing periods that no account charged because of a hold. A person must see each of them,
 * billed or not.
 */
function periods(changes: readonly AppliedChange[]): string[] {
  const all = changes.flatMap((change) => (change.periods ?? []).map((period) => ({ change, period })))
  if (all.length === 0) return []
  return [
    'Periods that no account had charged because of a hold:',
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
 * How a recovered change ended. The word "skipped" alone would look as if a subscriber was
 * forgotten.
 */
const leftAs: Readonly<Record<AppliedChange['outcome'], string>> = {
  done: 'finished',
  skipped: 'had not begun in any account; it starts from the beginning',
  undone: 'undone',
  held: 'stays on hold',
  failed: 'failed',
  not_started: 'not started',
}

/** What the recovery did is listed above, each by itself. */
function done(changes: readonly AppliedChange[], earlier: readonly AppliedChange[]): string[] {
  const groups = groupBy(
    changes.filter((change) => !earlier.includes(change)),
    (change) => change.action,
  )
  return [...groups].map(
    ([action, { length }]) =>
      `  ${actionWords[action as AppliedChange['action']].sign} ${length} ${pastTense[action as AppliedChange['action']]}`,
  )
}

/** What another run carried out, so that no two runs count the same work as theirs. */
function elsewhere(run: RunChanges): string[] {
  const groups = groupBy(doneElsewhere(run), (change) => change.action)
  return [...groups].map(
    ([action, { length }]) =>
      `  ${length} ${pastTense[action as AppliedChange['action']]} by another run, at the same time or before`,
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
  revert: 'reverted to the old account',
  grant: 'given access in Kajabi',
  revoke: 'lost access in Kajabi',
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
    'After this apply, these still differ from the catalog:',
    ...shown.map(({ address, action, because }) => `  ${shortAddress(address)}: ${action} (${because.join(', ')})`),
    ...(more === 0 ? [] : [`  … and ${more} more (--format json lists all)`]),
  ]
}

function leftOut({ left_out: left }: ApplyResult): string[] {
  if (left.length === 0) return []
  const { shown, more } = firstFew(left, 20)
  return [
    `Left out because the YAML has errors (${left.length}):`,
    ...shown.flatMap(({ address, message, fix }) => [`  ${shortAddress(address)}: ${message}`, `    fix: ${fix}`]),
    ...(more === 0 ? [] : [`  … and ${more} more (crossbill validate lists all)`]),
  ]
}

/** What became of the subscribers, when the plan does nothing for some of them. */
function counts({ summary }: ApplyResult, paint: ChalkInstance): string[] {
  const { moved, settled, reverted, deferred, blocked, resources_blocked: resources } = summary
  if (deferred.count + blocked.count + resources.count === 0) return []
  const done = [
    `${moved} moved`,
    ...(settled === 0 ? [] : [`${settled} settled`]),
    ...(reverted === 0 ? [] : [`${reverted} reverted`]),
  ]
  const waiting = [
    ...(deferred.count === 0 ? [] : [`${deferred.count} deferred (${codes(deferred)})`]),
    ...(blocked.count === 0 ? [] : [`${blocked.count} blocked (${codes(blocked)})`]),
  ]
  return [
    paint.yellow(`Subscribers: ${[...done, ...waiting].join(', ')}.`),
    ...(resources.count === 0
      ? []
      : [paint.yellow(`Catalog: ${plural(resources.count, 'object')} blocked (${codes(resources)}).`)]),
    'Nothing was done for what is deferred or blocked; crossbill plan lists each with its reason and fix.',
  ]
}

/** Of one person `open_invoice and past_due`; a person counts under each of their reasons. */
function codes({ count, codes: all }: Waiting): string {
  const names = Object.keys(all).sort()
  if (count === 1 && names.length > 1) return names.join(' and ')
  const several = Object.values(all).reduce((sum, one) => sum + one, 0) > count ? '; some for several reasons' : ''
  return `${counted(all)}${several}`
}

function counted(all: Waiting['codes']): string {
  return Object.entries(all)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, count]) => `${code} ${count}`)
    .join(', ')
}

function verdict(result: ApplyResult, paint: ChalkInstance): string {
  if (result.interrupted)
    return paint.yellow('Stopped as requested. Nothing is lost. crossbill apply continues from here.')
  if (result.ok) return paint.green('Applied, read again and proven. Nothing is left to do for what this plan changed.')
  return paint.red(
    isCarriedOut(result)
      ? 'Every change was done, and verify still finds what is wrong for these subscribers. The list above says what to do.'
      : 'Some changes were not done. The list above says which and why. crossbill plan shows the present state.',
  )
}

/** Nothing of the plan is left to do: only violations keep the apply from being proven. */
function isCarriedOut({ recovered: earlier, changes, remaining: left, left_out: wrong }: ApplyResult): boolean {
  const isHeld = earlier.some(({ outcome }) => outcome === 'held')
  return !isHeld && left.length === 0 && wrong.length === 0 && changes.every(({ outcome }) => outcome === 'done')
}
