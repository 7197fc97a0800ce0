import type Stripe from 'stripe'
import { canonicalJson, digest } from '../core/canonical.ts'
import { idOf } from '../core/reference.ts'
import { withoutOwnEnd } from '../live/own-end.ts'
import { readPayment, type Hold } from '../live/source.ts'
import type { customerFields, itemFields, subscriptionFields, ComparedFields } from './fields.ts'
import { settingsAdded } from './fields.ts'

/*
 * What a person may change on a held old subscription, so that the change never reaches the new one
 * by itself. The mark of the hold has a short digest of each part.
 */

type Part = (subscription: Stripe.Subscription, customer: Stripe.Customer | undefined) => unknown

/** In the order of the mark: a new part goes to the end, because earlier marks lack it. */
const parts = {
  items: ({ items }) => items.data.map(({ price, quantity }) => [price.id, quantity ?? null]),
  'tax rates of an item': ({ items }) => items.data.map((item) => rates(item.tax_rates)),
  'payment method': (subscription, customer) => readPayment(subscription, customer)?.id ?? null,
  'its end': (subscription) => {
    const { cancel_at, cancel_at_period_end } = withoutOwnEnd(subscription)
    return [cancel_at, cancel_at_period_end]
  },
  collection_method: ({ collection_method: method, days_until_due: days }) => [method, days],
  'tax rates': ({ default_tax_rates: own }) => rates(own),
  'automatic tax': ({ automatic_tax: { enabled, liability } }) => [enabled, liability?.type ?? 'self'],
  'address of the customer': (_, customer) => [customer?.address ?? null, customer?.shipping?.address ?? null],
  'tax ids of the customer': (_, customer) =>
    (customer?.tax_ids?.data ?? []).map(({ type, value }) => `${type} ${value}`).toSorted(),
  'tax exemption of the customer': (_, customer) => customer?.tax_exempt ?? null,
  'billing thresholds': ({ billing_thresholds: thresholds, items }) => [
    thresholds,
    items.data.map(({ billing_thresholds: one }) => one ?? null),
  ],
  'payment method types': ({ payment_settings: settings }) => (settings?.payment_method_types ?? []).toSorted(),
  'end of the trial': ({ trial_settings: settings }) => settings?.end_behavior.missing_payment_method ?? null,
  'billing mode': ({ billing_mode: mode }) => mode.type,
  settings: (subscription) => settingsAdded(subscription).filter((field) => !changesByItself.has(field)),
} as const satisfies Readonly<Record<string, Part>>

export type HeldPart = keyof typeof parts

/** Stripe sets or removes these by itself. */
const changesByItself: ReadonlySet<string> = new Set(['automatic_tax', 'pending_update', 'status_details'])

/**
 * Who watches a field of the held old subscription: a part above, another rule of this folder, or
 * nobody, with the reason.
 */
type HeldRule =
  | { readonly part: HeldPart }
  | { readonly by: 'dates' | 'discounts' | 'hold' | 'money' | 'status' }
  | { readonly not: string }

/** A new field in `fields.ts` does not compile without a rule. */
type Rules<Table> = { readonly [Field in keyof ComparedFields<Table>]: HeldRule }

const fixed = { not: 'Stripe never changes it' } as const
const ownNotes = { not: 'notes of other programs, which bill nothing' } as const
const settings = { part: 'settings' } as const

const subscription: Rules<typeof subscriptionFields> = {
  application: fixed,
  application_fee_percent: settings,
  automatic_tax: { part: 'automatic tax' },
  billing_cycle_anchor: { by: 'dates' },
  billing_cycle_anchor_config: { by: 'dates' },
  billing_mode: { part: 'billing mode' },
  billing_schedules: settings,
  billing_thresholds: { part: 'billing thresholds' },
  cancel_at: { part: 'its end' },
  cancel_at_period_end: { part: 'its end' },
  collection_method: { part: 'collection_method' },
  currency: fixed,
  customer: fixed,
  customer_account: settings,
  days_until_due: { part: 'collection_method' },
  default_payment_method: { part: 'payment method' },
  default_source: { part: 'payment method' },
  default_tax_rates: { part: 'tax rates' },
  description: { not: 'a text, which bills nothing' },
  discounts: { by: 'discounts' },
  invoice_settings: settings,
  items: { part: 'items' },
  managed_payments: settings,
  metadata: ownNotes,
  on_behalf_of: settings,
  pause_collection: { by: 'hold' },
  payment_settings: { part: 'payment method types' },
  pending_invoice_item_interval: settings,
  pending_update: { not: 'Stripe applies or removes it by itself; what it applies is seen' },
  presentment_details: settings,
  schedule: { by: 'hold' },
  start_date: fixed,
  status: { by: 'status' },
  status_details: { by: 'status' },
  transfer_data: settings,
  trial_end: { by: 'dates' },
  trial_settings: { part: 'end of the trial' },
}

const item: Rules<typeof itemFields> = {
  billing_thresholds: { part: 'billing thresholds' },
  current_trial: { not: 'no trial of an item is carried, and one blocks the move' },
  discounts: { by: 'discounts' },
  metadata: ownNotes,
  price: { part: 'items' },
  quantity: { part: 'items' },
  tax_rates: { part: 'tax rates of an item' },
}

const customer: Rules<typeof customerFields> = {
  balance: { by: 'money' },
  cash_balance: { not: 'funds that Stripe applies to invoices of the old account alone' },
  currency: fixed,
  customer_account: { not: 'another form of the same customer' },
  default_source: { part: 'payment method' },
  deleted: { by: 'status' },
  discount: { by: 'discounts' },
  invoice_credit_balance: { by: 'money' },
  invoice_settings: { part: 'payment method' },
  preferred_locales: { not: 'the language of mails' },
  shipping: { part: 'address of the customer' },
  tax_exempt: { part: 'tax exemption of the customer' },
  tax_ids: { part: 'tax ids of the customer' },
}

export const heldRules = { subscription, item, customer } as const

/** The fields of the subscription that a person changes, and never a renewal. */
export const heldFields: readonly string[] = Object.entries(subscription as Readonly<Record<string, HeldRule>>).flatMap(
  ([field, rule]) =>
    'part' in rule || ('by' in rule && (rule.by === 'dates' || rule.by === 'discounts')) ? [field] : [],
)

/** Four characters of each part; '' where a schedule changes the subscription by itself. */
export function partsPrint(subscription: Stripe.Subscription, customer: Stripe.Customer | undefined): string {
  if (subscription.schedule !== null || customer === undefined) return ''
  return Object.values(parts as Readonly<Record<string, Part>>)
    .map((part) => digest({ salt: subscription.id, is: canonicalJson([part(subscription, customer)]) }).slice(0, size))
    .join('')
}

const size = 4

/** The parts that differ from the mark of the hold. A part that the mark lacks is unknown. */
export function changedParts(
  subscription: Stripe.Subscription,
  customer: Stripe.Customer | undefined,
  { parts: before = '' }: Pick<Hold, 'parts'>,
): readonly HeldPart[] {
  const now = partsPrint(subscription, customer)
  if (now === '') return []
  return (Object.keys(parts) as HeldPart[]).filter((_, i) => {
    const known = before.slice(i * size, (i + 1) * size)
    return known.length === size && known !== now.slice(i * size, (i + 1) * size)
  })
}

/** Whether a part is as the mark of the hold has it. */
export function hasPart(
  part: HeldPart,
  subscription: Stripe.Subscription,
  customer: Stripe.Customer | undefined,
  { parts: before = '' }: Pick<Hold, 'parts'>,
): boolean {
  const at = (Object.keys(parts) as HeldPart[]).indexOf(part) * size
  const now = partsPrint({ ...subscription, schedule: null }, customer)
  return now !== '' && before.slice(at, at + size) === now.slice(at, at + size)
}

function rates(all: readonly Stripe.TaxRate[] | null | undefined): readonly string[] {
  return (all ?? []).map((one) => idOf(one)).toSorted()
}
