import type { Json } from '../core/json.ts'

/**
 * Reads the simple subset of YAML that `pull` writes, about forty times as fast as a full parser:
 * block maps by indentation, one-line flow collections, words, numbers, instants, simple quoted
 * text and whole-line comments. For anything else, or in doubt, it returns undefined, and the full
 * parser reads the file. A property test proves that both give the same result.
 */
export interface PlainYaml {
  readonly value: Json
  /** Line and column of each key of the first two levels, by `keyPlace`. */
  readonly places: ReadonlyMap<string, { readonly line: number; readonly column: number }>
}

export function keyPlace(path: readonly (string | number)[]): string {
  return path.join('\0')
}

export function pathOf(place: string): readonly string[] {
  return place === '' ? [] : place.split('\0')
}

interface Level {
  readonly indent: number
  readonly map: Record<string, Json>
}

const blank = /^ *(?:#.*)?$/
const line = /^( *)([A-Za-z_][A-Za-z0-9_./-]*):(?: ([^ ].*))?$/
/**
 * Keys that YAML's core schema does not read as text, and `__proto__`, which JavaScript treats
 * specially.
 */
const reserved = /^(?:null|true|false|__proto__)$/i

/** Undefined when the text uses more than the simple subset. */
export function readPlainYaml(text: string): PlainYaml | undefined {
  const places = new Map<string, { line: number; column: number }>()
  const root: Level = { indent: 0, map: {} }
  const levels: Level[] = [root]
  /** A key without a value; the next line must open its map. */
  let open: { readonly holder: Record<string, Json>; readonly key: string; readonly indent: number } | undefined
  let [topKey, number] = ['', 0]
  for (const current of text.split('\n')) {
    number += 1
    if (blank.test(current)) continue
    const match = line.exec(current)
    if (match === null) return undefined
    const [, spaces = '', key = '', written] = match
    if (reserved.test(key)) return undefined
    const indent = spaces.length
    if (open !== undefined) {
      if (indent <= open.indent) return undefined
      const map: Record<string, Json> = {}
      open.holder[open.key] = map
      levels.push({ indent, map })
      open = undefined
    }
    while (levels.length > 1 && indent < (levels.at(-1)?.indent ?? 0)) levels.pop()
    const level = levels.at(-1)
    if (level === undefined || level.indent !== indent || Object.hasOwn(level.map, key)) return undefined
    if (levels.length === 1) topKey = key
    if (levels.length <= 2)
      places.set(keyPlace(levels.length === 1 ? [key] : [topKey, key]), { line: number, column: indent + 1 })
    if (written === undefined) open = { holder: level.map, key, indent }
    else {
      const value = readValue(written)
      if (value === undefined) return undefined
      level.map[key] = value
    }
    // The key is set now, so that the keys keep the order of the text.
    if (open !== undefined) level.map[key] = null
  }
  return open === undefined && Object.keys(root.map).length > 0 ? { value: root.map, places } : undefined
}

function readValue(written: string): Json | undefined {
  if (!/^[[{]/.test(written)) return /^["']/.test(written) ? quoted(written) : scalar(written)
  const flow = new Flow(written)
  const value = flow.value()
  return value !== undefined && flow.atEnd() ? value : undefined
}

const word = /^[A-Za-z_](?:[\w./@+%(),-]| (?=[\w./@+%()-]))*$/
const integer = /^-?(?:0|[1-9]\d{0,14})$/
const fraction = /^-?(?:0|[1-9]\d{0,8})\.\d{1,6}$/
const instantText = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/

/** A one-line value with only one possible meaning. */
function scalar(text: string): Json | undefined {
  if (instantText.test(text)) return text
  if (integer.test(text)) return text === '-0' ? undefined : Number(text)
  // Only the full reader can report that `49.00` is not written as a whole number.
  if (fraction.test(text)) return Number.isInteger(Number(text)) ? undefined : Number(text)
  if (text === 'true') return true
  if (text === 'false') return false
  return word.test(text) && !reserved.test(text) ? text : undefined
}

/** Quoted text without escapes. */
function quoted(text: string): string | undefined {
  const inside = /^"([^"\\]*)"$/.exec(text)?.[1] ?? /^'([^']*)'$/.exec(text)?.[1]
  return inside
}

/** A flow collection on one line: `[ { price: a, quantity: 2 } ]`. */
class Flow {
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  atEnd(): boolean {
    return this.#at === this.#text.length
  }

  value(): Json | undefined {
    const first = this.#text[this.#at]
    if (first === '[') return this.#nested(() => this.#list())
    if (first === '{') return this.#nested(() => this.#map())
    if (first === '"' || first === "'") {
      const end = this.#text.indexOf(first, this.#at + 1)
      return end === -1 ? undefined : quoted(this.#take(end + 1))
    }
    let end = this.#at
    while (end < this.#text.length && !',[]{}'.includes(this.#text.charAt(end))) end += 1
    while (end > this.#at && this.#text[end - 1] === ' ') end -= 1
    return scalar(this.#take(end))
  }

  #nested(read: () => Json | undefined): Json | undefined {
    this.#depth += 1
    const value = this.#depth > 16 ? undefined : read()
    this.#depth -= 1
    return value
  }

  #list(): Json | undefined {
    const items: Json[] = []
    for (this.#open(); !this.#closes(']');) {
      const item = this.value()
      if (item === undefined || !this.#separates(']')) return undefined
      items.push(item)
    }
    return items
  }

  #map(): Json | undefined {
    const map: Record<string, Json> = {}
    for (this.#open(); !this.#closes('}');) {
      const match = /^([A-Za-z_][A-Za-z0-9_./-]*): (?=[^ ])/.exec(this.#text.slice(this.#at, this.#at + 120))
      const key = match?.[1]
      if (match === null || key === undefined || reserved.test(key) || Object.hasOwn(map, key)) return undefined
      this.#at += match[0].length
      const value = this.value()
      if (value === undefined || !this.#separates('}')) return undefined
      map[key] = value
    }
    return map
  }

  #open(): void {
    this.#at += 1
    this.#blanks()
  }

  #closes(end: ']' | '}'): boolean {
    if (this.#text[this.#at] !== end) return false
    this.#at += 1
    return true
  }

  /** Consumes a comma and the blanks after it; or accepts the end of the collection. */
  #separates(end: ']' | '}'): boolean {
    this.#blanks()
    if (this.#text[this.#at] === end) return true
    if (this.#text[this.#at] !== ',' || this.#text[this.#at + 1] !== ' ') return false
    this.#at += 1
    this.#blanks()
    // A comma before the end is legal YAML but usually a mistake; the full parser decides.
    return this.#at < this.#text.length && this.#text[this.#at] !== end
  }

  #blanks(): void {
    while (this.#text[this.#at] === ' ') this.#at += 1
  }

  #take(end: number): string {
    const taken = this.#text.slice(this.#at, end)
    this.#at = end
    return taken
  }
}
