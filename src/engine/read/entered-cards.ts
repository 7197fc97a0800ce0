import type Stripe from 'stripe'
import type { Catalog } from '../../catalog/types.ts'
import { isJsonObject, type StripeObject } from '../../core/json.ts'
import { idOf } from '../../core/reference.ts'
import type { Live } from '../../live/accounts.ts'
import { cardLinksOf, markCardFor, type CardLink, type EnteredCard } from '../../live/entered-card.ts'
import { markFrom, oldIdOf } from '../../live/marks.ts'
import { isAlive } from '../../live/subscription.ts'
import type { Context } from '../context.ts'
import type { StripeAccount } from '../ports.ts'
import { sideBySide } from '../side-by-side.ts'
import { byId } from './by-id.ts'
import { methodOf } from './payment-methods.ts'

const atOnce = 16

/**
 * Cards that members entered in the target for subscriptions that have not moved yet, by old
 * subscription. Only members with the mark of a card link are read: two reads for each. A card
 * that is gone, or of another customer, is left out.
 */
export async function enteredCards(
  { accounts: { target } }: Pick<Context, 'accounts'>,
  live: Live,
  { subscribers }: Pick<Catalog, 'subscribers'>,
): Promise<ReadonlyMap<string, EnteredCard>> {
  const entered = new Map<string, EnteredCard>()
  const linkOf = cardLinksOf(live.target.customers.values())
  const moved = new Set(live.target.subscriptions.filter(isAlive).map(({ metadata }) => oldIdOf(metadata[markFrom])))
  const asked = subscribers.flatMap(({ key, subscription }) => {
    const known = moved.has(subscription) ? undefined : linkOf(key)
    return known === undefined || known.link.state === 'asked' ? [] : [{ key, subscription, ...known }]
  })
  await sideBySide(
    asked.map((one) => [one]),
    atOnce,
    async ({ key, subscription, customer, link }) => {
      const card = await cardOf(target, { key, customer, link })
      if (card !== undefined) entered.set(subscription, card)
      return true
    },
  )
  return entered
}

async function cardOf(
  target: StripeAccount,
  { key, customer, link }: { readonly key: string; readonly customer: string; readonly link: CardLink },
): Promise<EnteredCard | undefined> {
  const id = link.state === 'entered' ? link.method : link.state === 'opened' ? await methodIn(target, link, key) : ''
  if (id === undefined || id === '') return undefined
  const found = await byId(target, `/v1/payment_methods/${id}`)
  if (found === undefined || idOf(found['customer']) !== customer) return undefined
  const shown: Stripe.PaymentMethod = methodOf(found)
  return { customer, id, shown }
}

/** The method that a session set up for this subscriber; undefined while it is not complete. */
async function methodIn(
  target: StripeAccount,
  { session }: { readonly session: string },
  key: string,
): Promise<string | undefined> {
  const found = await byId(target, `/v1/checkout/sessions/${session}`, ['setup_intent'])
  return found === undefined ? undefined : methodOfSession(found, key)
}

/**
 * The payment method that a complete session, read with its SetupIntent, has set up for this
 * subscriber.
 */
export function methodOfSession(session: StripeObject, key: string): string | undefined {
  const { status, metadata, setup_intent: intent } = session
  const mark = isJsonObject(metadata) ? metadata[markCardFor] : undefined
  if (status !== 'complete' || typeof mark !== 'string' || oldIdOf(mark) !== oldIdOf(key)) return undefined
  if (!isJsonObject(intent) || intent['status'] !== 'succeeded') return undefined
  return idOf(intent['payment_method'])
}
