/** No wait between two tries is longer, unless the other side asks for more. */
const longestSeconds = 30

/**
 * Seconds to wait after the try number `turn` (the first is 1): a second, then twice as long each
 * time, up to half a minute. What the other side asks for (`Retry-After`) is waited instead.
 */
export function backoff(turn: number, retryAfter?: number): number {
  return retryAfter ?? Math.min(2 ** (turn - 1), longestSeconds)
}
