import { formatInstant, instant } from '../core/instant.ts'
import type { PauseImage } from './source.ts'

/** `void, until 2026-06-01T00:00:00Z`, for messages. */
export function pauseWords({ behavior, resumes_at: until }: PauseImage): string {
  return `${behavior}, ${until === null ? 'without an end' : `until ${formatInstant(instant(until))}`}`
}
