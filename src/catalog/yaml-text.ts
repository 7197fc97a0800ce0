import {
  Document,
  isMap,
  type Node,
  parseDocument,
  type Pair,
  Scalar,
  type YAMLMap,
  YAMLMap as MapNode,
  YAMLSeq,
} from 'yaml'
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'

/** How all YAML of ours is laid out: no folding, so that one changed value is one changed line. */
const layout = { lineWidth: 0, flowCollectionPadding: true } as const

export interface Entry {
  readonly key: string
  readonly value: JsonObject | string
  /** Why it is as it is, in the line above it. */
  readonly comment?: string
}

/**
 * A YAML file that people edit, too: what is there keeps its order, comments and layout; only entries that change are touched.
 */
export class YamlText {
  readonly #document: Document
  #changed = false

  constructor(text: string | undefined, header: string) {
    const empty = text === undefined || text.trim() === ''
    const document: Document = empty ? new Document() : parseDocument(text)
    if (empty) document.commentBefore = ` ${header}`
    if (!isMap(document.contents)) document.contents = new MapNode()
    this.#document = document
  }

  /** Undefined when nothing in it changed. */
  text(): string | undefined {
    return this.#changed ? this.#document.toString(layout) : undefined
  }

  /** Puts a new entry at the end of a section, which is made when it is not there. */
  add(section: string, entry: Entry): void {
    const map = this.#section(section)
    const key = new Scalar(entry.key)
    if (entry.comment !== undefined) key.commentBefore = ` ${entry.comment}`
    map.items.push(
      this.#document.createPair(key, typeof entry.value === 'string' ? entry.value : block(entry.value)) as Pair,
    )
    this.#changed = true
  }

  has(section: string, key: string): boolean {
    return this.#section(section, false)?.has(key) ?? false
  }

  /** Sets (undefined: removes) one field of an entry that is there. */
  set(section: string, key: string, field: string, value: Json | undefined): void {
    const entry = this.#section(section).get(key, true) as unknown
    if (!isMap(entry)) return
    if (value === undefined) entry.delete(field)
    else entry.set(field, isJsonObject(value) || Array.isArray(value) ? flow(value) : value)
    this.#changed = true
  }

  /** A value at the top, `stage: source`. */
  setTop(name: string, value: string): void {
    this.#document.set(name, value)
    this.#changed = true
  }

  #section(name: string): YAMLMap
  #section(name: string, make: false): YAMLMap | undefined
  #section(name: string, make = true): YAMLMap | undefined {
    const found = this.#document.get(name, true) as unknown
    if (isMap(found)) return found
    if (!make) return undefined
    const made = new MapNode()
    this.#document.set(name, made)
    return made
  }
}

/** An entry: one line a field, what is inside a field on that line. */
function block(value: JsonObject): YAMLMap {
  const map = new MapNode()
  for (const [name, one] of Object.entries(value)) if (one !== undefined) map.set(new Scalar(name), flow(one))
  return map
}

function flow(value: Json): Node {
  if (Array.isArray(value)) {
    const seq = new YAMLSeq()
    seq.flow = true
    for (const one of value as readonly Json[]) seq.add(flow(one))
    return seq
  }
  if (!isJsonObject(value)) return new Scalar(value)
  const map = new MapNode()
  map.flow = true
  for (const [name, one] of Object.entries(value)) if (one !== undefined) map.set(new Scalar(name), flow(one))
  return map
}
