// https://docs.stripe.com/api/customer_portal/configurations
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import { invalid } from '../kernel/errors.ts'
import { find, retrieveRoute, type Kind } from '../kernel/kind.ts'
import { listPage, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import {
  emptyable,
  fields,
  flag,
  int,
  list,
  mergeMetadata,
  metadata,
  oneOf,
  required,
  text,
  type Metadata,
  type Parsed,
} from '../kernel/params.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import type { Wire } from '../kernel/wire.ts'
import { customer } from './customer-row.ts'
import { prices } from './prices.ts'
import { productKind } from './products.ts'

type Features = Wire<Stripe.BillingPortal.Configuration.Features>

interface ConfigurationRow extends Row {
  readonly active: boolean
  readonly business_profile: {
    readonly headline: string | null
    readonly privacy_policy_url: string | null
    readonly terms_of_service_url: string | null
  }
  readonly default_return_url: string | null
  readonly features: Features
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

const proration = oneOf('always_invoice', 'create_prorations', 'none')
const enabled = flag()
const features = fields({
  customer_update: fields({
    allowed_updates: emptyable(list(oneOf('address', 'email', 'name', 'phone', 'shipping', 'tax_id'))),
    enabled,
  }),
  invoice_history: fields({ enabled: required(flag()) }),
  payment_method_update: fields({ enabled: required(flag()), payment_method_configuration: emptyable(text()) }),
  subscription_cancel: fields({
    cancellation_reason: fields({
      enabled: required(flag()),
      options: emptyable(
        list(
          oneOf(
            'customer_service',
            'low_quality',
            'missing_features',
            'other',
            'switched_service',
            'too_complex',
            'too_expensive',
            'unused',
          ),
        ),
      ),
    }),
    enabled,
    mode: oneOf('at_period_end', 'immediately'),
    proration_behavior: proration,
  }),
  subscription_pause: fields({
    duration: fields({
      interval_options: emptyable(
        list(fields({ interval: required(oneOf('day', 'month', 'week', 'year')), interval_count: int({ min: 1 }) })),
      ),
      type: required(oneOf('indefinite', 'interval_options')),
    }),
    enabled,
  }),
  subscription_update: fields({
    billing_cycle_anchor: oneOf('now', 'unchanged'),
    default_allowed_updates: emptyable(list(oneOf('price', 'promotion_code', 'quantity'))),
    enabled,
    products: emptyable(
      list(
        fields({
          adjustable_quantity: fields({
            enabled: required(flag()),
            maximum: int({ min: 1 }),
            minimum: int({ min: 0 }),
          }),
          prices: required(list(text(), { min: 1 })),
          product: required(text()),
        }),
        { max: 10 },
      ),
    ),
    proration_behavior: proration,
    schedule_at_period_end: fields({
      conditions: emptyable(list(fields({ type: required(oneOf('decreasing_item_amount', 'shortening_interval')) }))),
    }),
    trial_update_behavior: oneOf('continue_trial', 'end_trial'),
  }),
})

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
      params: fields({ ...common, features: required(features) }),
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
          features: merge(context, nothing, params.features),
          // The first one of an account is the one its portal uses.
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
      params: fields({ ...common, active: flag(), features }),
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
          features: params.features === undefined ? row.features : merge(context, row.features, params.features),
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

/** Every feature off, with Stripe's defaults for the rest. */
const nothing: Features = {
  customer_update: { allowed_updates: [], enabled: false },
  invoice_history: { enabled: false },
  payment_method_update: { enabled: false, payment_method_configuration: null },
  subscription_cancel: {
    cancellation_reason: { enabled: false, feedback_options: null, options: [] },
    enabled: false,
    mode: 'at_period_end',
    proration_behavior: 'none',
  },
  subscription_pause: { duration: { interval_options: [], type: 'indefinite' }, enabled: false },
  subscription_update: {
    billing_cycle_anchor: null,
    default_allowed_updates: [],
    enabled: false,
    products: [],
    proration_behavior: 'none',
    schedule_at_period_end: { conditions: [] },
    trial_update_behavior: 'end_trial',
  },
}

/** The features a request names, over those that stand; what a feature does not name keeps its value. */
function merge(context: Context, before: Features, given: Parsed<typeof features>): Features {
  const { customer_update: update, invoice_history, payment_method_update: method } = given
  const { subscription_cancel: cancel, subscription_pause: pause, subscription_update: change } = given
  if (change?.products) checkProducts(context, change.products)
  const merged: Features = {
    customer_update: {
      allowed_updates:
        update?.allowed_updates === undefined ? before.customer_update.allowed_updates : (update.allowed_updates ?? []),
      enabled: update?.enabled ?? before.customer_update.enabled,
    },
    invoice_history: invoice_history ?? before.invoice_history,
    payment_method_update: { ...before.payment_method_update, ...method },
    subscription_cancel: {
      ...before.subscription_cancel,
      ...cancel,
      cancellation_reason:
        cancel?.cancellation_reason === undefined
          ? before.subscription_cancel.cancellation_reason
          : {
              enabled: cancel.cancellation_reason.enabled,
              feedback_options: null,
              options: cancel.cancellation_reason.options ?? [],
            },
    },
    subscription_pause: {
      enabled: pause?.enabled ?? before.subscription_pause.enabled,
      duration:
        pause?.duration === undefined
          ? before.subscription_pause.duration
          : {
              type: pause.duration.type,
              interval_options: (pause.duration.interval_options ?? []).map((option) => ({
                interval_count: 1,
                ...option,
              })),
            },
    },
    subscription_update: mergeUpdate(before.subscription_update, change),
  }
  if (merged.customer_update.enabled && merged.customer_update.allowed_updates.length === 0)
    throw missingPart('customer_update', 'allowed_updates')
  if (merged.subscription_update.enabled && merged.subscription_update.default_allowed_updates.length === 0)
    throw missingPart('subscription_update', 'default_allowed_updates')
  if (merged.subscription_update.enabled && merged.subscription_update.products?.length === 0)
    throw missingPart('subscription_update', 'products')
  return merged
}

function mergeUpdate(
  before: Features['subscription_update'],
  given: Parsed<typeof features>['subscription_update'],
): Features['subscription_update'] {
  if (given === undefined) return before
  const { default_allowed_updates: allowed, products, schedule_at_period_end: schedule, ...rest } = given
  return {
    ...before,
    ...rest,
    default_allowed_updates: allowed === undefined ? before.default_allowed_updates : (allowed ?? []),
    products:
      products === undefined
        ? (before.products ?? [])
        : (products ?? []).map(({ adjustable_quantity: quantity, ...product }) => ({
            ...product,
            adjustable_quantity: {
              enabled: quantity?.enabled ?? false,
              maximum: quantity?.maximum ?? null,
              minimum: quantity?.minimum ?? 1,
            },
          })),
    schedule_at_period_end:
      schedule === undefined ? before.schedule_at_period_end : { conditions: schedule.conditions ?? [] },
  }
}

function checkProducts(
  context: Context,
  given: readonly { readonly product: string; readonly prices: readonly string[] }[],
): void {
  for (const [index, { product, prices: ids }] of given.entries()) {
    const param = `features[subscription_update][products][${index}]`
    find(context, productKind, product, `${param}[product]`)
    for (const id of ids) {
      const price = find(context, { table: prices, noun: 'price' }, id, `${param}[prices]`)
      if (price.product !== product)
        throw invalid(`The price ${id} does not belong to the product ${product}.`, { param: `${param}[prices]` })
      if (price.recurring === null) throw invalid(`The price ${id} is not recurring.`, { param: `${param}[prices]` })
    }
  }
}

function missingPart(feature: string, part: string) {
  const param = `features[${feature}][${part}]`
  return invalid(`Missing required param: ${param}.`, { code: 'parameter_missing', param })
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
