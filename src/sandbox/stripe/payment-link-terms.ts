// The terms of a payment link besides its items, in a request and in an answer.
// https://docs.stripe.com/api/payment-link/create
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import { missing } from '../kernel/errors.ts'
import {
  emptyable,
  fields,
  flag,
  int,
  list,
  mergeMetadata,
  metadata,
  oneOf,
  required,
  text,
  type Parsed,
} from '../kernel/params.ts'
import type { Wire } from '../kernel/wire.ts'
import { shippingRates } from './shipping-rates.ts'

const enabled = required(flag())
const limits = fields({ default_value: text(), maximum_length: int({ min: 1 }), minimum_length: int({ min: 0 }) })
const message = emptyable(fields({ message: required(text({ max: 1_200 })) }))
const name = fields({ enabled, optional: flag() })
const adjustable = fields({ enabled, maximum: int({ min: 1 }), minimum: int({ min: 0 }) })

/** Parameters that creation and update share. */
export const linkTerms = {
  after_completion: fields({
    hosted_confirmation: fields({ custom_message: text({ max: 500 }) }),
    redirect: fields({ url: required(text()) }),
    type: required(oneOf('hosted_confirmation', 'redirect')),
  }),
  allow_promotion_codes: flag(),
  automatic_tax: fields({ enabled, liability: fields({ account: text(), type: required(oneOf('account', 'self')) }) }),
  billing_address_collection: oneOf('auto', 'required'),
  consent_collection: fields({
    payment_method_reuse_agreement: fields({ position: required(oneOf('auto', 'hidden')) }),
    promotions: oneOf('auto', 'none'),
    terms_of_service: oneOf('none', 'required'),
  }),
  custom_fields: emptyable(
    list(
      fields({
        dropdown: fields({
          default_value: text(),
          options: required(list(fields({ label: required(text({ max: 100 })), value: required(text({ max: 100 })) }))),
        }),
        key: required(text({ pattern: /^[A-Za-z0-9]{1,200}$/ })),
        label: required(fields({ custom: required(text({ max: 50 })), type: required(oneOf('custom')) })),
        numeric: limits,
        optional: flag(),
        text: limits,
        type: required(oneOf('dropdown', 'numeric', 'text')),
      }),
      { max: 3 },
    ),
  ),
  custom_text: fields({
    after_submit: message,
    shipping_address: message,
    submit: message,
    terms_of_service_acceptance: message,
  }),
  customer_creation: oneOf('always', 'if_required'),
  inactive_message: emptyable(text({ max: 500 })),
  invoice_creation: fields({ enabled }),
  metadata: metadata(),
  name_collection: emptyable(fields({ business: name, individual: name })),
  optional_items: emptyable(
    list(fields({ adjustable_quantity: adjustable, price: required(text()), quantity: required(int({ min: 0 })) }), {
      max: 10,
    }),
  ),
  payment_intent_data: fields({
    capture_method: oneOf('automatic', 'automatic_async', 'manual'),
    description: emptyable(text({ max: 1_000 })),
    metadata: metadata(),
    setup_future_usage: emptyable(oneOf('off_session', 'on_session')),
    statement_descriptor: emptyable(text({ max: 22 })),
    statement_descriptor_suffix: emptyable(text({ max: 22 })),
    transfer_group: emptyable(text()),
  }),
  payment_method_collection: oneOf('always', 'if_required'),
  payment_method_types: emptyable(list(text())),
  phone_number_collection: fields({ enabled }),
  restrictions: emptyable(fields({ completed_sessions: required(fields({ limit: required(int({ min: 1 })) })) })),
  shipping_address_collection: emptyable(
    fields({ allowed_countries: required(list(text({ pattern: /^[A-Z]{2}$/ }))) }),
  ),
  shipping_options: emptyable(list(fields({ shipping_rate: text() }))),
  submit_type: oneOf('auto', 'book', 'donate', 'pay', 'subscribe'),
  subscription_data: fields({
    description: text({ max: 500 }),
    metadata: metadata(),
    trial_period_days: emptyable(int({ min: 1, max: 730 })),
    trial_settings: emptyable(
      fields({
        end_behavior: required(
          fields({ missing_payment_method: required(oneOf('cancel', 'create_invoice', 'pause')) }),
        ),
      }),
    ),
  }),
  tax_id_collection: fields({ enabled, required: oneOf('if_supported', 'never') }),
}

const given = fields(linkTerms)
export type LinkTerms = Omit<Parsed<typeof given>, 'metadata'>

/** The terms after a request: a given part replaces the old one, an emptied part is removed. */
export function mergedTerms(before: LinkTerms, { metadata: _own, ...now }: Parsed<typeof given>): LinkTerms {
  const { custom_text, payment_intent_data: payment, subscription_data: subscription } = now
  return {
    ...before,
    ...now,
    ...(custom_text === undefined ? {} : { custom_text: { ...before.custom_text, ...custom_text } }),
    ...(payment === undefined
      ? {}
      : {
          payment_intent_data: {
            ...before.payment_intent_data,
            ...payment,
            metadata: mergeMetadata(before.payment_intent_data?.metadata ?? {}, payment.metadata),
          },
        }),
    ...(subscription === undefined
      ? {}
      : {
          subscription_data: {
            ...before.subscription_data,
            ...subscription,
            metadata: mergeMetadata(before.subscription_data?.metadata ?? {}, subscription.metadata),
          },
        }),
  }
}

type Shown = Pick<
  Wire<Stripe.PaymentLink>,
  | 'after_completion'
  | 'allow_promotion_codes'
  | 'automatic_tax'
  | 'billing_address_collection'
  | 'consent_collection'
  | 'custom_fields'
  | 'custom_text'
  | 'customer_creation'
  | 'inactive_message'
  | 'invoice_creation'
  | 'name_collection'
  | 'optional_items'
  | 'payment_intent_data'
  | 'payment_method_collection'
  | 'payment_method_types'
  | 'phone_number_collection'
  | 'restrictions'
  | 'shipping_address_collection'
  | 'shipping_options'
  | 'submit_type'
  | 'subscription_data'
  | 'tax_id_collection'
>

/** The terms with Stripe's default for every part that was not given. */
export function shownTerms(context: Context, terms: LinkTerms, recurring: boolean): Shown {
  const { after_completion: after, automatic_tax: tax, consent_collection: consent, name_collection: names } = terms
  return {
    after_completion:
      after?.type === 'redirect'
        ? { redirect: after.redirect ?? { url: '' }, type: 'redirect' }
        : {
            hosted_confirmation: { custom_message: after?.hosted_confirmation?.custom_message ?? null },
            type: 'hosted_confirmation',
          },
    allow_promotion_codes: terms.allow_promotion_codes ?? false,
    automatic_tax: { enabled: tax?.enabled ?? false, liability: tax?.enabled === true ? { type: 'self' } : null },
    billing_address_collection: terms.billing_address_collection ?? 'auto',
    consent_collection:
      consent === undefined
        ? null
        : {
            payment_method_reuse_agreement: consent.payment_method_reuse_agreement ?? null,
            promotions: consent.promotions ?? null,
            terms_of_service: consent.terms_of_service ?? null,
          },
    custom_fields: (terms.custom_fields ?? []).map(shownField),
    custom_text: {
      after_submit: terms.custom_text?.after_submit ?? null,
      shipping_address: terms.custom_text?.shipping_address ?? null,
      submit: terms.custom_text?.submit ?? null,
      terms_of_service_acceptance: terms.custom_text?.terms_of_service_acceptance ?? null,
    },
    customer_creation: terms.customer_creation ?? (recurring ? 'always' : 'if_required'),
    inactive_message: terms.inactive_message ?? null,
    invoice_creation: recurring ? null : shownInvoices(terms.invoice_creation?.enabled ?? false),
    ...(names === undefined || names === null ? {} : { name_collection: shownNames(names) }),
    optional_items: terms.optional_items?.map((one) => ({ ...one, adjustable_quantity: bounds(one) })) ?? null,
    payment_intent_data: recurring ? null : shownPayment(terms.payment_intent_data),
    payment_method_collection: terms.payment_method_collection ?? 'always',
    payment_method_types: terms.payment_method_types ?? null,
    phone_number_collection: { enabled: terms.phone_number_collection?.enabled ?? false },
    restrictions:
      terms.restrictions === undefined || terms.restrictions === null
        ? null
        : { completed_sessions: { count: 0, limit: terms.restrictions.completed_sessions.limit } },
    shipping_address_collection: terms.shipping_address_collection ?? null,
    shipping_options: (terms.shipping_options ?? []).map(({ shipping_rate: rate = '' }, index) => {
      const row = context.table(shippingRates).get(rate)
      if (row === undefined) throw missing('shipping rate', rate, `shipping_options[${index}][shipping_rate]`)
      return { shipping_amount: row.amount, shipping_rate: rate }
    }),
    submit_type: terms.submit_type ?? 'auto',
    subscription_data: recurring ? shownSubscription(terms.subscription_data) : null,
    tax_id_collection: {
      enabled: terms.tax_id_collection?.enabled ?? false,
      required: terms.tax_id_collection?.required ?? 'never',
    },
  }
}

function shownField(field: NonNullable<LinkTerms['custom_fields']>[number]): Shown['custom_fields'][number] {
  const bound = (given: typeof field.text) => ({
    default_value: given?.default_value ?? null,
    maximum_length: given?.maximum_length ?? null,
    minimum_length: given?.minimum_length ?? null,
  })
  const { key, label, type } = field
  const common = { key, label, optional: field.optional ?? false }
  if (type === 'numeric') return { ...common, type, numeric: bound(field.numeric) }
  if (type === 'text') return { ...common, type, text: bound(field.text) }
  const { default_value: chosen, options = [] } = field.dropdown ?? {}
  return { ...common, type, dropdown: { default_value: chosen ?? null, options } }
}

function shownNames(names: NonNullable<LinkTerms['name_collection']>): NonNullable<Shown['name_collection']> {
  const of = (one: typeof names.business) => ({ enabled: one?.enabled ?? false, optional: one?.optional ?? false })
  return { business: of(names.business), individual: of(names.individual) }
}

function bounds({ adjustable_quantity: one }: NonNullable<LinkTerms['optional_items']>[number]) {
  return one === undefined ? null : { enabled: one.enabled, maximum: one.maximum ?? null, minimum: one.minimum ?? null }
}

function shownInvoices(isOn: boolean): Shown['invoice_creation'] {
  const invoice_data = {
    account_tax_ids: null,
    custom_fields: null,
    description: null,
    footer: null,
    issuer: { type: 'self' as const },
    metadata: {},
    rendering_options: null,
  }
  return { enabled: isOn, invoice_data }
}

function shownPayment(given: LinkTerms['payment_intent_data']): Shown['payment_intent_data'] {
  if (given === undefined) return null
  return {
    capture_method: given.capture_method ?? null,
    description: given.description ?? null,
    metadata: given.metadata ?? {},
    setup_future_usage: given.setup_future_usage ?? null,
    statement_descriptor: given.statement_descriptor ?? null,
    statement_descriptor_suffix: given.statement_descriptor_suffix ?? null,
    transfer_group: given.transfer_group ?? null,
  }
}

function shownSubscription(given: LinkTerms['subscription_data']): Shown['subscription_data'] {
  return {
    description: given?.description ?? null,
    invoice_settings: {
      account_tax_ids: null,
      custom_fields: null,
      description: null,
      footer: null,
      issuer: { type: 'self' },
    },
    metadata: given?.metadata ?? {},
    trial_period_days: given?.trial_period_days ?? null,
    trial_settings: given?.trial_settings ?? null,
  }
}
