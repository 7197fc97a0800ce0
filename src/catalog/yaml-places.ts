import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from 'yaml'
import type { Position } from '../core/diagnostic.ts'
import type { Json } from '../core/json.ts'
import { keyPlace } from './plain-yaml.ts'
import { spellKeys, type OddNumber } from './yaml-written.ts'

export type Places = ReadonlyMap<string, { readonly line: number; readonly column: number }>

export interface Parsed {
  readonly document: Document.Parsed
  readonly at: (offset: number) => Position
}

export function parseYaml(path: string, text: string): Parsed {
  const lines = new LineCounter()
  const options = { lineCounter: lines, uniqueKeys: false, prettyErrors: false, logLevel: 'error' } as const
  const document = parseDocument(text, options)
  spellKeys(document)
  return { document, at: (offset) => positionOf(path, lines, offset) }
}

/** Positions of the keys of the first two levels, which are needed for every file. */
export function placesOf(document: Document.Parsed, at: (offset: number) => Position): Places {
  const places = new Map<string, { line: number; column: number }>()
  const note = (path: readonly string[], pair: Pair): void => {
    const { line, column } = at(startOf(pair.key))
    places.set(keyPlace(path), { line, column })
  }
  if (!isMap(document.contents)) return places
  for (const top of document.contents.items) {
    const section = keyText(top) ?? ''
    note([section], top)
    if (isMap(top.value)) for (const pair of top.value.items) note([section, keyText(pair) ?? ''], pair)
  }
  return places
}

function positionOf(file: string, lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset)
  return { file, line: Math.max(1, line), column: Math.max(1, col) }
}

export function keyText(pair: Pair): string | undefined {
  const { key } = pair
  if (!isScalar(key)) return undefined
  return key.value === null ? undefined : String(key.value as string | number | boolean)
}

export function startOf(node: unknown): number {
  return (node as Node | null)?.range?.[0] ?? 0
}

export function locator(document: Document.Parsed, at: (offset: number) => Position): YamlFile['locate'] {
  // Large maps are searched once per finding, so each map is indexed once.
  const indexes = new WeakMap<YAMLMap, Map<string, Pair>>()
  const pairOf = (map: YAMLMap, key: string): Pair | undefined => {
    let index = indexes.get(map)
    if (index === undefined) {
      index = new Map(map.items.map((pair) => [keyText(pair) ?? '', pair]))
      indexes.set(map, index)
    }
    return index.get(key)
  }
  return (path, part = 'value') => {
    let node: unknown = document.contents
    let [keyOffset, valueOffset] = [startOf(node), startOf(node)]
    for (const step of path) {
      const holder = isAlias(node) ? node.resolve(document) : node
      if (isMap(holder)) {
        const pair = pairOf(holder, String(step))
        if (pair === undefined) break
        node = pair.value
        keyOffset = startOf(pair.key)
        valueOffset = isScalar(node) || isSeq(node) || isMap(node) || isAlias(node) ? startOf(node) : keyOffset
      } else if (isSeq(holder)) {
        node = holder.items[Number(step)]
        if (node === undefined) break
        keyOffset = startOf(node)
        valueOffset = keyOffset
      } else break
    }
    return at(part === 'key' ? keyOffset : valueOffset)
  }
}

/** A file as a value, with a function that locates each part of it. */
export interface YamlFile {
  readonly path: string
  /** As it was read, with its comments. */
  readonly text: string
  readonly value: Json
  /** Numbers whose text suggests another value, by `keyPlace`. */
  readonly oddNumbers: ReadonlyMap<string, OddNumber>
  /**
   * Position of a value or of its key. A missing part is located at its nearest existing parent.
   */
  readonly locate: (path: Path, part?: 'key' | 'value') => Position
}

/** Steps from the top of a file to a value: `['prices', 'membership', 'unit_amount']`. */
export type Path = readonly (string | number)[]
