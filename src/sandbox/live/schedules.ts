// Subscription schedules with their phases.
import { present } from '../../core/assert.ts'
import type { Context } from '../kernel/context.ts'
import { keepSchedule } from '../stripe/billing/phases.ts'
import {
  type DiscountNamed,
  type PhaseItemRow,
  type PhaseRow,
  type ScheduleRow,
  schedules,
} from '../stripe/billing/schedule-rows.ts'
import type { Live } from './reading.ts'

export function keepLiveSchedule(context: Context, live: Live): void {
  if (context.table(schedules).has(live.id)) return
  const common = live.inside('default_settings')
  const row: ScheduleRow = {
    id: live.id,
    created: live.number('created'),
    customer: present(live.ref('customer'), `customer of ${live.id}`),
    status: live.word('status', ['active', 'canceled', 'completed', 'not_started', 'released']),
    subscription: live.ref('subscription'),
    released_subscription: live.textOrNull('released_subscription'),
    canceled_at: live.numberOrNull('canceled_at'),
    completed_at: live.numberOrNull('completed_at'),
    released_at: live.numberOrNull('released_at'),
    end_behavior: live.word('end_behavior', ['release', 'cancel', 'none', 'renew']),
    billing_mode: live.inside('billing_mode')?.word('type', ['classic', 'flexible']) ?? 'classic',
    metadata: live.metadata(),
    phases: live.objects('phases').map(phaseFrom),
    default_settings: {
      billing_cycle_anchor: common?.word('billing_cycle_anchor', ['automatic', 'phase_start']) ?? 'automatic',
      collection_method: common === null ? null : collection(common),
      default_payment_method: common?.ref('default_payment_method') ?? null,
      description: common?.textOrNull('description') ?? null,
      days_until_due: common?.inside('invoice_settings')?.numberOrNull('days_until_due') ?? null,
      automatic_tax: common?.inside('automatic_tax')?.flag('enabled') ?? false,
    },
  }
  keepSchedule(context, row)
}

function collection(live: Live): 'charge_automatically' | 'send_invoice' | null {
  if (live.any('collection_method') === null) return null
  return live.word('collection_method', ['charge_automatically', 'send_invoice'])
}

function phaseFrom(live: Live): PhaseRow {
  const anchor = live.any('billing_cycle_anchor')
  const tax = live.inside('automatic_tax')
  return {
    start_date: live.number('start_date'),
    end_date: live.number('end_date'),
    currency: live.text('currency'),
    given: {
      items: live.objects('items').map((item): PhaseItemRow => ({
        price: present(item.ref('price'), 'price of a phase'),
        quantity: item.numberOrNull('quantity'),
        metadata: item.metadata(),
        tax_rates: item.refs('tax_rates'),
        discounts: discountsFrom(item),
      })),
      discounts: discountsFrom(live),
      proration_behavior: live.word('proration_behavior', ['create_prorations', 'always_invoice', 'none']),
      billing_cycle_anchor: anchor === null ? null : live.word('billing_cycle_anchor', ['automatic', 'phase_start']),
      collection_method: collection(live),
      days_until_due: live.inside('invoice_settings')?.numberOrNull('days_until_due') ?? null,
      default_payment_method: live.ref('default_payment_method'),
      default_tax_rates: live.refs('default_tax_rates'),
      automatic_tax: tax === null ? null : tax.flag('enabled'),
      description: live.textOrNull('description'),
      metadata: live.metadata(),
      trial_end: live.numberOrNull('trial_end'),
    },
  }
}

function discountsFrom(live: Live): DiscountNamed[] {
  return live.objects('discounts').map((one) => {
    const [coupon, discount, promotion] = [one.ref('coupon'), one.ref('discount'), one.ref('promotion_code')]
    return {
      ...(coupon === null ? {} : { coupon }),
      ...(discount === null ? {} : { discount }),
      ...(promotion === null ? {} : { promotion_code: promotion }),
    }
  })
}
