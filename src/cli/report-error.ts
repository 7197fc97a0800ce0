import { ApplyStopped, type DoneSoFar } from '../engine/apply/stopped.ts'
import { Bug } from '../core/assert.ts'
import { formatDiagnostic, type Diagnostic } from '../core/diagnostic.ts'
import { CommandError } from '../core/outcome.ts'
import { FindingsError, UsageError } from './usage-error.ts'

/** One error for both formats: people read the text, CI reads the JSON. */
interface Problem {
  readonly code: string
  readonly message: string
  readonly not_done: string
  readonly fix: string
  readonly findings?: readonly Diagnostic[]
  /** What an apply did before it stopped. */
  readonly done?: DoneSoFar
}

/** `error price-unknown: …` and the next step; never a stack trace. */
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

/** The JSON document that `--format json` prints when the command fails. */
export function problemJson(error: unknown): { readonly ok: false; readonly error: Problem } {
  return { ok: false, error: problem(error) }
}

export function findingsText(findings: readonly Diagnostic[], what = 'the catalog'): string {
  const errors = findings.filter((finding) => finding.severity === 'error').length
  const warnings = findings.length - errors
  const counts = [count(errors, 'error'), count(warnings, 'warning')].filter((part) => part !== '').join(', ')
  return [...foldedFindings(findings), '', `${counts} in ${what}.`].join('\n')
}

const shownOfOneKind = 10

/**
 * Findings of one rule in one file are usually one mistake, such as a copied file: the first few
 * are shown, and how many more there are.
 */
function foldedFindings(findings: readonly Diagnostic[]): readonly string[] {
  const groups = Map.groupBy(findings, ({ rule, severity, at, fix }) => JSON.stringify([rule, severity, at?.file, fix]))
  return [...groups.values()].flatMap((all) => {
    // One more finding takes no more room than a line that says so.
    const shown = all.length <= shownOfOneKind + 1 ? all : all.slice(0, shownOfOneKind)
    const more = all.length - shown.length
    const [{ severity, rule, at } = { severity: '', rule: '' }] = all
    const rest = `${at === undefined ? '' : `${at.file}: `}${severity} ${rule}: ${more} more like these (--format json lists all)`
    return [...shown.map(formatDiagnostic), ...(more === 0 ? [] : [rest])]
  })
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
      fix: 'Correct the files named in the findings.',
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
  const kind = error instanceof Bug ? 'an internal rule of Crossbill does not hold' : 'Crossbill failed internally'
  return {
    code: 'bug',
    message: `${kind}: ${error instanceof Error ? error.message : String(error)}`,
    fix: 'This is a bug in Crossbill, not in your project. Run the command again with CROSSBILL_DEBUG=1 for details, and report it. The journal holds the requests that the command began; the next apply recovers them.',
  }
}

/** Texts for the system errors that people can fix; other errors keep the system's own text. */
const systemWords: Readonly<Record<string, readonly [what: string, fix: string]>> = {
  ENOENT: ['does not exist', 'Check the spelling of the path and the folder from which you run the command.'],
  EACCES: ['cannot be read or written: permission denied', 'Give this user the permission, or use another path.'],
  EPERM: ['cannot be read or written: permission denied', 'Give this user the permission, or use another path.'],
  EROFS: ['cannot be written: the file system is read-only', 'Use another path.'],
  ENOSPC: ['cannot be written: the disk is full', 'Free disk space and run the command again.'],
  EISDIR: ['is a folder, not a file', 'Name a file.'],
  ENOTDIR: ['has a file where a folder is needed', 'Use another path.'],
}

function systemProblem(error: NodeJS.ErrnoException & { code: string }): Pick<Problem, 'code' | 'message' | 'fix'> {
  const [what, fix] = systemWords[error.code] ?? []
  const code = error.code.toLowerCase()
  if (what === undefined || fix === undefined || error.path === undefined)
    return { code, message: error.message, fix: fix ?? 'Check the path or address named above.' }
  return { code, message: `${error.path} ${what}`, fix }
}

export function isSystemError(error: unknown): error is NodeJS.ErrnoException & { code: string } {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string'
}
