import { addAll } from '../core/lists.ts'
import { type Document, isMap, isSeq } from 'yaml'
import type { Diagnostic, Position } from '../core/diagnostic.ts'
import type { Json } from '../core/json.ts'
import { keyPlace, readPlainYaml } from './plain-yaml.ts'
import { error } from './rule-names.ts'
import { keyText, locator, parseYaml, type Places, placesOf, startOf, type YamlFile } from './yaml-places.ts'
import { isMergeKey, oddForms, oddNumbersIn } from './yaml-written.ts'

export type YamlReading = { readonly file: YamlFile } | { readonly findings: readonly Diagnostic[] }

/** Larger files are too long for one review; 500 subscribers take about 200 kB. */
const largestFile = 32 * 1_024 * 1_024
const deepest = 64
const mostAliases = 100
/** After one error the parser also reports later lines, so only the first problems are listed. */
const mostProblems = 10

/** Reads one YAML 1.2 file. Anything that is not one plain tree is a finding with its position. */
export function readYaml(path: string, text: string): YamlReading {
  const early = refuseText(path, text)
  if (early !== undefined) return { findings: [early] }
  const plain = readPlainYaml(text)
  if (plain !== undefined) return { file: fileOf(path, text, { ...plain, oddNumbers: new Map() }) }
  const odd = oddForms(text)
  const { document, at } = parseYaml(path, text)
  if (odd.length > 0)
    return {
      findings: odd
        .slice(0, mostProblems)
        .map(({ offset, message, fix }) => error('yaml-form', message, fix, at(offset))),
    }
  const findings: Diagnostic[] = [...document.errors, ...document.warnings].slice(0, mostProblems).map((problem) => {
    const place = at(problem.pos[0])
    if (problem.code === 'MULTIPLE_DOCS')
      return error('yaml-documents', 'a second document begins here (---)', 'move it into its own file', place)
    const fix = problem.code === 'TAB_AS_INDENT' ? 'indent with spaces' : 'fix the YAML at this place'
    return error('yaml-syntax', plainMessage(problem.message), fix, place)
  })
  if (findings.length === 0) addAll(findings, checkTree(document, at))
  if (findings.length > 0) return { findings }
  try {
    const value = document.toJS({ maxAliasCount: mostAliases }) as Json
    const oddNumbers = oddNumbersIn(document, keyPlace)
    return { file: fileOf(path, text, { value, places: placesOf(document, at), oddNumbers }) }
  } catch (thrown) {
    // The parser throws this for aliases of aliases ("billion laughs").
    if (thrown instanceof ReferenceError) return { findings: [tooManyAliases(path)] }
    throw thrown
  }
}

/**
 * Keeps the text and not the parsed document, which is fifty times as large. A file is parsed again
 * only to locate its findings.
 */
function fileOf(
  path: string,
  text: string,
  { value, places, oddNumbers }: Pick<YamlFile, 'value' | 'oddNumbers'> & { readonly places: Places },
): YamlFile {
  let locate: YamlFile['locate'] | undefined
  return {
    path,
    text,
    value,
    oddNumbers,
    locate: (steps, part) => {
      const known = part === 'key' ? places.get(keyPlace(steps)) : undefined
      if (known !== undefined) return { file: path, ...known }
      if (locate === undefined) {
        const { document, at } = parseYaml(path, text)
        locate = locator(document, at)
      }
      return locate(steps, part)
    },
  }
}

function refuseText(path: string, text: string): Diagnostic | undefined {
  const at = { file: path, line: 1, column: 1 }
  if (text.length > largestFile) {
    const size = `${Math.ceil(text.length / 1_048_576)} MB`
    const message = `the file has ${size}; the limit is ${largestFile / 1_048_576} MB`
    return error('file-too-large', message, 'split it into several files', at)
  }
  // Neither character is valid in YAML: the file has another format or another encoding.
  const odd = text.search(/[\0\uFFFD]/)
  if (odd === -1) return undefined
  const before = text.slice(0, odd).split('\n')
  const place = { file: path, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
  return error('not-text', 'the file is not UTF-8 text', 'save the file as UTF-8', place)
}

/** Walks the tree once for duplicate keys, keys that are not plain text, and excessive nesting. */
function checkTree(document: Document.Parsed, at: (offset: number) => Position): readonly Diagnostic[] {
  const findings: Diagnostic[] = []
  const walk = (node: unknown, depth: number): void => {
    if (depth > deepest) {
      findings.push(tooDeep(at(startOf(node))))
      return
    }
    if (isSeq(node)) for (const item of node.items) walk(item, depth + 1)
    if (!isMap(node)) return
    const seen = new Map<string, number>()
    for (const pair of node.items) {
      const offset = startOf(pair.key)
      const key = keyText(pair)
      if (key === undefined) findings.push(notAKey(at(offset)))
      else if (isMergeKey(pair)) findings.push(mergeKey(at(offset)))
      else if (seen.has(key)) findings.push(duplicateKey(key, at(offset), at(seen.get(key) ?? 0)))
      else seen.set(key, offset)
      walk(pair.value, depth + 1)
    }
  }
  walk(document.contents, 0)
  return findings
}

function duplicateKey(key: string, at: Position, first: Position): Diagnostic {
  const message = `"${key}" is written twice; the first is at line ${first.line}`
  return error('duplicate-key', message, 'keep one of them', at)
}

function notAKey(at: Position): Diagnostic {
  return error('yaml-syntax', 'a key must be plain text', 'write one word before the colon', at)
}

function mergeKey(at: Position): Diagnostic {
  const message = 'the merge key << is not supported'
  return error('yaml-form', message, 'write the fields out, or use an alias (*name) for a whole value', at)
}

function tooDeep(at: Position): Diagnostic {
  const message = `nested deeper than ${deepest} levels`
  return error('too-deep', message, 'no part of a catalog needs such nesting', at)
}

function tooManyAliases(path: string): Diagnostic {
  const message = 'aliases (*name) expand to too much text'
  const at = { file: path, line: 1, column: 1 }
  return error('too-many-aliases', message, 'write the values out', at)
}

function plainMessage(message: string): string {
  const line = message.split('\n')[0] ?? message
  return line.length === 0 ? line : `${line.charAt(0).toLowerCase()}${line.slice(1)}`
}
