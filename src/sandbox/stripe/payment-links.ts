// Payment links: doors through which a visitor can still subscribe.
// https://docs.stripe.com/api/payment-link
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import { find, retrieveRoute, type Kind } from '../kernel/kind.ts'
import { listPage, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import {
  emptyable,
  fields,
  flag,
  int,
  mergeMetadata,
  metadata,
  oneOf,
  required,
  text,
  type Metadata,
} from '../kernel/params.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import type { Wire } from '../kernel/wire.ts'
import { lineItemList, lineItems, soldItems, type SoldItem } from './line-items.ts'

export interface PaymentLinkRow extends Row {
  readonly active: boolean
  readonly allow_promotion_codes: boolean
  readonly automatic_tax: boolean
  readonly billing_address_collection: 'auto' | 'required'
  readonly currency: string
  readonly inactive_message: string | null
  readonly items: readonly SoldItem[]
  readonly metadata: Metadata
  readonly recurring: boolean
  readonly redirect: string | null
  readonly trial_period_days: number | null
}

export const paymentLinks: TableDefinition<PaymentLinkRow> = { name: 'payment_links' }
const kind: Kind<PaymentLinkRow> = {
  table: paymentLinks,
  noun: 'payment_link',
  url: '/v1/payment_links',
  permission: 'payment_links',
  render,
}

const common = {
  after_completion: fields({
    redirect: fields({ url: required(text()) }),
    type: required(oneOf('hosted_confirmation', 'redirect')),
  }),
  allow_promotion_codes: flag(),
  automatic_tax: fields({ enabled: required(flag()) }),
  billing_address_collection: oneOf('auto', 'required'),
  inactive_message: emptyable(text({ max: 500 })),
  metadata: metadata(),
  subscription_data: fields({ trial_period_days: int({ min: 1, max: 730 }) }),
}

export const paymentLinkModule: Module = {
  routes: [
    route('POST', kind.url, {
      permission: 'payment_links',
      params: fields({ ...common, line_items: required(lineItems) }),
      handle(context, params) {
        const { items, currency, recurring } = soldItems(context, params.line_items)
        const row = context.table(paymentLinks).put({
          id: context.newId('plink'),
          created: context.now,
          active: true,
          allow_promotion_codes: params.allow_promotion_codes ?? false,
          automatic_tax: params.automatic_tax?.enabled ?? false,
          billing_address_collection: params.billing_address_collection ?? 'auto',
          currency,
          inactive_message: params.inactive_message ?? null,
          items,
          metadata: mergeMetadata({}, params.metadata),
          recurring,
          redirect: params.after_completion?.redirect?.url ?? null,
          trial_period_days: params.subscription_data?.trial_period_days ?? null,
        })
        context.emit('payment_link.created', render(context, row))
        return render(context, row)
      },
    }),
    retrieveRoute(kind),
    route('POST', `${kind.url}/:id`, {
      permission: 'payment_links',
      params: fields({ ...common, active: flag() }),
      handle(context, params) {
        const row = find(context, kind, context.id('id'))
        const changed = context.table(paymentLinks).put({
          ...row,
          active: params.active ?? row.active,
          allow_promotion_codes: params.allow_promotion_codes ?? row.allow_promotion_codes,
          automatic_tax: params.automatic_tax?.enabled ?? row.automatic_tax,
          billing_address_collection: params.billing_address_collection ?? row.billing_address_collection,
          inactive_message: params.inactive_message === undefined ? row.inactive_message : params.inactive_message,
          metadata: mergeMetadata(row.metadata, params.metadata),
          redirect:
            params.after_completion === undefined ? row.redirect : (params.after_completion.redirect?.url ?? null),
          trial_period_days: params.subscription_data?.trial_period_days ?? row.trial_period_days,
        })
        context.emit('payment_link.updated', render(context, changed), render(context, row))
        return render(context, changed)
      },
    }),
    route('GET', kind.url, {
      permission: 'payment_links',
      params: fields({ ...paging, active: flag() }),
      handle: (context, params) =>
        listPage(context, params, {
          table: paymentLinks,
          url: kind.url,
          keep: (row) => params.active === undefined || row.active === params.active,
          render,
        }),
    }),
    route('GET', `${kind.url}/:id/line_items`, {
      permission: 'payment_links',
      params: fields({ ...paging }),
      handle: (context) => items(context, context.id('id')),
    }),
  ],
  objects: {
    plink: (context, id) => {
      const row = context.table(paymentLinks).get(id)
      return row === undefined ? undefined : render(context, row)
    },
  },
  includes: { payment_link: { line_items: items } },
}

function items(context: Context, id: string): object {
  return lineItemList(context, find(context, kind, id).items, `${kind.url}/${id}/line_items`)
}

function render(context: Context, row: PaymentLinkRow): Wire<Omit<Stripe.PaymentLink, 'line_items'>> {
  return {
    id: row.id,
    object: 'payment_link',
    active: row.active,
    after_completion:
      row.redirect === null
        ? { hosted_confirmation: { custom_message: null }, type: 'hosted_confirmation' }
        : { redirect: { url: row.redirect }, type: 'redirect' },
    allow_promotion_codes: row.allow_promotion_codes,
    application: null,
    application_fee_amount: null,
    application_fee_percent: null,
    automatic_tax: { enabled: row.automatic_tax, liability: null },
    billing_address_collection: row.billing_address_collection,
    consent_collection: null,
    currency: row.currency,
    custom_fields: [],
    custom_text: { after_submit: null, shipping_address: null, submit: null, terms_of_service_acceptance: null },
    customer_creation: 'if_required',
    inactive_message: row.inactive_message,
    invoice_creation: null,
    livemode: context.livemode,
    managed_payments: null,
    metadata: row.metadata,
    on_behalf_of: null,
    payment_intent_data: null,
    payment_method_collection: 'always',
    payment_method_options: null,
    payment_method_types: null,
    phone_number_collection: { enabled: false },
    restrictions: null,
    shipping_address_collection: null,
    shipping_options: [],
    submit_type: 'auto',
    subscription_data: row.recurring
      ? {
          description: null,
          invoice_settings: {
            account_tax_ids: null,
            custom_fields: null,
            description: null,
            footer: null,
            issuer: { type: 'self' },
          },
          metadata: {},
          trial_period_days: row.trial_period_days,
          trial_settings: null,
        }
      : null,
    tax_id_collection: { enabled: false, required: 'never' },
    transfer_data: null,
    url: `https://buy.stripe.com/${context.livemode ? '' : 'test_'}${row.id.slice('plink_'.length)}`,
  }
}
