import type { SubscriberKey } from '../core/address.ts'
import type { Json } from '../core/json.ts'
import { readPaymentMark } from '../live/marks.ts'
import { candidateOf, surroundingsOf } from './candidate.ts'
import { heldChanges } from './changes.ts'
import { entryDifferences, paymentsLeft } from './entry-differs.ts'
import type { Changed } from './changed-terms.ts'
import { changesInTarget, isAdopted } from './since-move.ts'
import type { EntryField } from './since-pull.ts'
import type { HandoverInput } from './types.ts'

/** What a pull writes into the entry of a moved subscriber. */
export interface ToAdopt {
  /** What the subscriber changed in the target and no file has yet. */
  readonly changed: readonly Changed[]
  /** Fields that describe neither subscription; the terms of the old one are written again. */
  readonly wrong: readonly EntryField[]
  /** What the old subscription does not show (any more). */
  readonly values: Readonly<Partial<Record<EntryField, Json>>>
}

export function changesToAdopt(input: HandoverInput): ReadonlyMap<SubscriberKey, ToAdopt> {
  const around = surroundingsOf(input)
  return new Map(
    input.catalog.subscribers.flatMap((desired) => {
      const candidate = candidateOf(desired, around)
      const successor = candidate?.successor
      if (candidate === undefined || successor === undefined) return []
      const held = heldChanges(candidate, successor)
      const changed =
        candidate.standing === 'target'
          ? changesInTarget(candidate, successor, held).filter((one) => !isAdopted(desired, one))
          : []
      const wrong = entryDifferences(candidate, successor, held).map(({ field }) => field)
      if (changed.length === 0 && wrong.length === 0) return []
      // The old customer may have another default payment method since the move.
      const mark = readPaymentMark(successor.metadata)
      const left = paymentsLeft(candidate, successor)
      const values = {
        ...(mark === undefined ? {} : { payment_method: mark.old }),
        ...(left === undefined ? {} : { managed_by_application: { payments_left: left } }),
      }
      return [[desired.key, { changed, wrong: [...new Set(wrong)], values }]]
    }),
  )
}
