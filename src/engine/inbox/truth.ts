import type { IgnoredReason } from '../../cancel/reasons.ts'
import type { Signal } from '../../cancel/signal.ts'
import type { Failure } from '../../core/outcome.ts'
import type { InboxContext } from './context.ts'
import { readStanding } from './standing.ts'

export type Truth =
  | { readonly truth: 'true' }
  | { readonly truth: 'false'; readonly reason: IgnoredReason }
  | { readonly truth: 'unknown'; readonly failure: Failure }

/**
 * Checks whether a signal is true. Kajabi signs nothing, so its events are hints that are checked
 * through its API. A relay's signature, a member's link and an operator's command were verified
 * when they were accepted.
 */
export async function verifySignal(context: InboxContext, signal: Signal): Promise<Truth> {
  switch (signal.source) {
    case 'relay':
    case 'link':
    case 'operator':
    case 'source_account':
    case 'target_account':
    // A form proves nothing: it only sends a link to the address itself.
    case 'form':
      return { truth: 'true' }
    case 'hook':
      return signal.event === 'tag_added' ? tagIsThere(context, signal) : { truth: 'false', reason: 'event_never_acts' }
    case 'poller':
      return signal.event === 'tag_added' ? tagIsThere(context, signal) : offerIsGone(context, signal)
  }
}

async function tagIsThere(context: InboxContext, { contact, tag }: Signal): Promise<Truth> {
  if (contact === undefined || tag === undefined) return { truth: 'false', reason: 'names_no_contact_or_tag' }
  if (context.kajabi === undefined) return { truth: 'false', reason: 'hook_cannot_be_verified_without_api' }
  const tags = await context.kajabi.tagsOf(contact)
  if (!tags.ok) {
    // The sender made up a contact that Kajabi does not know.
    if (tags.failure.code === 'not_found') return { truth: 'false', reason: 'contact_unknown_in_kajabi' }
    return { truth: 'unknown', failure: tags.failure }
  }
  return tags.value.includes(tag) ? { truth: 'true' } : { truth: 'false', reason: 'tag_not_on_contact' }
}

/**
 * Two reads, some seconds apart, must agree, and the offer's policy must say that a revoke means a
 * cancel. While the grant is protected, a missing offer is repaired instead: during a repair, and
 * from the hold until seven days after settling, because old integrations revoke hours late.
 */
async function offerIsGone(context: InboxContext, { contact, offer }: Signal): Promise<Truth> {
  const policy = offer === undefined ? undefined : context.access.offers[offer]
  if (contact === undefined || offer === undefined || policy === undefined || context.kajabi === undefined)
    return { truth: 'false', reason: 'names_no_contact_or_offer' }
  if (policy.revoked_means !== 'cancel' || policy.day_limit !== undefined)
    return { truth: 'false', reason: 'revoked_means_alert' }
  const grants = await context.inbox.grants({ contact })
  const grant = grants.find((one) => one.offer === offer)
  if (grant === undefined) return { truth: 'false', reason: 'not_granted_by_crossbill' }
  const standing = await readStanding(context, grant)
  if (!standing.ok) return { truth: 'unknown', failure: standing.failure }
  if (standing.value.isProtected) return { truth: 'false', reason: 'protected_repair_instead' }
  for (const look of ['first', 'second'] as const) {
    if (look === 'second') await context.wait(context.policy.secondLookSeconds)
    const offers = await context.kajabi.offersOf(contact)
    if (!offers.ok) return { truth: 'unknown', failure: offers.failure }
    if (offers.value.includes(policy.kajabi)) return { truth: 'false', reason: 'offer_is_there' }
  }
  return { truth: 'true' }
}
