import { backoff } from '../../core/backoff.ts'
import { digest } from '../../core/canonical.ts'
import type { JsonObject, StripeObject } from '../../core/json.ts'
import type { Outcome } from '../../core/outcome.ts'
import type { Context } from '../context.ts'
import { sendPatiently } from '../send/perform.ts'
import type { StripeAccount } from '../ports.ts'

/**
 * A preview makes nothing, so a replayed one would only be an old one: every request of this
 * process has a key of its own.
 */
let requests = 0

/**
 * The next invoice of a subscription that is there, or of one that is to be: no side effect, so it
 * is outside the journal and may be repeated.
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
