import { formatInstant } from '../../core/instant.ts'
import type { Json } from '../../core/json.ts'
import { customerOf, grant, revoke } from './access.ts'
import { type Answer, document, refuse } from './answers.ts'
import { type ListRoute, list } from './lists.ts'
import type { Purchase } from './model.ts'
import type { SiteRequest } from './requests.ts'
import { purchaseResource } from './resources.ts'
import type { Site } from './site.ts'
import { offerFor } from './relations.ts'

const attributes = {
  deactivated_at: (row: Purchase) => (row.deactivated === null ? null : formatInstant(row.deactivated)),
  updated_at: (row: Purchase) => formatInstant(row.updated),
  created_at: (row: Purchase) => formatInstant(row.created),
  effective_start_at: (row: Purchase) => formatInstant(row.created),
  deactivation_reason: (row: Purchase) => row.deactivation_reason,
  coupon_code: (row: Purchase) => row.coupon_code,
  currency: (row: Purchase) => row.currency,
  quantity: () => '1',
} as const

type Compare = (value: string, asked: string) => boolean

const suffixes: Record<string, Compare> = {
  eq: (value, asked) => value === asked,
  not_eq: (value, asked) => value !== asked,
  cont: (value, asked) => value.includes(asked),
  not_cont: (value, asked) => !value.includes(asked),
  start: (value, asked) => value.startsWith(asked),
  end: (value, asked) => value.endsWith(asked),
  gt: (value, asked) => value > asked,
  gte: (value, asked) => value >= asked,
  lt: (value, asked) => value < asked,
  lte: (value, asked) => value <= asked,
}

/**
 * `filter[deactivated_at_gte]` and similar: every listed attribute with every suffix. Empty
 * attributes match nothing.
 */
function attributeFilters(): ListRoute<Purchase>['filters'] {
  const filters: Record<string, (row: Purchase, asked: string) => boolean> = {}
  for (const [name, read] of Object.entries(attributes))
    for (const [suffix, compare] of Object.entries(suffixes))
      filters[`${name}_${suffix}`] = (row, asked) => {
        const value = read(row)
        return value !== null && compare(value, asked)
      }
  return filters
}

export function listPurchases(site: Site, request: SiteRequest): Answer {
  const sorts: Record<string, (row: Purchase) => string | number> = {
    created_at: (row) => `${formatInstant(row.created)} ${row.id}`,
    updated_at: (row) => `${formatInstant(row.updated)} ${row.id}`,
    deactivated_at: (row) => (row.deactivated === null ? '' : `${formatInstant(row.deactivated)} ${row.id}`),
    effective_start_at: (row) => formatInstant(row.created),
    deactivation_reason: (row) => row.deactivation_reason ?? '',
    coupon_code: (row) => row.coupon_code ?? '',
    currency: (row) => row.currency,
  }
  const route: ListRoute<Purchase> = {
    path: '/v1/purchases',
    type: 'purchases',
    sorts,
    filters: {
      ...attributeFilters(),
      active: (row, asked) => (row.deactivated === null) === (asked === 'true'),
      deactivated: (row, asked) => (row.deactivated !== null) === (asked === 'true'),
      site_id: (_, asked) => asked === site.id,
      customer_id: (row, asked) => row.customer === asked,
    },
    unmodelled: ['referrer', 'referrer_cont', 'amount_in_cents_eq', 'amount_in_cents_gt'],
    render: (row) => purchaseResource(site, row),
    meta: 'count',
  }
  return list(route, site.purchases.all(), request.query)
}

function purchaseFor(site: Site, id: string): Purchase {
  const row = site.purchases.get(id)
  if (row === undefined) throw refuse(404, 'The requested resource could not be found.')
  return row
}

function shown(site: Site, id: string): Answer {
  return document({ data: purchaseResource(site, purchaseFor(site, id), true) as unknown as Json })
}

export function showPurchase(site: Site, id: string): Answer {
  return shown(site, id)
}

/** Takes the access away; Kajabi continues to bill its own subscription. */
export function deactivatePurchase(site: Site, id: string): Answer {
  const row = purchaseFor(site, id)
  revoke(site, row.contact, row.offer, 'Deactivated')
  return shown(site, id)
}

export function reactivatePurchase(site: Site, id: string): Answer {
  const row = purchaseFor(site, id)
  const now = site.now()
  site.purchases.put({ ...row, deactivated: null, deactivation_reason: null, updated: now })
  customerOf(site, row.contact)
  grant(site, row.contact, offerFor(site, row.offer), { by: 'purchase' })
  return shown(site, id)
}

/**
 * Cancels a subscription that Kajabi itself bills. Kajabi does not know subscriptions of other
 * systems: 422.
 */
export function cancelPurchase(site: Site, id: string): Answer {
  const row = purchaseFor(site, id)
  if (row.payments_made === null || row.status !== 'active')
    throw refuse(422, 'The subscription of this purchase cannot be cancelled.')
  revoke(site, row.contact, row.offer, 'Subscription canceled')
  site.purchases.put({ ...purchaseFor(site, id), status: 'canceled' })
  return shown(site, id)
}
