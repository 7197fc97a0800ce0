// Payment plans that the old checkout collects itself: repeated charges of a customer without a
// subscription.
import { present } from '../../core/assert.ts'
import { type Instant, instant, secondsPerDay } from '../../core/instant.ts'
import type { Context } from '../kernel/context.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import { charges } from '../stripe/billing/rows.ts'
import { noBillingDetails } from '../stripe/payment-method-row.ts'
import { calm } from '../stripe/test-cards.ts'
import { chanceOf } from './chance.ts'
import { type School, addressIn } from './enrolling.ts'
import { idOf } from './maker.ts'
import type { OldAccount } from './offerings.ts'
import { newCard } from './wallets.ts'

/** A payment plan of the old checkout: a number of monthly charges without invoices. */
interface OutsidePlanRow extends Row {
  readonly customer: string
  readonly method: string
  readonly amount: number
  readonly currency: string
  readonly left: number
  readonly next: Instant
}

const outsidePlans: TableDefinition<OutsidePlanRow> = { name: 'outside_plans' }

/** Creates the past charges and schedules those to come. */
export function startOutsidePlan(school: School, name: OldAccount, n: number): void {
  const chance = chanceOf(school.seed, `outside/${n}`)
  const account = school.maker.world.account(name)
  const context = school.maker.context(account)
  const customer = idOf(
    school.maker.post(account, '/v1/customers', {
      name: `Plan Payer ${n}`,
      email: `plan.payer.${n}@example.com`,
      address: addressIn('US'),
      metadata: { samcart_plan: String(n) },
    }),
  )
  const method = newCard(context, {
    customer,
    form: 'payment_method',
    billing_details: noBillingDetails,
    temper: calm,
    chance,
    clock: school.clock,
  })
  const total = chance.whole(6, 12)
  const made = chance.whole(2, 4)
  const first = instant(context.now - made * 30 * secondsPerDay - chance.whole(0, 20) * secondsPerDay)
  const row: OutsidePlanRow = {
    id: `plan_${n}`,
    created: context.now,
    customer,
    method: method.id,
    amount: chance.pick([9_700, 14_700, 19_700]),
    currency: 'usd',
    left: total,
    next: first,
  }
  context.table(outsidePlans).put(row)
  while (present(context.table(outsidePlans).get(row.id), row.id).next <= context.now) chargeOutside(context, row.id)
}

/**
 * One payment of a plan: a charge without an invoice. The next one follows a month (30 days) later.
 */
export function chargeOutside(context: Context, id: string): void {
  const row = context.table(outsidePlans).get(id)
  if (row === undefined || row.left === 0) return
  context.table(charges).put({
    id: context.newId('ch'),
    created: row.next,
    customer: row.customer,
    invoice: null,
    subscription: null,
    payment_intent: null,
    payment_method: row.method,
    amount: row.amount,
    amount_refunded: 0,
    currency: row.currency,
    status: 'succeeded',
    failure: null,
    description: 'SamCart payment plan',
    disputed: false,
    metadata: { samcart_plan: row.id },
  })
  const next = instant(row.next + 30 * secondsPerDay)
  context.table(outsidePlans).put({ ...row, left: row.left - 1, next })
  if (row.left > 1 && next > context.now) context.schedule(next, 'school.outside_charge', id)
}
