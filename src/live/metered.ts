import type Stripe from 'stripe'

/** Whether a price bills usage, at the end of each period, and not a quantity in advance. */
export function isMetered({ recurring }: Pick<Stripe.Price, 'recurring'>): boolean {
  return recurring?.usage_type === 'metered'
}
