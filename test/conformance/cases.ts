import type { Case } from './case.ts'
import { anchorCases } from './cases/anchors.ts'
import { catalogCases } from './cases/catalog.ts'
import { discountCases } from './cases/discounts.ts'
import { holdingCases } from './cases/holding.ts'
import { moneyCases } from './cases/money.ts'
import { requestCases } from './cases/requests.ts'
import { trialCases } from './cases/trials.ts'

/** Everything the product relies on in Stripe that a test account can be asked. */
export const cases: readonly Case[] = [
  ...anchorCases,
  ...trialCases,
  ...discountCases,
  ...holdingCases,
  ...moneyCases,
  ...catalogCases,
  ...requestCases,
]
