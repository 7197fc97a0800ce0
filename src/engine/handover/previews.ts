import { backoff } from '../../core/backoff.ts'
import { digest } from '../../core/canonical.ts'
import type { JsonObject, StripeObject } from '../../core/json.ts'
import type { Outcome } from '../../core/outcome.ts'
import type { Context } from '../context.ts'
import { sendPatiently } from '../send/perform.ts'
import type { StripeAccount } from '../ports.ts'

/** A replayed preview would be outdated, so every request of this process has its own key. */
let requests = 0

/**
 * Previews the next invoice of an existing or a planned subscription. It has no side effect, so it
 * is not in the journal and may be repeated.
 */
export async function previewInvoice(
  context: Pick<Context, 'run' | 'interrupt' | 'wait'>,
  account: StripeAccount,
  params: JsonObject,
): Promise<Outcome<StripeObject>> {
  let outcome: Outcome<StripeObject> | undefined
  for (let turn = 1; turn <= 3; turn++) {
    const idempotencyKey = `crossbill-preview-${digest([context.run, account.name, ++requests])}`
    outcome = await sendPatiently(context, account, {
      method: 'POST',
      path: '/v1/invoices/create_preview',
      params,
      idempotencyKey,
    })
    if (outcome.ok || outcome.failure.kind !== 'unknown') return outcome
    await context.wait(backoff(turn))
  }
  return outcome as Outcome<StripeObject>
}
