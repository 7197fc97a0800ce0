/**
 * Seconds between tries. The first tries follow quickly, because the member waits; the last delay
 * spans a night. After that, the signal becomes a dead letter.
 */
export const retryDelaysSeconds: readonly number[] = [2, 10, 30, 120, 600, 3_600, 21_600]

/**
 * Seconds until the next try after `attempts` failed tries, or undefined when the signal becomes a
 * dead letter. Full jitter
 * (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/) spreads the
 * retries of signals that failed together. `random` is in [0, 1). A delay that the other side asked
 * for (`Retry-After`) is a minimum that jitter never shortens. This is not core/backoff.ts, which
 * waits seconds within one run: the store keeps the next try, and the tries end after a night.
 */
export function retryDelay(attempts: number, random: number, retryAfter = 0): number | undefined {
  const longest = retryDelaysSeconds[attempts]
  if (longest === undefined) return undefined
  return Math.max(1, Math.ceil(longest * random), Math.ceil(retryAfter))
}
