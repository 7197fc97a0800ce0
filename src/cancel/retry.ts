/**
 * Seconds between tries: quick at first, since the member waits; the last one spans a night. Then
 * the dead letters.
 */
export const retryDelaysSeconds: readonly number[] = [2, 10, 30, 120, 600, 3_600, 21_600]

/**
 * Seconds until the next try after `attempts` failed ones, or undefined when the signal is given up
 * to the dead letters. Full jitter
 * (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/): a wave of
 * failures does not come back as a wave. `random` is in [0, 1). What the other side asked for
 * (`Retry-After`) is a floor, never shortened by the dice.
 */
export function retryDelay(attempts: number, random: number, retryAfter = 0): number | undefined {
  const longest = retryDelaysSeconds[attempts]
  if (longest === undefined) return undefined
  return Math.max(1, Math.ceil(longest * random), Math.ceil(retryAfter))
}
