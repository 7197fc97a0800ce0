// Where an account collects tax. https://docs.stripe.com/api/tax/registrations
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import { invalid } from '../kernel/errors.ts'
import { find, type Kind } from '../kernel/kind.ts'
import { listOf, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import { either, emptyable, fields, list, oneOf, record, required, text, time } from '../kernel/params.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import type { Wire } from '../kernel/wire.ts'

interface RegistrationRow extends Row {
  readonly active_from: number
  readonly country: string
  readonly country_options: Readonly<Record<string, object>>
  readonly expires_at: number | null
}

const registrations: TableDefinition<RegistrationRow> = { name: 'tax_registrations' }
const url = '/v1/tax/registrations'
const kind: Kind<RegistrationRow> = {
  table: registrations,
  noun: 'tax registration',
  url,
  permission: 'tax',
  render,
}

const place = fields({ jurisdiction: required(text()) })
const options = record(
  fields({
    type: required(text({ pattern: /^[a-z_]+$/ })),
    state: text({ pattern: /^[A-Z]{2}$/ }),
    standard: fields({ place_of_supply_scheme: oneOf('standard', 'small_seller', 'inbound_goods') }),
    province_standard: fields({ province: required(text()) }),
    state_sales_tax: fields({
      elections: required(
        list(
          fields({
            jurisdiction: text(),
            type: required(oneOf('local_use_tax', 'simplified_sellers_use_tax', 'single_local_use_tax')),
          }),
        ),
      ),
    }),
    admissions_tax: place,
    attendance_tax: place,
    entertainment_tax: place,
    gross_receipts_tax: place,
    hospitality_tax: place,
    local_amusement_tax: place,
    local_lease_tax: place,
    luxury_tax: place,
    mass_transit_parking_tax: place,
    parking_tax: place,
    resort_tax: place,
    tourism_tax: place,
    utility_users_tax: place,
  }),
  /^[a-z]{2}$/,
)
const moment = either(oneOf('now'), time())

export const taxRegistrationModule: Module = {
  routes: [
    route('POST', url, {
      permission: 'tax',
      params: fields({
        active_from: required(moment),
        country: required(text({ pattern: /^[A-Z]{2}$/ })),
        country_options: required(options),
        expires_at: moment,
      }),
      handle(context, params) {
        const { country, country_options: given } = params
        const own = given[country.toLowerCase()]
        if (own === undefined)
          throw invalid(`Missing required param: country_options[${country.toLowerCase()}].`, {
            code: 'parameter_missing',
            param: `country_options[${country.toLowerCase()}]`,
          })
        if (country === 'US' && own.state === undefined)
          throw invalid('Missing required param: country_options[us][state].', {
            code: 'parameter_missing',
            param: 'country_options[us][state]',
          })
        const ends = secondOf(context, params.expires_at) ?? null
        if (ends !== null && ends <= context.now)
          throw invalid('`expires_at` must be in the future.', { param: 'expires_at' })
        const same = JSON.stringify(given)
        if (all(context).some((row) => !isOver(context, row) && JSON.stringify(row.country_options) === same))
          throw invalid('There is already a registration for this location and tax.', { param: 'country_options' })
        const row = context.table(registrations).put({
          id: context.newId('taxreg'),
          created: context.now,
          active_from: secondOf(context, params.active_from) ?? context.now,
          country,
          country_options: given,
          expires_at: ends,
        })
        return render(context, row)
      },
    }),
    route('GET', `${url}/:id`, {
      permission: 'tax',
      params: fields({}),
      handle: (context) => render(context, rowOf(context, context.id('id'))),
    }),
    route('POST', `${url}/:id`, {
      permission: 'tax',
      params: fields({ active_from: moment, expires_at: emptyable(moment) }),
      handle(context, params) {
        const row = rowOf(context, context.id('id'))
        const ends = params.expires_at === null ? null : (secondOf(context, params.expires_at) ?? row.expires_at)
        const changed = context.table(registrations).put({
          ...row,
          active_from: secondOf(context, params.active_from) ?? row.active_from,
          expires_at: ends,
        })
        return render(context, changed)
      },
    }),
    route('GET', url, {
      permission: 'tax',
      params: fields({ ...paging, status: oneOf('active', 'all', 'expired', 'scheduled') }),
      handle(context, { status = 'active', limit = 10, starting_after: after }) {
        const found = all(context).filter((row) => status === 'all' || statusOf(context, row) === status)
        const begin = after === undefined ? 0 : found.findIndex(({ id }) => id === after) + 1
        const page = found.slice(begin, begin + limit)
        return listOf(
          page.map((row) => render(context, row)),
          { url, has_more: begin + limit < found.length },
        )
      },
    }),
  ],
}

/** The countries in which the account collects tax now. */
export function collectsIn(context: Context): ReadonlySet<string> {
  return new Set(all(context).flatMap((row) => (statusOf(context, row) === 'active' ? [row.country] : [])))
}

/** The registrations of the account's settings that no request has changed, and all others. */
function all(context: Context): readonly RegistrationRow[] {
  const stored = [...context.table(registrations).newest()]
  const given = context.account.settings.tax_registrations.map((country) => settled(context, country))
  return [...stored, ...given.filter(({ id }) => !stored.some((row) => row.id === id))]
}

function rowOf(context: Context, id: string): RegistrationRow {
  return all(context).find((row) => row.id === id) ?? find(context, kind, id)
}

function settled(context: Context, country: string): RegistrationRow {
  return {
    id: `taxreg_${context.account.name}${country}`,
    created: 0,
    active_from: 0,
    country,
    country_options: {
      [country.toLowerCase()]: country === 'US' ? { state: 'CA', type: 'state_sales_tax' } : { type: 'standard' },
    },
    expires_at: null,
  }
}

function secondOf(context: Context, moment: number | 'now' | undefined): number | undefined {
  return moment === 'now' ? context.now : moment
}

function isOver(context: Context, row: RegistrationRow): boolean {
  return row.expires_at !== null && row.expires_at <= context.now
}

function statusOf(context: Context, row: RegistrationRow): 'active' | 'expired' | 'scheduled' {
  if (isOver(context, row)) return 'expired'
  return row.active_from > context.now ? 'scheduled' : 'active'
}

function render(context: Context, row: RegistrationRow): Wire<Stripe.Tax.Registration> {
  return {
    id: row.id,
    object: 'tax.registration',
    active_from: row.active_from,
    country: row.country,
    country_options: row.country_options,
    created: row.created,
    expires_at: row.expires_at,
    livemode: context.livemode,
    status: statusOf(context, row),
  }
}
