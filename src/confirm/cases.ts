import type { Case } from './case.ts'
import { anchorCases } from './cases/anchors.ts'
import { catalogCases } from './cases/catalog.ts'
import { discountCases } from './cases/discounts.ts'
import { holdingCases } from './cases/holding.ts'
import { leftoverCases } from './cases/leftovers.ts'
import { moneyCases } from './cases/money.ts'
import { requestCases } from './cases/requests.ts'
import { trialCases } from './cases/trials.ts'

/** Everything that the product relies on in Stripe and a test account can answer. */
export const cases: readonly Case[] = [
  ...anchorCases,
  ...trialCases,
  ...discountCases,
  ...holdingCases,
  ...leftoverCases,
  ...moneyCases,
  ...catalogCases,
  ...requestCases,
]
