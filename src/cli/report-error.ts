import { ApplyStopped, type DoneSoFar } from '../engine/apply/stopped.ts'
import { Bug } from '../core/assert.ts'
import { formatDiagnostic, type Diagnostic } from '../core/diagnostic.ts'
import { CommandError } from '../core/outcome.ts'
import { FindingsError, UsageError } from './usage-error.ts'

/** What went wrong, as one value for both forms: people read the text, CI reads the JSON. */
interface Problem {
  readonly code: string
  readonly message: string
  readonly not_done: string
  readonly fix: string
  readonly findings?: readonly Diagnostic[]
  /** What an apply did before it had to stop. */
  readonly done?: DoneSoFar
}

/** `error price-unknown: …` and what to do next; never a stack trace. */
export function problemText(error: unknown): string {
  if (error instanceof FindingsError) return `${findingsText(error.findings, error.what)} Nothing was done.`
  const { code, message, not_done: notDone, fix } = problem(error)
  return [
    `error ${code}: ${message}`,
    ...(notDone === '' || error instanceof UsageError ? [] : [`    ${sentence(notDone)}`]),
    ...(fix === '' ? [] : [`    ${fix}`]),
  ].join('\n')
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`
}

/** `--format json` prints one document also when the command failed. */
export function problemJson(error: unknown): { readonly ok: false; readonly error: Problem } {
  return { ok: false, error: problem(error) }
}

export function findingsText(findings: readonly Diagnostic[], what = 'the catalog'): string {
  const errors = findings.filter((finding) => finding.severity === 'error').length
  const warnings = findings.length - errors
  const counts = [count(errors, 'error'), count(warnings, 'warning')].filter((part) => part !== '').join(', ')
  return [...findings.map(formatDiagnostic), '', `${counts} in ${what}.`].join('\n')
}

function count(number: number, what: string): string {
  return number === 0 ? '' : `${number} ${what}${number === 1 ? '' : 's'}`
}

function problem(error: unknown): Problem {
  if (error instanceof FindingsError)
    return {
      code: 'catalog_invalid',
      message: `${error.what} has ${count(error.findings.length, 'finding')}`,
      not_done: 'nothing was done',
      fix: 'Mend the files named in the findings.',
      findings: error.findings,
    }
  if (error instanceof UsageError)
    return { code: error.rule, message: error.message, not_done: 'nothing was done', fix: error.fix }
  if (error instanceof CommandError) {
    const { code, message, notDone, fix } = error
    const base = { code, message, not_done: notDone, fix }
    return error instanceof ApplyStopped ? { ...base, done: error.done } : base
  }
  return { ...unexpected(error), not_done: '' }
}

function unexpected(error: unknown): Pick<Problem, 'code' | 'message' | 'fix'> {
  if (isSystemError(error)) return systemProblem(error)
  const kind = error instanceof Bug ? 'a rule inside Crossbill does not hold' : 'something inside Crossbill failed'
  return {
    code: 'bug',
    message: `${kind}: ${error instanceof Error ? error.message : String(error)}`,
    fix: 'This is a mistake in Crossbill, not in your project. Run again with CROSSBILL_DEBUG=1 for details, and report it; work that was begun is in the journal and the next apply recovers it.',
  }
}

/** What people can do about, by the operating system's code; others keep its own words. */
const systemWords: Readonly<Record<string, readonly [what: string, fix: string]>> = {
  ENOENT: ['is not there', 'Look at how it is written, and from which folder.'],
  EACCES: ['may not be read or written', 'Give this user the right to, or name another place.'],
  EPERM: ['may not be read or written', 'Give this user the right to, or name another place.'],
  EROFS: ['cannot be written: this file system is read-only', 'Name another place.'],
  ENOSPC: ['cannot be written: the disk is full', 'Make room and run it again.'],
  EISDIR: ['is a folder, not a file', 'Name a file.'],
  ENOTDIR: ['goes through a file as if that were a folder', 'Name another place.'],
}

function systemProblem(error: NodeJS.ErrnoException & { code: string }): Pick<Problem, 'code' | 'message' | 'fix'> {
  const [what, fix] = systemWords[error.code] ?? []
  const code = error.code.toLowerCase()
  if (what === undefined || fix === undefined || error.path === undefined)
    return { code, message: error.message, fix: fix ?? 'Look at the path or address named above.' }
  return { code, message: `${error.path} ${what}`, fix }
}

export function isSystemError(error: unknown): error is NodeJS.ErrnoException & { code: string } {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string'
}
