import Stripe from 'stripe'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'

/** The official SDK with a sandbox in this process, without retries. */
export function clientOf(sandbox: Pick<Sandbox, 'fetch'>, account = 'us', key = `sk_test_sandbox_${account}`): Stripe {
  return new Stripe(key, {
    httpClient: Stripe.createFetchHttpClient(sandbox.fetch),
    maxNetworkRetries: 0,
    telemetry: false,
  })
}

/** The error of the SDK as a plain object, for comparisons. */
export async function refusal(
  request: Promise<unknown>,
): Promise<{ status?: number; code?: string; param?: string; message: string }> {
  const error: unknown = await request.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof Stripe.errors.StripeError)) throw new Error(`expected a refusal, got ${String(error)}`)
  const { statusCode, code, param, message } = error
  return {
    message,
    ...(statusCode === undefined ? {} : { status: statusCode }),
    ...(code === undefined ? {} : { code }),
    ...(param === undefined ? {} : { param }),
  }
}
