import type Stripe from 'stripe'

/**
 * What the hand-over does with every field of a subscription, exhaustive over the SDK's type: a new
 * Stripe field is a compile error here until its policy for a carried subscription is decided.
 *
 * - `carried`   the recipe sends it; part of the fingerprint
 * - `decided`   it decides whether and how the subscription moves, under its own code; part of the
 *   fingerprint
 * - `default`   only its default is carried, by omission; any other value blocks with
 *   `field_not_carried`; part of the fingerprint
 * - `volatile`  changes by itself with time and renewals
 * - `identity`  belongs to the old object alone
 */
export type FieldPolicy =
  | { readonly policy: 'carried' | 'decided' | 'volatile' | 'identity' }
  | { readonly policy: 'default'; readonly isDefault: (value: unknown) => boolean }

const carried = { policy: 'carried' } as const
const decided = { policy: 'decided' } as const
const volatile = { policy: 'volatile' } as const
const identity = { policy: 'identity' } as const
/** Stripe shows a setting that was never set as null, absent, empty or `false`. */
const unset = { policy: 'default', isDefault: isUnset } as const

function isUnset(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === '') return true
  if (Array.isArray(value)) return value.length === 0
  return false
}

/**
 * Whether every field of the value is unset, except the named fields, which must have their
 * default.
 */
function allUnsetBut(value: unknown, defaults: Readonly<Record<string, (value: unknown) => boolean>>): boolean {
  if (isUnset(value)) return true
  return Object.entries(value as Record<string, unknown>).every(([key, one]) => (defaults[key] ?? isUnset)(one))
}

const isSelf = (value: unknown): boolean => isUnset(value) || (value as { type?: unknown }).type === 'self'

export const subscriptionFields = {
  id: identity,
  object: identity,
  application: decided,
  application_fee_percent: unset,
  automatic_tax: {
    policy: 'default',
    // `enabled` is carried. Another account's liability, and tax that Stripe switched off, are not.
    isDefault: (value) => allUnsetBut(value, { enabled: () => true, liability: isSelf }),
  },
  billing_cycle_anchor: carried,
  billing_cycle_anchor_config: carried,
  billing_mode: carried,
  billing_schedules: unset,
  billing_thresholds: carried,
  cancel_at: carried,
  cancel_at_period_end: decided,
  canceled_at: volatile,
  cancellation_details: volatile,
  collection_method: carried,
  created: identity,
  currency: carried,
  customer: carried,
  customer_account: unset,
  days_until_due: carried,
  default_payment_method: carried,
  default_source: carried,
  default_tax_rates: carried,
  description: carried,
  discounts: carried,
  ended_at: volatile,
  invoice_settings: { policy: 'default', isDefault: (value) => allUnsetBut(value, { issuer: isSelf }) },
  items: carried,
  latest_invoice: volatile,
  livemode: identity,
  managed_payments: { policy: 'default', isDefault: (value) => allUnsetBut(value, {}) },
  metadata: carried,
  next_pending_invoice_item_invoice: volatile,
  on_behalf_of: unset,
  pause_collection: decided,
  payment_settings: carried,
  pending_invoice_item_interval: unset,
  // An authentication in progress belongs to the account; the copied payment method starts its own.
  pending_setup_intent: volatile,
  pending_update: unset,
  presentment_details: unset,
  schedule: decided,
  start_date: carried,
  status: decided,
  status_details: { policy: 'default', isDefault: (value) => allUnsetBut(value, {}) },
  test_clock: identity,
  transfer_data: unset,
  trial_end: carried,
  trial_settings: {
    policy: 'default',
    // The end behaviour is carried where it keeps the anchor at the trial's end.
    isDefault: (value) => allUnsetBut(value, { end_behavior: () => true }),
  },
  trial_start: volatile,
} as const satisfies { readonly [Field in keyof Required<Stripe.Subscription>]: FieldPolicy }

export const itemFields = {
  id: identity,
  object: identity,
  billed_until: volatile,
  billing_thresholds: { policy: 'default', isDefault: (value) => allUnsetBut(value, {}) },
  created: identity,
  current_period_end: volatile,
  current_period_start: volatile,
  current_trial: unset,
  deleted: identity,
  discounts: carried,
  metadata: carried,
  // The older form of `price`, derived from it.
  plan: identity,
  price: carried,
  quantity: carried,
  subscription: identity,
  tax_rates: carried,
} as const satisfies { readonly [Field in keyof Required<Stripe.SubscriptionItem>]: FieldPolicy }

/**
 * The customer fields that money depends on: carried by a step, copied by Stripe, or decided on.
 * The remaining fields do not affect billing.
 */
export const customerFields = {
  id: identity,
  object: identity,
  // Copied by Stripe
  // (https://support.stripe.com/questions/data-that-can-be-copied-between-stripe-accounts).
  address: identity,
  email: identity,
  metadata: identity,
  name: identity,
  phone: identity,
  description: identity,
  business_name: identity,
  individual_name: identity,
  created: identity,
  livemode: identity,
  test_clock: identity,
  deleted: decided,
  balance: decided,
  invoice_credit_balance: decided,
  cash_balance: unset,
  currency: decided,
  customer_account: unset,
  default_source: carried,
  delinquent: volatile,
  discount: decided,
  // Invoice numbering belongs to the account that issues the invoices.
  invoice_prefix: identity,
  next_invoice_sequence: identity,
  invoice_settings: carried,
  preferred_locales: carried,
  shipping: carried,
  sources: identity,
  subscriptions: identity,
  tax: volatile,
  tax_exempt: carried,
  tax_ids: carried,
} as const satisfies { readonly [Field in keyof Required<Stripe.Customer>]: FieldPolicy }

/**
 * The fields of a table that the hand-over carries, decides on, or leaves at their default: what a
 * revert would write or drop.
 */
export type ComparedFields<Table> = {
  readonly [
    Field in keyof Table as Table[Field] extends { readonly policy: 'carried' | 'decided' | 'default' } ? Field : never
  ]: Table[Field]
}

type Parts<T> = { readonly [Part in keyof Required<T>]: FieldPolicy }

/**
 * Objects that are carried part by part, also exhaustive: the recipe names each part that it sends,
 * so a part that Stripe adds would otherwise be lost silently.
 */
export const subscriptionParts = {
  billing_mode: { flexible: carried, type: carried, updated_at: volatile },
  'billing_mode.flexible': { proration_discounts: carried },
  pause_collection: { behavior: decided, resumes_at: decided },
  payment_settings: {
    payment_method_options: carried,
    payment_method_types: carried,
    save_default_payment_method: carried,
  },
  'trial_settings.end_behavior': { billing_cycle_anchor: decided, missing_payment_method: carried },
} as const satisfies {
  readonly billing_mode: Parts<Stripe.Subscription.BillingMode>
  readonly 'billing_mode.flexible': Parts<Stripe.Subscription.BillingMode.Flexible>
  readonly pause_collection: Parts<Stripe.Subscription.PauseCollection>
  readonly payment_settings: Parts<Stripe.Subscription.PaymentSettings>
  readonly 'trial_settings.end_behavior': Parts<Stripe.Subscription.TrialSettings.EndBehavior>
}

/**
 * Names of the fields that the hand-over cannot carry as they are: `billing_thresholds`,
 * `items.current_trial` …, and any set field without a policy.
 */
export function fieldsNotCarried(subscription: Stripe.Subscription): readonly string[] {
  const own = notCarried(subscription, subscriptionFields)
  const items = subscription.items.data.flatMap((item) => notCarried(item, itemFields).map((field) => `items.${field}`))
  return [...new Set([...own, ...partsNotCarried(subscription), ...items])]
}

/** Settings that a new subscription is created without, and has by now. */
export function settingsAdded(subscription: Stripe.Subscription): readonly string[] {
  const known = Object.keys(subscriptionFields)
  return notCarried(subscription, subscriptionFields).filter((field) => known.includes(field))
}

function partsNotCarried(subscription: Stripe.Subscription): readonly string[] {
  return Object.entries(subscriptionParts).flatMap(([path, policies]) => {
    let part: unknown = subscription
    for (const name of path.split('.')) part = (part as Record<string, unknown> | null | undefined)?.[name]
    return typeof part === 'object' && part !== null ? notCarried(part, policies).map((name) => `${path}.${name}`) : []
  })
}

function notCarried(value: object, policies: Readonly<Record<string, FieldPolicy>>): readonly string[] {
  return Object.entries(value)
    .filter(([field, one]) => {
      const policy = policies[field]
      if (policy === undefined) return !isUnset(one)
      return policy.policy === 'default' && !policy.isDefault(one)
    })
    .map(([field]) => field)
}

/**
 * Whether a field is part of the fingerprint: every field that the hand-over carries or decides on.
 */
export function isFingerprinted(policy: FieldPolicy): boolean {
  return policy.policy === 'carried' || policy.policy === 'decided' || policy.policy === 'default'
}
