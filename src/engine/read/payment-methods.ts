import type Stripe from 'stripe'
import type { StripeObject } from '../../core/json.ts'
import type { LiveAccount } from '../../live/accounts.ts'
import { CommandError } from '../../core/outcome.ts'
import type { Context } from '../context.ts'
import type { CopyMapRow } from '../ports.ts'
import { read } from '../send/perform.ts'

/** Payment methods that are the default of a customer or of a subscription, by id. */
export function methodsListed(live: LiveAccount | undefined): Map<string, Stripe.PaymentMethod> {
  const defaults = [...(live?.customers.values() ?? [])].map(
    ({ invoice_settings: { default_payment_method: one } }) => one,
  )
  const pinned = (live?.subscriptions ?? []).map(({ default_payment_method: one }) => one)
  return new Map([...defaults, ...pinned].flatMap(asMethod).map((one) => [one.id, one]))
}

function asMethod(method: string | Stripe.PaymentMethod | null): Stripe.PaymentMethod[] {
  return typeof method === 'object' && method !== null ? [method] : []
}

/** An older card of a customer has the fields of its card at the top. */
export function methodOf(object: StripeObject): Stripe.PaymentMethod {
  const isCard = object['object'] === 'card'
  return (isCard ? { ...object, type: 'card', card: object } : object) as unknown as Stripe.PaymentMethod
}

/**
 * One method of the target's customer; undefined when the target does not have it. `pm_` ids are
 * payment methods, all others are sources of their customer.
 */
export async function readMethod(
  context: Context,
  { customerNew, sourceNew }: Pick<CopyMapRow, 'customerNew' | 'sourceNew'>,
): Promise<Stripe.PaymentMethod | undefined> {
  const path = sourceNew.startsWith('pm_')
    ? `/v1/payment_methods/${sourceNew}`
    : `/v1/customers/${customerNew}/sources/${sourceNew}`
  const found = await read(context, context.accounts.target, path)
  if (found.ok) return methodOf(found.value)
  if (found.failure.code === 'resource_missing') return undefined
  throw new CommandError(
    'target_unreadable',
    `${sourceNew} could not be read in the target: ${found.failure.message}`,
    {
      notDone: 'nothing was imported and no payment method was judged',
      fix: 'run the command again when the target answers',
    },
  )
}
