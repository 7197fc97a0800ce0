// The tax rates of a line.
import type { Context } from '../../kernel/context.ts'
import { invalid } from '../../kernel/errors.ts'
import { present } from '../../../core/assert.ts'
import { taxRateKind } from '../tax-rates.ts'
import { customerFacts, type CustomerFacts } from './lookups.ts'
import type { SubscriptionRow } from './rows.ts'
import { automaticRate, type Rate, type TaxabilityReason } from './taxing.ts'
import { collectsIn } from '../tax-registrations.ts'

export interface RatesAsked {
  readonly subscription: SubscriptionRow | null
  /** The customer of a line without a subscription. */
  readonly customer?: string
  /**
   * The rates of the line itself; they replace those of the subscription
   * (https://docs.stripe.com/billing/taxes/tax-rates).
   */
  readonly own: readonly string[]
  readonly taxBehavior: 'exclusive' | 'inclusive' | 'unspecified'
  /**
   * Whether an invoice without a subscription computes tax; for other invoices the subscription
   * decides.
   */
  readonly automatic?: boolean
}

export function ratesFor(context: Context, asked: RatesAsked): Rate[] {
  const { subscription, own } = asked
  const id = subscription?.customer ?? asked.customer
  const customer = id === undefined ? null : customerFacts(context, id)
  if (asked.automatic ?? subscription?.automatic_tax.enabled === true)
    return automatic(context, customer, asked.taxBehavior)
  const ids = own.length > 0 ? own : (subscription?.default_tax_rates ?? [])
  const reason: TaxabilityReason =
    customer?.exempt === 'exempt'
      ? 'customer_exempt'
      : customer?.exempt === 'reverse'
        ? 'reverse_charge'
        : 'standard_rated'
  return ids.map((rate) => {
    const { percentage, inclusive } = present(context.table(taxRateKind.table).get(rate), rate)
    return { id: rate, percentage: reason === 'standard_rated' ? percentage : 0, inclusive, reason }
  })
}

function automatic(
  context: Context,
  customer: CustomerFacts | null,
  behavior: 'exclusive' | 'inclusive' | 'unspecified',
): Rate[] {
  if (customer === null || customer.place === null) return []
  const { exempt, business, place } = customer
  const registrations = [...collectsIn(context)]
  const found = automaticRate({ customer: place, exempt, business, registrations })
  const where = found.state === null ? found.country : `${found.country}${found.state}`
  return [
    {
      id: `txr_1Automatic${found.type.replace('_', '')}${where}`,
      percentage: found.percentage,
      inclusive: behavior === 'inclusive',
      reason: found.reason,
    },
  ]
}

/**
 * Refuses automatic tax where Stripe does: when it is not set up, or when the customer's location
 * is unknown (error codes of the SDK).
 */
export function mustLocate(context: Context, customer: CustomerFacts): void {
  if (collectsIn(context).size === 0)
    throw invalid(
      'Stripe Tax has not been activated on your account. Please visit https://dashboard.stripe.com/settings/tax to get started.',
      { code: 'stripe_tax_inactive', param: 'automatic_tax' },
    )
  if (customer.place === null)
    throw invalid(
      "The customer's location isn't recognized. Set a valid customer address in order to automatically calculate tax.",
      { code: 'customer_tax_location_invalid', param: 'automatic_tax' },
    )
}
