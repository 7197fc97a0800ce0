// https://docs.stripe.com/api/customer_portal/configurations
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import { invalid } from '../kernel/errors.ts'
import { find, retrieveRoute, type Kind } from '../kernel/kind.ts'
import { listPage, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import { emptyable, fields, flag, mergeMetadata, metadata, required, text, type Metadata } from '../kernel/params.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import type { Wire } from '../kernel/wire.ts'
import { customer } from './customer-row.ts'
import { mergeFeatures, noFeatures, portalFeatures, type PortalFeatures } from './portal-features.ts'

interface ConfigurationRow extends Row {
  readonly active: boolean
  readonly business_profile: {
    readonly headline: string | null
    readonly privacy_policy_url: string | null
    readonly terms_of_service_url: string | null
  }
  readonly default_return_url: string | null
  readonly features: PortalFeatures
  readonly is_default: boolean
  readonly login_page: boolean
  readonly metadata: Metadata
  readonly name: string | null
  readonly updated: number
}

const configurations: TableDefinition<ConfigurationRow> = { name: 'portal_configurations' }

const kind: Kind<ConfigurationRow> = {
  table: configurations,
  noun: 'configuration',
  url: '/v1/billing_portal/configurations',
  permission: 'billing_portal',
  render,
}

const common = {
  business_profile: fields({
    headline: emptyable(text({ max: 60 })),
    privacy_policy_url: emptyable(text()),
    terms_of_service_url: emptyable(text()),
  }),
  default_return_url: emptyable(text()),
  login_page: fields({ enabled: required(flag()) }),
  metadata: metadata(),
  name: emptyable(text()),
}

export const portalModule: Module = {
  routes: [
    route('POST', kind.url, {
      permission: 'billing_portal',
      params: fields({ ...common, features: required(portalFeatures) }),
      handle(context, params) {
        const row: ConfigurationRow = {
          id: context.newId('bpc'),
          created: context.now,
          updated: context.now,
          active: true,
          business_profile: {
            headline: null,
            privacy_policy_url: null,
            terms_of_service_url: null,
            ...params.business_profile,
          },
          default_return_url: params.default_return_url ?? null,
          features: mergeFeatures(context, noFeatures, params.features),
          // The portal of an account uses the first configuration.
          is_default: context.table(configurations).size === 0,
          login_page: params.login_page?.enabled ?? false,
          metadata: mergeMetadata({}, params.metadata),
          name: params.name ?? null,
        }
        context.table(configurations).put(row)
        context.emit('billing_portal.configuration.created', render(context, row))
        return render(context, row)
      },
    }),
    retrieveRoute(kind),
    route('POST', `${kind.url}/:id`, {
      permission: 'billing_portal',
      params: fields({ ...common, active: flag(), features: portalFeatures }),
      handle(context, params) {
        const row = find(context, kind, context.id('id'))
        if (params.active === false && row.is_default)
          throw invalid('The default configuration of an account cannot be deactivated.', { param: 'active' })
        const changed = context.table(configurations).put({
          ...row,
          updated: context.now,
          active: params.active ?? row.active,
          business_profile: { ...row.business_profile, ...params.business_profile },
          default_return_url:
            params.default_return_url === undefined ? row.default_return_url : params.default_return_url,
          features:
            params.features === undefined ? row.features : mergeFeatures(context, row.features, params.features),
          login_page: params.login_page?.enabled ?? row.login_page,
          metadata: mergeMetadata(row.metadata, params.metadata),
          name: params.name === undefined ? row.name : params.name,
        })
        context.emit('billing_portal.configuration.updated', render(context, changed), render(context, row))
        return render(context, changed)
      },
    }),
    route('GET', kind.url, {
      permission: 'billing_portal',
      params: fields({ ...paging, active: flag(), is_default: flag() }),
      handle: (context, params) =>
        listPage(context, params, {
          table: configurations,
          url: kind.url,
          keep: (row) =>
            (params.active === undefined || row.active === params.active) &&
            (params.is_default === undefined || row.is_default === params.is_default),
          render,
        }),
    }),
    route('POST', '/v1/billing_portal/sessions', {
      permission: 'billing_portal',
      params: fields({ configuration: text(), customer: required(text()), locale: text(), return_url: text() }),
      handle(context, params) {
        const { id: owner } = customer(context, params.customer, 'customer')
        const own =
          params.configuration === undefined ? undefined : find(context, kind, params.configuration, 'configuration')
        const configuration = own ?? [...context.table(configurations).all()].find((row) => row.is_default)
        if (configuration === undefined)
          throw invalid(
            "You can't create a portal session until you save your customer portal settings, or create a configuration.",
          )
        const id = context.newId('bps')
        return {
          id,
          object: 'billing_portal.session',
          configuration: configuration.id,
          created: context.now,
          customer: owner,
          customer_account: null,
          flow: null,
          livemode: context.livemode,
          locale: params.locale ?? null,
          on_behalf_of: null,
          return_url: params.return_url ?? configuration.default_return_url,
          url: `https://billing.stripe.com/p/session/${id}`,
        }
      },
    }),
  ],
  objects: {
    bpc: (context, id) => {
      const row = context.table(configurations).get(id)
      return row === undefined ? undefined : render(context, row)
    },
  },
  includable: { 'billing_portal.configuration': ['features.subscription_update.products'] },
}

function render(context: Context, row: ConfigurationRow): Wire<Stripe.BillingPortal.Configuration> {
  return {
    id: row.id,
    object: 'billing_portal.configuration',
    active: row.active,
    application: null,
    business_profile: row.business_profile,
    created: row.created,
    default_return_url: row.default_return_url,
    features: row.features,
    is_default: row.is_default,
    livemode: context.livemode,
    login_page: {
      enabled: row.login_page,
      url: row.login_page ? `https://billing.stripe.com/p/login/${row.id}` : null,
    },
    metadata: row.metadata,
    name: row.name,
    updated: row.updated,
  }
}
