import { describe, expect, test } from 'vitest'
import type { Keyless } from '../../src/plan/change.ts'
import { isTargeted, narrow } from '../../src/plan/narrow.ts'

function change(address: string, step: Partial<Keyless['steps'][number]> = {}): Keyless {
  const steps = [{ id: 'one', account: 'target', method: 'POST', path: '/v1/x', params: {}, ...step } as const]
  return { address, action: 'create', because: [], patch: [], people: 0, steps, expect: {} }
}

const addresses = (changes: readonly Keyless[]): readonly string[] => changes.map(({ address }) => address)

describe('--target', () => {
  test('means an address, or a prefix of addresses when it ends with *', () => {
    expect(isTargeted('price.a', ['price.a'])).toBe(true)
    expect(isTargeted('price.ab', ['price.a'])).toBe(false)
    expect(isTargeted('price.ab', ['price.*'])).toBe(true)
    expect(isTargeted('product.a', ['price.*', 'product.a'])).toBe(true)
    expect(isTargeted('price.a', [])).toBe(false)
  })

  test('includes what the parameters refer to, at any depth, and nothing else', () => {
    const all = [
      change('product.p'),
      change('product.q'),
      change('price.a', { params: { product: { $ref: 'product.p' } } }),
      change('subscriber.us/sub_1', { params: { items: [{ price: { $ref: 'price.a' } }] } }),
    ]
    expect(addresses(narrow(all, ['subscriber.us/sub_1']))).toEqual(['product.p', 'price.a', 'subscriber.us/sub_1'])
    expect(addresses(narrow(all, ['product.q']))).toEqual(['product.q'])
  })

  test('includes what only a path refers to', () => {
    const all = [change('product.p'), change('price.old'), change('price.a', { path: '/v1/products/{product.p}' })]
    expect(addresses(narrow(all, ['price.a']))).toEqual(['product.p', 'price.a'])
  })

  test('keeps the order, keeps every change of an address, and ends when two refer to each other', () => {
    const all = [
      change('product.p', { params: { default_price: { $ref: 'price.a' } } }),
      change('price.a', { params: { product: { $ref: 'product.p' } } }),
      change('price.b'),
      change('price.a'),
    ]
    expect(addresses(narrow(all, ['price.a']))).toEqual(['product.p', 'price.a', 'price.a'])
  })

  test('a reference to an unchanged object includes nothing', () => {
    const all = [change('price.a', { params: { product: { $ref: 'product.there' } } })]
    expect(addresses(narrow(all, ['price.a']))).toEqual(['price.a'])
  })
})
