import type Stripe from 'stripe'
import Type from 'typebox'
import { isJsonObject, type Json, type StripeObject } from '../core/json.ts'
import { declared, fixed, ignored, mutable, passed, time, withoutNulls } from './fields.ts'
import type { FieldsOf, Kind } from './kind.ts'
import { closed, listOf, mapOf, oneOf, optional, text, when } from './schema.ts'

/**
 * A place where the account collects tax. The SDK's comments: "A registration cannot be deleted
 * after it has been created. If you wish to end a registration you may do so by setting
 * expires_at." An update changes `active_from` and `expires_at` alone. A retired registration
 * therefore ends now, which changes the tax of the next invoices there; an ended one does not come
 * back, so its entry creates another one.
 */
const fields: FieldsOf<
  Stripe.Tax.Registration,
  Stripe.Tax.RegistrationCreateParams,
  Stripe.Tax.RegistrationUpdateParams
> = {
  country: fixed(),
  // Stripe adds what the entry leaves out (elections, the scheme of supply).
  country_options: fixed({
    silent: 'left_alone',
    canonical: withoutEmpty,
    // A second registration for the same place and tax would overlap the first.
    takes: (live, desired) => (placeIn(live) === placeIn(desired) ? 'refuse' : 'replace'),
  }),
  active_from: declared(time('active_from')),
  expires_at: mutable(time('expires_at')),
  status: ignored,
}

function withoutEmpty(value: Json): Json | undefined {
  if (!isJsonObject(value)) return undefined
  const inside = Object.entries(value).map(([name, one]) => [name, isJsonObject(one) ? withoutEmpty(one) : one])
  return withoutNulls(Object.fromEntries(inside) as Json)
}

/** Taxes that a county, city or district of the United States collects beside the state's. */
export const localTaxes = [
  'admissions_tax',
  'attendance_tax',
  'entertainment_tax',
  'gross_receipts_tax',
  'hospitality_tax',
  'local_amusement_tax',
  'local_lease_tax',
  'luxury_tax',
  'mass_transit_parking_tax',
  'parking_tax',
  'resort_tax',
  'tourism_tax',
  'utility_users_tax',
] as const

const types = [
  'standard',
  'simplified',
  'ioss',
  'oss_non_union',
  'oss_union',
  'province_standard',
  'state_sales_tax',
  'state_communications_tax',
  'state_retail_delivery_fee',
  'digital_excise_tax',
  ...localTaxes,
]

const jurisdiction = optional(closed({ jurisdiction: text('FIPS code of the place', 20) }))

const schema = closed({
  country: Type.String({ pattern: '^[A-Z]{2}$', description: 'Country, ISO 3166-1 alpha-2 in upper case' }),
  country_options: mapOf(
    '^[a-z]{2}$',
    closed({
      type: oneOf(types, 'Kind of registration'),
      state: optional(Type.String({ pattern: '^[A-Z]{2}$', description: 'State of the United States' })),
      standard: optional(
        closed({
          place_of_supply_scheme: oneOf(
            ['standard', 'small_seller', 'inbound_goods'],
            'Which sales count as supplied there',
          ),
        }),
      ),
      province_standard: optional(closed({ province: text('Province of Canada', 2) })),
      state_sales_tax: optional(
        closed({
          elections: listOf(
            closed({
              type: oneOf(['local_use_tax', 'simplified_sellers_use_tax', 'single_local_use_tax'], 'Election'),
              jurisdiction: optional(text('FIPS code of the place', 20)),
            }),
            { minItems: 1 },
          ),
        }),
      ),
      ...Object.fromEntries(localTaxes.map((name) => [name, jurisdiction])),
    }),
    'Options under the country in lower case: { us: { state: CA, type: state_sales_tax } }',
  ),
  active_from: optional(when('Start; the time of its creation by default')),
  expires_at: optional(when('End')),
})

/** `us CA state_sales_tax`: where, and which tax. */
function placeIn(options: unknown): string | undefined {
  const [country = '', own] = isJsonObject(options) ? (Object.entries(options)[0] ?? []) : []
  if (!isJsonObject(own)) return undefined
  const province = isJsonObject(own['province_standard']) ? own['province_standard']['province'] : undefined
  const below = typeof own['type'] === 'string' ? own[own['type']] : undefined
  const place = isJsonObject(below) ? below['jurisdiction'] : undefined
  return [country, own['state'], province, own['type'], place].filter((one) => typeof one === 'string').join(' ')
}

const isOver = (live: StripeObject): boolean => live['status'] === 'expired'

declare module './kind.ts' {
  interface KindNames {
    tax_registration: true
  }
}

export const taxRegistration: Kind<'tax_registration'> = {
  name: 'tax_registration',
  section: 'tax_registrations',
  file: 'tax-registrations.yaml',
  docs: 'https://docs.stripe.com/api/tax/registrations',
  schema,
  path: '/v1/tax/registrations',
  lists: [{ status: 'all' }],
  readWhen: 'named',
  fields,
  // A registration has no metadata; its place and kind of tax are its identity.
  marks: false,
  naturalKey: {
    name: 'country_options',
    unique: true,
    desired: (_key, value) => placeIn(value['country_options']),
    freeAfter: 'retired',
    live: (object) => placeIn(object['country_options']),
  },
  uses: () => [],
  // Nothing on a replaced object would say whose it was: a run that dies leaves none in use.
  replaceOrder: 'retire_first',
  whatEnds: {
    use: ({ country }) =>
      `Stripe Tax computes no tax in ${typeof country === 'string' ? country : 'its country'} any more`,
  },
  retired: isOver,
  ends: true,
  retire: (live) => ({ method: 'POST', path: `/v1/tax/registrations/${live.id}`, params: { expires_at: 'now' } }),
  always: { active_from: 'now' },
  refusal: (form, references) => passed(form, 'active_from', references) ?? passed(form, 'expires_at', references),
}
