import type Stripe from 'stripe'
import { isJsonObject, type Json } from '../core/json.ts'
import Type from 'typebox'
import { fixed, ignored, mutable } from './fields.ts'
import type { FieldsOf, Kind } from './kind.ts'
import { closed, flag, oneOf, optional, text } from './schema.ts'
import { countInText } from './ends.ts'

const fields: FieldsOf<
  Stripe.Billing.Meter,
  Stripe.Billing.MeterCreateParams,
  Stripe.Billing.MeterUpdateParams,
  'active'
> = {
  display_name: mutable(),
  event_name: fixed(),
  default_aggregation: fixed({ canonical: asAggregation }),
  customer_mapping: fixed({ default: { event_payload_key: 'stripe_customer_id', type: 'by_id' } }),
  event_time_window: fixed(),
  value_settings: fixed({ default: { event_payload_key: 'value' } }),
  // Crossbill's key for what Stripe stores as a status and changes by separate requests.
  active: mutable({
    default: true,
    afterwards: true,
    read: (live) => live['status'] !== 'inactive',
    action: (value) => (value === false ? '/deactivate' : '/reactivate'),
  }),
  status: ignored,
  status_transitions: ignored,
}

/** Stripe may add keys to its answer; the entry sets only the formula. */
function asAggregation(value: Json): Json | undefined {
  return isJsonObject(value) ? { formula: value['formula'] ?? null } : undefined
}

const schema = closed({
  display_name: text('Name in the dashboard', 250),
  event_name: text('Name of the usage events', 100),
  default_aggregation: closed({ formula: oneOf(['sum', 'count', 'last'], 'How events are aggregated to a quantity') }),
  customer_mapping: optional(
    closed({ event_payload_key: text('Key of the customer in an event', 100), type: Type.Literal('by_id') }),
  ),
  event_time_window: optional(oneOf(['day', 'hour'], 'Period by which events are pre-aggregated')),
  value_settings: optional(closed({ event_payload_key: text('Key of the value in an event', 100) })),
  active: optional(flag('Whether events are counted')),
})

declare module './kind.ts' {
  interface KindNames {
    meter: true
  }
}

export const meter: Kind<'meter'> = {
  name: 'meter',
  section: 'meters',
  file: 'meters.yaml',
  docs: 'https://docs.stripe.com/api/billing/meter',
  schema,
  path: '/v1/billing/meters',
  lists: [{}],
  fields,
  // A meter has no metadata; its event name, unique among active meters, is its identity.
  marks: false,
  naturalKey: {
    name: 'event_name',
    unique: true,
    freeAfter: 'retired',
    desired: (_key, value) => (typeof value['event_name'] === 'string' ? value['event_name'] : undefined),
    live: (object) => (typeof object['event_name'] === 'string' ? object['event_name'] : undefined),
  },
  uses: () => [],
  replaceOrder: 'retire_first',
  whatEnds: {
    use: ({ event_name: name }) => `usage events ${typeof name === 'string' ? `named ${name} ` : ''}are refused`,
    users: { price: 'can bill no further usage' },
    beyond: (_live, { subscriptions }) =>
      subscriptions === 0
        ? []
        : [
            {
              what: 'members',
              message: `${countInText(subscriptions, 'subscription')} will be billed for no further usage`,
            },
          ],
  },
  retired: (live) => live['status'] === 'inactive',
  retire: (live) => ({ method: 'POST', path: `/v1/billing/meters/${live.id}/deactivate`, params: {} }),
  restore: (id) => ({ method: 'POST', path: `/v1/billing/meters/${id}/reactivate`, params: {} }),
}
