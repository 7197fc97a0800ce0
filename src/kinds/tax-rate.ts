import type Stripe from 'stripe'
import Type from 'typebox'
import { declared, fixed, ignored, metadata, mutable, written } from './fields.ts'
import type { FieldsOf, Kind } from './kind.ts'
import { closed, flag, metadataSchema, oneOf, optional, text } from './schema.ts'

const taxTypes =
  'admissions_tax amusement_tax attendance_tax communications_tax digital_excise_tax entertainment_tax get_fund gross_receipts_tax gst hospitality_tax hst igst jct lease_tax luxury_tax mass_transit_parking_tax nhil parking_tax pst qst resort_tax retail_delivery_fee rst sales_tax service_tax tourism_tax utility_users_tax vat'.split(
    ' ',
  )

const fields: FieldsOf<Stripe.TaxRate, Stripe.TaxRateCreateParams, Stripe.TaxRateUpdateParams, 'on_change'> = {
  display_name: mutable(),
  percentage: fixed(),
  inclusive: fixed(),
  active: mutable({ default: true }),
  // None of these parameters can be cleared.
  country: declared(),
  state: declared(),
  jurisdiction: declared(),
  description: declared(),
  tax_type: declared(),
  metadata,
  effective_percentage: ignored,
  flat_amount: ignored,
  jurisdiction_level: ignored,
  rate_type: ignored,
  on_change: written,
}

const schema = closed({
  display_name: text('Name on the invoice: VAT', 50),
  percentage: Type.Number({ minimum: 0, maximum: 100, description: 'Percent: 19 or 8.25; at most four decimals' }),
  inclusive: flag('Whether the price includes it'),
  active: optional(flag('Whether new uses are possible; false archives it')),
  country: optional(Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166 code: DE' })),
  state: optional(text('ISO 3166-2 subdivision without the country: NY', 10)),
  jurisdiction: optional(text('Printed on the invoice: DE', 50)),
  description: optional(text('A note for people; customers do not see it')),
  tax_type: optional(oneOf(taxTypes, 'The kind of tax')),
  metadata: optional(metadataSchema),
  on_change: optional(
    oneOf(
      ['new_only', 'at_renewal', 'refuse'],
      'What a change does to subscriptions on the old rate: new_only: they keep it · at_renewal: they get the new rate at their next renewal · refuse: the change is blocked (default)',
    ),
  ),
})

declare module './kind.ts' {
  interface KindNames {
    tax_rate: true
  }
}

export const taxRate: Kind<'tax_rate'> = {
  name: 'tax_rate',
  section: 'tax_rates',
  file: 'tax-rates.yaml',
  docs: 'https://docs.stripe.com/api/tax_rates',
  schema,
  path: '/v1/tax_rates',
  lists: [{}],
  fields,
  marks: true,
  held: 'rates',
  uses: () => [],
  replaceOrder: 'create_first',
  whatEnds: { use: () => 'new subscriptions and invoices cannot use it; those that have it are taxed as before' },
  retired: (live) => live['active'] === false,
  // An archived rate continues to apply where it is in use.
  retire: (live) => ({ method: 'POST', path: `/v1/tax_rates/${live.id}`, params: { active: false } }),
}
