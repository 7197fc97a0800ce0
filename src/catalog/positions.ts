import type { Diagnostic, Position } from '../core/diagnostic.ts'
import { error } from './rule-names.ts'

/** Very many findings of one rule have one cause; the first ones show it. */
const mostByRule = 200

export function firstOf(found: Iterable<Diagnostic>): readonly Diagnostic[] {
  const first: Diagnostic[] = []
  for (const one of found) {
    if (first.length === mostByRule) {
      const message = `rule ${one.rule} has more than ${mostByRule} findings; the rest are not listed`
      return [...first, error('more-findings', message, 'fix the listed ones first', undefined)]
    }
    first.push(one)
  }
  return first
}

/** The entry that contains a position: the last entry that begins before it. */
export function lastBefore<T extends { readonly at: Position }>(
  place: Position | undefined,
  all: readonly T[],
): T | undefined {
  if (place === undefined) return undefined
  const begun = all.filter(({ at }) => at.line < place.line || (at.line === place.line && at.column <= place.column))
  return begun.toSorted((a, b) => b.at.line - a.at.line || b.at.column - a.at.column)[0]
}

/** In order of file and line; findings without a place are last. */
export function sorted(findings: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...findings].sort((a, b) => {
    const [x, y] = [a.at, b.at]
    if (x === undefined || y === undefined) return (x === undefined ? 0 : 1) - (y === undefined ? 0 : 1)
    if (x.file !== y.file) return x.file < y.file ? -1 : 1
    return x.line - y.line || x.column - y.column
  })
}
