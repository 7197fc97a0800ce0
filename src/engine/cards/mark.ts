import { digest } from '../../core/canonical.ts'
import type { StripeObject } from '../../core/json.ts'
import type { Outcome } from '../../core/outcome.ts'
import { cardLinkKey, cardLinkMark, type CardLink } from '../../live/entered-card.ts'
import { perform } from '../send/perform.ts'
import { noteCardLink } from './seen.ts'
import { cardAddress, type CardContext, type CardOwner } from './context.ts'

/** Writes the state of a card link on its customer in the target. */
export async function markCardLink(
  context: CardContext,
  { subscriber, customer }: CardOwner,
  link: CardLink,
): Promise<Outcome<StripeObject>> {
  const mark = cardLinkMark(link)
  const marked = await perform(context, {
    address: cardAddress(subscriber),
    step: link.state,
    account: context.accounts.target,
    method: 'POST',
    path: `/v1/customers/${customer}`,
    params: { metadata: { [cardLinkKey(subscriber)]: mark } },
    key: `crossbill-card-${digest([subscriber, customer, mark])}`,
  })
  if (marked.ok) await noteCardLink(context.store, subscriber, link.state)
  return marked
}
