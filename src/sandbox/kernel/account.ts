import type { Space } from './shelves.ts'

/** What Stripe keeps in the Dashboard and copies to nobody. */
export interface AccountSettings {
  readonly country: string
  readonly default_currency: string
  readonly name: string
  /**
   * Days after a failed payment at which it is tried again; then what becomes of the subscription.
   */
  readonly dunning: { readonly retry_days: readonly number[]; readonly finally: 'cancel' | 'unpaid' | 'past_due' }
  /**
   * Seconds a renewal invoice stays a draft: the grace period of finalization, 1 to 72 hours
   * (docs.stripe.com/invoicing/configure-grace-period).
   */
  readonly draft_seconds: number
  /**
   * The smallest charge by currency where it differs from the usual one: it follows the currency in
   * which the account is paid out.
   */
  readonly smallest_charges?: Readonly<Record<string, number>>
  /** A disputed payment cancels its subscription. */
  readonly dispute_cancels?: boolean
  /** Countries in which Stripe Tax is registered; none: Stripe Tax is not set up. */
  readonly tax_registrations: readonly string[]
}

/** One Stripe account: a space of tables with a key and settings. */
export interface Account extends Space {
  readonly accountId: string
  readonly key: string
  /** Another key of the same account, in the form of Stripe's own, for programs that check it. */
  readonly longKey: string
  settings: AccountSettings
}
