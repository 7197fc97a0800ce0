import Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { instant } from '../../src/core/instant.ts'
import { type FaultPlan, injectedFaults, setFaults } from '../../src/sandbox/faults.ts'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { contactBody, hookBody, openCaller } from './kajabi/site.ts'

function open(faults: FaultPlan) {
  const sandbox = createSandbox({ faults })
  const stripe = new Stripe('sk_test_sandbox_target', {
    httpClient: Stripe.createFetchHttpClient(sandbox.fetch),
    maxNetworkRetries: 0,
  })
  return { sandbox, stripe }
}

const attempt = async (request: Promise<unknown>) =>
  request.then(
    () => 'done',
    (error: unknown) => (error instanceof Stripe.errors.StripeError ? error : Promise.reject(error)),
  )

const products = async (stripe: Stripe) => (await stripe.products.list()).data.length

describe('each fault has the effect of its name', () => {
  test.each([
    ['rate_limited', 'StripeRateLimitError', 0],
    ['lock_timeout', 'StripeRateLimitError', 0],
    ['error_before', 'StripeAPIError', 0],
    ['error_stored', 'StripeAPIError', 0],
    ['error_after', 'StripeAPIError', 1],
    ['unavailable', 'StripeAPIError', 0],
    ['cut_before', 'StripeConnectionError', 0],
    ['cut_after', 'StripeConnectionError', 1],
  ] as const)('%s → %s, %i objects', async (fault, type, objects) => {
    const { stripe } = open({ exact: [{ fault, nth: 1, match: 'POST /v1/products' }] })
    const error = await attempt(stripe.products.create({ name: 'A' }, { idempotencyKey: 'k1' }))
    expect(error).toMatchObject({ type })
    expect(await products(stripe)).toBe(objects)
  })

  test.each([
    ['further requests', { requests: 3 }],
    ['simulated seconds', { seconds: 90 }],
    ['real milliseconds', { milliseconds: 30 }],
  ] as const)('late_commit: 504, executed after some %s; until then its key is in use', async (_, late) => {
    const { sandbox, stripe } = open({ exact: [{ fault: 'late_commit', nth: 1, match: 'POST /v1/products' }], late })
    const make = () => attempt(stripe.products.create({ name: 'A' }, { idempotencyKey: 'k' }))
    expect(await make()).toMatchObject({ type: 'StripeAPIError', statusCode: 504 })
    expect(await make()).toMatchObject({ code: 'idempotency_key_in_use' })
    expect(await products(stripe)).toBe(0)
    if ('seconds' in late) await sandbox.world.advance(instant(sandbox.clock() + 120))
    if ('milliseconds' in late) await new Promise((resolve) => setTimeout(resolve, 200))
    expect(await products(stripe)).toBe(1)
    expect(await make()).toBe('done')
    expect(await products(stripe)).toBe(1)
  })

  test('the rate limiter names a reason, a locked object does not', async () => {
    const { stripe } = open({
      exact: [
        { fault: 'rate_limited', nth: 1 },
        { fault: 'lock_timeout', nth: 2 },
      ],
    })
    const limited = await attempt(stripe.products.list())
    const locked = await attempt(stripe.products.list())
    expect(limited).toMatchObject({ headers: { 'stripe-rate-limited-reason': 'global-rate' } })
    expect(locked).toMatchObject({ code: 'lock_timeout' })
    expect(locked).not.toHaveProperty('headers.stripe-rate-limited-reason')
  })

  test('a stored 500 is replayed under its key, another key succeeds', async () => {
    const { stripe } = open({ exact: [{ fault: 'error_stored', nth: 1 }] })
    for (let time = 0; time < 3; time++)
      expect(await attempt(stripe.products.create({ name: 'A' }, { idempotencyKey: 'k' }))).toMatchObject({
        statusCode: 500,
      })
    expect(await products(stripe)).toBe(0)
    expect(await attempt(stripe.products.create({ name: 'A' }, { idempotencyKey: 'k2' }))).toBe('done')
  })

  test('after a lost answer the same key replays the one object', async () => {
    const { stripe } = open({ exact: [{ fault: 'cut_after', nth: 1 }] })
    await attempt(stripe.products.create({ name: 'A' }, { idempotencyKey: 'k' }))
    expect(await attempt(stripe.products.create({ name: 'A' }, { idempotencyKey: 'k' }))).toBe('done')
    expect(await products(stripe)).toBe(1)
  })
})

test('the same seed injects the same faults, another seed others', async () => {
  const story = async (seed: number) => {
    const { sandbox, stripe } = open({ seed, rates: { rate_limited: 0.2, cut_after: 0.2 } })
    for (let n = 0; n < 40; n++) await attempt(stripe.products.create({ name: String(n) }))
    return injectedFaults(sandbox.world)
  }
  const first = await story(7)
  expect(first.length).toBeGreaterThan(5)
  expect(await story(7)).toEqual(first)
  expect(await story(8)).not.toEqual(first)
})

test('Kajabi answers HTML, or an empty page where there are rows', async () => {
  const caller = await openCaller()
  await caller.call('POST', '/v1/contacts', contactBody(caller.site, 'a@example.com'))
  await caller.call('GET', '/v1/contacts')
  setFaults(caller.sandbox.world, {
    exact: [
      { fault: 'html', nth: 1 },
      { fault: 'empty_page', nth: 2 },
    ],
  })
  const broken = await caller.call('GET', '/v1/contacts')
  expect([broken.status, broken.type]).toEqual([502, 'text/html; charset=utf-8'])
  expect((await caller.call('GET', '/v1/contacts')).body['data']).toEqual([])
  expect((await caller.call('GET', '/v1/contacts')).body['data']).toHaveLength(1)
})

test('hooks arrive twice and out of order when the plan says so', async () => {
  const caller = await openCaller()
  const { tag } = await caller.act({ act: 'make_tag', name: 'x' })
  await caller.call(
    'POST',
    '/v1/hooks',
    hookBody(caller.site, { target_url: 'https://x.example/h', event: 'tag_added' }),
  )
  await caller.settle()
  caller.arrivals.length = 0
  setFaults(caller.sandbox.world, { rates: { duplicate: 0.5, reorder: 0.5 } })
  for (let n = 0; n < 12; n++) {
    const { contact } = await caller.act({ act: 'make_contact', email: `p${n}@example.com` })
    await caller.act({ act: 'add_tag', contact, tag })
  }
  await caller.settle()
  const order = caller.arrivals.map(({ body }) => Number(/p(\d+)@/.exec(body)?.[1]))
  expect(new Set(order).size).toBe(12)
  expect(order.length).toBeGreaterThan(12)
  expect(order).not.toEqual(order.toSorted((a, b) => a - b))
})
