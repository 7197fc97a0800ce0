// The account and its settings. https://docs.stripe.com/api/accounts/object
// https://docs.stripe.com/api/tax/settings
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import { StripeError } from '../kernel/errors.ts'
import { listOf, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import { fields, oneOf } from '../kernel/params.ts'
import type { Wire } from '../kernel/wire.ts'
import { noAddress } from './payment-method-row.ts'

export const accountModule: Module = {
  routes: [
    route('GET', '/v1/account', {
      permission: 'account',
      params: fields({}),
      handle: (context) => renderAccount(context),
    }),
    route('GET', '/v1/accounts/:id', {
      permission: 'account',
      params: fields({}),
      handle(context) {
        if (context.id('id') === context.account.accountId) return renderAccount(context)
        throw new StripeError(403, {
          type: 'invalid_request_error',
          code: 'account_invalid',
          message: `The provided key does not have access to account '${context.id('id')}' (or that account does not exist). Application access may have been revoked.`,
        })
      },
    }),
    route('GET', '/v1/tax/settings', {
      permission: 'tax',
      params: fields({}),
      handle: (context) => renderTaxSettings(context),
    }),
    route('GET', '/v1/tax/registrations', {
      permission: 'tax',
      params: fields({ ...paging, status: oneOf('active', 'all', 'expired', 'scheduled') }),
      handle(context, params) {
        const countries =
          params.status === 'expired' || params.status === 'scheduled' ? [] : context.account.settings.tax_registrations
        return listOf(
          countries.map((country) => renderRegistration(context, country)),
          { url: '/v1/tax/registrations' },
        )
      },
    }),
  ],
}

function renderAccount(context: Context) {
  const { accountId, settings } = context.account
  return {
    id: accountId,
    object: 'account',
    business_profile: {
      mcc: null,
      minority_owned_business_designation: null,
      name: settings.name,
      specified_commercial_transactions_act_url: null,
      support_address: null,
      support_email: null,
      support_phone: null,
      support_url: null,
      url: null,
    },
    business_type: 'company',
    capabilities: { card_payments: 'active', transfers: 'active' },
    charges_enabled: true,
    country: settings.country,
    default_currency: settings.default_currency,
    details_submitted: true,
    email: null,
    payouts_enabled: true,
    settings: {
      branding: { icon: null, logo: null, primary_color: null, secondary_color: null },
      card_payments: {
        statement_descriptor_prefix: null,
        statement_descriptor_prefix_kana: null,
        statement_descriptor_prefix_kanji: null,
      },
      dashboard: { display_name: settings.name, timezone: 'Etc/UTC' },
      payments: {
        statement_descriptor: null,
        statement_descriptor_kana: null,
        statement_descriptor_kanji: null,
        statement_descriptor_prefix_kana: null,
        statement_descriptor_prefix_kanji: null,
      },
    },
    type: 'standard',
  }
}

/** Stripe Tax is active when the account has a registration in some country. */
function renderTaxSettings(context: Context): Wire<Stripe.Tax.Settings> {
  const { country, tax_registrations } = context.account.settings
  const active = tax_registrations.length > 0
  return {
    object: 'tax.settings',
    defaults: { provider: 'stripe', tax_behavior: null, tax_code: null },
    head_office: { address: { ...noAddress, country } },
    livemode: context.livemode,
    status: active ? 'active' : 'pending',
    status_details: active ? { active: {} } : { pending: { missing_fields: ['head_office'] } },
  }
}

function renderRegistration(context: Context, country: string) {
  return {
    id: `taxreg_${context.account.name}${country}`,
    object: 'tax.registration',
    active_from: 0,
    country,
    country_options: {
      [country.toLowerCase()]: country === 'US' ? { state: 'CA', type: 'state_sales_tax' } : { type: 'standard' },
    },
    created: 0,
    expires_at: null,
    livemode: context.livemode,
    status: 'active',
  }
}
