// A member signs up in an old account: customer, payment method, price, subscription. The years
// until the last renewal are then skipped.
import { present } from '../../core/assert.ts'
import { type Instant, instant, secondsPerDay } from '../../core/instant.ts'
import type { Context } from '../kernel/context.ts'
import { discounts } from '../stripe/discounts.ts'
import { customers } from '../stripe/customer-row.ts'
import type { PaymentMethodRow } from '../stripe/payment-method-row.ts'
import { type Cadence, periodAround } from '../stripe/billing/calendar.ts'
import { keepSubscription } from '../stripe/billing/cycling.ts'
import { type SubscriptionRow, subscriptions } from '../stripe/billing/rows.ts'
import { type Chance, chanceOf } from './chance.ts'
import { type Maker, type Params, idOf } from './maker.ts'
import type { MemberPlan, Oddity } from './members.ts'
import { cadences } from './offerings.ts'
import type { Storefront } from './storefront.ts'
import { newWallet } from './wallets.ts'

/** A member as the old account has them. */
export interface Enrolled {
  readonly plan: MemberPlan
  readonly customer: string
  readonly method: PaymentMethodRow
  readonly subscription: string
}

export interface School {
  readonly maker: Maker
  readonly seed: number
  /** The instant at which the past ends. */
  readonly clock: Instant
  readonly shop: (plan: MemberPlan) => Storefront
  readonly plans: readonly MemberPlan[]
  /** Numbers of members whose customer has a second subscription. */
  readonly shared: ReadonlySet<number>
  /** Customers by the number of the member who created them. */
  readonly customers: Map<number, string>
  readonly enrolled: Map<number, Enrolled>
}

export function enrol(school: School, plan: MemberPlan): void {
  const { maker, clock, seed } = school
  const chance = chanceOf(seed, `enrol/${plan.n}`)
  const shop = school.shop(plan)
  const context = maker.context(shop.account)
  const customer = customerFor(school, plan)
  const method = newWallet(context, { plan, customer, chance, clock })
  if (chance.happens(0.08) && plan.oddity === undefined) newWallet(context, { plan, customer, chance, clock })
  const own = methodParams(school, { plan, context, customer, method })
  const price = priceFor(shop, plan)
  const made = maker.post(shop.account, '/v1/subscriptions', {
    customer,
    ...itemsOf(school, plan, price),
    ...taxOf(shop, plan),
    ...collectionOf(plan),
    ...own,
    ...trialOf(plan, chance, clock),
    ...beginning(plan, context.now),
    ...startingDiscount(shop, plan, clock),
    billing_mode: { type: plan.oddity === 'mixed_intervals' ? 'flexible' : plan.mode },
    currency: plan.currency,
    metadata: { member: String(plan.n), ...(plan.adHoc ? { samcart: 'true' } : {}) },
    ...(chance.happens(0.1) ? { description: `${plan.product} of the school` } : {}),
  })
  const subscription = idOf(made)
  if (plan.oddity === 'grandfathered') shop.archive(price)
  const row = present(context.table(subscriptions).get(subscription), subscription)
  skipTo(context, row, { cadence: cadences[plan.cadence], clock })
  school.enrolled.set(plan.n, { plan, customer, method, subscription })
}

function customerFor(school: School, plan: MemberPlan): string {
  const root = plan.customerOf ?? plan.n
  const known = school.customers.get(root)
  if (known !== undefined) return known
  const { account } = school.shop(plan)
  const { name, email, country } = plan.person
  const id = idOf(
    school.maker.post(account, '/v1/customers', {
      name,
      email,
      address: addressIn(country),
      metadata: { member: String(root) },
      ...(plan.n % 4 === 0 ? { preferred_locales: [country === 'DE' ? 'de' : 'en'] } : {}),
    }),
  )
  if (plan.oddity === 'tax_id' && plan.account === 'intl')
    school.maker.post(account, `/v1/customers/${id}/tax_ids`, { type: 'eu_vat', value: `DE${100_000_000 + plan.n}` })
  school.customers.set(root, id)
  if (plan.oddity === 'customer_discount') {
    const context = school.maker.context(account)
    giveCustomerDiscount(context, id, { coupon: school.shop(plan).coupon('forever'), since: context.now })
  }
  return id
}

export function addressIn(country: string): Params {
  const places: Readonly<Record<string, Params>> = {
    US: { city: 'San Francisco', postal_code: '94107', state: 'CA', line1: '1 Market St' },
    CA: { city: 'Toronto', postal_code: 'M5H 2N2', state: 'ON', line1: '100 Queen St W' },
  }
  return { country, ...(places[country] ?? { line1: '1 High Street', postal_code: '10115' }) }
}

/**
 * A discount on the customer itself, from the time when the API could create one: this API version
 * has no parameter for it. `since`: when its duration began; `end`: when it stops, for repeating
 * discounts.
 */
export function giveCustomerDiscount(
  context: Context,
  id: string,
  about: { coupon: string; since: Instant; end?: Instant },
): void {
  const row = present(context.table(customers).get(id), id)
  const discount = context.table(discounts).put({
    id: context.newId('di'),
    created: about.since,
    coupon: about.coupon,
    promotion_code: null,
    customer: id,
    subscription: null,
    subscription_item: null,
    invoice: null,
    invoice_item: null,
    start: about.since,
    end: about.end ?? null,
  })
  context.table(customers).put({ ...row, discount: discount.id })
}

/**
 * Where the payment method is set: on the subscription, or as the customer's default; old objects
 * use `default_source`.
 */
function methodParams(
  school: School,
  about: { plan: MemberPlan; context: Context; customer: string; method: PaymentMethodRow },
): Params {
  const { plan, context, customer, method } = about
  const field = method.form === 'payment_method' ? 'default_payment_method' : 'default_source'
  if (plan.oddity === 'sent_invoice') return {}
  // A second subscription of a customer must not change what pays for the first one.
  if (plan.methodOn === 'subscription' || plan.customerOf !== undefined) return { [field]: method.id }
  const row = present(context.table(customers).get(customer), customer)
  context
    .table(customers)
    .put(
      field === 'default_source'
        ? { ...row, default_source: method.id }
        : { ...row, invoice_settings: { ...row.invoice_settings, default_payment_method: method.id } },
    )
  return school.shared.has(plan.n) ? { [field]: method.id } : {}
}

function priceFor(shop: Storefront, plan: MemberPlan): string {
  const { product, cadence, currency, n } = plan
  const odd: Partial<Record<Oddity, () => string>> = {
    tiered: () => shop.tieredPrice('graduated', currency),
    volume: () => shop.tieredPrice('volume', currency),
    metered: () => shop.meteredPrice(currency),
    grandfathered: () => shop.grandfatheredPrice(product, cadence, currency),
    multi_currency: () => shop.multiCurrencyPrice(product, cadence),
    automatic_tax: () => shop.price(product, cadence, currency, plan.account === 'us' ? 'exclusive' : 'inclusive'),
  }
  const special = plan.oddity === undefined ? undefined : odd[plan.oddity]
  if (special !== undefined) return special()
  return plan.adHoc ? shop.adHocPrice(product, cadence, { currency, order: n }) : shop.price(product, cadence, currency)
}

function itemsOf(school: School, plan: MemberPlan, price: string): Params {
  const shop = school.shop(plan)
  const chance = chanceOf(school.seed, `items/${plan.n}`)
  const inclusive = plan.account === 'intl'
  const first: Params = {
    price,
    ...(plan.oddity === 'quantity' ? { quantity: chance.whole(2, 5) } : {}),
    ...(plan.oddity === 'tiered' || plan.oddity === 'volume' ? { quantity: chance.whole(2, 14) } : {}),
    ...(plan.oddity === 'item_tax' ? { tax_rates: [shop.taxRate(plan.person.country, inclusive)] } : {}),
    ...(plan.oddity === 'item_discount' ? { discounts: [{ coupon: shop.coupon('forever') }] } : {}),
  }
  const other = plan.product === 'library' ? 'haircare' : 'library'
  if (plan.oddity === 'two_items')
    return { items: [first, { price: shop.price(other, plan.cadence, plan.currency), quantity: chance.whole(1, 2) }] }
  if (plan.oddity === 'mixed_intervals') return { items: [first, { price: shop.price(other, 'year', plan.currency) }] }
  return { items: [first] }
}

function taxOf(shop: Storefront, plan: MemberPlan): Params {
  if (plan.oddity === 'automatic_tax') return { automatic_tax: { enabled: true } }
  if (plan.tax === 'none') return {}
  return { default_tax_rates: [shop.taxRate(plan.person.country, plan.tax === 'inclusive')] }
}

function collectionOf(plan: MemberPlan): Params {
  if (plan.oddity === 'sent_invoice') return { collection_method: 'send_invoice', days_until_due: 30 }
  if (plan.oddity === 'incomplete') return { payment_behavior: 'default_incomplete' }
  return { payment_settings: { save_default_payment_method: 'off' } }
}

function trialOf(plan: MemberPlan, chance: Chance, clock: Instant): Params {
  if (plan.oddity === 'trialing') return { trial_end: clock + chance.whole(2, 30) * secondsPerDay + (plan.n % 3_600) }
  if (plan.oddity === 'status_paused')
    return {
      trial_end: instant(clock - chance.whole(2, 9) * secondsPerDay),
      trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
    }
  return {}
}

/**
 * An anchor on a month end that the month of the sign-up did not have, or a start before the
 * sign-up.
 */
function beginning(plan: MemberPlan, now: Instant): Params {
  if (plan.oddity === 'anchor_config')
    return {
      billing_cycle_anchor_config: { day_of_month: 31, hour: 6, minute: 0, second: 0 },
      proration_behavior: 'none',
    }
  if (plan.oddity === 'backdated')
    return {
      backdate_start_date: now - 100 * secondsPerDay,
      billing_cycle_anchor: now + 5 * secondsPerDay,
      proration_behavior: 'none',
    }
  return {}
}

/** Discounts that exist from the first day; other steps add the rest. */
function startingDiscount(shop: Storefront, plan: MemberPlan, clock: Instant): Params {
  const { discount } = plan
  switch (discount.kind) {
    case 'forever':
      return { discounts: [{ coupon: shop.coupon('forever') }] }
    case 'amount':
      return { discounts: [{ coupon: shop.amountCoupon(plan.currency) }] }
    case 'promotion':
      return { discounts: [{ promotion_code: shop.promotionCode() }] }
    case 'repeating':
      return plan.started > clock - discount.months * 30 * secondsPerDay
        ? { discounts: [{ coupon: shop.coupon({ months: discount.months }) }] }
        : {}
    case 'none':
    case 'once':
      return {}
  }
}

/**
 * Sets the current period to the one before the newest renewal. That renewal is played; earlier
 * ones are history that no command reads.
 */
function skipTo(context: Context, row: SubscriptionRow, about: { cadence: Cadence; clock: Instant }): void {
  const mixed = row.items.some((item) => item.current_period_end !== row.items[0]?.current_period_end)
  if (mixed || row.status !== 'active') return
  const anchor = { at: row.billing_cycle_anchor, day: row.billing_cycle_anchor_config?.day_of_month }
  const current = periodAround(anchor, about.cadence, about.clock)
  const period = periodAround(anchor, about.cadence, current.start - 1)
  if (period.start <= context.now) return
  keepSubscription(context, {
    ...row,
    items: row.items.map((item) => ({
      ...item,
      current_period_start: period.start,
      current_period_end: period.end,
    })),
  })
}
