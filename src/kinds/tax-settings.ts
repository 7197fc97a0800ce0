import type Stripe from 'stripe'
import Type from 'typebox'
import { isJsonObject, type Json } from '../core/json.ts'
import { declared, ignored, withoutNulls } from './fields.ts'
import type { FieldsOf, Kind } from './kind.ts'
import { closed, oneOf, optional, text } from './schema.ts'

/**
 * The settings of Stripe Tax. The SDK's comments: "All parameters are editable but none can be
 * removed once set." An account always has them, so they are adopted with their values, and an
 * entry that is deleted leaves them as they are. `tax_behavior` decides whether prices without a
 * behaviour of their own include tax, and so what people pay.
 */
const fields: FieldsOf<Stripe.Tax.Settings, object, Stripe.Tax.SettingsUpdateParams> = {
  defaults: declared({
    canonical: (value) => {
      if (!isJsonObject(value)) return undefined
      // Which program computes the taxes is chosen in the Dashboard.
      const { provider: _chosen, ...own } = value
      return withoutNulls(own)
    },
  }),
  head_office: declared({ canonical: asAddress }),
  status: ignored,
  status_details: ignored,
}

function asAddress(value: Json): Json | undefined {
  const address = isJsonObject(value) ? withoutNulls(value['address'] ?? null) : undefined
  return isJsonObject(address) ? { address } : undefined
}

const schema = closed({
  defaults: optional(
    closed({
      tax_behavior: optional(
        oneOf(
          ['exclusive', 'inclusive', 'inferred_by_currency'],
          'Whether prices without a tax behaviour of their own include tax',
        ),
      ),
      tax_code: optional(
        Type.String({ pattern: '^txcd_\\d+$', description: 'Tax code of products that have none, txcd_…' }),
      ),
    }),
  ),
  head_office: optional(
    closed({
      address: closed({
        country: Type.String({ pattern: '^[A-Z]{2}$', description: 'Country, in upper case' }),
        state: optional(text('State, required in some countries', 100)),
        city: optional(text('City', 200)),
        postal_code: optional(text('Postal code', 20)),
        line1: optional(text('Street', 200)),
        line2: optional(text('Second line', 200)),
      }),
    }),
  ),
})

declare module './kind.ts' {
  interface KindNames {
    tax_settings: true
  }
}

export const taxSettings: Kind<'tax_settings'> = {
  name: 'tax_settings',
  section: 'tax_settings',
  file: 'tax-settings.yaml',
  docs: 'https://docs.stripe.com/api/tax/settings',
  schema,
  path: '/v1/tax/settings',
  lists: [],
  readWhen: 'named',
  single: 'account',
  fields,
  marks: false,
  naturalKey: {
    name: 'account',
    unique: true,
    desired: () => 'settings of Stripe Tax',
    live: () => 'settings of Stripe Tax',
  },
  uses: () => [],
  replaceOrder: 'create_first',
  // An account always has its settings.
  whatEnds: { use: () => 'nothing ends' },
  retired: () => false,
  retire: () => undefined,
}
