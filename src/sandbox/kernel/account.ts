import type { Space } from './shelves.ts'

/** What the Dashboard stores and no copy transfers. */
export interface AccountSettings {
  readonly country: string
  readonly default_currency: string
  readonly name: string
  /**
   * Days after a failed payment at which it is retried, and what happens to the subscription after
   * the last retry.
   */
  readonly dunning: { readonly retry_days: readonly number[]; readonly finally: 'cancel' | 'unpaid' | 'past_due' }
  /**
   * Seconds for which a renewal invoice stays a draft: the finalization grace period, 1 to 72 hours
   * (docs.stripe.com/invoicing/configure-grace-period).
   */
  readonly draft_seconds: number
  /**
   * The smallest charge by currency where it differs from the usual one; it depends on the currency
   * of the account's payouts.
   */
  readonly smallest_charges?: Readonly<Record<string, number>>
  /** A disputed payment cancels the subscription that it paid. */
  readonly dispute_cancels?: boolean
  /**
   * Countries with a registration in Stripe Tax; an empty list means that Stripe Tax is not set up.
   */
  readonly tax_registrations: readonly string[]
}

/** One Stripe account: a space of tables with a key and settings. */
export interface Account extends Space {
  readonly accountId: string
  readonly key: string
  /** Another key of the same account in Stripe's own form, for programs that check the form. */
  readonly longKey: string
  settings: AccountSettings
}
