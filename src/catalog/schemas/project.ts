import Type, { type TSchema } from 'typebox'
import { closed, count, listOf, mapOf, oneOf, optional, text, when } from '../../kinds/schema.ts'
import { guardDefaults } from '../guards.ts'
import { secretRefSchema } from './secret.ts'
import { alertsSchema, kajabiSchema, serveSchema } from './service.ts'

const accountSchema = Type.Union(
  [
    closed({ sandbox: Type.Literal(true) }),
    closed({
      sandbox: optional(Type.Literal(false)),
      key: secretRefSchema,
      account: Type.String({ pattern: '^acct_[A-Za-z0-9_]+$' }),
      livemode: Type.Boolean(),
      api_base: optional(Type.String({ pattern: '^https?://[^/]+/?$' })),
    }),
  ],
  {
    description:
      '{ sandbox: true }, or { key: { env: NAME }, account: acct_…, livemode: false } with an api_base where another server stands in',
  },
)

const stopOrCarry = (what: string): TSchema => oneOf(['stop', 'carry'], what)

const policies = closed(
  {
    tax: optional(
      oneOf(
        ['same', 'recompute'],
        'An automatic tax that would differ stops the move, or moves where the plan showed it and its country is accepted',
      ),
    ),
    tax_accepted: optional(
      listOf(Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166 code: DE' }), {
        uniqueItems: true,
        description: 'Countries whose difference is accepted, for tax: recompute',
      }),
    ),
    customer_balance: optional(stopOrCarry('Customers with a balance')),
    pending_invoice_items: optional(stopOrCarry('Customers with items waiting for an invoice')),
    past_due: optional(oneOf(['stop', 'leave', 'carry'], 'Subscriptions whose last invoice is not paid')),
    schedules: optional(stopOrCarry('Subscriptions run by a schedule')),
    collection_paused: optional(stopOrCarry('Subscriptions whose collection is paused')),
    settle_after_days: optional(count('Days after the first renewal until an unproven move may be settled', 0)),
    renewal_window_hours: optional(count('Hours around a renewal in which nobody is moved', 1)),
    cancel: optional(oneOf(['now', 'period_end'], 'What a cancel from Kajabi does')),
    uncharged_period: optional(oneOf(['invoice', 'leave'], 'A period that neither side charged, after a revert')),
    plan_hours: optional(count('Hours for which a saved plan may be applied', 1)),
  },
  'What is done where more than one thing would be right; the cautious one when silent',
)

const storeSchema = Type.Union([closed({ file: Type.String({ minLength: 1 }) }), closed({ url: secretRefSchema })], {
  description: '{ file: state/crossbill.db }, or { url: { env: DATABASE_URL } } for PostgreSQL',
})

const accountName = '^[a-z][a-z0-9_-]{0,31}$'

/** `project.yaml` */
export const projectSchema: TSchema = closed({
  project: Type.String({
    pattern: '^[a-z0-9][a-z0-9-]{0,62}$',
    description: 'Name of the project, part of every mark',
  }),
  accounts: Type.Unsafe<object>({
    type: 'object',
    properties: { target: accountSchema },
    required: ['target'],
    propertyNames: { type: 'string', pattern: accountName },
    additionalProperties: accountSchema,
    description: '`target` is where everything goes; every other account is a source',
  }),
  policies: optional(policies),
  guards: optional(
    closed(
      Object.fromEntries(
        Object.entries(guardDefaults).map(([name, limit]) => [
          name,
          optional(Type.Number({ minimum: 0, description: `Limit of the guard; ${limit} when silent` })),
        ]),
      ),
      'How much one apply may do without being told so by name',
    ),
  ),
  store: optional(storeSchema),
  sandbox: optional(
    closed({
      population: optional(oneOf(['school'], 'Who lives in the old accounts')),
      subscribers: optional(count('How many', 0)),
      seed: optional(Type.Integer({ description: 'The same seed gives the same world' })),
      clock: optional(when('What time it is when the world begins')),
      copied: optional(
        listOf(text('A source'), { uniqueItems: true, description: 'Sources whose customers were copied' }),
      ),
    }),
  ),
  copy_maps: optional(
    mapOf(accountName, listOf(text('CSV file, relative to catalog/'), { minItems: 1 }), 'PAN-copy CSVs by source'),
  ),
  kajabi: optional(kajabiSchema),
  serve: optional(serveSchema),
  alerts: optional(alertsSchema),
  description: optional(text('A note for people')),
})
