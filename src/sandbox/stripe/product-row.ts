// https://docs.stripe.com/api/products
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import { invalid } from '../kernel/errors.ts'
import type { Kind } from '../kernel/kind.ts'
import { mergeMetadata, type Metadata } from '../kernel/params.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import type { Wire } from '../kernel/wire.ts'

export interface ProductRow extends Row {
  readonly active: boolean
  readonly default_price: string | null
  readonly description: string | null
  readonly images: readonly string[]
  readonly marketing_features: readonly { readonly name: string }[]
  readonly metadata: Metadata
  readonly name: string
  readonly package_dimensions: {
    readonly height: number
    readonly length: number
    readonly weight: number
    readonly width: number
  } | null
  readonly shippable: boolean | null
  readonly statement_descriptor: string | null
  readonly tax_code: string | null
  readonly tax_details: { readonly performance_location: string | null; readonly tax_code: string | null } | null
  readonly type: 'good' | 'service'
  readonly unit_label: string | null
  readonly updated: number
  readonly url: string | null
}

export const products: TableDefinition<ProductRow> = { name: 'products' }

/** Ids of deleted products, in worlds where they cannot be used again. */
export const goneProducts: TableDefinition<Row> = { name: 'gone_products' }

export const productKind: Kind<ProductRow> = {
  table: products,
  noun: 'product',
  url: '/v1/products',
  permission: 'products',
  render: renderProduct,
}

/** Creates a product; refuses an id that exists. */
export function createProduct(
  context: Context,
  params: {
    readonly id?: string
    readonly name: string
    readonly active?: boolean
    readonly metadata?: Readonly<Record<string, string>> | null
    readonly description?: string
    readonly images?: readonly string[]
    readonly marketing_features?: readonly { readonly name: string }[]
    readonly package_dimensions?: NonNullable<ProductRow['package_dimensions']>
    readonly shippable?: boolean
    readonly statement_descriptor?: string
    readonly tax_code?: string
    readonly tax_details?: { readonly performance_location?: string; readonly tax_code?: string | null }
    readonly type?: 'good' | 'service'
    readonly unit_label?: string
    readonly url?: string
  },
): ProductRow {
  const id = params.id ?? context.newId('prod')
  if (context.table(products).has(id) || context.table(goneProducts).has(id))
    throw invalid('Product already exists.', { code: 'resource_already_exists', param: 'id' })
  const taxCode = params.tax_code ?? params.tax_details?.tax_code ?? null
  const row = context.table(products).put({
    id,
    created: context.now,
    updated: context.now,
    active: params.active ?? true,
    default_price: null,
    description: params.description ?? null,
    images: params.images ?? [],
    marketing_features: params.marketing_features ?? [],
    metadata: mergeMetadata({}, params.metadata),
    name: params.name,
    package_dimensions: params.package_dimensions ?? null,
    shippable: params.shippable ?? null,
    statement_descriptor: params.statement_descriptor ?? null,
    tax_code: taxCode,
    tax_details:
      params.tax_details === undefined
        ? null
        : { performance_location: params.tax_details.performance_location ?? null, tax_code: taxCode },
    type: params.type ?? 'service',
    unit_label: params.unit_label ?? null,
    url: params.url ?? null,
  })
  context.emit('product.created', renderProduct(context, row))
  return row
}

export function renderProduct(context: Context, row: ProductRow): Wire<Stripe.Product> {
  return {
    id: row.id,
    object: 'product',
    active: row.active,
    created: row.created,
    default_price: row.default_price,
    description: row.description,
    images: row.images,
    livemode: context.livemode,
    marketing_features: row.marketing_features,
    metadata: row.metadata,
    name: row.name,
    package_dimensions: row.package_dimensions,
    shippable: row.shippable,
    statement_descriptor: row.statement_descriptor,
    tax_code: row.tax_code,
    tax_details: row.tax_details,
    type: row.type,
    unit_label: row.unit_label,
    updated: row.updated,
    url: row.url,
  }
}
