import { objectIn, type StripeObject } from '../../core/json.ts'
import { success, type Outcome } from '../../core/outcome.ts'
import { idOf } from '../../core/reference.ts'
import { readCardLink, type CardLink } from '../../live/entered-card.ts'
import { methodOfSession } from '../read/entered-cards.ts'
import { read } from '../send/perform.ts'
import { attachEntered } from './attach.ts'
import type { CardContext, CardOwner } from './context.ts'
import { markCardLink } from './mark.ts'

/**
 * The state of one member's card link. `open`: no card was entered yet; `session` is the page of
 * Stripe that they opened last. `gone`: the target no longer has the customer.
 */
export type CardState =
  | { readonly state: 'open'; readonly link: CardLink | undefined; readonly session: StripeObject | undefined }
  /** `waits`: a run works on this store; a moved member is charged on the card after it. */
  | { readonly state: 'entered'; readonly waits?: true }
  | { readonly state: 'gone' }

/**
 * Reads the state of a card link and finishes what its member did on Stripe's page: records the
 * entered card and, for a moved member, charges it from now on. May be repeated at any time.
 */
export async function cardState(context: CardContext, owner: CardOwner): Promise<Outcome<CardState>> {
  const { target } = context.accounts
  const customer = await read(context, target, `/v1/customers/${owner.customer}`)
  if (!customer.ok) return customer.failure.code === 'resource_missing' ? success({ state: 'gone' }) : customer
  if (customer.value['deleted'] === true) return success({ state: 'gone' })
  const { metadata } = customer.value
  const link = readCardLink(objectIn(metadata), owner.subscriber)
  if (link?.state === 'entered') return await attached(context, owner, link.method)
  if (link?.state !== 'opened') return success({ state: 'open', link, session: undefined })
  const session = await read(context, target, `/v1/checkout/sessions/${link.session}`, { expand: ['setup_intent'] })
  if (!session.ok)
    return session.failure.code === 'resource_missing' ? success({ state: 'open', link, session: undefined }) : session
  const method =
    idOf(session.value['customer']) === owner.customer ? methodOfSession(session.value, owner.subscriber) : undefined
  if (method === undefined) return success({ state: 'open', link, session: session.value })
  const marked = await markCardLink(context, owner, { state: 'entered', at: context.clock(), method })
  return marked.ok ? await attached(context, owner, method) : marked
}

/** The card is saved in any case; a running apply only delays the charge of a moved member. */
async function attached(context: CardContext, owner: CardOwner, method: string): Promise<Outcome<CardState>> {
  const done = await attachEntered(context, owner, method)
  if (done.ok) return success({ state: 'entered' })
  return done.failure.code === 'apply_running' ? success({ state: 'entered', waits: true }) : done
}
