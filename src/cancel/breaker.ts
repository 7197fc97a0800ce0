import type { Instant } from '../core/instant.ts'

export type BreakerReading =
  | { readonly open: false }
  | { readonly open: true; readonly reason: string; readonly since: Instant }

/**
 * The circuit that keeps a broken outside from cancelling everybody: more cancels an hour than the
 * limit. The poller and the reconciliation open it too, when Kajabi shows an empty page where
 * people were before. Open means: nothing is cancelled, nothing is dropped, somebody is called. It
 * is closed by an operator.
 */
export function readBreaker(input: {
  readonly now: Instant
  readonly limitPerHour: number
  /** Cancels done within the last hour. */
  readonly cancels: number
  readonly opened: { readonly reason: string; readonly since: Instant } | undefined
}): BreakerReading {
  const { now, limitPerHour, cancels, opened } = input
  if (opened !== undefined) return { open: true, ...opened }
  if (cancels < limitPerHour) return { open: false }
  return { open: true, reason: `${cancels} cancels within an hour reach the limit of ${limitPerHour}`, since: now }
}
