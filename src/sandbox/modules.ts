import type { Module } from './kernel/module.ts'
import { actingModule } from './acting.ts'
import { copyModule } from './copy.ts'
import { faultModule } from './faults.ts'
import { kajabiModule } from './kajabi/module.ts'
import { schoolModule } from './population/module.ts'
import { accountModule } from './stripe/account.ts'
import { checkoutModule } from './stripe/checkout-sessions.ts'
import { couponModule } from './stripe/coupons.ts'
import { customerBalanceModule } from './stripe/customer-balance.ts'
import { customerModule } from './stripe/customers.ts'
import { discountModule } from './stripe/discounts.ts'
import { entitlementModule } from './stripe/entitlement-features.ts'
import { eventDestinationModule } from './stripe/event-destinations.ts'
import { eventModule } from './stripe/events.ts'
import { hostedCheckoutModule } from './stripe/hosted-checkout.ts'
import { meterModule } from './stripe/meters.ts'
import { paymentLinkModule } from './stripe/payment-links.ts'
import { paymentMethodConfigurationModule } from './stripe/payment-method-configurations.ts'
import { paymentMethodDomainModule } from './stripe/payment-method-domains.ts'
import { paymentMethodModule } from './stripe/payment-methods.ts'
import { portalModule } from './stripe/portal-configurations.ts'
import { priceModule } from './stripe/prices.ts'
import { productModule } from './stripe/products.ts'
import { promotionCodeModule } from './stripe/promotion-codes.ts'
import { shippingRateModule } from './stripe/shipping-rates.ts'
import { sourceModule } from './stripe/sources.ts'
import { billingModules } from './stripe/billing/modules.ts'
import { setupIntentModule } from './stripe/setup-intents.ts'
import { taxIdModule } from './stripe/tax-ids.ts'
import { taxRateModule } from './stripe/tax-rates.ts'
import { taxRegistrationModule } from './stripe/tax-registrations.ts'
import { taxSettingsModule } from './stripe/tax-settings.ts'
import { webhookEndpointModule } from './stripe/webhook-endpoints.ts'
import { testClockModule } from './stripe/test-clocks.ts'
import { webhookModule } from './webhooks.ts'

/** All modules of a world. A resource file takes effect by its entry here. */
export const modules: readonly Module[] = [
  accountModule,
  eventModule,
  productModule,
  priceModule,
  taxRateModule,
  couponModule,
  promotionCodeModule,
  discountModule,
  customerModule,
  customerBalanceModule,
  taxIdModule,
  paymentMethodModule,
  sourceModule,
  setupIntentModule,
  portalModule,
  paymentLinkModule,
  checkoutModule,
  hostedCheckoutModule,
  entitlementModule,
  meterModule,
  shippingRateModule,
  paymentMethodConfigurationModule,
  paymentMethodDomainModule,
  taxRegistrationModule,
  taxSettingsModule,
  eventDestinationModule,
  webhookEndpointModule,
  webhookModule,
  testClockModule,
  ...billingModules,
  kajabiModule,
  faultModule,
  copyModule,
  actingModule,
  schoolModule,
]
