// The parameters of requests about subscription schedules
// (https://docs.stripe.com/api/subscription_schedules).
import { paging } from '../kernel/lists.ts'
import {
  currency,
  either,
  emptyable,
  fields,
  flag,
  int,
  list,
  metadata,
  oneOf,
  range,
  required,
  text,
  time,
  type Parsed,
} from '../kernel/params.ts'
import { discountsGiven } from './subscription-params.ts'

const collection = oneOf('charge_automatically', 'send_invoice')
const anchor = oneOf('automatic', 'phase_start')
const invoiceSettings = fields({ days_until_due: int({ min: 0 }) })
const prorationBehavior = oneOf('always_invoice', 'create_prorations', 'none')

const phase = fields({
  automatic_tax: fields({ enabled: required(flag()) }),
  billing_cycle_anchor: anchor,
  collection_method: collection,
  currency,
  default_payment_method: text(),
  default_tax_rates: emptyable(list(text(), { max: 10 })),
  description: emptyable(text()),
  discounts: discountsGiven,
  duration: fields({ interval: required(oneOf('day', 'week', 'month', 'year')), interval_count: int({ min: 1 }) }),
  end_date: time(),
  invoice_settings: invoiceSettings,
  items: required(
    list(
      fields({
        discounts: discountsGiven,
        metadata: metadata(),
        price: required(text()),
        quantity: int({ min: 0 }),
        tax_rates: emptyable(list(text(), { max: 10 })),
      }),
      { min: 1, max: 20 },
    ),
  ),
  metadata: metadata(),
  proration_behavior: prorationBehavior,
  trial: flag(),
  trial_end: time(),
  /** Only for the current phase, in an update. */
  start_date: either(oneOf('now'), time()),
})
export type PhaseGiven = Parsed<typeof phase>

const defaults = fields({
  automatic_tax: fields({ enabled: required(flag()) }),
  billing_cycle_anchor: anchor,
  collection_method: collection,
  default_payment_method: text(),
  description: emptyable(text()),
  invoice_settings: invoiceSettings,
})
export type DefaultsGiven = Parsed<typeof defaults>

const endBehavior = oneOf('cancel', 'none', 'release', 'renew')

export const createScheduleParams = fields({
  billing_mode: fields({ type: required(oneOf('classic', 'flexible')) }),
  customer: text(),
  default_settings: defaults,
  end_behavior: endBehavior,
  from_subscription: text(),
  metadata: metadata(),
  phases: list(phase, { min: 1, max: 10 }),
  start_date: either(oneOf('now'), time()),
})
export type CreateScheduleGiven = Parsed<typeof createScheduleParams>

export const updateScheduleParams = fields({
  default_settings: defaults,
  end_behavior: endBehavior,
  metadata: metadata(),
  phases: list(phase, { min: 1, max: 10 }),
  proration_behavior: prorationBehavior,
})
export type UpdateScheduleGiven = Parsed<typeof updateScheduleParams>

export const listScheduleParams = fields({
  ...paging,
  canceled_at: range(),
  completed_at: range(),
  created: range(),
  customer: text(),
  released_at: range(),
  scheduled: flag(),
})
