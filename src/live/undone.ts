import type Stripe from 'stripe'
import { undoneComment } from './marks.ts'
import type { PauseImage } from './source.ts'

/*
 * The comment of the cancel by which a revert or an undo ends a new subscription. A revert gives
 * the old subscription the pause that the new one has. After the cancel, the comment is the only
 * place that is certain to show it:
 *
 *     crossbill undone, back to us/sub_1
 *     crossbill undone, back to us/sub_1, not paused
 *     crossbill undone, back to us/sub_1, paused void until 1780272000
 */

/** `pause`: what the old subscription gets; undefined for an undo, where the hold knows it. */
export function undoneWords(key: string, pause: PauseImage | null | undefined): string {
  return `${undoneComment}${key}${pause === undefined ? '' : pauseWords(pause)}`
}

function pauseWords(pause: PauseImage | null): string {
  if (pause === null) return ', not paused'
  return `, paused ${pause.behavior}${pause.resumes_at === null ? '' : ` until ${pause.resumes_at}`}`
}

/**
 * The pause that a revert took from this new subscription for the old one; undefined where the
 * comment does not say.
 */
export function pauseGivenBack({ cancellation_details: details }: Stripe.Subscription): PauseImage | null | undefined {
  const comment = details?.comment ?? ''
  if (!comment.startsWith(undoneComment)) return undefined
  if (comment.endsWith(', not paused')) return null
  const [, behavior, until] = /, paused (\w+)(?: until (\d+))?$/.exec(comment) ?? []
  return behavior === undefined ? undefined : { behavior, resumes_at: until === undefined ? null : Number(until) }
}
