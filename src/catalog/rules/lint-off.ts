import type { Diagnostic, Position } from '../../core/diagnostic.ts'
import { suggest } from '../../core/suggest.ts'
import type { Draft, Rule } from '../draft.ts'
import { lintNames } from '../lint-names.ts'
import { lint, type LintSwitches } from '../rule-names.ts'

/**
 * A rule of lints. A comment on the line of a finding, or on the line of its entry, switches it
 * off.
 */
export type LintRule = (draft: Draft, switches: LintSwitches) => Iterable<Diagnostic>

/** Makes one rule of lints, with the switches of the project and the comments in the files. */
export function withSwitches(rules: readonly LintRule[]): Rule {
  return function* (draft) {
    const switches = draft.project?.lint ?? {}
    const off = new Map<string, ReadonlyMap<number, readonly string[]>>()
    const offAt = ({ file, line }: Position): readonly string[] => {
      let lines = off.get(file)
      if (lines === undefined) {
        lines = commentsOf(draft.files.get(file)?.text ?? '')
        off.set(file, lines)
      }
      return lines.get(line) ?? []
    }
    for (const rule of rules)
      for (const finding of rule(draft, switches)) {
        const places = finding.at === undefined ? [] : [finding.at, ...entryAt(draft, finding.at)]
        if (!places.some((place) => offAt(place).includes(finding.rule))) yield finding
      }
  }
}

/** The key of the entry that contains a position. */
function entryAt(draft: Draft, { file, line }: Position): readonly Position[] {
  const begun = draft.resources.filter(({ at }) => at.file === file && at.line <= line)
  const last = begun.toSorted((a, b) => b.at.line - a.at.line)[0]
  return last === undefined ? [] : [last.at]
}

const comment = /(?:^|\s)#\s*lint-off:\s*([\w-]+(?:\s*,\s*[\w-]+)*)/

/** The lints that comments switch off, by line. A comment on a line of its own is for the next. */
function commentsOf(text: string): ReadonlyMap<number, readonly string[]> {
  const lines = new Map<number, readonly string[]>()
  if (!text.includes('lint-off:')) return lines
  let above: readonly string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const names = comment.exec(line)?.[1]?.split(/\s*,\s*/) ?? []
    if (/^\s*#/.test(line)) above = [...above, ...names]
    else {
      if (names.length > 0 || above.length > 0) lines.set(index + 1, [...above, ...names])
      above = []
    }
  }
  return lines
}

/** A comment that names no lint switches nothing off. */
export function* unknownInComments({ files }: Draft, switches: LintSwitches): Iterable<Diagnostic> {
  for (const { path, text } of files.values()) {
    if (!text.includes('lint-off:')) continue
    for (const [index, line] of text.split('\n').entries())
      for (const name of comment.exec(line)?.[1]?.split(/\s*,\s*/) ?? []) {
        if (lintNames.some((one) => one === name)) continue
        const near = suggest(name, lintNames)
        const fix = near === undefined ? 'docs/lints.md lists them' : `did you mean "${near}"?`
        const at = { file: path, line: index + 1, column: line.indexOf(name) + 1 }
        yield* lint('lint-comment', switches, { message: `there is no lint "${name}"`, fix, at })
      }
  }
}
