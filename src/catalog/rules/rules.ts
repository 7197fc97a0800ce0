import type { Rule } from '../draft.ts'
import { accessTerms } from './access.ts'
import { couponTerms, promotionExpiry, promotionMinimum } from './coupons.ts'
import { duplicateAddresses, duplicateNaturalKeys, duplicateSubscribers } from './duplicates.ts'
import { defaultPrice, priceAmount, priceRecurring, priceSmallestUnit, priceTiers } from './prices.ts'
import { changeBlocks, lifecycleTerms } from './lifecycle.ts'
import { withSwitches } from './lint-off.ts'
import { distinctAccounts, unknownSources } from './project.ts'
import { mirroredValues } from './mirrored.ts'
import { unknownReferences } from './references.ts'
import { refusedRules } from './refused.ts'
import { secretPlaces } from './secret-places.ts'
import { excludedStage, overrideTwice, subscriberCurrency, subscriberTerms } from './subscribers.ts'

/** Rules across files, in addition to the schema of each file. */
export const rules: readonly Rule[] = [
  unknownSources,
  distinctAccounts,
  duplicateAddresses,
  duplicateSubscribers,
  duplicateNaturalKeys,
  secretPlaces,
  unknownReferences,
  priceAmount,
  priceTiers,
  priceRecurring,
  priceSmallestUnit,
  defaultPrice,
  mirroredValues,
  couponTerms,
  promotionMinimum,
  promotionExpiry,
  subscriberTerms,
  excludedStage,
  overrideTwice,
  subscriberCurrency,
  accessTerms,
  lifecycleTerms,
  changeBlocks,
  withSwitches(refusedRules),
]
