import type Stripe from 'stripe'
import type { JsonObject } from '../../core/json.ts'
import type { Candidate } from '../candidate.ts'
import { foreignMetadata } from '../../live/marks.ts'
import { liveValue, phaseMetadata } from '../live-values.ts'
import { scheduleInPlan, successorInPath } from '../placeholders.ts'
import { phasesAhead } from '../phases-ahead.ts'
import type { Findings } from '../findings.ts'
import { findPrice, findTaxRate, refTo } from '../references.ts'
import { idOf } from '../../core/reference.ts'
import type { PlannedStep } from '../types.ts'

/**
 * Carries the remaining phases of the source's schedule (`schedules: carry`): the new subscription
 * gets its own schedule, created from it and then filled with the remaining phases
 * (https://docs.stripe.com/billing/subscriptions/subscription-schedules: `from_subscription` takes
 * no other parameter, hence two requests). Carried are items, quantities, tax rates, metadata,
 * dates, and discounts that the phase repeats; any other setting stops the move.
 */
export function scheduleSteps(candidate: Candidate, findings: Findings): readonly PlannedStep[] {
  const { old, source, around } = candidate
  const reference = old.raw.schedule
  if (reference === null || around.policies.schedules === 'stop') return []
  const schedule = source.schedules.get(idOf(reference)) ?? (typeof reference === 'string' ? undefined : reference)
  if (schedule === undefined) {
    findings.block('schedule_managed', `schedule ${idOf(reference)} could not be read`)
    return []
  }
  const coming = phasesAhead(schedule, around.now)
  if (coming.length === 0) return []
  const phases = coming.map((phase, i) =>
    phaseOf(candidate, phase, { schedule, first: i === 0, at: schedule.phases.indexOf(phase), findings }),
  )
  return [
    {
      id: 'schedule',
      account: 'target',
      method: 'POST',
      path: '/v1/subscription_schedules',
      params: { from_subscription: successorInPath },
    },
    {
      id: 'schedule-phases',
      account: 'target',
      method: 'POST',
      path: `/v1/subscription_schedules/${scheduleInPlan}`,
      params: { end_behavior: schedule.end_behavior, proration_behavior: 'none', phases },
    },
  ]
}

interface Place {
  readonly schedule: Stripe.SubscriptionSchedule
  readonly first: boolean
  /** Its place among all phases of the schedule. */
  readonly at: number
  readonly findings: Findings
}

function phaseOf(
  { old, desired, around }: Candidate,
  phase: Stripe.SubscriptionSchedule.Phase,
  place: Place,
): JsonObject {
  const { findings, schedule, first, at } = place
  const keeps = keepsDiscounts(phase, old.raw)
  for (const field of notCarried(phase, old.currency, keeps))
    findings.block(
      'schedule_managed',
      `a phase of schedule ${schedule.id} sets ${field}, which is not carried`,
      `Remove ${field} from the phases of ${schedule.id} in the old account, or release the schedule there; then \`crossbill plan\`.`,
    )
  const items = phase.items.map((item): JsonObject => {
    const price =
      typeof item.price === 'string' ? around.sources.get(desired.source)?.prices.get(item.price) : item.price
    if (price === undefined || 'deleted' in price) {
      findings.block('price_unmapped', `price ${idOf(item.price)} of schedule ${schedule.id} could not be read`)
      return {}
    }
    const found = findPrice(around.index, desired.source, price as Stripe.Price, old.currency)
    if (!found.ok) findings.reasons.push(found.reason)
    const rates = ratesOf(item.tax_rates ?? [])
    return {
      price: found.ok ? refTo('price', found.value) : '',
      ...(item.quantity === undefined ? {} : { quantity: item.quantity }),
      ...(rates.length === 0 ? {} : { tax_rates: rates }),
    }
  })
  const rates = ratesOf(phase.default_tax_rates ?? [])
  return {
    items,
    // The current phase begins where the new schedule says.
    start_date: first ? liveValue('schedule/phases/0/start_date') : phase.start_date,
    end_date: phase.end_date,
    proration_behavior: phase.proration_behavior,
    // Without the field, a phase takes the discounts of the customer alone. The current phase began
    // before a discount that the subscription got later, and must not remove its successor.
    ...(keeps || (first && phase.discounts.length === 0 && old.raw.discounts.length > 0)
      ? { discounts: liveValue('schedule/phases/0/discounts') }
      : {}),
    ...(isEmpty(phase.metadata) ? {} : { metadata: phaseMetadata(at) }),
    ...(rates.length === 0 ? {} : { default_tax_rates: rates }),
  }

  function ratesOf(given: readonly Stripe.TaxRate[]): readonly JsonObject[] {
    return given.flatMap((rate) => {
      const found = findTaxRate(around.index, desired.source, rate)
      if (!found.ok) findings.reasons.push(found.reason)
      return found.ok ? [refTo('tax_rate', found.value)] : []
    })
  }
}

/**
 * Whether the phase only repeats the discounts of the subscription, as Stripe writes it into a
 * schedule made from a subscription. Then it repeats those of the new one.
 */
function keepsDiscounts(
  { discounts, items }: Stripe.SubscriptionSchedule.Phase,
  { discounts: own }: Stripe.Subscription,
): boolean {
  if (discounts.length === 0 || items.some((item) => item.discounts.length > 0)) return false
  const ids = own.map((one) => idOf(one))
  return (
    discounts.length === ids.length &&
    discounts.every(({ discount }, i) => discount !== null && idOf(discount) === ids[i])
  )
}

function isEmpty(metadata: Stripe.Metadata | null): boolean {
  return Object.keys(foreignMetadata(metadata ?? {})).length === 0
}

/** Fields of a phase that are set but not carried. */
function notCarried(
  phase: Stripe.SubscriptionSchedule.Phase,
  currency: string,
  keepsTheDiscounts: boolean,
): readonly string[] {
  const set: Readonly<Record<string, boolean>> = {
    add_invoice_items: phase.add_invoice_items.length > 0,
    application_fee_percent: phase.application_fee_percent !== null,
    automatic_tax: phase.automatic_tax?.enabled === true,
    billing_cycle_anchor: phase.billing_cycle_anchor !== null && phase.billing_cycle_anchor !== 'automatic',
    billing_thresholds: phase.billing_thresholds !== null,
    currency: phase.currency !== currency,
    default_payment_method: phase.default_payment_method !== null,
    discounts:
      (phase.discounts.length > 0 && !keepsTheDiscounts) || phase.items.some(({ discounts }) => discounts.length > 0),
    on_behalf_of: phase.on_behalf_of !== null,
    transfer_data: phase.transfer_data !== null,
    trial_end: phase.trial_end !== null,
  }
  return Object.entries(set).flatMap(([field, isSet]) => (isSet ? [field] : []))
}
