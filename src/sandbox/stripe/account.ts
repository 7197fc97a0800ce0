// The account itself. https://docs.stripe.com/api/accounts/object
import type { Context } from '../kernel/context.ts'
import { StripeError } from '../kernel/errors.ts'
import { route, type Module } from '../kernel/module.ts'
import { fields } from '../kernel/params.ts'

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
