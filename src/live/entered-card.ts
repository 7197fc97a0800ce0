import { textIn } from '../core/json.ts'
import type Stripe from 'stripe'
import { digest } from '../core/canonical.ts'
import { instant, type Instant } from '../core/instant.ts'
import { oldIdOf } from './marks.ts'

/**
 * Cards that members enter again, on Stripe's page, through their own card link. Marks on live
 * objects say who was asked and who has done it, so an empty store knows as well.
 */

/** On a Checkout session and its SetupIntent: the subscriber whose card is entered, `us/sub_…`. */
export const markCardFor = 'crossbill_card_for'
/** On a new subscription: the entered payment method that it charges. */
export const markCard = 'crossbill_card'
/** On a customer of the target: the state of one subscriber's card link. */
const markLink = 'crossbill_card_'

/**
 * The state of a subscriber's card link: a link was made, a session on Stripe's page was opened, or
 * a card was entered there and set up.
 */
export type CardLink =
  | { readonly state: 'asked'; readonly at: Instant }
  | { readonly state: 'opened'; readonly at: Instant; readonly session: string }
  | { readonly state: 'entered'; readonly at: Instant; readonly method: string }

/** A payment method that a member entered in the target, set up for later charges. */
export interface EnteredCard {
  readonly customer: string
  readonly id: string
  /** As the target shows it; absent for a method that a new subscription charges already. */
  readonly shown?: Stripe.PaymentMethod
}

/**
 * The key of the mark, at most 40 characters as Stripe requires. It names the old subscription and
 * not its account, whose name may change.
 */
export function cardLinkKey(subscriber: string): string {
  return `${markLink}${digest(oldIdOf(subscriber)).slice(0, 16)}`
}

export function cardLinkMark(link: CardLink): string {
  const of = link.state === 'opened' ? ` ${link.session}` : link.state === 'entered' ? ` ${link.method}` : ''
  return `${link.state} ${link.at}${of}`
}

/** Undefined for a subscriber who was never asked. */
export function readCardLink(
  metadata: Readonly<Record<string, unknown>> | null | undefined,
  subscriber: string,
): CardLink | undefined {
  const mark = metadata?.[cardLinkKey(subscriber)]
  const [, state, seconds = '', of = ''] = /^(asked|opened|entered) (\d{1,12})(?: (\w+))?$/.exec(textIn(mark)) ?? []
  const at = instant(Number(seconds))
  if (state === 'asked') return { state, at }
  if (state === 'opened' && of !== '') return { state, at, session: of }
  return state === 'entered' && of !== '' ? { state, at, method: of } : undefined
}

/** The card links of all customers of the target, looked up by subscriber. */
export function cardLinksOf(
  customers: Iterable<Stripe.Customer>,
): (subscriber: string) => { readonly customer: string; readonly link: CardLink } | undefined {
  const marked = new Map<string, Stripe.Customer>()
  for (const one of customers)
    for (const key of Object.keys(one.metadata ?? {})) if (key.startsWith(markLink)) marked.set(key, one)
  return (subscriber) => {
    const customer = marked.size === 0 ? undefined : marked.get(cardLinkKey(subscriber))
    const link = readCardLink(customer?.metadata, subscriber)
    return customer === undefined || link === undefined ? undefined : { customer: customer.id, link }
  }
}

/** The method entered by its member that a new subscription charges, by its mark. */
export function enteredOf({ metadata, customer }: Stripe.Subscription): EnteredCard | undefined {
  const id = metadata[markCard]
  return id === undefined ? undefined : { customer: typeof customer === 'string' ? customer : customer.id, id }
}
