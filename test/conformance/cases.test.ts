import Stripe from 'stripe'
import { beforeAll, describe, expect, it } from 'vitest'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import type { Ground } from '../../src/confirm/case.ts'
import { cases } from '../../src/confirm/cases.ts'
import { describeApi } from './description.ts'
import { prepare } from '../../src/confirm/ground.ts'
import { watchedFetch } from './watched-fetch.ts'

/** A key of a Stripe test account: the cases then run there as well. Live keys are refused. */
const key = process.env['CROSSBILL_STRIPE_TEST_KEY'] ?? ''

const watch = watchedFetch(createSandbox().fetch, describeApi())

const places: readonly [string, () => Stripe][] = [
  [
    'the sandbox',
    () =>
      new Stripe('sk_test_sandbox_us', {
        httpClient: Stripe.createFetchHttpClient(watch.fetch),
        maxNetworkRetries: 0,
      }),
  ],
  ...(key === '' ? [] : [['the Stripe test account', () => realAccount(key)] as [string, () => Stripe]]),
]

function realAccount(secret: string): Stripe {
  if (!/^[rs]k_test_/.test(secret)) throw new Error('CROSSBILL_STRIPE_TEST_KEY must be a key of a test account')
  return new Stripe(secret, { maxNetworkRetries: 2 })
}

describe.each(places)('the Stripe behaviour that the product relies on, in %s', (place, open) => {
  let ground: Ground
  beforeAll(async () => {
    ground = await prepare(open())
    process.stderr.write(`conformance: ${cases.length} cases against ${place}\n`)
  })

  it.each(cases.map((one) => [one.name, one] as const))('%s', { timeout: 120_000 }, async (_, one) => {
    const seen = await one.run(ground)
    // Where the documentation leaves it open, a real account may answer either way; `npm run
    // confirm` reports which.
    const settled = one.grade !== 'assumed' || place === 'the sandbox'
    expect(settled ? seen : one.expected).toEqual(one.expected)
  })
})

it('every exchange of the cases, test clocks included, matches the SDK’s description', () => {
  expect(watch.seen()).toBeGreaterThan(300)
  // `pause_collection` on creation is refused, and so is everything else that the SDK does not
  // know.
  expect([...watch.differences().keys()]).toEqual([])
})
