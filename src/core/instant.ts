/**
 * A point in time as Stripe counts it: whole seconds since 1970, UTC. Wall-clock zones never enter
 * the program.
 */
export type Instant = number & { readonly __brand: 'Instant' }

export const secondsPerHour = 3_600
export const secondsPerDay = 86_400

export function instant(seconds: number): Instant {
  if (!Number.isSafeInteger(seconds)) throw new RangeError(`not an instant in whole seconds: ${seconds}`)
  return seconds as Instant
}

const iso = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.0+)?Z$/

/**
 * Reads `2026-12-31T09:15:00Z`. Undefined for anything else: no zones, no fractions of a second, no
 * dates that do not exist.
 */
export function parseInstant(text: string): Instant | undefined {
  if (!iso.test(text)) return undefined
  const milliseconds = Date.parse(text)
  if (Number.isNaN(milliseconds)) return undefined
  const seconds = instant(milliseconds / 1_000)
  // Date.parse rolls 30 February over into March.
  return new Date(milliseconds).getUTCDate() === Number(text.slice(8, 10)) ? seconds : undefined
}

export function formatInstant(at: Instant): string {
  return `${new Date(at * 1_000).toISOString().slice(0, 19)}Z`
}

/**
 * Whether `at` has passed. Values are set at most `longest` seconds ahead. A value further ahead
 * can only come from a clock that was later set back, so it is treated as due.
 */
export function isDue(at: number, now: number, longest: number): boolean {
  return at <= now || at - now > longest
}
