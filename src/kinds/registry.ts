import { coupon } from './coupon.ts'
import { feature } from './feature.ts'
import type { Kind } from './kind.ts'
import { meter } from './meter.ts'
import { portalConfiguration } from './portal-configuration.ts'
import { price } from './price.ts'
import { product } from './product.ts'
import { promotionCode } from './promotion-code.ts'
import { shippingRate } from './shipping-rate.ts'
import { taxRate } from './tax-rate.ts'
import { webhookEndpoint } from './webhook-endpoint.ts'

/** Every kind, in an order in which an object comes after those it refers to (`default_price` apart, which is set afterwards). */
export const kinds: readonly Kind[] = [
  feature,
  meter,
  product,
  price,
  taxRate,
  coupon,
  promotionCode,
  shippingRate,
  portalConfiguration,
  webhookEndpoint,
]

const byName = new Map<string, Kind>(kinds.map((kind) => [kind.name, kind]))

export function kindNamed(name: string): Kind | undefined {
  return byName.get(name)
}
