import fc from 'fast-check'
import { expect, test } from 'vitest'
import { referencesIn, referencesInPath } from '../../src/plan/references.ts'

test('references are found at any depth, in the order of the text', () => {
  const params = {
    product: { $ref: 'product.p' },
    items: [{ price: { $ref: 'price.a' } }, { price: 'price_1', tax_rates: [{ $ref: 'tax_rate.vat' }] }],
    none: null,
    text: '$ref',
  }
  expect(referencesIn(params)).toEqual(['product.p', 'price.a', 'tax_rate.vat'])
})

test('a path may refer to several objects', () => {
  expect(referencesInPath('/v1/products/{product.p}/features/{feature.f}')).toEqual(['product.p', 'feature.f'])
  expect(referencesInPath('/v1/prices/price_1')).toEqual([])
})

test('values without references have none', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      fc.pre(!JSON.stringify(value).includes('$ref'))
      expect(referencesIn(value as never)).toEqual([])
    }),
  )
})
