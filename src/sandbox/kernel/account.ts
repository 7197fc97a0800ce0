import type { Space } from './shelves.ts'

/** What Stripe keeps in the Dashboard and copies to nobody. */
export interface AccountSettings {
  readonly country: string
  readonly default_currency: string
  readonly name: string
  /** Days after a failed payment at which it is tried again; then what becomes of the subscription. */
  readonly dunning: { readonly retry_days: readonly number[]; readonly finally: 'cancel' | 'unpaid' | 'past_due' }
  /** Seconds a renewal invoice stays a draft. */
  readonly draft_seconds: number
  /** Countries in which Stripe Tax is registered; none: Stripe Tax is not set up. */
  readonly tax_registrations: readonly string[]
}

/** One Stripe account: a space of tables with a key and settings. */
export interface Account extends Space {
  readonly accountId: string
  readonly key: string
  readonly settings: AccountSettings
}
