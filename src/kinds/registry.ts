import { coupon } from './coupon.ts'
import { eventDestination } from './event-destination.ts'
import { feature } from './feature.ts'
import type { Kind, KindNames } from './kind.ts'
import { meter } from './meter.ts'
import { paymentLink } from './payment-link.ts'
import { paymentMethodConfiguration } from './payment-method-configuration.ts'
import { paymentMethodDomain } from './payment-method-domain.ts'
import { portalConfiguration } from './portal-configuration.ts'
import { price } from './price.ts'
import { product } from './product.ts'
import { promotionCode } from './promotion-code.ts'
import { shippingRate } from './shipping-rate.ts'
import { taxRate } from './tax-rate.ts'
import { taxRegistration } from './tax-registration.ts'
import { taxSettings } from './tax-settings.ts'
import { webhookEndpoint } from './webhook-endpoint.ts'

/**
 * Every kind by its name, ordered so that an object follows the objects that it refers to. The
 * exception `default_price` is set afterwards. A kind whose file exists and that is missing here
 * does not compile.
 */
const registry: { readonly [Name in keyof KindNames]: Kind<Name> } = {
  feature,
  meter,
  product,
  price,
  tax_rate: taxRate,
  coupon,
  promotion_code: promotionCode,
  shipping_rate: shippingRate,
  payment_link: paymentLink,
  payment_method_configuration: paymentMethodConfiguration,
  payment_method_domain: paymentMethodDomain,
  tax_registration: taxRegistration,
  tax_settings: taxSettings,
  portal_configuration: portalConfiguration,
  webhook_endpoint: webhookEndpoint,
  event_destination: eventDestination,
}

export const kinds: readonly Kind[] = Object.values(registry)

const byName = new Map<string, Kind>(kinds.map((kind) => [kind.name, kind]))

export function kindNamed(name: string): Kind | undefined {
  return byName.get(name)
}
