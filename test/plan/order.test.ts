import { expect, test } from 'vitest'
import { present } from '../../src/core/assert.ts'
import { kindNamed } from '../../src/kinds/registry.ts'
import type { KindName } from '../../src/kinds/kind.ts'
import { inOrder, type Placed, type When } from '../../src/plan/resources/order.ts'

function placed(when: When, kind: KindName, address: string): Placed {
  const change = { address, action: 'create', because: [], patch: [], people: 0, steps: [], expect: {} } as const
  return { when, kind: present(kindNamed(kind), kind), change, observed: {} }
}

test('a used object is created before its user and retired after it; what subscribers need is closed last', () => {
  const { changes, closing } = inOrder([
    placed('retire', 'product', 'product.gone'),
    placed('closing', 'price', 'price.grandfathered'),
    placed('retire', 'price', 'price.gone'),
    placed('archive', 'price', 'price.before'),
    placed('update_product', 'product', 'product.p'),
    placed('make', 'promotion_code', 'promotion_code.x'),
    placed('make', 'coupon', 'coupon.x'),
    placed('make', 'price', 'price.a'),
    placed('make', 'product', 'product.new'),
  ])
  const order = changes.map(({ address }) => address)
  const before = (first: string, second: string): void => {
    expect(order.indexOf(first)).toBeLessThan(order.indexOf(second))
  }
  expect(order).toHaveLength(8)
  before('product.new', 'price.a')
  before('coupon.x', 'promotion_code.x')
  before('price.a', 'product.p')
  before('product.p', 'price.before')
  before('price.before', 'price.gone')
  before('price.gone', 'product.gone')
  expect(closing.map(({ address }) => address)).toEqual(['price.grandfathered'])
})
