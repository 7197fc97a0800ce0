import { digest } from '../core/canonical.ts'
import type { Instant } from '../core/instant.ts'

/**
 * Something that may mean "this member wants to stop". How far it is to be believed depends on
 * where it came from: hooks and the poller are hints that are verified by reading Kajabi back; a
 * relay's signed request, a member's confirmed link and the operator act. A form never acts, since
 * anybody can type any address into it: it only has a confirmation link sent.
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
  /** What was said: `tag_added`, `offer_gone`, `cancel`, `old_subscription_cancelled` … */
  readonly event: string
  /** Key in access.yaml. Every acting signal names what is to be cancelled. */
  readonly offer?: string
  /** Kajabi contact id. */
  readonly contact?: string
  readonly tag?: string
  /** Stripe customer of the target, when the signal brought it. */
  readonly customer?: string
  /**
   * `us/sub_…`, bound when the signal was accepted: a late retry never hits a subscription made
   * afterwards.
   */
  readonly subscriber?: string
  readonly receivedAt: Instant
  /** The sender's own id of the message (`webhook-id`), or a digest of the body. */
  readonly message: string
}

/**
 * Kajabi sends neither a delivery id nor a time, so the same tag on the same contact within the
 * window is the same wish. A sender that numbers its messages (Standard Webhooks) is taken at its
 * word for as long as ids are kept.
 */
export const duplicateWindowSeconds = 600

/**
 * Whether a signal can end in a cancel. A hold to be put back, access to be followed and a link to
 * be sent cannot.
 */
export function mayCancel({ source, event }: Signal): boolean {
  return source !== 'form' && event !== 'subscription_ended' && event !== 'hold_removed'
}

export function signalKey(signal: Signal): string {
  const { source, event, offer, contact, tag, customer, subscriber, receivedAt, message } = signal
  if (source === 'relay' || source === 'link' || source === 'operator') return digest([source, message])
  return digest([source, event, offer, contact, tag, customer, subscriber, message, windowOf(receivedAt)])
}

/** By the id of a member's link alone. */
export function signalKeyOfLink(id: string): string {
  return digest(['link' satisfies SignalSource, id])
}

/** Keys of the window before, too: a repeat just after the boundary is still a repeat. */
export function signalKeys(signal: Signal): readonly string[] {
  const earlier = { ...signal, receivedAt: (signal.receivedAt - duplicateWindowSeconds) as Instant }
  return [...new Set([signalKey(signal), signalKey(earlier)])]
}

function windowOf(at: Instant): number {
  return Math.floor(at / duplicateWindowSeconds)
}
