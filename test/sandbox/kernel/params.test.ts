import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { StripeError } from '../../../src/sandbox/kernel/errors.ts'
import { decodeForm } from '../../../src/sandbox/kernel/form.ts'
import {
  currency,
  decimal,
  emptyable,
  fields,
  flag,
  inRange,
  int,
  list,
  mergeMetadata,
  metadata,
  oneOf,
  range,
  record,
  required,
  text,
  time,
  type Schema,
} from '../../../src/sandbox/kernel/params.ts'

const read = <T>(schema: Schema<T>, form: string) => schema.parse(decodeForm(new URLSearchParams(form)), '')

function error(schema: Schema<unknown>, form: string) {
  try {
    read(schema, form)
  } catch (thrown) {
    if (thrown instanceof StripeError) return { ...thrown.body, status: thrown.status }
    throw thrown
  }
  throw new Error(`${form} was accepted`)
}

const order = fields({
  name: required(text({ max: 10 })),
  paid: flag(),
  count: int({ min: 1, max: 9 }),
  rate: decimal({ min: 0, places: 2 }),
  kind: oneOf('a', 'b'),
  at: time(),
  note: emptyable(text()),
  money: currency,
  items: list(fields({ price: required(text()), quantity: int() }), { max: 2 }),
  prices: record(fields({ amount: required(int()) })),
  metadata: metadata(),
})

describe('a well-formed request', () => {
  test('is read into typed values, arrays by index in any order', () => {
    const form =
      'name=x&paid=true&count=3&rate=01.50&kind=b&at=1796126400&note=&money=USD&items[1][price]=q&items[0][price]=p&items[0][quantity]=2&prices[eur][amount]=5&metadata[k]=v'
    expect(read(order, form)).toEqual({
      name: 'x',
      paid: true,
      count: 3,
      rate: '1.5',
      kind: 'b',
      at: 1_796_126_400,
      note: null,
      money: 'usd',
      items: [{ price: 'p', quantity: 2 }, { price: 'q' }],
      prices: { eur: { amount: 5 } },
      metadata: { k: 'v' },
    })
  })

  test('both ways to name array elements have the same meaning', () => {
    expect(read(fields({ ids: list(text()) }), 'ids[]=a&ids[]=b')).toEqual(
      read(fields({ ids: list(text()) }), 'ids[0]=a&ids[1]=b'),
    )
  })

  test('any nesting is preserved by the form', () => {
    const leaf = fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' })
    const key = fc.stringMatching(/^[a-z_]{1,6}$/)
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(key, key, leaf), { selector: ([a, b]) => `${a}.${b}`, maxLength: 8 }),
        (entries) => {
          const form = new URLSearchParams(entries.map(([a, b, value]): [string, string] => [`${a}[${b}]`, value]))
          const decoded = decodeForm(new URLSearchParams(form.toString()))
          for (const [a, b, value] of entries) {
            const inside = decoded.get(a)
            expect(inside instanceof Map ? inside.get(b) : undefined).toBe(value)
          }
        },
      ),
    )
  })
})

describe('a malformed request is refused with Stripe’s code and the parameter’s name', () => {
  test.each([
    ['name=x&colour=red', 'parameter_unknown', 'colour'],
    ['name=x&items[0][price]=p&items[0][size]=1', 'parameter_unknown', 'items[0][size]'],
    ['paid=true', 'parameter_missing', 'name'],
    ['name=x&items[0][quantity]=1', 'parameter_missing', 'items[0][price]'],
    ['name=', 'parameter_invalid_empty', 'name'],
    ['name=x&count=2.5', 'parameter_invalid_integer', 'count'],
    ['name=x&count=0', 'parameter_invalid_integer', 'count'],
    ['name=x&count=10', 'parameter_invalid_integer', 'count'],
    ['name=abcdefghijk', 'parameter_invalid_string_too_long', 'name'],
    ['name=x&prices[euro][amount]=5', 'parameter_unknown', 'prices[euro]'],
  ])('%s', (form, code, param) => {
    expect(error(order, form)).toMatchObject({ status: 400, type: 'invalid_request_error', code, param })
  })

  test.each([
    ['name=x&paid=yes', 'paid', 'Invalid boolean: yes'],
    ['name=x&kind=c', 'kind', 'Invalid kind: must be one of a or b'],
    ['name=x&rate=1.234', 'rate', 'at maximum 2 decimal places'],
    ['name=x&items=p', 'items', 'Invalid array'],
    ['name=x&items[a][price]=p', 'items', 'Invalid array'],
    ['name[first]=x', 'name', 'Invalid string'],
    ['name=x&money=dollars', 'money', 'Invalid currency: dollars.'],
    ['name=x&items[0][price]=a&items[1][price]=b&items[2][price]=c', 'items', 'exceeded maximum 2'],
    [`name=x&metadata[${'k'.repeat(41)}]=v`, 'metadata', 'at most 40 characters'],
    [`name=x&metadata[k]=${'v'.repeat(501)}`, 'metadata[k]', 'up to 500 characters'],
  ])('%s', (form, param, message) => {
    expect(error(order, form)).toMatchObject({
      status: 400,
      param,
      message: expect.stringContaining(message) as string,
    })
  })
})

test('metadata merges key by key, with at most fifty keys', () => {
  expect(mergeMetadata({ a: '1', b: '2' }, { a: '', c: '3' })).toEqual({ b: '2', c: '3' })
  expect(mergeMetadata({ a: '1' }, null)).toEqual({})
  const fifty = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`k${n}`, 'v']))
  expect(() => mergeMetadata(fifty, { one: 'more' })).toThrow('50 keys')
})

test('ranges include or exclude their ends as written', () => {
  const schema = fields({ created: range() })
  expect(inRange(5, read(schema, 'created=5').created)).toBe(true)
  expect(inRange(6, read(schema, 'created=5').created)).toBe(false)
  const within = read(schema, 'created[gt]=5&created[lte]=9').created
  expect([5, 6, 9, 10].map((value) => inRange(value, within))).toEqual([false, true, true, false])
})
