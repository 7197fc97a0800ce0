// Products, prices, tax rates, coupons and promotion codes of a live account as rows of a sandbox.
import { type Instant, instant } from '../../core/instant.ts'
import type { Context } from '../kernel/context.ts'
import { type CouponRow, coupons } from '../stripe/coupons.ts'
import { type DiscountRow, discounts } from '../stripe/discounts.ts'
import { type PriceRow, prices } from '../stripe/prices.ts'
import { ensureMeter } from '../stripe/meters.ts'
import type { Amounts, PriceTier } from '../stripe/pricing.ts'
import { productKind } from '../stripe/product-row.ts'
import { promotionCodes } from '../stripe/promotion-codes.ts'
import { taxRateKind } from '../stripe/tax-rates.ts'
import { type Json, isJsonObject } from '../../core/json.ts'
import { Live } from './reading.ts'

export function keepProduct(context: Context, live: Live): void {
  const { id } = live
  context.table(productKind.table).put({
    id,
    created: live.number('created'),
    active: live.flag('active', true),
    default_price: live.ref('default_price'),
    description: live.textOrNull('description'),
    images: live.refs('images'),
    marketing_features: live.objects('marketing_features').map((feature) => ({ name: feature.text('name') })),
    metadata: live.metadata(),
    name: live.textOrNull('name') ?? id,
    package_dimensions: null,
    shippable: null,
    statement_descriptor: live.textOrNull('statement_descriptor'),
    tax_code: live.ref('tax_code'),
    tax_details: null,
    type: live.word('type', ['service', 'good']),
    unit_label: live.textOrNull('unit_label'),
    updated: live.numberOrNull('updated') ?? live.number('created'),
    url: live.textOrNull('url'),
  })
}

/** A product that only its prices name (deleted or not pulled). */
function ensureProduct(context: Context, id: string): void {
  if (!context.table(productKind.table).has(id)) keepProduct(context, new Live({ id, created: 0, name: id }, id))
}

function amountsFrom(live: Live): Amounts {
  const custom = live.inside('custom_unit_amount')
  const tiers = live.objects('tiers').map((tier): PriceTier => ({
    flat_amount: tier.numberOrNull('flat_amount'),
    flat_amount_decimal: tier.textOrNull('flat_amount_decimal'),
    unit_amount: tier.numberOrNull('unit_amount'),
    unit_amount_decimal: tier.textOrNull('unit_amount_decimal'),
    up_to: tier.numberOrNull('up_to'),
  }))
  return {
    custom_unit_amount:
      custom === null
        ? null
        : {
            maximum: custom.numberOrNull('maximum'),
            minimum: custom.numberOrNull('minimum'),
            preset: custom.numberOrNull('preset'),
          },
    tax_behavior: live.word('tax_behavior', ['unspecified', 'exclusive', 'inclusive']),
    tiers: tiers.length === 0 ? null : tiers,
    unit_amount: live.numberOrNull('unit_amount'),
    unit_amount_decimal: live.textOrNull('unit_amount_decimal'),
  }
}

/** `inline`: the price came with a subscription and is in no list. */
export function keepPrice(context: Context, live: Live, inline = false): void {
  const recurring = live.inside('recurring')
  const transform = live.inside('transform_quantity')
  const currency = live.text('currency')
  const options = live.inside('currency_options')
  const others: Record<string, Amounts> = {}
  for (const [name, option] of entriesOf(live.any('currency_options')))
    if (options !== null && name !== currency) others[name] = amountsFrom(new Live(option, `${live.id}.${name}`))
  const product = live.ref('product') ?? `prod_of_${live.id}`
  const whole = live.inside('product')
  if (whole !== null && !context.table(productKind.table).has(product)) keepProduct(context, whole)
  else ensureProduct(context, product)
  const meter = recurring?.textOrNull('meter') ?? null
  if (meter !== null) ensureMeter(context, meter)
  const row: PriceRow = {
    ...amountsFrom(live),
    id: live.id,
    created: live.number('created'),
    active: live.flag('active', true),
    billing_scheme: live.word('billing_scheme', ['per_unit', 'tiered']),
    currency,
    currency_options: others,
    inline,
    lookup_key: live.textOrNull('lookup_key'),
    metadata: live.metadata(),
    nickname: live.textOrNull('nickname'),
    product,
    recurring:
      recurring === null
        ? null
        : {
            interval: recurring.word('interval', ['month', 'day', 'week', 'year']),
            interval_count: recurring.numberOrNull('interval_count') ?? 1,
            meter,
            trial_period_days: recurring.numberOrNull('trial_period_days'),
            usage_type: recurring.word('usage_type', ['licensed', 'metered']),
          },
    tiers_mode: live.any('tiers_mode') === null ? null : live.word('tiers_mode', ['graduated', 'volume']),
    transform_quantity:
      transform === null
        ? null
        : { divide_by: transform.number('divide_by'), round: transform.word('round', ['down', 'up']) },
  }
  context.table(prices).put(row)
}

function entriesOf(value: Json): [string, Json][] {
  if (!isJsonObject(value)) return []
  return Object.entries(value).map(([name, entry]) => [name, entry ?? null])
}

export function keepTaxRate(context: Context, live: Live): void {
  context.table(taxRateKind.table).put({
    id: live.id,
    created: live.number('created'),
    active: live.flag('active', true),
    country: live.textOrNull('country'),
    description: live.textOrNull('description'),
    display_name: live.text('display_name'),
    inclusive: live.flag('inclusive'),
    jurisdiction: live.textOrNull('jurisdiction'),
    metadata: live.metadata(),
    percentage: live.number('percentage'),
    state: live.textOrNull('state'),
    tax_type: live.textOrNull('tax_type'),
  })
}

/** `deleted`: it can no longer be redeemed; only its discounts continue. */
export function keepCoupon(context: Context, live: Live, deleted = false): void {
  context.table(coupons).put(couponRow(live, deleted))
}

function couponRow(live: Live, deleted: boolean): CouponRow {
  const options: Record<string, number> = {}
  for (const [name, option] of entriesOf(live.any('currency_options')))
    options[name] = new Live(option, `${live.id}.${name}`).number('amount_off')
  return {
    id: live.id,
    created: live.number('created'),
    amount_off: live.numberOrNull('amount_off'),
    applies_to: live.inside('applies_to')?.refs('products') ?? null,
    currency: live.textOrNull('currency'),
    currency_options: options,
    deleted,
    duration: live.word('duration', ['once', 'forever', 'repeating']),
    duration_in_months: live.numberOrNull('duration_in_months'),
    max_redemptions: live.numberOrNull('max_redemptions'),
    metadata: live.metadata(),
    name: live.textOrNull('name'),
    percent_off: live.numberOrNull('percent_off'),
    redeem_by: instantOrNull(live.numberOrNull('redeem_by')),
    times_redeemed: live.numberOrNull('times_redeemed') ?? 0,
  }
}

export function keepPromotionCode(context: Context, live: Live): void {
  const coupon = live.inside('promotion')?.ref('coupon') ?? live.ref('coupon')
  if (coupon === null) return
  const restrictions = live.inside('restrictions')
  context.table(promotionCodes).put({
    id: live.id,
    created: live.number('created'),
    active: live.flag('active', true),
    code: live.text('code'),
    coupon,
    customer: live.ref('customer'),
    expires_at: instantOrNull(live.numberOrNull('expires_at')),
    max_redemptions: live.numberOrNull('max_redemptions'),
    metadata: live.metadata(),
    restrictions: {
      currency_options: {},
      first_time_transaction: restrictions?.flag('first_time_transaction') ?? false,
      minimum_amount: restrictions?.numberOrNull('minimum_amount') ?? null,
      minimum_amount_currency: restrictions?.textOrNull('minimum_amount_currency') ?? null,
    },
    times_redeemed: live.numberOrNull('times_redeemed') ?? 0,
  })
}

/** An expanded discount, with its coupon when no list has that coupon. Returns the id. */
export function keepDiscount(context: Context, live: Live): string {
  const source = live.inside('source')
  const coupon = source?.ref('coupon') ?? live.ref('coupon') ?? `unread-${live.id}`
  const whole = source?.inside('coupon') ?? live.inside('coupon')
  if (!context.table(coupons).has(coupon)) {
    if (whole === null) keepUnreadCoupon(context, coupon)
    else keepCoupon(context, whole, !whole.flag('valid', true))
  }
  context.table(discounts).put({
    id: live.id,
    created: live.number('start'),
    coupon,
    promotion_code: live.ref('promotion_code'),
    customer: live.ref('customer'),
    subscription: live.ref('subscription'),
    subscription_item: live.ref('subscription_item'),
    invoice: null,
    invoice_item: null,
    start: instant(live.number('start')),
    end: instantOrNull(live.numberOrNull('end')),
    ...ownTerms(context, coupon, whole),
  })
  return live.id
}

/**
 * The terms that the discount itself shows, where the account's coupon of that id has other terms
 * today.
 */
function ownTerms(context: Context, coupon: string, whole: Live | null): Pick<DiscountRow, 'terms'> {
  const listed = context.table(coupons).get(coupon)
  if (whole === null || listed === undefined) return {}
  const shown = couponRow(whole, true)
  const fields = ['created', 'percent_off', 'amount_off', 'currency', 'duration', 'duration_in_months'] as const
  return fields.some((field) => shown[field] !== listed[field]) ? { terms: shown } : {}
}

/**
 * A discount of which only the id is known takes nothing off; it only shows that there is a
 * discount.
 */
export function keepUnreadDiscount(context: Context, id: string, on: { subscription: string; item: string }): string {
  const coupon = `unread-${id}`
  if (context.table(discounts).has(id)) return id
  keepUnreadCoupon(context, coupon)
  context.table(discounts).put({
    id,
    created: context.now,
    coupon,
    promotion_code: null,
    customer: null,
    subscription: on.subscription,
    subscription_item: on.item,
    invoice: null,
    invoice_item: null,
    start: context.now,
    end: null,
  })
  return id
}

function keepUnreadCoupon(context: Context, id: string): void {
  keepCoupon(context, new Live({ id, created: context.now, duration: 'forever', percent_off: 0 }, id), true)
}

function instantOrNull(at: number | null): Instant | null {
  return at === null ? null : instant(at)
}
