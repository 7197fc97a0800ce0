// https://docs.stripe.com/api/payment_method_configurations
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import { invalid } from '../kernel/errors.ts'
import { find, retrieveRoute, type Kind } from '../kernel/kind.ts'
import { listPage, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import { emptyable, fields, flag, oneOf, text, type Schema } from '../kernel/params.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import type { Wire } from '../kernel/wire.ts'

/** The methods that an answer shows, in Stripe's order. */
const shownMethods =
  'acss_debit affirm afterpay_clearpay alipay alma amazon_pay apple_pay au_becs_debit bacs_debit bancontact billie bizum blik boleto card cartes_bancaires cashapp crypto customer_balance eps fpx giropay google_pay grabpay ideal jcb kakao_pay klarna konbini kr_card link mb_way mobilepay multibanco naver_pay nz_bank_account oxxo p24 pay_by_bank payco paynow paypal paypay payto pix promptpay revolut_pay samsung_pay satispay scalapay sepa_debit sequra sofort sunbit swish twint upi us_bank_account wechat_pay zip'.split(
    ' ',
  )
/** Accepted in requests, but never shown. */
const unshownMethods = ['apple_pay_later', 'fr_meal_voucher_conecs']
/** The methods that a new configuration enables by default. */
const usual = new Set(['apple_pay', 'card', 'cartes_bancaires', 'google_pay', 'link'])

type Preference = 'none' | 'off' | 'on'

interface ConfigurationRow extends Row {
  readonly active: boolean
  readonly is_default: boolean
  readonly name: string
  readonly parent: string | null
  readonly preferences: Readonly<Record<string, Preference>>
}

const configurations: TableDefinition<ConfigurationRow> = { name: 'payment_method_configurations' }
const kind: Kind<ConfigurationRow> = {
  table: configurations,
  noun: 'payment_method_configuration',
  url: '/v1/payment_method_configurations',
  permission: 'payment_method_configurations',
  render,
}
const permission = kind.permission

const preference = fields({ display_preference: fields({ preference: oneOf('none', 'off', 'on') }) })
type Given = Readonly<Record<string, { readonly display_preference?: { readonly preference?: Preference } }>>
const methods = Object.fromEntries([...shownMethods, ...unshownMethods].map((name) => [name, preference])) as Readonly<
  Record<string, Schema<Given[string]>>
>

export const paymentMethodConfigurationModule: Module = {
  routes: [
    route('POST', kind.url, {
      permission,
      params: fields({ ...methods, name: text({ max: 100 }), parent: text() }),
      handle(context, params) {
        const { name, parent, ...given } = params
        const row = context.table(configurations).put({
          id: context.newId('pmc'),
          created: context.now,
          active: true,
          is_default: false,
          name: typeof name === 'string' ? name : '',
          parent: typeof parent === 'string' ? parent : null,
          preferences: preferencesIn(given as Given),
        })
        return render(context, row)
      },
    }),
    retrieveRoute(kind),
    route('POST', `${kind.url}/:id`, {
      permission,
      params: fields({ ...methods, active: flag(), name: text({ max: 100 }) }),
      handle(context, params) {
        const row = find(context, kind, context.id('id'))
        const { active, name, ...given } = params
        if (active === false && row.is_default)
          throw invalid('The default payment method configuration cannot be deactivated.', { param: 'active' })
        const changed = context.table(configurations).put({
          ...row,
          active: typeof active === 'boolean' ? active : row.active,
          name: typeof name === 'string' ? name : row.name,
          preferences: { ...row.preferences, ...preferencesIn(given as Given) },
        })
        return render(context, changed)
      },
    }),
    route('GET', kind.url, {
      permission,
      params: fields({ ...paging, active: flag(), application: emptyable(text()) }),
      handle: (context, params) =>
        listPage(context, params, {
          table: configurations,
          url: kind.url,
          keep: (row) => params.active === undefined || row.active === params.active,
          render,
        }),
    }),
  ],
}

function preferencesIn(given: Given): Readonly<Record<string, Preference>> {
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, method]) => {
      const chosen = method.display_preference?.preference
      return chosen === undefined ? [] : [[name, chosen]]
    }),
  )
}

function render(context: Context, row: ConfigurationRow): Wire<Stripe.PaymentMethodConfiguration> {
  const shown = shownMethods.map((name) => {
    const chosen = row.preferences[name] ?? 'none'
    const value = chosen === 'none' ? (usual.has(name) ? 'on' : 'off') : chosen
    return [name, { available: value === 'on', display_preference: { overridable: null, preference: chosen, value } }]
  })
  return {
    id: row.id,
    object: 'payment_method_configuration',
    active: row.active,
    application: null,
    ...(Object.fromEntries(shown) as object),
    is_default: row.is_default,
    livemode: context.livemode,
    name: row.name,
    parent: row.parent,
  }
}
