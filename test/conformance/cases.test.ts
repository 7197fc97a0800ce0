import Stripe from 'stripe'
import { beforeAll, describe, expect, it } from 'vitest'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { cases, prepare, type Ground } from './cases.ts'

/** A key of a Stripe test account: the same cases are then run there too. Live keys are refused. */
const key = process.env['CROSSBILL_STRIPE_TEST_KEY']

const places: readonly [string, () => Stripe][] = [
  [
    'the sandbox',
    () =>
      new Stripe('sk_test_sandbox_us', {
        httpClient: Stripe.createFetchHttpClient(createSandbox().fetch),
        maxNetworkRetries: 0,
      }),
  ],
  ...(key === undefined || key === ''
    ? []
    : [['the Stripe test account', () => realAccount(key)] as [string, () => Stripe]]),
]

function realAccount(secret: string): Stripe {
  if (!/^[rs]k_test_/.test(secret)) throw new Error('CROSSBILL_STRIPE_TEST_KEY must be a key of a test account')
  return new Stripe(secret, { maxNetworkRetries: 2 })
}

describe.each(places)('what the product relies on, in %s', (place, open) => {
  let stripe: Stripe
  let ground: Ground
  beforeAll(async () => {
    stripe = open()
    ground = await prepare(stripe)
    process.stderr.write(`conformance: ${cases.length} cases against ${place}\n`)
  })

  it.each(cases.map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const seen = await one.run(stripe, ground)
    // Where the documentation leaves it open, a real account may answer either way; `npm run confirm` says which.
    const settled = one.unsure === undefined || place === 'the sandbox'
    expect(settled ? seen : one.expected).toEqual(one.expected)
  })
})
