import { present } from '../core/assert.ts'
import { type Instant, parseInstant } from '../core/instant.ts'

/** Parses an instant that a schema has accepted. */
export function instantOf(text: string): Instant {
  return present(parseInstant(text), `instant ${text}`)
}
