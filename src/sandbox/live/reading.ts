import { Bug } from '../../core/assert.ts'
import { type Json, type JsonObject, isJsonObject } from '../../core/json.ts'

/**
 * Reads fields of a live Stripe object. A field with another type than Stripe documents is a fault
 * of the program that pulled it.
 */
export class Live {
  readonly #object: JsonObject
  readonly #at: string

  constructor(object: unknown, at: string) {
    if (!isJsonObject(object)) throw new Bug(`${at} is not an object`)
    this.#object = object
    this.#at = at
  }

  get id(): string {
    return this.text('id')
  }

  /** The field as it is, or null. */
  any(name: string): Json {
    return this.#object[name] ?? null
  }

  text(name: string): string {
    const value = this.textOrNull(name)
    if (value === null) throw this.#wrong(name, 'text')
    return value
  }

  /** Decimals arrive as texts, or as objects that print as texts. */
  textOrNull(name: string): string | null {
    const value = this.any(name)
    if (value === null || typeof value === 'string') return value
    if (typeof value === 'number') return String(value)
    const printed = decimalText(value)
    if (printed !== undefined) return printed
    throw this.#wrong(name, 'text')
  }

  number(name: string): number {
    const value = this.numberOrNull(name)
    if (value === null) throw this.#wrong(name, 'number')
    return value
  }

  numberOrNull(name: string): number | null {
    const value = this.any(name)
    if (value === null || typeof value === 'number') return value
    const text = typeof value === 'string' ? value : (decimalText(value) ?? '')
    if (text !== '' && Number.isFinite(Number(text))) return Number(text)
    throw this.#wrong(name, 'number')
  }

  flag(name: string, otherwise = false): boolean {
    const value = this.any(name)
    return typeof value === 'boolean' ? value : otherwise
  }

  inside(name: string): Live | null {
    const value = this.any(name)
    return isJsonObject(value) ? new Live(value, `${this.#at}.${name}`) : null
  }

  /** The id of a reference, expanded or not. */
  ref(name: string): string | null {
    const value = this.any(name)
    if (value === null || typeof value === 'string') return value
    return new Live(value, `${this.#at}.${name}`).id
  }

  /** Entries of an array, or of an embedded list. */
  each(name: string): Json[] {
    const value = this.any(name)
    if (Array.isArray(value)) return value.slice()
    const data = isJsonObject(value) ? value['data'] : undefined
    return Array.isArray(data) ? data.slice() : []
  }

  /** The entries that are objects. */
  objects(name: string): Live[] {
    return this.each(name)
      .filter((entry) => isJsonObject(entry))
      .map((entry, index) => new Live(entry, `${this.#at}.${name}[${index}]`))
  }

  /** Ids of the entries, expanded or not. */
  refs(name: string): string[] {
    return this.each(name).map((entry, index) =>
      typeof entry === 'string' ? entry : new Live(entry, `${this.#at}.${name}[${index}]`).id,
    )
  }

  metadata(): Readonly<Record<string, string>> {
    const value = this.any('metadata')
    return isJsonObject(value) ? (value as Readonly<Record<string, string>>) : {}
  }

  /** One of the given words; the first of them when the field is missing. */
  word<const T extends string>(name: string, words: readonly [T, ...T[]]): T {
    const value = this.any(name)
    if (value === null) return words[0]
    const known = words.find((candidate) => candidate === value)
    if (known === undefined) throw this.#wrong(name, words.join(' | '))
    return known
  }

  #wrong(name: string, wanted: string): Bug {
    return new Bug(`${this.#at}.${name} should be ${wanted}`)
  }
}

/** A decimal of the SDK, which prints as a number. */
function decimalText(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isPlain(value)) return undefined
  const text = String(value as { toString(): string })
  return /^-?\d+(\.\d+)?$/.test(text) ? text : undefined
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
