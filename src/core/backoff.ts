/** The longest wait between two attempts, unless the other side asks for more. */
const longestSeconds = 30

/**
 * Seconds to wait after attempt number `turn` (the first is 1): one second, then twice as long each
 * time, up to half a minute. A wait that the other side asks for (`Retry-After`) replaces it.
 */
export function backoff(turn: number, retryAfter?: number): number {
  return retryAfter ?? Math.min(2 ** (turn - 1), longestSeconds)
}
