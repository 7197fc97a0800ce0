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
  readonly #lineEnd: string
  readonly #indent: number
  #changed = false

  constructor(text: string | undefined, header: string) {
    // As people have them: another line end or indentation would make every line a changed one.
    this.#lineEnd = text?.includes('\r\n') === true ? '\r\n' : '\n'
    this.#indent = /^( {1,8})\S/m.exec(text ?? '')?.[1]?.length ?? 2
    const empty = text === undefined || text.trim() === ''
    const document: Document = empty ? new Document() : parseDocument(text)
    spellKeys(document)
    if (empty) document.commentBefore = ` ${header}`
    if (!isMap(document.contents)) document.contents = new MapNode()
    this.#document = document
  }

  /** Undefined when nothing in it changed. */
  text(): string | undefined {
    if (!this.#changed) return undefined
    const text = this.#document.toString({ ...layout, indent: this.#indent })
    return this.#lineEnd === '\n' ? text : text.replaceAll(/\r?\n/g, this.#lineEnd)
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

  /** What stands behind an alias, for itself. */
  #copyOf(alias: unknown): unknown {
    const found = isAlias(alias) ? alias.resolve(this.#document) : undefined
    if (found === undefined) return alias
    const copy = found.clone() as Node & Anchored
    delete copy.anchor
    return copy
  }

  /** Others who were written as the same (`*name`) keep what they have when the first of them changes. */
  #release(changing: readonly Anchored[]): void {
    const names = new Set(changing.map(({ anchor }) => anchor))
    if (names.size === 0) return
    visit(this.#document, {
      Alias: (_key, alias) => (names.has(alias.source) ? (this.#copyOf(alias) as Node) : undefined),
    })
    for (const node of changing) delete node.anchor
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

type Anchored = { anchor?: string }

/** This node and those inside it that have a name for others to use. */
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

/** The value in place of what stood there, which keeps its layout and comments as far as it stays the same kind of thing. */
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

/** What a member of a list is about: its price, its coupon. */
function nameOf(value: Json): string {
  if (!isJsonObject(value)) return JSON.stringify(value)
  return JSON.stringify(value['price'] ?? value['coupon'] ?? value)
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
