// What a restricted key may do with which resource. https://docs.stripe.com/keys#limit-access
import type { Account } from './account.ts'
import { StripeError } from './errors.ts'
import type { Row, TableDefinition } from './tables.ts'

type Permission = 'read' | 'write'

export interface KeyRow extends Row {
  /** By resource (`subscriptions`); a missing resource is forbidden. */
  readonly permissions: Readonly<Record<string, Permission>>
}

export const keys: TableDefinition<KeyRow> = { name: 'restricted_keys' }

/** By the object that an expansion shows: the resource that the key must be able to read. */
const shownBy: Readonly<Record<string, string>> = {
  charge: 'charges',
  checkout_session: 'checkout_sessions',
  coupon: 'coupons',
  customer: 'customers',
  invoice: 'invoices',
  invoiceitem: 'invoices',
  payment_intent: 'payment_intents',
  payment_method: 'payment_methods',
  price: 'prices',
  product: 'products',
  promotion_code: 'promotion_codes',
  refund: 'refunds',
  setup_intent: 'setup_intents',
  subscription: 'subscriptions',
  subscription_schedule: 'subscriptions',
  tax_rate: 'tax_rates',
}

/** An expanded object needs the permission to read it. */
export function checkExpansion(account: Account, key: string | undefined, object: object): void {
  const { object: kind } = object as { readonly object?: unknown }
  const resource = typeof kind === 'string' ? shownBy[kind] : undefined
  if (key !== undefined && resource !== undefined) mustHave(account, key, { resource, needed: 'read' })
}

export function mustHave(
  account: Account,
  key: string,
  { resource, needed }: { readonly resource: string; readonly needed: Permission },
): void {
  const has = account.table(keys).get(key)?.permissions[resource]
  if (has === 'write' || has === needed) return
  const name = `rak_${resource.replace(/s$/, '')}_${needed}`
  throw new StripeError(403, {
    type: 'invalid_request_error',
    message: `The provided key '${key.slice(0, 8)}${'*'.repeat(12)}${key.slice(-4)}' does not have the required permissions for this endpoint on account '${account.accountId}'. Having the '${name}' permission would allow this request to continue.`,
  })
}
