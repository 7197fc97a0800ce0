// What happened to members between their sign-up and the instant of the migration.
import { present } from '../../core/assert.ts'
import { type Instant, instant, secondsPerDay, secondsPerHour } from '../../core/instant.ts'
import { subscriptions } from '../stripe/billing/rows.ts'
import { paymentMethods } from '../stripe/payment-method-row.ts'
import { addMonths } from '../stripe/billing/calendar.ts'
import { type Enrolled, type School, giveCustomerDiscount } from './enrolling.ts'
import { chanceOf } from './chance.ts'
import type { Params } from './maker.ts'
import { type MemberPlan, type Oddity, lastPeriod } from './members.ts'
import { decliningFrom } from './wallets.ts'
import { amountOf } from './offerings.ts'

export interface Step {
  readonly at: Instant
  readonly run: (school: School, member: Enrolled) => void
}

/** The later steps of a member's story, unordered. */
export function happenings(seed: number, plan: MemberPlan, clock: Instant): Step[] {
  const chance = chanceOf(seed, `happens/${plan.n}`)
  // After the newest renewal and before the clock.
  const renewed = lastPeriod(plan, clock)?.end ?? plan.started
  const later = Math.min(clock - 60, Math.max(renewed + 2 * secondsPerHour, clock - chance.whole(1, 5) * secondsPerDay))
  const late = (run: Step['run']): Step[] => [{ at: instant(Math.max(later, plan.started + 1)), run }]
  return [...discountSteps(seed, plan, clock), ...oddSteps({ plan, clock, renewed, late })]
}

interface Odd {
  readonly plan: MemberPlan
  readonly clock: Instant
  readonly renewed: number
  readonly late: (run: Step['run']) => Step[]
}

function discountSteps(seed: number, plan: MemberPlan, clock: Instant): Step[] {
  const { discount } = plan
  if (discount.kind === 'once')
    return [{ at: instant(Math.max(plan.started + 1, clock - 3 * secondsPerHour)), run: giveCoupon('once') }]
  if (discount.kind !== 'repeating' || plan.started > clock - discount.months * 30 * secondsPerDay) return []
  const days = chanceOf(seed, `discount/${plan.n}`).whole(1, discount.months * 28)
  return [{ at: instant(clock - days * secondsPerDay), run: giveCoupon({ months: discount.months }) }]
}

function giveCoupon(kind: 'once' | { readonly months: number }): Step['run'] {
  return (school, member) => update(school, member, { discounts: [{ coupon: school.shop(member.plan).coupon(kind) }] })
}

function update(school: School, member: Enrolled, params: Params): void {
  school.maker.post(school.shop(member.plan).account, `/v1/subscriptions/${member.subscription}`, params)
}

function oddSteps(odd: Odd): Step[] {
  const { plan, clock, renewed, late } = odd
  const days = (count: number): number => clock + count * secondsPerDay
  const change = (params: Params): Step[] => late((school, member) => update(school, member, params))
  const beforeRenewal: Step = {
    at: instant(Math.max(plan.started + 1, renewed - secondsPerDay)),
    run: failing(null, null),
  }
  const steps: Partial<Record<Oddity, () => Step[]>> = {
    past_due: () => [beforeRenewal],
    unpaid: () => [beforeRenewal],
    // One decline at the next renewal; the retry succeeds.
    declines_later: () => late(failing(clock, 1)),
    status_paused: () => [{ at: instant(plan.started + 60), run: loseMethod }],
    ending: () => change({ cancel_at_period_end: true }),
    cancel_at_later: () => change({ cancel_at: days(200), proration_behavior: 'none' }),
    ended: () =>
      late((school, member) => {
        school.maker.delete(school.shop(member.plan).account, `/v1/subscriptions/${member.subscription}`)
      }),
    paused_void: () => change({ pause_collection: { behavior: 'void' } }),
    paused_draft: () => change({ pause_collection: { behavior: 'keep_as_draft' } }),
    paused_until: () => change({ pause_collection: { behavior: 'void', resumes_at: days(40 + (plan.n % 30)) } }),
    collection_uncollectible: () => change({ pause_collection: { behavior: 'mark_uncollectible' } }),
    balance_credit: () => late(balance(-0.4)),
    balance_debit: () => late(balance(0.2)),
    moved_anchor: () => change({ billing_cycle_anchor: { type: 'now' }, proration_behavior: 'none' }),
    once_customer_discount: () => late(customerDiscount('once')),
    timed_customer_discount: () => late(customerDiscount({ months: 6 })),
    pending_item: () => late(pendingItem),
    draft_invoice: () => late(draftInvoice),
    schedule: () => late(planPriceRise),
    application: () => late(patch({ application: 'ca_SamCartConnect0000000000000000' })),
    thresholds: () => late(patch({ billing_thresholds: { amount_gte: 100_000, reset_billing_cycle_anchor: false } })),
  }
  return plan.oddity === undefined ? [] : (steps[plan.oddity]?.() ?? [])
}

/**
 * The member's method declines: from an instant on, this many times (null: until it is changed).
 */
function failing(from: Instant | null, times: number | null): Step['run'] {
  return (school, member) => {
    const context = school.maker.context(school.shop(member.plan).account)
    const row = present(context.table(paymentMethods).get(member.method.id), member.method.id)
    context.table(paymentMethods).put({ ...row, temper: decliningFrom(from, times) })
  }
}

function loseMethod(school: School, member: Enrolled): void {
  const { maker } = school
  const { account } = school.shop(member.plan)
  maker.post(account, `/v1/payment_methods/${member.method.id}/detach`)
}

function balance(share: number): Step['run'] {
  return (school, member) => {
    const { product, cadence, currency } = member.plan
    const amount = Math.trunc((amountOf(product, cadence, currency) * share) / 10) * 10
    const path = `/v1/customers/${member.customer}/balance_transactions`
    const description = share < 0 ? 'Goodwill' : 'Bank fee'
    school.maker.post(school.shop(member.plan).account, path, { amount, currency, description })
  }
}

/** Granted some weeks ago; a repeating discount has run since then. */
function customerDiscount(kind: 'once' | { readonly months: number }): Step['run'] {
  return (school, member) => {
    const shop = school.shop(member.plan)
    const context = school.maker.context(shop.account)
    const since = instant(context.now - (kind === 'once' ? 0 : 70) * secondsPerDay)
    const coupon = shop.coupon(kind)
    const end = kind === 'once' ? {} : { end: instant(addMonths(since, kind.months)) }
    giveCustomerDiscount(context, member.customer, { coupon, since, ...end })
  }
}

function pendingItem(school: School, member: Enrolled): void {
  const { currency } = member.plan
  school.maker.post(school.shop(member.plan).account, '/v1/invoiceitems', {
    customer: member.customer,
    amount: amountOf('library', 'month', currency),
    currency,
    description: 'Printed workbook',
  })
}

function draftInvoice(school: School, member: Enrolled): void {
  const { account } = school.shop(member.plan)
  school.maker.post(account, '/v1/invoices', {
    customer: member.customer,
    auto_advance: false,
    description: 'Exam fee',
    currency: member.plan.currency,
  })
}

/** A schedule that raises the quantity at a later renewal. */
function planPriceRise(school: School, member: Enrolled): void {
  const { maker } = school
  const { account } = school.shop(member.plan)
  const context = maker.context(account)
  const row = present(context.table(subscriptions).get(member.subscription), member.subscription)
  const schedule = maker.post(account, '/v1/subscription_schedules', { from_subscription: row.id })
  const [item] = row.items
  const price = present(item, 'an item').price
  const end = present(item, 'an item').current_period_end
  maker.post(account, `/v1/subscription_schedules/${String(schedule['id'] as string)}`, {
    end_behavior: 'release',
    phases: [
      {
        items: [{ price, quantity: 1 }],
        start_date: row.items[0]?.current_period_start ?? row.start_date,
        end_date: end,
      },
      { items: [{ price, quantity: 2 }], start_date: end, duration: { interval: 'month', interval_count: 2 } },
    ],
  })
}

/** Sets fields that no request of the API version can set. */
function patch(fields: Record<string, unknown>): Step['run'] {
  return (school, member) => {
    const context = school.maker.context(school.shop(member.plan).account)
    const table = context.table(subscriptions)
    table.put({ ...present(table.get(member.subscription), member.subscription), ...fields })
  }
}
