// https://docs.stripe.com/api/entitlements/feature and https://docs.stripe.com/api/product-feature
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import { invalid, missing } from '../kernel/errors.ts'
import { find, retrieveRoute, type Kind } from '../kernel/kind.ts'
import { listPage, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import { fields, flag, mergeMetadata, metadata, required, text, type Metadata } from '../kernel/params.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import type { Wire } from '../kernel/wire.ts'
import { productKind } from './product-row.ts'

interface FeatureRow extends Row {
  readonly active: boolean
  readonly lookup_key: string
  readonly metadata: Metadata
  readonly name: string
}

interface ProductFeatureRow extends Row {
  readonly feature: string
  readonly product: string
}

const features: TableDefinition<FeatureRow> = {
  name: 'entitlement_features',
  indexes: { lookup_key: (row) => row.lookup_key },
}
const productFeatures: TableDefinition<ProductFeatureRow> = {
  name: 'product_features',
  indexes: { product: (row) => row.product },
}

const kind: Kind<FeatureRow> = {
  table: features,
  noun: 'entitlements feature',
  url: '/v1/entitlements/features',
  permission: 'entitlements',
  render,
}

export const entitlementModule: Module = {
  routes: [
    route('POST', kind.url, {
      permission: 'entitlements',
      params: fields({
        lookup_key: required(text({ max: 80 })),
        metadata: metadata(),
        name: required(text({ max: 80 })),
      }),
      handle(context, params) {
        if (
          context
            .table(features)
            .by('lookup_key', params.lookup_key)
            .some((row) => row.active)
        )
          throw invalid(`A feature with the lookup_key \`${params.lookup_key}\` already exists.`, {
            param: 'lookup_key',
          })
        const row = context.table(features).put({
          id: context.newId('feat'),
          created: context.now,
          active: true,
          lookup_key: params.lookup_key,
          metadata: mergeMetadata({}, params.metadata),
          name: params.name,
        })
        return render(context, row)
      },
    }),
    retrieveRoute(kind),
    route('POST', `${kind.url}/:id`, {
      permission: 'entitlements',
      params: fields({ active: flag(), metadata: metadata(), name: text({ max: 80 }) }),
      handle(context, params) {
        const row = find(context, kind, context.id('id'))
        // Deactivating a feature is final: it is removed from all products and can never be granted
        // again.
        if (params.active === true && !row.active)
          throw invalid('Archived features cannot be reactivated.', { param: 'active' })
        if (params.active === false)
          for (const link of context.table(productFeatures).all())
            if (link.feature === row.id) context.table(productFeatures).delete(link.id)
        const changed = context.table(features).put({
          ...row,
          active: params.active ?? row.active,
          metadata: mergeMetadata(row.metadata, params.metadata),
          name: params.name ?? row.name,
        })
        return render(context, changed)
      },
    }),
    route('GET', kind.url, {
      permission: 'entitlements',
      params: fields({ ...paging, archived: flag(), lookup_key: text() }),
      handle: (context, params) =>
        listPage(context, params, {
          table: features,
          url: kind.url,
          ...(params.lookup_key === undefined ? {} : { by: ['lookup_key', params.lookup_key] as const }),
          keep: (row) => row.active !== (params.archived ?? false),
          render,
        }),
    }),
    route('POST', '/v1/products/:product/features', {
      permission: 'products',
      params: fields({ entitlement_feature: required(text()) }),
      handle(context, params) {
        const product = find(context, productKind, context.id('product'))
        const feature = find(context, kind, params.entitlement_feature, 'entitlement_feature')
        if (!feature.active)
          throw invalid('Archived features cannot be attached to products.', { param: 'entitlement_feature' })
        const links = context.table(productFeatures)
        if (links.by('product', product.id).some((link) => link.feature === feature.id))
          throw invalid('This feature is already attached to the product.', {
            code: 'resource_already_exists',
            param: 'entitlement_feature',
          })
        const link = links.put({
          id: context.newId('prodft'),
          created: context.now,
          feature: feature.id,
          product: product.id,
        })
        return renderLink(context, link)
      },
    }),
    route('GET', '/v1/products/:product/features', {
      permission: 'products',
      params: fields({ ...paging }),
      handle(context, params) {
        const { id } = find(context, productKind, context.id('product'))
        return listPage(context, params, {
          table: productFeatures,
          url: `/v1/products/${id}/features`,
          by: ['product', id],
          render: renderLink,
        })
      },
    }),
    route('GET', '/v1/products/:product/features/:id', {
      permission: 'products',
      params: fields({}),
      handle: (context) => renderLink(context, findLink(context)),
    }),
    route('DELETE', '/v1/products/:product/features/:id', {
      permission: 'products',
      params: fields({}),
      handle(context) {
        const link = findLink(context)
        context.table(productFeatures).delete(link.id)
        return { id: link.id, object: 'product_feature', deleted: true }
      },
    }),
  ],
}

function findLink(context: Context): ProductFeatureRow {
  const id = context.id('id')
  const link = context.table(productFeatures).get(id)
  if (link === undefined || link.product !== context.id('product')) throw missing('product feature', id)
  return link
}

function render(context: Context, row: FeatureRow): Wire<Stripe.Entitlements.Feature> {
  return {
    id: row.id,
    object: 'entitlements.feature',
    active: row.active,
    livemode: context.livemode,
    lookup_key: row.lookup_key,
    metadata: row.metadata,
    name: row.name,
  }
}

function renderLink(context: Context, link: ProductFeatureRow): Wire<Stripe.ProductFeature> {
  return {
    id: link.id,
    object: 'product_feature',
    entitlement_feature: render(context, find(context, kind, link.feature)),
    livemode: context.livemode,
  }
}
