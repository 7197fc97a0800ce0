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
  /** Further places with the same finding. */
  readonly also?: readonly Position[]
}

/**
 * One finding for each mistake: findings with the same rule and the same words are one, with all
 * their places. A reference that is misspelt once and used nineteen times has one cause.
 */
export function grouped(findings: readonly Diagnostic[]): readonly Diagnostic[] {
  const groups = Map.groupBy(findings, ({ severity, rule, message, fix }) =>
    JSON.stringify([severity, rule, message, fix]),
  )
  return [...groups.values()].flatMap(([first, ...rest]) => {
    if (first === undefined) return []
    const also = rest.flatMap(({ at }) => (at === undefined ? [] : [at]))
    return [also.length === 0 ? first : { ...first, also }]
  })
}

/** Each finding once: two ways of checking may find the same one. */
export function distinct(findings: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...new Map(findings.map((one) => [formatDiagnostic(one), one])).values()]
}

export function hasErrors(findings: readonly Diagnostic[]): boolean {
  return findings.some((finding) => finding.severity === 'error')
}

/**
 * `catalog/prices.yaml:12:5: error unknown-key: …` — the form that editors and CI logs turn into a
 * link.
 */
export function formatDiagnostic(finding: Diagnostic): string {
  const place = finding.at === undefined ? '' : `${placeText(finding.at)}: `
  const also = finding.also ?? []
  const shown = also.slice(0, placesShown).map(placeText).join(', ')
  const more = also.length > placesShown ? ` and ${also.length - placesShown} more` : ''
  const others = also.length === 0 ? '' : `\n    the same at ${shown}${more}`
  const fix = finding.fix === '' ? '' : `\n    ${finding.fix}`
  return `${place}${finding.severity} ${finding.rule}: ${finding.message}${fix}${others}`
}

const placesShown = 3

/** A place in a file of the catalog, from the project's folder: `catalog/prices.yaml:12:5`. */
export function placeInCatalog(at: Position): string {
  return `catalog/${placeText(at)}`
}

function placeText({ file, line, column }: Position): string {
  return `${file}:${line}:${column}`
}
