// Settings of Stripe Tax, one for each account. https://docs.stripe.com/api/tax/settings
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import { invalid } from '../kernel/errors.ts'
import { route, type Module } from '../kernel/module.ts'
import { fields, oneOf, required, text } from '../kernel/params.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import type { Wire } from '../kernel/wire.ts'
import { noAddress } from './payment-method-row.ts'
import { collectsIn } from './tax-registrations.ts'

interface SettingsRow extends Row {
  readonly tax_behavior: 'exclusive' | 'inclusive' | 'inferred_by_currency' | null
  readonly tax_code: string | null
  /** Null: only the country of the account is known. */
  readonly address: Stripe.Address | null
}

const settings: TableDefinition<SettingsRow> = { name: 'tax_settings' }
const only = 'settings'
const url = '/v1/tax/settings'

export const taxSettingsModule: Module = {
  routes: [
    route('GET', url, { permission: 'tax', params: fields({}), handle: (context) => render(context, rowOf(context)) }),
    route('POST', url, {
      permission: 'tax',
      params: fields({
        defaults: fields({
          tax_behavior: oneOf('exclusive', 'inclusive', 'inferred_by_currency'),
          tax_code: text({ pattern: /^txcd_\d+$/ }),
        }),
        head_office: fields({
          address: required(
            fields({
              city: text(),
              country: text({ pattern: /^[A-Z]{2}$/ }),
              line1: text(),
              line2: text(),
              postal_code: text(),
              state: text(),
            }),
          ),
        }),
      }),
      handle(context, { defaults, head_office: office }) {
        const before = rowOf(context)
        if (office?.address.country === 'US' && office.address.state === undefined)
          throw invalid('Missing required param: head_office[address][state].', {
            code: 'parameter_missing',
            param: 'head_office[address][state]',
          })
        const row = context.table(settings).put({
          ...before,
          tax_behavior: defaults?.tax_behavior ?? before.tax_behavior,
          tax_code: defaults?.tax_code ?? before.tax_code,
          address: office === undefined ? before.address : { ...noAddress, ...office.address },
        })
        return render(context, row)
      },
    }),
  ],
}

function rowOf(context: Context): SettingsRow {
  return (
    context.table(settings).get(only) ?? { id: only, created: 0, tax_behavior: null, tax_code: null, address: null }
  )
}

/** Stripe Tax is active when the account has a registration in some country. */
function render(context: Context, row: SettingsRow): Wire<Stripe.Tax.Settings> {
  const active = collectsIn(context).size > 0
  return {
    object: 'tax.settings',
    defaults: { provider: 'stripe', tax_behavior: row.tax_behavior, tax_code: row.tax_code },
    head_office: { address: row.address ?? { ...noAddress, country: context.account.settings.country } },
    livemode: context.livemode,
    status: active ? 'active' : 'pending',
    status_details: active ? { active: {} } : { pending: { missing_fields: ['head_office'] } },
  }
}
