// https://docs.stripe.com/api/promotion_codes
import type Stripe from 'stripe'
import type { Instant } from '../../core/instant.ts'
import type { Context } from '../kernel/context.ts'
import { invalid } from '../kernel/errors.ts'
import { find, retrieveRoute, type Kind } from '../kernel/kind.ts'
import { listPage, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import {
  currency,
  fields,
  flag,
  inRange,
  int,
  mergeMetadata,
  metadata,
  oneOf,
  range,
  record,
  required,
  text,
  time,
  type Metadata,
  type Parsed,
} from '../kernel/params.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import type { Wire } from '../kernel/wire.ts'
import { couponIsValid, coupons, findCoupon } from './coupons.ts'

export interface PromotionCodeRow extends Row {
  /** As set; a code is shown as active only while its coupon can be redeemed. */
  readonly active: boolean
  readonly code: string
  readonly coupon: string
  readonly customer: string | null
  readonly expires_at: Instant | null
  readonly max_redemptions: number | null
  readonly metadata: Metadata
  readonly restrictions: {
    readonly currency_options: Readonly<Record<string, { readonly minimum_amount: number }>>
    readonly first_time_transaction: boolean
    readonly minimum_amount: number | null
    readonly minimum_amount_currency: string | null
  }
  readonly times_redeemed: number
}

export const promotionCodes: TableDefinition<PromotionCodeRow> = {
  name: 'promotion_codes',
  indexes: { code: (row) => row.code.toLowerCase(), coupon: (row) => row.coupon },
}

export const promotionCodeKind: Kind<PromotionCodeRow> = {
  table: promotionCodes,
  noun: 'promotion code',
  url: '/v1/promotion_codes',
  permission: 'promotion_codes',
  render: renderPromotionCode,
}

const minimums = record(fields({ minimum_amount: required(int({ min: 0 })) }))
const createFields = fields({
  active: flag(),
  code: text({ max: 500, pattern: /^[A-Za-z0-9-]+$/ }),
  customer: text(),
  expires_at: time(),
  max_redemptions: int({ min: 1 }),
  metadata: metadata(),
  promotion: required(fields({ coupon: required(text()), type: required(oneOf('coupon')) })),
  restrictions: fields({
    currency_options: minimums,
    first_time_transaction: flag(),
    minimum_amount: int({ min: 0 }),
    minimum_amount_currency: currency,
  }),
})

export const promotionCodeModule: Module = {
  routes: [
    route('POST', '/v1/promotion_codes', {
      permission: 'promotion_codes',
      params: createFields,
      handle: (context, params) => renderPromotionCode(context, createPromotionCode(context, params)),
    }),
    retrieveRoute(promotionCodeKind),
    route('POST', '/v1/promotion_codes/:id', {
      permission: 'promotion_codes',
      params: fields({ active: flag(), metadata: metadata(), restrictions: fields({ currency_options: minimums }) }),
      handle(context, params) {
        const row = find(context, promotionCodeKind, context.id('id'))
        if (params.active === true && !row.active) {
          checkCoupon(context, row.coupon)
          checkFree(context, row)
        }
        const { currency_options } = params.restrictions ?? {}
        const changed = context.table(promotionCodes).put({
          ...row,
          active: params.active ?? row.active,
          metadata: mergeMetadata(row.metadata, params.metadata),
          restrictions: {
            ...row.restrictions,
            currency_options: { ...row.restrictions.currency_options, ...currency_options },
          },
        })
        context.emit('promotion_code.updated', renderPromotionCode(context, changed), renderPromotionCode(context, row))
        return renderPromotionCode(context, changed)
      },
    }),
    route('GET', '/v1/promotion_codes', {
      permission: 'promotion_codes',
      params: fields({ ...paging, active: flag(), code: text(), coupon: text(), created: range(), customer: text() }),
      handle: (context, params) =>
        listPage(context, params, {
          table: promotionCodes,
          url: '/v1/promotion_codes',
          ...(params.code === undefined ? {} : { by: ['code', params.code.toLowerCase()] as const }),
          keep: (row) =>
            (params.active === undefined || promotionCodeIsActive(context, row) === params.active) &&
            (params.coupon === undefined || row.coupon === params.coupon) &&
            (params.customer === undefined || row.customer === params.customer) &&
            inRange(row.created, params.created),
          render: renderPromotionCode,
        }),
    }),
  ],
  objects: {
    promo: (context, id) => {
      const row = context.table(promotionCodes).get(id)
      return row === undefined ? undefined : renderPromotionCode(context, row)
    },
  },
  includable: { promotion_code: ['restrictions.currency_options'] },
  reactions: {
    // The deletion of a coupon ends its codes for good: another coupon with the same id does not
    // restore them.
    'coupon.reused': (context, id) => {
      for (const row of context.table(promotionCodes).by('coupon', id))
        context.table(promotionCodes).put({ ...row, active: false })
    },
  },
}

function createPromotionCode(context: Context, params: Parsed<typeof createFields>): PromotionCodeRow {
  const { restrictions = {}, promotion } = params
  findCoupon(context, promotion.coupon, 'promotion[coupon]')
  checkCoupon(context, promotion.coupon)
  if ((restrictions.minimum_amount === undefined) !== (restrictions.minimum_amount_currency === undefined))
    throw invalid('`minimum_amount` and `minimum_amount_currency` must be given together.', {
      param: 'restrictions[minimum_amount]',
    })
  if (params.expires_at !== undefined && params.expires_at <= context.now)
    throw invalid('`expires_at` must be a timestamp in the future.', { param: 'expires_at' })
  const by = context.table(coupons).get(promotion.coupon)?.redeem_by ?? null
  if (params.expires_at !== undefined && by !== null && params.expires_at > by)
    throw invalid("`expires_at` cannot be after the coupon's `redeem_by`.", { param: 'expires_at' })
  const row: PromotionCodeRow = {
    id: context.newId('promo'),
    created: context.now,
    active: params.active ?? true,
    code: params.code ?? context.newId('').toUpperCase(),
    coupon: promotion.coupon,
    customer: params.customer ?? null,
    expires_at: params.expires_at ?? null,
    max_redemptions: params.max_redemptions ?? null,
    metadata: mergeMetadata({}, params.metadata),
    restrictions: {
      currency_options: restrictions.currency_options ?? {},
      first_time_transaction: restrictions.first_time_transaction ?? false,
      minimum_amount: restrictions.minimum_amount ?? null,
      minimum_amount_currency: restrictions.minimum_amount_currency ?? null,
    },
    times_redeemed: 0,
  }
  if (row.active) checkFree(context, row)
  context.table(promotionCodes).put(row)
  context.emit('promotion_code.created', renderPromotionCode(context, row))
  return row
}

function checkCoupon(context: Context, id: string): void {
  const coupon = context.table(coupons).get(id)
  if (coupon === undefined || !couponIsValid(coupon, context.now))
    throw invalid(`The coupon \`${id}\` is no longer valid: its promotion codes cannot be active.`, {
      param: 'promotion[coupon]',
    })
}

/**
 * An active code is unique, regardless of case, among the codes of the same customer and among
 * those without a customer.
 */
function checkFree(context: Context, row: PromotionCodeRow): void {
  const clash = context
    .table(promotionCodes)
    .by('code', row.code.toLowerCase())
    .some(
      (other) =>
        other.id !== row.id &&
        promotionCodeIsActive(context, other) &&
        (other.customer === null || row.customer === null || other.customer === row.customer),
    )
  if (clash) throw invalid(`An active promotion code with \`code: ${row.code}\` already exists.`, { param: 'code' })
}

export function promotionCodeIsActive(context: Context, row: PromotionCodeRow): boolean {
  const coupon = context.table(coupons).get(row.coupon)
  return (
    row.active &&
    (row.expires_at === null || row.expires_at > context.now) &&
    (row.max_redemptions === null || row.times_redeemed < row.max_redemptions) &&
    coupon !== undefined &&
    couponIsValid(coupon, context.now)
  )
}

function renderPromotionCode(context: Context, row: PromotionCodeRow): Wire<Stripe.PromotionCode> {
  const { currency_options, ...restrictions } = row.restrictions
  return {
    id: row.id,
    object: 'promotion_code',
    active: promotionCodeIsActive(context, row),
    code: row.code,
    created: row.created,
    customer: row.customer,
    customer_account: null,
    expires_at: row.expires_at,
    livemode: context.livemode,
    max_redemptions: row.max_redemptions,
    metadata: row.metadata,
    promotion: { coupon: row.coupon, type: 'coupon' },
    restrictions: {
      ...restrictions,
      ...(Object.keys(currency_options).length === 0 ? {} : { currency_options }),
    },
    times_redeemed: row.times_redeemed,
  }
}
