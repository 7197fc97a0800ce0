import type Stripe from 'stripe'
import Type from 'typebox'
import { fixed, ignored, mutable } from './fields.ts'
import type { FieldsOf, Kind } from './kind.ts'
import { closed, flag, optional } from './schema.ts'

/**
 * A domain on which wallets (Apple Pay, Google Pay, Link, …) may be shown. The SDK's types say what
 * an update accepts: `enabled` alone. There is no request that deletes a domain, so a retired one
 * is disabled. The statuses of the wallets are Stripe's own findings about the domain.
 */
const fields: FieldsOf<
  Stripe.PaymentMethodDomain,
  Stripe.PaymentMethodDomainCreateParams,
  Stripe.PaymentMethodDomainUpdateParams
> = {
  domain_name: fixed(),
  enabled: mutable({ default: true }),
  amazon_pay: ignored,
  apple_pay: ignored,
  google_pay: ignored,
  klarna: ignored,
  link: ignored,
  paypal: ignored,
}

const schema = closed({
  domain_name: Type.String({
    pattern: '^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]([a-z0-9-]*[a-z0-9])?$',
    description: 'The domain in lower case, without https:// and path: shop.example.com',
  }),
  enabled: optional(flag('Whether wallets are shown on this domain')),
})

const nameOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

declare module './kind.ts' {
  interface KindNames {
    payment_method_domain: true
  }
}

export const paymentMethodDomain: Kind<'payment_method_domain'> = {
  name: 'payment_method_domain',
  section: 'payment_method_domains',
  file: 'payment-method-domains.yaml',
  docs: 'https://docs.stripe.com/api/payment_method_domains',
  schema,
  path: '/v1/payment_method_domains',
  lists: [{}],
  readWhen: 'named',
  fields,
  // A domain has no metadata; its name is its identity.
  marks: false,
  naturalKey: {
    name: 'domain_name',
    unique: true,
    desired: (_key, value) => nameOf(value['domain_name']),
    live: (object) => nameOf(object['domain_name']),
  },
  uses: () => [],
  // Nothing on a replaced object would say whose it was: a run that dies leaves none in use.
  replaceOrder: 'retire_first',
  whatEnds: {
    use: ({ domain_name: name }) =>
      `payment pages on ${typeof name === 'string' ? name : 'it'} no longer offer the payment methods that need a registered domain (Apple Pay, Google Pay, Link)`,
  },
  retired: (live) => live['enabled'] === false,
  retire: (live) => ({ method: 'POST', path: `/v1/payment_method_domains/${live.id}`, params: { enabled: false } }),
  restore: (id) => ({ method: 'POST', path: `/v1/payment_method_domains/${id}`, params: { enabled: true } }),
}
