import type { Diagnostic } from '../core/diagnostic.ts'

/** The command line itself was wrong: nothing was read, nothing was done. */
export class UsageError extends Error {
  override name = 'UsageError'
  readonly rule: string
  readonly fix: string
  constructor(rule: string, message: string, fix: string) {
    super(message)
    this.rule = rule
    this.fix = fix
  }
}

/**
 * What people wrote in the catalog, or gave as a copy map, was wrong: all findings at once, with
 * positions.
 */
export class FindingsError extends Error {
  override name = 'FindingsError'
  readonly findings: readonly Diagnostic[]
  /** What was read: `the catalog`. */
  readonly what: string
  constructor(findings: readonly Diagnostic[], what = 'the catalog') {
    super(`${what} has errors`)
    this.findings = findings
    this.what = what
  }
}
