import {
  Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  parseDocument,
  type Pair,
  Scalar,
  visit,
  type YAMLMap,
  YAMLMap as MapNode,
  YAMLSeq,
} from 'yaml'
import { spellKeys } from './yaml-written.ts'
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'

const modeline = ' yaml-language-server:'

/**
 * Layout of all YAML that Crossbill writes. Lines are not folded, so that one changed value is one
 * changed line.
 */
const layout = { lineWidth: 0, flowCollectionPadding: true } as const

export interface Entry {
  readonly key: string
  readonly value: JsonObject | string
  /** Reason for the value, written in the line above it. */
  readonly comment?: string
}

/**
 * A YAML file that people also edit. Existing content keeps its order, comments and layout; only
 * changed entries are rewritten.
 */
export class YamlText {
  readonly #document: Document
  readonly #lineEnd: string
  readonly #indent: number
  #changed = false

  constructor(text: string | undefined, header: string) {
    // Keeps line ends and indentation, because any other choice would change every line.
    this.#lineEnd = text?.includes('\r\n') === true ? '\r\n' : '\n'
    this.#indent = /^( {1,8})\S/m.exec(text ?? '')?.[1]?.length ?? 2
    const empty = text === undefined || text.trim() === ''
    const document: Document = empty ? new Document() : parseDocument(text)
    spellKeys(document)
    if (empty) document.commentBefore = ` ${header}`
    if (!isMap(document.contents)) document.contents = new MapNode()
    this.#document = document
  }

  /** Undefined when nothing changed. */
  text(): string | undefined {
    if (!this.#changed) return undefined
    const text = this.#document.toString({ ...layout, indent: this.#indent })
    return this.#lineEnd === '\n' ? text : text.replaceAll(/\r?\n/g, this.#lineEnd)
  }

  /** Adds an entry at the end of a section; creates the section if it does not exist. */
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

  /**
   * Takes an entry out of a section, with its comments and its own copies of aliased values, so
   * that another file can receive it.
   */
  take(section: string, key: string): Pair | undefined {
    const map = this.#section(section, false)
    const at = map?.items.findIndex((pair) => isScalar(pair.key) && String(pair.key.value) === key) ?? -1
    const pair = at < 0 ? undefined : map?.items[at]
    if (map === undefined || pair === undefined || !isScalar(pair.key)) return undefined
    // The parser gives a comment above the first entry to the whole section.
    if (at === 0 && map.commentBefore != null) {
      pair.key.commentBefore = [map.commentBefore, pair.key.commentBefore].filter(Boolean).join('\n')
      map.commentBefore = null
    }
    this.#release(anchored(pair.value))
    const own = { key: pair.key, value: isAlias(pair.value) ? this.#copyOf(pair.value) : pair.value }
    if (isNode(own.value)) visit(own.value, { Alias: (_key, alias) => this.#copyOf(alias) as Node })
    map.items.splice(at, 1)
    this.#changed = true
    return this.#document.createPair(own.key, own.value) as Pair
  }

  /** Puts an entry of another file at the end of a section. */
  put(section: string, pair: Pair): void {
    this.#section(section).items.push(pair)
    this.#changed = true
  }

  /** Whether a section has no entry. */
  isEmpty(section: string): boolean {
    return (this.#section(section, false)?.items.length ?? 0) === 0
  }

  /** Sets one field of an existing entry; undefined removes it. */
  set(section: string, key: string, field: string, value: Json | undefined): void {
    const map = this.#section(section)
    const written = map.get(key, true) as unknown
    const entry = isAlias(written) ? this.#copyOf(written) : written
    if (!isMap(entry)) return
    if (entry !== written) map.set(key, entry)
    const before = entry.get(field, true) as unknown
    this.#release([...(entry.anchor === undefined ? [] : [entry]), ...anchored(before)])
    if (value === undefined) entry.delete(field)
    else entry.set(field, changedTo(before, value))
    this.#changed = true
  }

  /** A separate copy of the node behind an alias. */
  #copyOf(alias: unknown): unknown {
    const found = isAlias(alias) ? alias.resolve(this.#document) : undefined
    if (found === undefined) return alias
    const copy = found.clone() as Node & Anchored
    delete copy.anchor
    return copy
  }

  /**
   * Aliases (`*name`) of a changed node receive their own copies, so that they keep the old value.
   */
  #release(changing: readonly Anchored[]): void {
    const names = new Set(changing.map(({ anchor }) => anchor))
    if (names.size === 0) return
    visit(this.#document, {
      Alias: (_key, alias) => (names.has(alias.source) ? (this.#copyOf(alias) as Node) : undefined),
    })
    for (const node of changing) delete node.anchor
  }

  /** Replaces the comment at the top of the file. */
  setHeader(header: string): void {
    const before = this.#document.commentBefore ?? ''
    this.#document.commentBefore = [
      ...before.split('\n').filter((line) => line.startsWith(modeline)),
      ` ${header}`,
    ].join('\n')
    this.#changed = true
  }

  /** Sets a top-level value, such as `stage: source`. */
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

type Anchored = { anchor?: string }

/** Anchored nodes: this node and those inside it. */
function anchored(node: unknown): readonly Anchored[] {
  const found: Anchored[] = []
  if (isNode(node))
    visit(node, {
      Node(_key, one) {
        if ((isScalar(one) || isCollection(one)) && one.anchor !== undefined) found.push(one as Anchored)
      },
    })
  return found
}

/** Replaces a value; keeps layout and comments where the type of node stays the same. */
function changedTo(before: unknown, value: Json): Node {
  if (isScalar(before) && !Array.isArray(value) && !isJsonObject(value)) {
    before.value = value
    return before
  }
  if (isSeq(before) && Array.isArray(value)) {
    const there = [...before.items]
    before.items = (value as readonly Json[]).map((one) => {
      const at = there.findIndex((node) => isNode(node) && nameOf(node.toJSON() as Json) === nameOf(one))
      const [node] = at < 0 ? [] : there.splice(at, 1)
      return changedTo(node, one)
    })
    return before
  }
  if (isMap(before) && isJsonObject(value)) {
    const fields = Object.entries(value).filter(([, one]) => one !== undefined)
    const wanted = new Set(fields.map(([name]) => name))
    before.items = before.items.filter(({ key }) => wanted.has(String(key)))
    for (const [name, one] of fields) before.set(name, changedTo(before.get(name, true), one ?? null))
    return before
  }
  return flow(value)
}

/** Identifies a list member by its price or coupon. */
function nameOf(value: Json): string {
  if (!isJsonObject(value)) return JSON.stringify(value)
  return JSON.stringify(value['price'] ?? value['coupon'] ?? value)
}

/** An entry: one line per field; nested values are on the same line. */
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
