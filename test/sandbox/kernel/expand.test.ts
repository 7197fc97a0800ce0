import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { createSandbox } from '../../../src/sandbox/sandbox.ts'
import { clientOf, refusal } from '../client.ts'

async function priced() {
  const stripe = clientOf(createSandbox())
  const product = await stripe.products.create({ name: 'P', default_price_data: { currency: 'usd', unit_amount: 500 } })
  return { stripe, product: product.id, price: product.default_price as string }
}

test('ids become objects along the path, including each id on the path', async () => {
  const { stripe, product, price } = await priced()
  const read = await stripe.prices.retrieve(price, { expand: ['product.default_price.product'] })
  const outer = read.product as Stripe.Product
  const inner = (outer.default_price as Stripe.Price).product as Stripe.Product
  expect([outer.id, inner.id, inner.default_price]).toEqual([product, product, price])
  const listed = await stripe.products.list({ expand: ['data.default_price'] })
  expect(listed.data[0]?.default_price).toMatchObject({ id: price, unit_amount: 500 })
})

test('null stays null; a field that is not an id, is missing, or is deeper than four levels is refused by name', async () => {
  const { stripe, price } = await priced()
  const bare = await stripe.products.create({ name: 'Bare' })
  expect((await stripe.products.retrieve(bare.id, { expand: ['default_price'] })).default_price).toBeNull()
  const expanding = (path: string) => refusal(stripe.prices.retrieve(price, { expand: [path] }))
  expect(await expanding('unit_amount')).toMatchObject({
    status: 400,
    message: 'This property cannot be expanded (unit_amount).',
  })
  expect((await expanding('colour')).message).toContain('cannot be expanded (colour)')
  expect((await expanding('product.colour')).message).toContain('(product.colour)')
  expect((await expanding('product.default_price.product.default_price.product')).message).toContain(
    'more than 4 levels',
  )
  expect((await refusal(stripe.prices.list({ expand: ['product'] }))).message).toContain("'data.product'")
})

test('a field shown only on request is omitted from events and from objects inside others', async () => {
  const { stripe, price } = await priced()
  const events = await stripe.events.list({ type: 'price.created' })
  expect(events.data[0]?.data.object).not.toHaveProperty('currency_options')
  const product = await stripe.products.list({ expand: ['data.default_price.currency_options'] })
  expect(product.data[0]?.default_price).toHaveProperty('currency_options.usd.unit_amount', 500)
  expect((await stripe.prices.retrieve(price, { expand: ['tiers'] })).tiers).toBeUndefined()
})
