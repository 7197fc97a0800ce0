import Type, { type Static } from 'typebox'
import { schemaOf } from '../../core/exact-schema.ts'
import { closed, count, fieldPerName, listOf, mapOf, mapWith, oneOf, optional, text, when } from '../../kinds/schema.ts'
import { lintNames, lints, lintSettings } from '../lint-names.ts'
import { guardDefaults, guardNames } from '../guards.ts'
import { leaveCodes } from '../leave-codes.ts'
import { secretRefSchema } from '../secret-schema.ts'
import { alertsSchema, kajabiSchema, serveSchema } from '../service-schema.ts'
import { targetAccount, type AccountConfig, type Policies } from '../types.ts'

const accountSchema = schemaOf<AccountConfig>()(
  Type.Union(
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
        '{ sandbox: true }, or { key: { env: NAME }, account: acct_…, livemode: false }; api_base names another Stripe-compatible server',
    },
  ),
)

const stopOrCarry = (what: string) => oneOf(['stop', 'carry'], what)

const policies = schemaOf<Partial<Policies>>()(
  closed(
    {
      tax: optional(
        oneOf(
          ['same', 'recompute'],
          'When automatic tax would differ, same: the move stops · recompute: the move continues if the plan shows the difference and its country is in tax_accepted',
        ),
      ),
      tax_accepted: optional(
        listOf(Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166 code: DE' }), {
          uniqueItems: true,
          description: 'Countries whose tax difference is accepted, for tax: recompute',
        }),
      ),
      customer_balance: optional(stopOrCarry('Customers with a balance')),
      pending_invoice_items: optional(stopOrCarry('Customers with pending invoice items')),
      past_due: optional(oneOf(['stop', 'leave', 'carry'], 'Subscriptions whose last invoice is unpaid')),
      schedules: optional(stopOrCarry('Subscriptions controlled by a schedule')),
      collection_paused: optional(stopOrCarry('Subscriptions whose collection is paused')),
      metered: optional(
        stopOrCarry(
          'Subscriptions that are billed by usage; to carry one, your software sends its usage to the target from its next renewal on',
        ),
      ),
      settle_after_days: optional(count('Days after the first renewal until an unproven move may be settled', 0)),
      renewal_window_hours: optional(count('Hours before a renewal in which no subscriber is moved', 1)),
      cancel: optional(oneOf(['now', 'period_end'], 'What a cancel from Kajabi does')),
      uncharged_period: optional(
        oneOf(['invoice', 'leave'], 'What a revert does with a period that neither account charged'),
      ),
      setup_failed: optional(
        oneOf(
          ['keep', 'undo'],
          'When Stripe cannot set up the payment method of a new subscription, keep: the move is done and reported · undo: the old account keeps the member',
        ),
      ),
      applications: optional(
        mapOf(
          '^ca_[A-Za-z0-9_]+$',
          Type.Literal('open_ended'),
          'Connect applications whose subscriptions go on until the member stops them: { ca_…: open_ended }',
        ),
      ),
      leave: optional(
        fieldPerName(
          leaveCodes,
          (code) => text(`Why subscribers that are blocked by ${code} stay in the old account`),
          'Codes whose subscribers stay in the old account for now, each with the reason. A subscriber with another code as well stays blocked',
        ),
      ),
      plan_hours: optional(count('Hours during which a saved plan can be applied', 1)),
    },
    'Choices where several behaviours are valid; the default is the cautious one',
  ),
)

const storeSchema = Type.Union([closed({ file: Type.String({ minLength: 1 }) }), closed({ url: secretRefSchema })], {
  description: '{ file: state/crossbill.db }, or { url: { env: DATABASE_URL } } for PostgreSQL',
})

const accountName = '^[a-z][a-z0-9_-]{0,31}$'

/** `project.yaml` */
export const projectSchema = closed({
  project: Type.String({
    pattern: '^[a-z0-9][a-z0-9-]{0,62}$',
    description: 'Name of the project; part of every mark',
  }),
  accounts: mapWith(targetAccount, accountName, {
    values: accountSchema,
    description: '`target` is the new account; every other account is a source',
  }),
  policies: optional(policies),
  guards: optional(
    fieldPerName(
      guardNames,
      (name) => Type.Number({ minimum: 0, description: `Limit of the guard; ${guardDefaults[name]} by default` }),
      'Limits of one apply; a plan beyond a limit needs --allow with the name of the guard',
    ),
  ),
  lint: optional(
    fieldPerName(
      lintNames,
      (name) => oneOf(lintSettings, `${lints[name].meaning} Default: ${lints[name].severity}`),
      'Severity of the lints of validate; a comment on the line, # lint-off: NAME, switches one off there',
    ),
  ),
  store: optional(storeSchema),
  sandbox: optional(
    closed({
      population: optional(oneOf(['school'], 'Which population the old accounts hold')),
      subscribers: optional(count('Number of subscribers', 0)),
      seed: optional(Type.Integer({ description: 'The same seed gives the same sandbox' })),
      clock: optional(when('Time at which the sandbox begins')),
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

export type WrittenProject = Static<typeof projectSchema>
