import type { Diagnostic } from '../core/diagnostic.ts'

/** The command line itself is wrong. Nothing was read and nothing was done. */
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
 * The catalog or a copy map has errors. It carries all findings with their positions.
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
