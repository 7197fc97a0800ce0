import { createProduct, goneProducts, type ProductRow, productKind, products, renderProduct } from './product-row.ts'
// https://docs.stripe.com/api/products
import type { Context } from '../kernel/context.ts'
import { invalid } from '../kernel/errors.ts'
import { find, retrieveRoute } from '../kernel/kind.ts'
import { listPage, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import {
  decimal,
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
} from '../kernel/params.ts'
import { searchRoute } from '../kernel/search.ts'
import { createPrice, priceDataFields, prices } from './prices.ts'

const size = {
  parse: (raw: Parameters<ReturnType<typeof decimal>['parse']>[0], at: string) =>
    Number(decimal({ min: 0, places: 2 }).parse(raw, at)),
}
const common = {
  active: flag(),
  metadata: metadata(),
  shippable: flag(),
  statement_descriptor: text({ max: 22, pattern: /^[^<>"'*\\]*[a-zA-Z][^<>"'*\\]*$/ }),
}
const dimensions = fields({
  height: required(size),
  length: required(size),
  weight: required(size),
  width: required(size),
})
const taxDetails = fields({ performance_location: text(), tax_code: emptyable(text()) })
const images = list(text({ max: 2_048 }), { max: 8 })
const features = list(fields({ name: required(text({ max: 80 })) }), { max: 15 })
const taxCodeText = text({ pattern: /^txcd_\d{8}$/ })

export const productModule: Module = {
  routes: [
    route('POST', '/v1/products', {
      permission: 'products',
      params: fields({
        ...common,
        id: text({ max: 255, pattern: /^[A-Za-z0-9_-]+$/ }),
        name: required(text()),
        description: text({ max: 40_000 }),
        default_price_data: priceDataFields,
        images,
        marketing_features: features,
        package_dimensions: dimensions,
        tax_code: taxCodeText,
        tax_details: taxDetails,
        type: oneOf('good', 'service'),
        unit_label: text({ max: 12 }),
        url: text({ max: 2_048 }),
      }),
      handle(context, params) {
        const { default_price_data, ...about } = params
        const row = createProduct(context, about)
        if (default_price_data === undefined) return renderProduct(context, row)
        const price = createPrice(context, { ...default_price_data, product: row.id })
        return renderProduct(context, changeProduct(context, row, { default_price: price.id }))
      },
    }),
    retrieveRoute(productKind),
    route('POST', '/v1/products/:id', {
      permission: 'products',
      params: fields({
        ...common,
        // The SDK's type does not show that it can be unset:
        // https://github.com/stripe/stripe-python/issues/658
        default_price: emptyable(text()),
        description: emptyable(text({ max: 40_000 })),
        images: emptyable(images),
        marketing_features: emptyable(features),
        name: text(),
        package_dimensions: emptyable(dimensions),
        tax_code: emptyable(taxCodeText),
        tax_details: emptyable(taxDetails),
        unit_label: emptyable(text({ max: 12 })),
        url: emptyable(text({ max: 2_048 })),
      }),
      handle(context, params) {
        const row = find(context, productKind, context.id('id'))
        const {
          metadata: given,
          images: shown,
          marketing_features: marketing,
          tax_details: details,
          default_price,
          ...rest
        } = params
        if (typeof default_price === 'string') checkDefaultPrice(context, row, default_price)
        const changed = changeProduct(context, row, {
          ...rest,
          metadata: mergeMetadata(row.metadata, given),
          ...(default_price === undefined ? {} : { default_price }),
          ...(shown === undefined ? {} : { images: shown ?? [] }),
          ...(marketing === undefined ? {} : { marketing_features: marketing ?? [] }),
          ...taxChange(row, { tax_code: rest.tax_code, tax_details: details }),
        })
        return renderProduct(context, changed)
      },
    }),
    route('GET', '/v1/products', {
      permission: 'products',
      params: fields({
        ...paging,
        active: flag(),
        created: range(),
        ids: list(text(), { max: 100 }),
        shippable: flag(),
        type: oneOf('good', 'service'),
        url: text(),
      }),
      handle: (context, params) =>
        listPage(context, params, {
          table: products,
          url: '/v1/products',
          keep: (row) =>
            (params.active === undefined || row.active === params.active) &&
            inRange(row.created, params.created) &&
            (params.ids === undefined || params.ids.includes(row.id)) &&
            (params.shippable === undefined || row.shippable === params.shippable) &&
            (params.type === undefined || row.type === params.type) &&
            (params.url === undefined || row.url === params.url),
          render: renderProduct,
        }),
    }),
    route('DELETE', '/v1/products/:id', {
      permission: 'products',
      params: fields({}),
      handle(context) {
        const row = find(context, productKind, context.id('id'))
        if (context.table(prices).count('product', row.id) > 0)
          throw invalid('This product cannot be deleted because it has one or more user-created prices.')
        context.table(products).delete(row.id)
        if (!context.world.unsure.deleted_product_id_free)
          context.table(goneProducts).put({ id: row.id, created: context.now })
        context.emit('product.deleted', renderProduct(context, row))
        return { id: row.id, object: 'product', deleted: true }
      },
    }),
    searchRoute(productKind, {
      fields: {
        active: (row) => row.active,
        description: (row) => row.description,
        name: (row) => row.name,
        shippable: (row) => row.shippable,
        url: (row) => row.url,
      },
      metadata: (row) => row.metadata,
    }),
  ],
  objects: { prod: resolve },
  fields: { product: resolve },
}

function changeProduct(context: Context, row: ProductRow, change: Partial<ProductRow>): ProductRow {
  const changed = context.table(products).put({ ...row, ...change, updated: context.now })
  context.emit('product.updated', renderProduct(context, changed), renderProduct(context, row))
  return changed
}

function checkDefaultPrice(context: Context, row: ProductRow, id: string): void {
  const price = context.table(prices).get(id)
  if (price === undefined) throw invalid(`No such price: '${id}'`, { code: 'resource_missing', param: 'default_price' })
  if (price.product !== row.id)
    throw invalid(`The price ${id} does not belong to the product ${row.id}.`, { param: 'default_price' })
  if (!price.active) throw invalid('The default price of a product must be active.', { param: 'default_price' })
}

/** The tax code is in two places. A request changes one of them; the other follows. */
function taxChange(
  row: ProductRow,
  given: {
    readonly tax_code: string | null | undefined
    readonly tax_details:
      | { readonly performance_location?: string; readonly tax_code?: string | null }
      | null
      | undefined
  },
): Pick<ProductRow, 'tax_code' | 'tax_details'> {
  const { tax_details: details } = given
  const inDetails = details === null ? null : details?.tax_code
  const code = given.tax_code !== undefined ? given.tax_code : inDetails !== undefined ? inDetails : row.tax_code
  if (details === null) return { tax_code: code, tax_details: null }
  if (details === undefined && row.tax_details === null) return { tax_code: code, tax_details: null }
  const performance_location = details?.performance_location ?? row.tax_details?.performance_location ?? null
  return { tax_code: code, tax_details: { performance_location, tax_code: code } }
}

/** A deleted product is still shown where a price names it. */
function resolve(context: Context, id: string): object | undefined {
  const row = context.table(products).get(id)
  return row === undefined ? undefined : renderProduct(context, row)
}
