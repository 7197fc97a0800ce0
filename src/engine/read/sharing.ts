import type { Json } from '../../core/json.ts'

/** Entries of a table before it is emptied: what is really frequent soon returns to it. */
const mostEntries = 20_000
/** Longer texts and larger objects are rarely equal. */
const longestText = 64
const longestObject = 400
const mostFields = 16

/**
 * Makes equal parts of many objects one part: a hundred thousand subscriptions have the same few
 * addresses, settings and words. Stripe's answers are parsed into a separate copy of each, which is
 * a third of the memory of a reading. The objects are changed in place; parts that are shared are
 * frozen.
 */
export class Sharing {
  readonly #texts = new Map<string, string>()
  readonly #objects = new Map<string, Json>()

  /** The same value, with its parts shared. */
  of<T extends Json | undefined>(value: T): T {
    if (typeof value === 'string') return this.#text(value) as T
    if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
    const parts = value as unknown as Record<string, Json | undefined>
    let fields = 0
    let isLeaf = true
    for (const key in parts) {
      const part = this.of(parts[key])
      parts[key] = part
      fields++
      if (typeof part === 'object' && part !== null && !Object.isFrozen(part)) isLeaf = false
    }
    return isLeaf && fields <= mostFields && !('id' in parts) ? (this.#object(value) as T) : value
  }

  #text(text: string): string {
    if (text.length > longestText) return text
    const known = this.#texts.get(text)
    if (known !== undefined) return known
    if (this.#texts.size >= mostEntries) this.#texts.clear()
    this.#texts.set(text, text)
    return text
  }

  #object(value: Json): Json {
    const key = JSON.stringify(value)
    if (key.length > longestObject) return value
    const known = this.#objects.get(key)
    if (known !== undefined) return known
    if (this.#objects.size >= mostEntries) this.#objects.clear()
    this.#objects.set(key, Object.freeze(value))
    return value
  }
}
