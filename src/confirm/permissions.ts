/**
 * What a restricted key needs for the cases: the resource by its name in the Dashboard and in the
 * sandbox. All with `write`, except where the sandbox's name ends in `:read`.
 */
export const keyPermissions: readonly (readonly [dashboard: string, resource: string])[] = [
  ['Account (read)', 'account:read'],
  ['Charges (read)', 'charges:read'],
  ['Coupons', 'coupons'],
  ['Customers', 'customers'],
  ['Entitlements', 'entitlements'],
  ['Invoices', 'invoices'],
  ['Meters', 'billing_meters'],
  ['Payment methods', 'payment_methods'],
  ['Prices', 'prices'],
  ['Products', 'products'],
  ['Promotion codes', 'promotion_codes'],
  ['Subscriptions', 'subscriptions'],
  ['Subscription schedules', 'subscription_schedules'],
  ['Tax rates', 'tax_rates'],
  ['Test clocks', 'billing_clocks'],
  ['Webhook endpoints', 'webhook_endpoints'],
]
