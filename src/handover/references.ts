import { markAddress } from '../live/marks.ts'
import type Stripe from 'stripe'
import { couponDuration, carryingCoupon, hasLimits, redeemedCoupon, sameDuration } from './coupons.ts'
import { billedPriceKey } from './billed-prices.ts'
import { leftOutEntries } from '../catalog/left-out.ts'
import type { Catalog, DesiredResource, Mappings } from '../catalog/types.ts'
import { address } from '../core/address.ts'
import type { CouponDuration } from '../billing/discounts.ts'
import { couponDifferences, priceDifferences, productDiffers, taxRateDifferences } from './terms.ts'
import type { Reason } from './types.ts'
import { blocked } from './reasons.ts'
import type { BlockedCode } from './codes.ts'

/** A reference to an object of this catalog; the executor replaces it by the object's id. */
export type Ref = { readonly $ref: string }

export type Found<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: Reason<BlockedCode> }

/** The catalog by address, and the mappings of each source. Built once for all subscribers. */
export interface CatalogIndex {
  readonly resources: ReadonlyMap<string, DesiredResource>
  readonly coupons: readonly DesiredResource[]
  /** Addresses of entries with an error, and old ids (`us/price_…`) whose mapping has an error. */
  readonly leftOut: ReadonlySet<string>
  mappings(source: string): Mappings
  /** The key of a price that an account bills; undefined for one that the catalog does not know. */
  billedKey(account: string, price: Parameters<typeof billedPriceKey>[2]): string | undefined
}

const none: Mappings = { products: {}, prices: {}, tax_rates: {}, coupons: {} }

export function catalogIndex(catalog: Catalog): CatalogIndex {
  return {
    resources: new Map(catalog.resources.map((resource) => [resource.address, resource])),
    coupons: catalog.resources.filter(({ kind }) => kind === 'coupon'),
    leftOut: new Set(leftOutEntries(catalog).map((one) => one.address)),
    mappings: (source) => catalog.mappings.get(source) ?? none,
    billedKey: (account, price) => billedPriceKey(catalog, account, price),
  }
}

export function refTo(kind: string, key: string): Ref {
  return { $ref: address(kind, key) }
}

/**
 * The price of this catalog that replaces an old price; it must charge the same in this currency.
 */
export function findPrice(index: CatalogIndex, source: string, old: Stripe.Price, currency: string): Found<string> {
  const mappings = index.mappings(source)
  const key = mappings.prices[old.id]
  const resource = key === undefined ? undefined : index.resources.get(address('price', key))
  if (key === undefined || resource === undefined) {
    return unmapped(index, 'price_unmapped', { kind: 'price', source, id: old.id, key })
  }
  const differing = [
    ...priceDifferences(old, resource.value, currency),
    ...(productDiffers(old, resource.value, (id) => mappings.products[id]) ? ['product'] : []),
  ]
  if (differing.length > 0)
    return missing('price_differs', `price ${old.id} and price.${key} differ in ${differing.join(', ')}`)
  return { ok: true, value: key }
}

export function findTaxRate(index: CatalogIndex, source: string, old: Stripe.TaxRate): Found<string> {
  const key = index.mappings(source).tax_rates[old.id]
  const resource = key === undefined ? undefined : index.resources.get(address('tax_rate', key))
  if (key === undefined || resource === undefined) {
    return unmapped(index, 'tax_rate_unmapped', { kind: 'tax_rate', source, id: old.id, key })
  }
  const differing = taxRateDifferences(old, resource.value)
  if (differing.length > 0)
    return missing('tax_differs', `tax rate ${old.id} and tax_rate.${key} differ in ${differing.join(', ')}`, {
      fix: `Map ${old.id} to a rate with the same percentage and the same inclusion (on top or included). To change the percentage, move the subscribers first, and then change the rate with on_change: at_renewal in its entry.`,
    })
  return { ok: true, value: key }
}

/**
 * The coupon of this catalog that carries an old discount for one of the given durations: the same
 * terms, no limits (its holders redeemed already), and the remaining duration. The mapped coupon
 * comes first, then coupons made for carrying it, then any other that fits.
 */
export function findCoupon(
  index: CatalogIndex,
  source: string,
  old: Stripe.Coupon,
  durations: readonly CouponDuration[],
): Found<{ readonly key: string; readonly duration: CouponDuration }> {
  const mappings = index.mappings(source)
  const key = mappings.coupons[old.id]
  const base = key === undefined ? undefined : index.resources.get(address('coupon', key))
  if (key === undefined || base === undefined) {
    return unmapped(index, 'coupon_unmapped', { kind: 'coupon', source, id: old.id, key })
  }
  const productKey = (id: string): string | undefined => mappings.products[id]
  const differing = couponDifferences(old, base.value, productKey)
  // A discount keeps its own terms when its coupon's id is used again. The mapped coupon then
  // shares only the id, and another coupon carries the discount.
  const redeemed = differing.length === 0 ? base : redeemedCoupon(key, old, productKey)
  for (const duration of durations) {
    const wanted = carryingCoupon(redeemed.key, redeemed.value, duration)
    const candidates = [base, index.resources.get(address('coupon', wanted.key)), ...index.coupons]
    const found = candidates.find(
      (candidate) =>
        candidate !== undefined &&
        sameDuration(couponDuration(candidate.value), duration) &&
        !hasLimits(candidate.value) &&
        couponDifferences(old, candidate.value, productKey).length === 0,
    )
    if (found !== undefined) return { ok: true, value: { key: found.key, duration } }
  }
  const [first] = durations
  const wanted = first === undefined ? undefined : carryingCoupon(redeemed.key, redeemed.value, first)
  const needs = `needs coupon.${wanted?.key ?? key}, which this catalog lacks`
  return missing(
    'coupon_unmapped',
    differing.length === 0
      ? `coupon ${old.id} ${needs}`
      : `coupon ${old.id} and coupon.${key} differ in ${differing.join(', ')}; the discount ${needs}`,
    { fix: `Add to catalog/coupons.yaml: ${wanted?.key ?? key}: ${JSON.stringify(wanted?.value ?? {})}` },
  )
}

interface Unmapped {
  readonly kind: 'price' | 'tax_rate' | 'coupon'
  readonly source: string
  readonly id: string
  readonly key: string | undefined
}

/** An entry that exists but has an error is not reported as missing. */
function unmapped(
  index: CatalogIndex,
  code: BlockedCode,
  { kind, source, id, key }: Unmapped,
): ReturnType<typeof missing> {
  const words = `${kind.replace('_', ' ')} ${id}`
  if (key === undefined)
    return index.leftOut.has(address('mapping', `${source}/${id}`))
      ? missing('entry_invalid', `the mapping of ${words} has an error`)
      : missing(code, `${words} has no mapping`)
  return index.leftOut.has(address(kind, key))
    ? missing('entry_invalid', `${words} is mapped to ${address(kind, key)}, whose entry has an error`)
    : missing(code, `${words} is mapped to ${key}, which this catalog lacks`)
}

function missing(
  code: BlockedCode,
  message: string,
  options: { fix?: string } = {},
): { ok: false; reason: Reason<BlockedCode> } {
  return { ok: false, reason: blocked(code, message, options.fix) }
}

/** Keys of the target's tax rates by id, from their marks. */
export function taxRateKeys(
  rates: readonly { readonly id?: string; readonly metadata?: unknown }[],
): ReadonlyMap<string, string> {
  return new Map(
    rates.flatMap(({ id, metadata }) => {
      const mark = (metadata as Record<string, unknown> | undefined)?.[markAddress]
      return id !== undefined && typeof mark === 'string' ? [[id, mark.replace(/^tax_rate\./, '')] as const] : []
    }),
  )
}
