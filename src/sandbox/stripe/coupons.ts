// https://docs.stripe.com/api/coupons
import type Stripe from 'stripe'
import type { Instant } from '../../core/instant.ts'
import type { Context } from '../kernel/context.ts'
import { invalid, missing } from '../kernel/errors.ts'
import { find } from '../kernel/kind.ts'
import { listPage, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import {
  currency,
  decimal,
  emptyable,
  fields,
  inRange,
  int,
  list,
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
  type Schema,
} from '../kernel/params.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import type { Wire } from '../kernel/wire.ts'
import { productKind } from './product-row.ts'

export interface CouponRow extends Row {
  readonly amount_off: number | null
  /** Product ids; null: everything. */
  readonly applies_to: readonly string[] | null
  readonly currency: string | null
  /** Other currencies of an `amount_off` coupon: minor units by currency. */
  readonly currency_options: Readonly<Record<string, number>>
  /** A deleted coupon can be neither redeemed nor read, but its discounts continue. */
  readonly deleted: boolean
  readonly duration: 'forever' | 'once' | 'repeating'
  readonly duration_in_months: number | null
  readonly max_redemptions: number | null
  readonly metadata: Metadata
  readonly name: string | null
  readonly percent_off: number | null
  readonly redeem_by: Instant | null
  readonly times_redeemed: number
}

export const coupons: TableDefinition<CouponRow> = { name: 'coupons' }

const percent: Schema<number> = { parse: (raw, at) => Number(decimal({ min: 0, max: 100 }).parse(raw, at)) }
const amount = int({ min: 1, max: 99_999_999 })
const options = record(fields({ amount_off: required(amount) }))

const createFields = fields({
  id: text({ max: 200, pattern: /^[A-Za-z0-9_\-!@#$%^&*()+=.~:]+$/ }),
  amount_off: amount,
  applies_to: fields({ products: list(text(), { min: 1 }) }),
  currency,
  currency_options: options,
  duration: oneOf('forever', 'once', 'repeating'),
  duration_in_months: int({ min: 1 }),
  max_redemptions: int({ min: 1 }),
  metadata: metadata(),
  name: text({ max: 40 }),
  percent_off: percent,
  redeem_by: time(),
})

export const couponModule: Module = {
  routes: [
    route('POST', '/v1/coupons', {
      permission: 'coupons',
      params: createFields,
      handle: (context, params) => renderCoupon(context, createCoupon(context, params)),
    }),
    route('GET', '/v1/coupons/:id', {
      permission: 'coupons',
      params: fields({}),
      handle: (context) => renderCoupon(context, findCoupon(context, context.id('id'))),
    }),
    route('POST', '/v1/coupons/:id', {
      permission: 'coupons',
      params: fields({ currency_options: options, metadata: metadata(), name: emptyable(text({ max: 40 })) }),
      handle(context, params) {
        const row = findCoupon(context, context.id('id'))
        if (params.currency_options !== undefined) checkOptions(row, params.currency_options)
        const changed = context.table(coupons).put({
          ...row,
          currency_options: { ...row.currency_options, ...amounts(params.currency_options ?? {}) },
          metadata: mergeMetadata(row.metadata, params.metadata),
          name: params.name === undefined ? row.name : params.name,
        })
        context.emit('coupon.updated', renderCoupon(context, changed), renderCoupon(context, row))
        return renderCoupon(context, changed)
      },
    }),
    route('GET', '/v1/coupons', {
      permission: 'coupons',
      params: fields({ ...paging, created: range() }),
      handle: (context, params) =>
        listPage(context, params, {
          table: coupons,
          url: '/v1/coupons',
          keep: (row) => !row.deleted && inRange(row.created, params.created),
          render: renderCoupon,
        }),
    }),
    route('DELETE', '/v1/coupons/:id', {
      permission: 'coupons',
      params: fields({}),
      handle(context) {
        const row = findCoupon(context, context.id('id'))
        const gone = context.table(coupons).put({ ...row, deleted: true })
        context.emit('coupon.deleted', renderCoupon(context, gone))
        return { id: row.id, object: 'coupon', deleted: true }
      },
    }),
  ],
  fields: {
    coupon: (context, id) => {
      const row = context.table(coupons).get(id)
      return row === undefined ? undefined : renderCoupon(context, row)
    },
  },
  includable: { coupon: ['applies_to', 'currency_options'] },
}

function createCoupon(context: Context, params: Parsed<typeof createFields>): CouponRow {
  checkValue(params)
  const { duration = 'once', duration_in_months } = params
  if (duration === 'repeating' && duration_in_months === undefined)
    throw invalid('You must provide a `duration_in_months` when `duration` is `repeating`.', {
      code: 'parameter_missing',
      param: 'duration_in_months',
    })
  if (duration !== 'repeating' && duration_in_months !== undefined)
    throw invalid('`duration_in_months` can only be used when `duration` is `repeating`.', {
      param: 'duration_in_months',
    })
  if (params.redeem_by !== undefined && params.redeem_by <= context.now)
    throw invalid('`redeem_by` must be a timestamp in the future.', { param: 'redeem_by' })
  for (const product of params.applies_to?.products ?? []) find(context, productKind, product, 'applies_to[products]')
  const known = params.id === undefined ? undefined : context.table(coupons).get(params.id)
  if (known !== undefined && !known.deleted)
    throw invalid('Coupon already exists.', { code: 'resource_already_exists', param: 'id' })
  if (known !== undefined) context.react('coupon.reused', known.id)
  const row: CouponRow = {
    id: params.id ?? context.newId(''),
    created: context.now,
    amount_off: params.amount_off ?? null,
    applies_to: params.applies_to?.products ?? null,
    currency: params.amount_off === undefined ? null : (params.currency ?? null),
    currency_options: amounts(params.currency_options ?? {}),
    deleted: false,
    duration,
    duration_in_months: duration_in_months ?? null,
    max_redemptions: params.max_redemptions ?? null,
    metadata: mergeMetadata({}, params.metadata),
    name: params.name ?? null,
    percent_off: params.percent_off ?? null,
    redeem_by: params.redeem_by ?? null,
    times_redeemed: 0,
  }
  if (params.currency_options !== undefined) checkOptions(row, params.currency_options)
  context.table(coupons).put(row)
  context.emit('coupon.created', renderCoupon(context, row))
  return row
}

function checkValue(params: Parsed<typeof createFields>): void {
  const { amount_off, percent_off } = params
  if (amount_off === undefined && percent_off === undefined)
    throw invalid('Must provide either percent_off or amount_off.', { code: 'parameter_missing', param: 'percent_off' })
  if (amount_off !== undefined && percent_off !== undefined)
    throw invalid('You may only specify one of these parameters: amount_off, percent_off.', { param: 'amount_off' })
  if (amount_off !== undefined && params.currency === undefined)
    throw invalid('You must pass currency when passing amount_off.', { code: 'parameter_missing', param: 'currency' })
  if (percent_off === 0) throw invalid('Invalid percent_off: must be greater than 0.', { param: 'percent_off' })
}

function checkOptions(row: CouponRow, given: Readonly<Record<string, unknown>>): void {
  if (row.amount_off === null)
    throw invalid('`currency_options` can only be used with `amount_off`.', { param: 'currency_options' })
  if (row.currency !== null && given[row.currency] !== undefined)
    throw invalid("The amount of a coupon's own currency cannot be changed.", {
      param: `currency_options[${row.currency}]`,
    })
}

function amounts(given: Readonly<Record<string, { readonly amount_off: number }>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(given).map(([name, option]) => [name, option.amount_off]))
}

/** A coupon that can be read; a deleted coupon cannot. */
export function findCoupon(context: Context, id: string, param?: string): CouponRow {
  const row = context.table(coupons).get(id)
  if (row === undefined || row.deleted) throw missing('coupon', id, param)
  return row
}

export function couponIsValid(row: CouponRow, now: Instant): boolean {
  return (
    !row.deleted &&
    (row.redeem_by === null || row.redeem_by > now) &&
    (row.max_redemptions === null || row.times_redeemed < row.max_redemptions)
  )
}

export function renderCoupon(context: Context, row: CouponRow): Wire<Stripe.Coupon> {
  return {
    id: row.id,
    object: 'coupon',
    amount_off: row.amount_off,
    ...(row.applies_to === null ? {} : { applies_to: { products: row.applies_to } }),
    created: row.created,
    currency: row.currency,
    ...(row.currency === null || row.amount_off === null
      ? {}
      : {
          currency_options: Object.fromEntries(
            Object.entries({ [row.currency]: row.amount_off, ...row.currency_options }).map(([name, amount_off]) => [
              name,
              { amount_off },
            ]),
          ),
        }),
    duration: row.duration,
    duration_in_months: row.duration_in_months,
    livemode: context.livemode,
    max_redemptions: row.max_redemptions,
    metadata: row.metadata,
    name: row.name,
    percent_off: row.percent_off,
    redeem_by: row.redeem_by,
    times_redeemed: row.times_redeemed,
    valid: couponIsValid(row, context.now),
  }
}
