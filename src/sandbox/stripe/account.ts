// https://docs.stripe.com/api/accounts/object
import type { Context } from '../kernel/context.ts'
import { route, type Module } from '../kernel/module.ts'
import { fields } from '../kernel/params.ts'

export const accountModule: Module = {
  routes: [
    route('GET', '/v1/account', {
      permission: 'account',
      params: fields({}),
      handle: (context) => renderAccount(context),
    }),
  ],
}

function renderAccount(context: Context) {
  const { accountId, settings } = context.account
  return {
    id: accountId,
    object: 'account',
    business_profile: { name: settings.name, support_email: null, url: null },
    business_type: 'company',
    capabilities: { card_payments: 'active', transfers: 'active' },
    charges_enabled: true,
    country: settings.country,
    default_currency: settings.default_currency,
    details_submitted: true,
    email: null,
    payouts_enabled: true,
    settings: { dashboard: { display_name: settings.name, timezone: 'Etc/UTC' } },
    type: 'standard',
  }
}
