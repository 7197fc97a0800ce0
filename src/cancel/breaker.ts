import type { Instant } from '../core/instant.ts'

export type BreakerReading =
  | { readonly open: false }
  | { readonly open: true; readonly reason: string; readonly since: Instant }

/**
 * The circuit breaker that keeps a broken outside system from cancelling every member. It opens
 * when the cancels of the last hour reach the limit. The poller and the reconciliation open it
 * also, when Kajabi shows an empty page where it showed people before. While it is open, nothing is
 * cancelled, nothing is dropped, and an alert goes out. Only an operator closes it.
 */
export function readBreaker(input: {
  readonly now: Instant
  readonly limitPerHour: number
  /** Cancels completed within the last hour. */
  readonly cancels: number
  readonly opened: { readonly reason: string; readonly since: Instant } | undefined
}): BreakerReading {
  const { now, limitPerHour, cancels, opened } = input
  if (opened !== undefined) return { open: true, ...opened }
  if (cancels < limitPerHour) return { open: false }
  return { open: true, reason: `${cancels} cancels within an hour reached the limit of ${limitPerHour}`, since: now }
}
