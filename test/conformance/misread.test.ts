import Stripe from 'stripe'
import { expect, test, vi } from 'vitest'
import { cases } from '../../src/confirm/cases.ts'
import { prepare } from '../../src/confirm/ground.ts'
import { invoiceItems } from '../../src/sandbox/stripe/billing/rows.ts'
import { createSandbox } from '../../src/sandbox/sandbox.ts'

const misread = vi.hoisted(() => ({ now: false }))

// A misreading of the judge alone: an invoice takes along the items of other subscriptions.
vi.mock(import('../../src/sandbox/stripe/billing/composing.ts'), async (original) => {
  const real = await original()
  return {
    ...real,
    pendingFor: (context, subscription) =>
      misread.now
        ? context.table(invoiceItems).by('pending', subscription.customer)
        : real.pendingFor(context, subscription),
  }
})

const sentence = 'an invoice item that names a subscription is ignored by the invoices of other subscriptions'

/** The documented cases that a sandbox does not satisfy. */
async function broken(): Promise<readonly string[]> {
  const stripe = new Stripe('sk_test_sandbox_us', {
    httpClient: Stripe.createFetchHttpClient(createSandbox().fetch),
    maxNetworkRetries: 0,
  })
  const ground = await prepare(stripe)
  const found: string[] = []
  for (const one of cases) {
    const { name, grade, expected } = one
    if (grade === 'assumed') continue
    const seen = await one.run(ground)
    if (JSON.stringify(seen) !== JSON.stringify(expected)) found.push(name)
  }
  return found
}

test('a judge that bills the items of another subscription is found by the case that has the documented sentence', async () => {
  expect(await broken()).toEqual([])
  misread.now = true
  expect(await broken()).toEqual([sentence])
}, 60_000)
