// https://docs.stripe.com/api/prices
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import { invalid, missing } from '../kernel/errors.ts'
import { find, retrieveRoute, type Kind } from '../kernel/kind.ts'
import { listPage, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import {
  currency,
  emptyable,
  fields,
  flag,
  inRange,
  list,
  mergeMetadata,
  metadata,
  oneOf,
  range,
  required,
  text,
  type Metadata,
  type Parsed,
} from '../kernel/params.ts'
import { searchRoute } from '../kernel/search.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import type { Wire } from '../kernel/wire.ts'
import {
  amountFields,
  amountsOf,
  checkRecurring,
  currencyOptions,
  mergeOptions,
  optionsOf,
  pricingFields,
  recurringFields,
  taxBehavior,
  type Amounts,
  type PriceTier,
  type Recurring,
} from './pricing.ts'
import { createProduct, productKind } from './product-row.ts'

export interface PriceRow extends Row, Amounts {
  readonly active: boolean
  readonly billing_scheme: 'per_unit' | 'tiered'
  readonly currency: string
  /** The other currencies; the row itself has the price's own. */
  readonly currency_options: Readonly<Record<string, Amounts>>
  /** Created by `price_data` on a subscription or invoice; never listed. */
  readonly inline: boolean
  readonly lookup_key: string | null
  readonly metadata: Metadata
  readonly nickname: string | null
  readonly product: string
  readonly recurring: Recurring | null
  readonly tiers_mode: 'graduated' | 'volume' | null
  readonly transform_quantity: { readonly divide_by: number; readonly round: 'down' | 'up' } | null
}

export const prices: TableDefinition<PriceRow> = {
  name: 'prices',
  indexes: { product: (row) => row.product, lookup_key: (row) => row.lookup_key ?? undefined },
}

const priceKind: Kind<PriceRow> = {
  table: prices,
  noun: 'price',
  url: '/v1/prices',
  permission: 'prices',
  render: renderPrice,
}

const lookupKey = text({ max: 200 })

/** `default_price_data` of a product. */
export const priceDataFields = fields({
  ...amountFields,
  currency: required(currency),
  currency_options: currencyOptions,
  metadata: metadata(),
  recurring: fields({ interval: recurringFields.interval, interval_count: recurringFields.interval_count }),
  tax_behavior: taxBehavior,
})

const createFields = fields({
  ...amountFields,
  ...pricingFields,
  active: flag(),
  currency: required(currency),
  currency_options: currencyOptions,
  lookup_key: lookupKey,
  metadata: metadata(),
  nickname: text({ max: 5_000 }),
  product: text(),
  product_data: fields({
    active: flag(),
    id: text({ max: 255, pattern: /^[A-Za-z0-9_-]+$/ }),
    metadata: metadata(),
    name: required(text()),
    statement_descriptor: text({ max: 22 }),
    tax_code: text(),
    tax_details: fields({ performance_location: text(), tax_code: emptyable(text()) }),
    unit_label: text({ max: 12 }),
  }),
  recurring: fields(recurringFields),
  tax_behavior: taxBehavior,
  transfer_lookup_key: flag(),
})

const updateFields = fields({
  active: flag(),
  currency_options: emptyable(currencyOptions),
  lookup_key: emptyable(lookupKey),
  metadata: metadata(),
  nickname: emptyable(text()),
  tax_behavior: taxBehavior,
  transfer_lookup_key: flag(),
})

export const priceModule: Module = {
  routes: [
    route('POST', '/v1/prices', {
      permission: 'prices',
      params: createFields,
      handle(context, params) {
        const { product, product_data, ...about } = params
        if (product === undefined && product_data === undefined)
          throw invalid('Missing required param: product.', { code: 'parameter_missing', param: 'product' })
        if (product !== undefined && product_data !== undefined)
          throw invalid('You may only specify one of these parameters: product, product_data.', { param: 'product' })
        const id =
          product_data === undefined
            ? find(context, productKind, product ?? '', 'product').id
            : createProduct(context, product_data).id
        return renderPrice(context, createPrice(context, { ...about, product: id }))
      },
    }),
    retrieveRoute(priceKind),
    route('POST', '/v1/prices/:id', {
      permission: 'prices',
      params: updateFields,
      handle: (context, params) =>
        renderPrice(context, updatePrice(context, find(context, priceKind, context.id('id')), params)),
    }),
    route('GET', '/v1/prices', {
      permission: 'prices',
      params: fields({
        ...paging,
        active: flag(),
        created: range(),
        currency,
        lookup_keys: list(lookupKey, { max: 10 }),
        product: text(),
        recurring: fields({
          interval: recurringFields.interval,
          meter: text(),
          usage_type: recurringFields.usage_type,
        }),
        type: oneOf('one_time', 'recurring'),
      }),
      handle: (context, params) => listPrices(context, params),
    }),
    searchRoute(priceKind, {
      fields: {
        active: (row) => row.active,
        currency: (row) => row.currency,
        lookup_key: (row) => row.lookup_key,
        product: (row) => row.product,
        type: (row) => (row.recurring === null ? 'one_time' : 'recurring'),
      },
      metadata: (row) => row.metadata,
    }),
  ],
  objects: { price: resolve, plan: resolve },
  fields: { price: resolve, default_price: resolve },
  includable: { price: ['currency_options', 'currency_options.*.tiers', 'tiers'] },
}

type ListParams = {
  readonly limit?: number
  readonly starting_after?: string
  readonly ending_before?: string
  readonly active?: boolean
  readonly created?: Parsed<ReturnType<typeof range>>
  readonly currency?: string
  readonly lookup_keys?: readonly string[]
  readonly product?: string
  readonly recurring?: { readonly interval?: string; readonly meter?: string; readonly usage_type?: string }
  readonly type?: 'one_time' | 'recurring'
}

/**
 * Active prices, unless `active` says otherwise; never inline ones ("Returns a list of your active
 * prices, excluding inline prices").
 */
function listPrices(context: Context, params: ListParams) {
  const { lookup_keys, recurring, product } = params
  return listPage(context, params, {
    table: prices,
    url: '/v1/prices',
    ...(product === undefined ? {} : { by: ['product', product] as const }),
    keep: (row) =>
      !row.inline &&
      row.active === (params.active ?? true) &&
      inRange(row.created, params.created) &&
      (params.currency === undefined || row.currency === params.currency) &&
      (lookup_keys === undefined || (row.lookup_key !== null && lookup_keys.includes(row.lookup_key))) &&
      (params.type === undefined || (params.type === 'recurring') === (row.recurring !== null)) &&
      (recurring?.interval === undefined || row.recurring?.interval === recurring.interval) &&
      (recurring?.meter === undefined || row.recurring?.meter === recurring.meter) &&
      (recurring?.usage_type === undefined || row.recurring?.usage_type === recurring.usage_type),
    render: renderPrice,
  })
}

type CreateParams = Omit<Parsed<typeof createFields>, 'product' | 'product_data'>

/**
 * Creates a price of an existing product, for the API, for `default_price_data` and (inline) for
 * `price_data`.
 */
export function createPrice(
  context: Context,
  params: CreateParams & { readonly product: string; readonly inline?: boolean },
): PriceRow {
  const amounts = amountsOf(params, { currency: params.currency, at: '' })
  checkPricing(params, amounts.tiers)
  const recurring = params.recurring === undefined ? null : checkRecurring(params.recurring)
  if (params.currency_options?.[params.currency] !== undefined)
    throw invalid(`The currency ${params.currency} is the price's own and cannot be one of its currency_options.`, {
      param: `currency_options[${params.currency}]`,
    })
  if (params.lookup_key !== undefined) freeLookupKey(context, params.lookup_key, params.transfer_lookup_key === true)
  const row = context.table(prices).put({
    id: context.newId('price'),
    created: context.now,
    ...amounts,
    active: params.active ?? true,
    billing_scheme: params.billing_scheme ?? 'per_unit',
    currency: params.currency,
    currency_options: optionsOf(params.currency_options ?? {}),
    inline: params.inline ?? false,
    lookup_key: params.lookup_key ?? null,
    metadata: mergeMetadata({}, params.metadata),
    nickname: params.nickname ?? null,
    product: params.product,
    recurring,
    tiers_mode: params.tiers_mode ?? null,
    transform_quantity: params.transform_quantity ?? null,
  })
  if (!row.inline) context.emit('price.created', renderPrice(context, row))
  return row
}

function checkPricing(params: CreateParams, tiers: readonly PriceTier[] | null): void {
  const { billing_scheme, tiers_mode, transform_quantity, recurring, custom_unit_amount } = params
  if (billing_scheme === 'tiered') {
    if (tiers === null)
      throw invalid('You must specify `tiers` when `billing_scheme` is `tiered`.', {
        code: 'parameter_missing',
        param: 'tiers',
      })
    if (tiers_mode === undefined)
      throw invalid('You must specify `tiers_mode` when `billing_scheme` is `tiered`.', {
        code: 'parameter_missing',
        param: 'tiers_mode',
      })
    if (transform_quantity !== undefined)
      throw invalid('You cannot combine `transform_quantity` with `tiers`.', { param: 'transform_quantity' })
  } else {
    if (tiers !== null) throw invalid('You may only use `tiers` when `billing_scheme` is `tiered`.', { param: 'tiers' })
    if (tiers_mode !== undefined)
      throw invalid('You may only use `tiers_mode` when `billing_scheme` is `tiered`.', { param: 'tiers_mode' })
  }
  if (custom_unit_amount !== undefined && recurring !== undefined)
    throw invalid('`custom_unit_amount` cannot be used with recurring prices.', { param: 'custom_unit_amount' })
}

function updatePrice(context: Context, row: PriceRow, params: Parsed<typeof updateFields>): PriceRow {
  if (
    params.active === false &&
    row.active &&
    context.table(productKind.table).get(row.product)?.default_price === row.id
  )
    throw invalid('This price cannot be archived because it is the default price of its product.', { param: 'active' })
  if (
    params.tax_behavior !== undefined &&
    row.tax_behavior !== 'unspecified' &&
    params.tax_behavior !== row.tax_behavior
  )
    throw invalid(
      `You cannot update a price's \`tax_behavior\` once it is set. The price's \`tax_behavior\` is \`${row.tax_behavior}\`.`,
      { param: 'tax_behavior' },
    )
  if (typeof params.lookup_key === 'string' && params.lookup_key !== row.lookup_key)
    freeLookupKey(context, params.lookup_key, params.transfer_lookup_key === true)
  if (params.lookup_key === null && !context.world.unsure.lookup_key_clears)
    throw invalid(
      'Invalid lookup_key: an empty string is not allowed. A key can only be transferred to another price.',
      {
        code: 'parameter_invalid_empty',
        param: 'lookup_key',
      },
    )
  const changed = context.table(prices).put({
    ...row,
    active: params.active ?? row.active,
    currency_options:
      params.currency_options === undefined ? row.currency_options : mergeOptions(row, params.currency_options),
    lookup_key: params.lookup_key === undefined ? row.lookup_key : params.lookup_key,
    metadata: mergeMetadata(row.metadata, params.metadata),
    nickname: params.nickname === undefined ? row.nickname : params.nickname,
    tax_behavior: params.tax_behavior ?? row.tax_behavior,
  })
  context.emit('price.updated', renderPrice(context, changed), renderPrice(context, row))
  return changed
}

/**
 * A lookup key belongs to one price. `transfer_lookup_key` takes it from the price that has it, in
 * the same request.
 */
function freeLookupKey(context: Context, key: string, transfer: boolean): void {
  for (const holder of context.table(prices).by('lookup_key', key)) {
    if (!transfer) throw invalid(`A price (\`${holder.id}\`) already uses that lookup key.`, { param: 'lookup_key' })
    const changed = context.table(prices).put({ ...holder, lookup_key: null })
    context.emit('price.updated', renderPrice(context, changed), renderPrice(context, holder))
  }
}

/**
 * The active price that a parameter of another resource names. Refuses inactive prices and prices
 * of inactive products.
 */
export function usablePrice(context: Context, id: string, param: string): PriceRow {
  const row = context.table(prices).get(id)
  if (row === undefined) throw missing('price', id, param)
  if (!row.active) throw invalid(`The price specified is inactive. This field only accepts active prices.`, { param })
  const product = context.table(productKind.table).get(row.product)
  if (product !== undefined && !product.active)
    throw invalid(
      `The product \`${product.id}\` is marked as inactive, and thus no new subscriptions or invoice items can be created for it.`,
      {
        code: 'product_inactive',
        param,
      },
    )
  return row
}

function resolve(context: Context, id: string): object | undefined {
  const row = context.table(prices).get(id)
  return row === undefined ? undefined : renderPrice(context, row)
}

export function renderPrice(context: Context, row: PriceRow): Wire<Stripe.Price> {
  const { custom_unit_amount, tax_behavior, tiers, unit_amount, unit_amount_decimal } = row
  return {
    id: row.id,
    object: 'price',
    active: row.active,
    billing_scheme: row.billing_scheme,
    created: row.created,
    currency: row.currency,
    currency_options: Object.fromEntries(
      Object.entries({
        [row.currency]: { custom_unit_amount, tax_behavior, tiers, unit_amount, unit_amount_decimal },
        ...row.currency_options,
      }).map(([name, { tiers: steps, ...option }]) => [
        name,
        { ...option, ...(steps === null ? {} : { tiers: steps }) },
      ]),
    ),
    custom_unit_amount,
    livemode: context.livemode,
    lookup_key: row.lookup_key,
    metadata: row.metadata,
    nickname: row.nickname,
    product: row.product,
    recurring: row.recurring,
    tax_behavior,
    ...(tiers === null ? {} : { tiers }),
    tiers_mode: row.tiers_mode,
    transform_quantity: row.transform_quantity,
    type: row.recurring === null ? 'one_time' : 'recurring',
    unit_amount,
    unit_amount_decimal,
  }
}
