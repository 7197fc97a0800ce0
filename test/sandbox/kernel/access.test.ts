import { expect, test } from 'vitest'
import { StripeError } from '../../../src/sandbox/kernel/errors.ts'
import { Limiter } from '../../../src/sandbox/kernel/limits.ts'
import { createSandbox } from '../../../src/sandbox/sandbox.ts'
import { clientOf, refusal } from '../client.ts'

const post = async (sandbox: ReturnType<typeof createSandbox>, path: string, body: object) =>
  (await (
    await sandbox.fetch(`http://sandbox/_sandbox/${path}`, { method: 'POST', body: JSON.stringify(body) })
  ).json()) as { key: string }

test('a restricted key does only what its permissions allow', async () => {
  const sandbox = createSandbox()
  const { key } = await post(sandbox, 'keys', { account: 'us', permissions: { customers: 'read', products: 'write' } })
  expect(key).toMatch(/^rk_test_sandbox_us_/)
  const stripe = clientOf(sandbox, 'us', key)
  expect((await stripe.customers.list()).data).toEqual([])
  expect((await stripe.products.create({ id: 'p', name: 'P' })).id).toBe('p')
  expect(await refusal(stripe.customers.create())).toMatchObject({
    status: 403,
    message: expect.stringContaining('rak_customer_write') as string,
  })
  expect(await refusal(stripe.prices.list())).toMatchObject({ status: 403 })
  // It belongs to the account of its creation.
  expect((await clientOf(sandbox, 'intl').products.list()).data).toEqual([])
})

test('an object is expanded only for a key that may read it', async () => {
  const sandbox = createSandbox()
  const owner = clientOf(sandbox)
  const product = await owner.products.create({ name: 'P' })
  await owner.prices.create({ product: product.id, currency: 'usd', unit_amount: 100 })
  const { key } = await post(sandbox, 'keys', { account: 'us', permissions: { prices: 'read' } })
  const stripe = clientOf(sandbox, 'us', key)
  expect((await stripe.prices.list()).data[0]?.product).toBe(product.id)
  expect(await refusal(stripe.prices.list({ expand: ['data.product'] }))).toMatchObject({
    status: 403,
    message: expect.stringContaining('rak_product_read') as string,
  })
})

test('keys of the other mode are unknown', async () => {
  const live = createSandbox({ livemode: true })
  expect(live.ready.accounts['us']?.key).toBe('sk_live_sandbox_us')
  expect((await clientOf(live, 'us', 'sk_live_sandbox_us').products.create({ name: 'P' })).livemode).toBe(true)
  expect(await refusal(clientOf(live, 'us', 'sk_test_sandbox_us').products.list())).toMatchObject({ status: 401 })
})

test('too many requests are refused with the reason, per operation and over all', () => {
  let now = 0
  const limiter = new Limiter(
    () => ({ global: 10, endpoint: 4 }),
    () => now,
  )
  const ask = (path: string, method = 'GET') => {
    try {
      limiter.check('us', { method, url: new URL(`http://sandbox${path}`) })
      return 'ok'
    } catch (error) {
      if (error instanceof StripeError) return `${error.status} ${error.headers['stripe-rate-limited-reason']}`
      throw error
    }
  }
  const times = (count: number, path: string) => Array.from({ length: count }, () => ask(path))
  expect(times(5, '/v1/prices')).toEqual(['ok', 'ok', 'ok', 'ok', '429 endpoint-rate'])
  // Another object of the same operation shares its bucket; a write does not.
  expect([ask('/v1/prices/price_1'), ask('/v1/prices/price_2'), ask('/v1/prices/price_1', 'POST')]).toEqual([
    'ok',
    'ok',
    'ok',
  ])
  expect(times(3, '/v1/coupons')).toEqual(['ok', 'ok', '429 global-rate'])
  now += 250
  expect(times(3, '/v1/prices')).toEqual(['ok', '429 endpoint-rate', '429 global-rate'])
  expect(ask('/v1/coupons')).toBe('429 global-rate')
})

test('there are no limits by default', async () => {
  const sandbox = createSandbox({ limits: { global: 2, endpoint: 2 } })
  const stripe = clientOf(sandbox)
  const asked = await Promise.allSettled(Array.from({ length: 6 }, () => stripe.products.list()))
  expect(asked.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0)
  await post(sandbox, 'limits', {})
  expect(await Promise.all(Array.from({ length: 40 }, () => stripe.products.list()))).toHaveLength(40)
})
