import { declined, type StripeError } from '../../kernel/errors.ts'
import type { Attempted } from './paying.ts'

/** The 402 of a failed payment. The writes of the attempt stay, unless `undone`. */
export function declinedBy(
  outcome: Extract<Attempted, { kind: 'failed' }>,
  options?: { undone: boolean },
): StripeError {
  const { message, code, decline_code } = outcome.error
  const { charge } = outcome
  return declined(
    message,
    {
      code,
      ...(decline_code === null ? {} : { decline_code }),
      ...(charge === null || options?.undone === true ? {} : { charge }),
    },
    options,
  )
}
