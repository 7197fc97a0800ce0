import type { EnteredCard } from '../live/entered-card.ts'
import type { SourcePayment } from '../live/source.ts'
import type { CopyMap } from './types.ts'

/**
 * The payment method of the target that replaces the one of the old account: the card that the
 * member entered there for this subscription, else the copy. Undefined without either.
 */
export function methodInTarget(
  payment: Pick<SourcePayment, 'id'> | null,
  copyMap: CopyMap | undefined,
  entered: EnteredCard | undefined,
): { readonly customer: string; readonly id: string } | undefined {
  return entered ?? (payment === null ? undefined : copyMap?.payments.get(payment.id))
}
