import { expect, test } from 'vitest'
import type { Json, JsonObject } from '../../src/core/json.ts'
import { Sharing } from '../../src/engine/read/sharing.ts'

const subscription = (id: string): JsonObject => ({
  id,
  object: 'subscription',
  automatic_tax: { enabled: true, liability: { type: 'self' } },
  customer: { id: `cus_${id}`, address: { country: 'GB', line1: '1 High Street' }, metadata: {} },
  items: { object: 'list', data: [{ id: `si_${id}`, discounts: [], metadata: { member: id } }] },
})

test('equal settings and addresses of many objects are one object, which nobody can change', () => {
  const sharing = new Sharing()
  const [one, two] = [sharing.of(subscription('sub_1')), sharing.of(subscription('sub_2'))]
  expect([one, two]).toEqual([subscription('sub_1'), subscription('sub_2')])
  const part = (value: JsonObject, ...path: string[]): Json | undefined =>
    path.reduce<Json | undefined>((at, key) => (at as JsonObject)[key], value)
  expect(part(one, 'automatic_tax')).toBe(part(two, 'automatic_tax'))
  expect(part(one, 'customer', 'address')).toBe(part(two, 'customer', 'address'))
  expect(part(one, 'customer', 'metadata')).toBe(part(two, 'customer', 'metadata'))
  expect(() => Object.assign(part(one, 'automatic_tax') as object, { enabled: false })).toThrow(TypeError)
})

test('an object with an id of its own is never shared, and different values stay different', () => {
  const sharing = new Sharing()
  const [one, two] = [sharing.of({ a: { id: 'x' } }), sharing.of({ a: { id: 'x' } })]
  expect(one.a).not.toBe(two.a)
  expect(sharing.of([{ a: 1 }, { a: '1' }, { a: null }, {}, []])).toEqual([{ a: 1 }, { a: '1' }, { a: null }, {}, []])
})

test('the tables stay small, however many different parts are read', () => {
  const sharing = new Sharing()
  for (let n = 0; n < 50_000; n++) expect(sharing.of({ text: { n: `${n}` } })).toEqual({ text: { n: `${n}` } })
})
