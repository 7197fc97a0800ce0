import Stripe from 'stripe'
import { expect, test } from 'vitest'
import { connectAccount } from '../../src/stripe/account.ts'
import { createSandbox } from '../../src/sandbox/sandbox.ts'

test('a subscription with more items than it shows is completed, after a read or a write, with its expansions', async () => {
  const { fetch, ready } = createSandbox()
  const key = ready.accounts['us']?.key ?? ''
  const stripe = new Stripe(key, { httpClient: Stripe.createFetchHttpClient(fetch), maxNetworkRetries: 0 })
  const product = await stripe.products.create({ name: 'A' })
  const coupon = await stripe.coupons.create({ percent_off: 10, duration: 'forever' })
  const customer = await stripe.customers.create({ email: 'a@example.com' })
  const items: Stripe.SubscriptionCreateParams.Item[] = []
  for (let n = 0; n < 12; n++) {
    const price = {
      product: product.id,
      currency: 'usd',
      unit_amount: 100 + n,
      recurring: { interval: 'month' },
    } as const
    items.push({ price: (await stripe.prices.create(price)).id, discounts: [{ coupon: coupon.id }] })
  }
  const { id } = await stripe.subscriptions.create({
    customer: customer.id,
    items,
    collection_method: 'send_invoice',
    days_until_due: 7,
  })
  const account = await connectAccount({ name: 'us', key, fetch })
  const params = { expand: ['items.data.discounts'] }
  const path = `/v1/subscriptions/${id}`
  for (const outcome of [
    await account.send({ method: 'GET', path, params }),
    await account.send({ method: 'POST', path, params: { ...params, description: 'x' }, idempotencyKey: 'k' }),
  ]) {
    const whole = (outcome.ok ? outcome.value : undefined) as Stripe.Subscription | undefined
    expect(whole?.items.data.map(({ price }) => price.unit_amount)).toEqual(items.map((_, n) => 100 + n))
    expect(whole?.items.data.flatMap(({ discounts }) => discounts)).toMatchObject(
      items.map(() => ({ object: 'discount' })),
    )
    expect(whole?.items.has_more).toBe(false)
  }
})
