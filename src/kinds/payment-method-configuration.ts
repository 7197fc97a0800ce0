import type Stripe from 'stripe'
import { isJsonObject, type StripeObject } from '../core/json.ts'
import { declared, fixed, ignored, mutable, refused } from './fields.ts'
import type { Field, FieldsOf, Kind } from './kind.ts'
import { closed, flag, oneOf, optional, text } from './schema.ts'

/**
 * Every payment method that a configuration has a preference for, by the SDK's types. A method that
 * Stripe adds does not compile until it stands here.
 */
export const paymentMethods = [
  'acss_debit',
  'affirm',
  'afterpay_clearpay',
  'alipay',
  'alma',
  'amazon_pay',
  'apple_pay',
  'au_becs_debit',
  'bacs_debit',
  'bancontact',
  'billie',
  'bizum',
  'blik',
  'boleto',
  'card',
  'cartes_bancaires',
  'cashapp',
  'crypto',
  'customer_balance',
  'eps',
  'fpx',
  'giropay',
  'google_pay',
  'grabpay',
  'ideal',
  'jcb',
  'kakao_pay',
  'klarna',
  'konbini',
  'kr_card',
  'link',
  'mb_way',
  'mobilepay',
  'multibanco',
  'naver_pay',
  'nz_bank_account',
  'oxxo',
  'p24',
  'pay_by_bank',
  'payco',
  'paynow',
  'paypal',
  'paypay',
  'payto',
  'pix',
  'promptpay',
  'revolut_pay',
  'samsung_pay',
  'satispay',
  'scalapay',
  'sepa_debit',
  'sequra',
  'sofort',
  'sunbit',
  'swish',
  'twint',
  'upi',
  'us_bank_account',
  'wechat_pay',
  'zip',
] as const

type Method = (typeof paymentMethods)[number]

/**
 * Stripe answers what is preferred, what results from a parent, and whether customers see it. Only
 * the preference is the account's own word, and only the methods that the YAML names are compared:
 * Stripe gives every other method a default and cannot remove a preference.
 */
function preference(name: Method): Field {
  return declared({
    read: (live) => {
      const method = live[name]
      const shown = isJsonObject(method) ? method['display_preference'] : undefined
      return isJsonObject(shown) ? { display_preference: { preference: shown['preference'] ?? null } } : undefined
    },
  })
}

function ofMethods<T>(make: (name: Method) => T): Readonly<Record<Method, T>> {
  return Object.fromEntries(paymentMethods.map((name) => [name, make(name)])) as Record<Method, T>
}

/**
 * The payment methods that customers see in Checkout, links and invoices. By the SDK's types an
 * update changes everything but `parent`, `active` is accepted by updates only, and there is no
 * request that deletes a configuration: a retired one is deactivated, and the account's default
 * cannot be.
 */
const fields: FieldsOf<
  Stripe.PaymentMethodConfiguration,
  Stripe.PaymentMethodConfigurationCreateParams,
  Stripe.PaymentMethodConfigurationUpdateParams
> = {
  name: mutable(),
  active: mutable({ default: true, afterwards: true }),
  parent: fixed(),
  ...ofMethods(preference),
  // Parameters that no answer shows: what they set could not be compared.
  apple_pay_later: refused,
  fr_meal_voucher_conecs: refused,
  application: ignored,
  is_default: ignored,
}

const method = optional(
  closed({
    display_preference: closed({
      preference: oneOf(['on', 'off', 'none'], 'on, off, or none: the default of Stripe or of the parent'),
    }),
  }),
)

const schema = closed({
  name: text('Name of the configuration, by which it is recognised', 100),
  active: optional(flag('Whether payments can use it')),
  parent: optional(text('Id of the configuration of the platform from which it inherits', 100)),
  ...ofMethods(() => method),
})

const nameOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

const isDefault = (live: StripeObject): boolean => live['is_default'] === true

declare module './kind.ts' {
  interface KindNames {
    payment_method_configuration: true
  }
}

export const paymentMethodConfiguration: Kind<'payment_method_configuration'> = {
  name: 'payment_method_configuration',
  section: 'payment_method_configurations',
  file: 'payment-method-configurations.yaml',
  docs: 'https://docs.stripe.com/api/payment_method_configurations',
  schema,
  path: '/v1/payment_method_configurations',
  lists: [{}],
  readWhen: 'named',
  fields,
  // A configuration has no metadata, so its name is its identity in this catalog. Stripe lets
  // several share a name; the store then knows which of them is meant.
  marks: false,
  naturalKey: {
    name: 'name',
    unique: false,
    desired: (_key, value) => nameOf(value['name']),
    live: (object) => nameOf(object['name']),
  },
  uses: () => [],
  // Nothing on a replaced object would say whose it was: a run that dies leaves none in use.
  replaceOrder: 'retire_first',
  whatEnds: {
    use: (live) =>
      isDefault(live)
        ? 'nothing ends: it is the default of the account, which Stripe never deactivates'
        : 'new payments cannot use it',
    users: { portal_configuration: 'may refuse a change of the payment method' },
  },
  retired: (live) => live['active'] === false,
  // Stripe creates the default of an account itself.
  standard: { is: isDefault, firstBecomes: false },
  retire: (live) =>
    isDefault(live)
      ? undefined
      : { method: 'POST', path: `/v1/payment_method_configurations/${live.id}`, params: { active: false } },
  restore: (id) => ({ method: 'POST', path: `/v1/payment_method_configurations/${id}`, params: { active: true } }),
}
