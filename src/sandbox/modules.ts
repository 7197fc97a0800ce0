import type { Module } from './kernel/module.ts'
import { faultModule } from './faults.ts'
import { kajabiModule } from './kajabi/module.ts'
import { accountModule } from './stripe/account.ts'
import { couponModule } from './stripe/coupons.ts'
import { discountModule } from './stripe/discounts.ts'
import { eventModule } from './stripe/events.ts'
import { priceModule } from './stripe/prices.ts'
import { productModule } from './stripe/products.ts'
import { promotionCodeModule } from './stripe/promotion-codes.ts'
import { taxRateModule } from './stripe/tax-rates.ts'

/** Everything a world is made of. A resource file is known by being named here. */
export const modules: readonly Module[] = [
  accountModule,
  eventModule,
  productModule,
  priceModule,
  taxRateModule,
  couponModule,
  promotionCodeModule,
  discountModule,
  kajabiModule,
  faultModule,
]
