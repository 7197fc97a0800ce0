import { digest } from '../core/canonical.ts'
import type { Instant } from '../core/instant.ts'

/**
 * The source of a signal: an event that may mean "this member wants to stop". The source decides
 * how far the signal is trusted. Hooks and the poller are hints, verified by reading Kajabi back. A
 * relay's signed request, a member's confirmed link and the operator act directly. A form never
 * acts, because any address can be typed into it: it only causes a confirmation link to be sent.
 */
export type SignalSource =
  | 'hook'
  | 'form'
  | 'relay'
  | 'link'
  | 'poller'
  | 'operator'
  | 'source_account'
  | 'target_account'

export interface Signal {
  readonly source: SignalSource
  /** The kind of event: `tag_added`, `offer_gone`, `cancel`, `old_subscription_cancelled` … */
  readonly event: string
  /** Key in access.yaml. Every signal that can cancel names the offer to cancel. */
  readonly offer?: string
  /** Kajabi contact id. */
  readonly contact?: string
  readonly tag?: string
  /** Stripe customer of the target, when the signal names it. */
  readonly customer?: string
  /**
   * `us/sub_…`, bound when the signal is accepted, so that a late retry never cancels a
   * subscription created afterwards.
   */
  readonly subscriber?: string
  readonly receivedAt: Instant
  /** The sender's own id of the message (`webhook-id`), or a digest of the body. */
  readonly message: string
}

/**
 * Kajabi sends neither a delivery id nor a time, so the same tag on the same contact within this
 * window counts as the same request. For a sender that numbers its messages (Standard Webhooks),
 * the message id decides, for as long as ids are kept.
 */
const duplicateWindowSeconds = 600

/**
 * Whether a signal can end in a cancel. Restoring a hold, updating access and sending a link are
 * not cancels.
 */
export function mayCancel({ source, event }: Signal): boolean {
  return source !== 'form' && event !== 'subscription_ended' && event !== 'hold_removed'
}

export function signalKey(signal: Signal): string {
  const { source, event, offer, contact, tag, customer, subscriber, receivedAt, message } = signal
  if (source === 'relay' || source === 'link' || source === 'operator') return digest([source, message])
  return digest([source, event, offer, contact, tag, customer, subscriber, message, windowOf(receivedAt)])
}

/** The key of a member's link, from the link's id alone. */
export function signalKeyOfLink(id: string): string {
  return digest(['link' satisfies SignalSource, id])
}

/** Includes the keys of the previous window: a repeat just after the boundary is still a repeat. */
export function signalKeys(signal: Signal): readonly string[] {
  const earlier = { ...signal, receivedAt: (signal.receivedAt - duplicateWindowSeconds) as Instant }
  return [...new Set([signalKey(signal), signalKey(earlier)])]
}

function windowOf(at: Instant): number {
  return Math.floor(at / duplicateWindowSeconds)
}
