import { createHash } from 'node:crypto'
import { assert } from './assert.ts'

/**
 * One text for one value: keys sorted by code unit, no spaces, absent and undefined keys alike.
 * Digests, fingerprints and plans are taken over this text, so equal values give equal bytes on
 * every machine.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') {
    assert(Number.isFinite(value), `not a JSON number: ${value}`)
    return JSON.stringify(value)
  }
  if (Array.isArray(value)) return `[${value.map((one) => canonicalJson(one ?? null)).join(',')}]`
  assert(typeof value === 'object', `not a JSON value: ${typeof value}`)
  return `{${entriesOf(value)
    .map(([key, one]) => `${JSON.stringify(key)}:${canonicalJson(one)}`)
    .join(',')}}`
}

/**
 * SHA-256 of the canonical text, in hex. The text is fed in pieces, because the text of a large
 * plan would exceed the longest string.
 */
export function digest(value: unknown): string {
  const hash = createHash('sha256')
  let waiting = ''
  feed(value, 3, (text) => {
    waiting += text
    if (waiting.length < 65_536) return
    hash.update(waiting)
    waiting = ''
  })
  return hash.update(waiting).digest('hex')
}

/** Passes the canonical text on in pieces; values deeper than `levels` come whole. */
function feed(value: unknown, levels: number, put: (text: string) => void): void {
  if (levels === 0 || typeof value !== 'object' || value === null) return put(canonicalJson(value))
  let before = Array.isArray(value) ? '[' : '{'
  const opened = before
  if (Array.isArray(value))
    for (const one of value) {
      put(before)
      feed(one ?? null, levels - 1, put)
      before = ','
    }
  else
    for (const [key, one] of entriesOf(value)) {
      put(`${before}${JSON.stringify(key)}:`)
      feed(one, levels - 1, put)
      before = ','
    }
  if (before === opened) put(opened)
  put(opened === '[' ? ']' : '}')
}

function entriesOf(value: object): [string, unknown][] {
  return Object.entries(value as Record<string, unknown>)
    .filter(([, one]) => one !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
}
