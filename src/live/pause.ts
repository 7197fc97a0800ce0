import { formatInstant, instant } from '../core/instant.ts'
import type { PauseImage } from './source.ts'

/** Whether a pause that was in force before an invoice was made still was so then. */
export function isPausedAt(pause: PauseImage | null, at: number): boolean {
  return pause !== null && (pause.resumes_at === null || pause.resumes_at > at)
}

/** `void, until 2026-06-01T00:00:00Z`, for messages. */
export function pauseWords({ behavior, resumes_at: until }: PauseImage): string {
  return `${behavior}, ${until === null ? 'without an end' : `until ${formatInstant(instant(until))}`}`
}
