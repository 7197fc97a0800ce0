import type Stripe from 'stripe'
import { isJsonObject } from '../../core/json.ts'
import { claimedMismatch } from '../../handover/copied-method.ts'
import { customerOf } from '../../handover/proof.ts'
import { blocked, stopped } from '../../handover/reasons.ts'
import type { Goal, HandoverPlan, Reason } from '../../handover/types.ts'
import { shownMethod, shownPayment } from '../../live/shown-method.ts'
import type { Context } from '../context.ts'
import { methodOf } from '../read/payment-methods.ts'
import { read } from '../send/perform.ts'

/**
 * Looks at the copied method before it becomes the default of the target's customer. The proof
 * would find a wrong card as well, but only after the customer has it, and an undo cancels the new
 * subscription alone. Null: the move may begin.
 */
export async function wrongDefault(
  context: Context,
  { expect, steps }: HandoverPlan<Goal | 'undo'>,
  old: Stripe.Subscription,
): Promise<Reason | null> {
  const id = expect.same_card === true ? carriedDefault(steps) : undefined
  if (id === undefined) return null
  const found = await read(context, context.accounts.target, `/v1/payment_methods/${id}`)
  if (!found.ok)
    return found.failure.code === 'resource_missing'
      ? blocked('payment_method_unmapped', `the copy map names ${id}, which the target does not have`)
      : stopped('method_unreadable', `${id} could not be read in the target: ${found.failure.message}`)
  const now = shownMethod(methodOf(found.value))
  const before = shownPayment(old, customerOf(old))
  const differs = now && claimedMismatch(before, now, expect.customer_new)
  return differs === undefined ? null : blocked('copy_mismatch', `the copy map names ${id}, but ${differs}`)
}

function carriedDefault(steps: HandoverPlan['steps']): string | undefined {
  const settings = steps.find(({ id }) => id === 'carry-customer')?.params['invoice_settings']
  const method = isJsonObject(settings) ? settings['default_payment_method'] : undefined
  return typeof method === 'string' ? method : undefined
}
