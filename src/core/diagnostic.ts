/** Where in the user's files a finding points. Lines and columns count from 1. */
export interface Position {
  readonly file: string
  readonly line: number
  readonly column: number
}

/**
 * A finding about what the user wrote. Findings are collected, never thrown: the user sees all of
 * them at once. `rule` is stable and documented; `fix` says what to do next.
 */
export interface Diagnostic {
  readonly severity: 'error' | 'warning'
  readonly rule: string
  readonly message: string
  readonly fix: string
  readonly at?: Position
}

export function hasErrors(findings: readonly Diagnostic[]): boolean {
  return findings.some((finding) => finding.severity === 'error')
}

/**
 * `catalog/prices.yaml:12:5: error unknown-key: …` — the form that editors and CI logs turn into a
 * link.
 */
export function formatDiagnostic(finding: Diagnostic): string {
  const place = finding.at === undefined ? '' : `${finding.at.file}:${finding.at.line}:${finding.at.column}: `
  const fix = finding.fix === '' ? '' : `\n    ${finding.fix}`
  return `${place}${finding.severity} ${finding.rule}: ${finding.message}${fix}`
}
