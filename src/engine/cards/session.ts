import { digest } from '../../core/canonical.ts'
import type { StripeObject } from '../../core/json.ts'
import { failed, success, type Outcome } from '../../core/outcome.ts'
import { cardLinkMark, markCardFor } from '../../live/entered-card.ts'
import { sendPatiently } from '../send/perform.ts'
import type { CardContext, CardOwner } from './context.ts'
import { markCardLink } from './mark.ts'
import { noteOpened } from './sweep.ts'
import { cardState } from './state.ts'

/** Where the member's browser goes next. */
export type Opened =
  | { readonly state: 'page'; readonly url: string }
  | { readonly state: 'entered' }
  | { readonly state: 'gone' }

/**
 * Opens Stripe's page on which the member enters a card, or returns the one that is open already.
 * It sets the card up for later charges and charges nothing. The member is sent there only after
 * the session is noted on their customer, so that a completed one is never overlooked.
 */
export async function openCardPage(context: CardContext, owner: CardOwner, returnTo: string): Promise<Outcome<Opened>> {
  const known = await cardState(context, owner)
  if (!known.ok) return known
  if (known.value.state !== 'open') return success(known.value)
  const { link, session } = known.value
  const open = urlOf(session)
  if (open !== undefined) return success({ state: 'page', url: open })
  // The key names the state before, so that two presses at once open one session.
  const before = link === undefined ? '' : cardLinkMark(link)
  const made = await sendPatiently(context, context.accounts.target, {
    method: 'POST',
    path: '/v1/checkout/sessions',
    params: {
      mode: 'setup',
      customer: owner.customer,
      allowed_payment_method_types: ['card'],
      metadata: { [markCardFor]: owner.subscriber },
      setup_intent_data: { metadata: { [markCardFor]: owner.subscriber } },
      success_url: returnTo,
      cancel_url: returnTo,
    },
    idempotencyKey: `crossbill-card-page-${digest([owner.subscriber, owner.customer, before])}`,
  })
  if (!made.ok) return made
  const url = urlOf(made.value)
  if (url === undefined) return failed(closed)
  const at = context.clock()
  const marked = await markCardLink(context, owner, { state: 'opened', at, session: made.value.id ?? '' })
  if (!marked.ok) return marked
  await noteOpened(context, at)
  return success({ state: 'page', url })
}

/** A key that was used before returns the answer of then, whose session may be over. */
const closed = {
  kind: 'retryable',
  code: 'session_closed',
  message: 'the page of Stripe that was made is no longer open',
  status: 0,
} as const

function urlOf(session: StripeObject | undefined): string | undefined {
  return session?.['status'] === 'open' && typeof session['url'] === 'string' ? session['url'] : undefined
}
