/**
 * Decides what a verified cancel signal does to one subscriber, given what both accounts hold right
 * now. Pure: the worker reads, this module decides, the worker sends.
 *
 * "Already cancelled" in the old account is success only if the target holds no live object marked
 * as its successor; otherwise the member still pays there. While the old subscription is on hold,
 * both are cancelled, the new one first, because the held one cannot charge in the meantime.
 */
export interface LiveSides {
  /** The old subscription. `cancelled_by_us`: it carries the settled mark. */
  readonly old: 'live' | 'cancelled' | 'cancelled_by_us' | 'missing'
  /**
   * Successors in the target by mark, including cancelled ones. Undefined when the target could not
   * be read.
   */
  readonly successors: readonly { readonly id: string; readonly live: boolean }[] | undefined
  /**
   * The old subscription is on hold as after a finished move or was settled, its customer exists in
   * the target, and its successor was not found by mark, by id or under another customer: it may
   * still charge.
   */
  readonly unseen?: boolean
}

export type CancelDecision =
  | { readonly do: 'cancel'; readonly new: readonly string[]; readonly old: boolean }
  | { readonly do: 'nothing'; readonly reason: 'already_cancelled' }
  | { readonly do: 'wait'; readonly reason: 'target_unreadable' }
  | { readonly do: 'ask'; readonly reason: 'subscription_missing' | 'successor_unseen' }

/**
 * | old             | successors        | decision                                    |
 * |-----------------|-------------------|---------------------------------------------|
 * | any             | unreadable        | wait: the picture is incomplete             |
 * | live            | none live         | cancel the old                              |
 * | any, unseen     | none at all       | ask a person: the new one may still charge  |
 * | live            | live              | cancel the new, then the old                |
 * | cancelled (any) | live              | cancel the new                              |
 * | cancelled (any) | none live         | nothing: the cancel is done                 |
 * | missing         | live              | cancel the new                              |
 * | missing         | none, or ended    | ended: done; none at all: ask a person      |
 */
export function decideCancel({ old, successors, unseen }: LiveSides): CancelDecision {
  if (successors === undefined) return { do: 'wait', reason: 'target_unreadable' }
  const live = successors.filter((one) => one.live).map((one) => one.id)
  if (successors.length === 0 && unseen === true) return { do: 'ask', reason: 'successor_unseen' }
  if (old === 'live' || live.length > 0) return { do: 'cancel', new: live, old: old === 'live' }
  if (old === 'missing' && successors.length === 0) return { do: 'ask', reason: 'subscription_missing' }
  return { do: 'nothing', reason: 'already_cancelled' }
}

/** A subscriber that a signal may refer to. */
export interface Candidate {
  readonly subscriber: string
  /** Keys in access.yaml that this subscription gives. */
  readonly offers: readonly string[]
  readonly live: boolean
  /** Created after the signal was accepted, so the signal cannot refer to it. */
  readonly newerThanSignal: boolean
}

export type Choice =
  | { readonly choice: 'one'; readonly subscriber: string }
  | { readonly choice: 'none'; readonly reason: 'nobody' | 'no_offer_named' | 'no_match_for_offer' | 'already_ended' }
  | { readonly choice: 'ambiguous'; readonly subscribers: readonly string[] }

/**
 * Chooses the subscription that the signal refers to. The offer must match even when there is only
 * one candidate: Kajabi's "payments cancelled" automation also fires when a payment plan is fully
 * paid, and must not cancel another subscription.
 */
export function choose(candidates: readonly Candidate[], offer: string | undefined): Choice {
  if (candidates.length === 0) return { choice: 'none', reason: 'nobody' }
  if (offer === undefined) return { choice: 'none', reason: 'no_offer_named' }
  const matching = candidates.filter((one) => one.offers.includes(offer) && !one.newerThanSignal)
  if (matching.length === 0) return { choice: 'none', reason: 'no_match_for_offer' }
  const live = matching.filter((one) => one.live)
  const [only, ...others] = live
  if (only === undefined) return { choice: 'none', reason: 'already_ended' }
  if (others.length > 0) return { choice: 'ambiguous', subscribers: live.map((one) => one.subscriber) }
  return { choice: 'one', subscriber: only.subscriber }
}
