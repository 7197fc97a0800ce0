import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { splitAddress, splitSubscriberKey, subscriberAddress, subscriberKey } from '../../src/core/address.ts'
import { canonicalJson, digest } from '../../src/core/canonical.ts'
import { formatDiagnostic, hasErrors } from '../../src/core/diagnostic.ts'
import { formatInstant, instant, isDue, parseInstant } from '../../src/core/instant.ts'
import { decimals, formatMoney } from '../../src/core/money.ts'
import { suggest } from '../../src/core/suggest.ts'

describe('money', () => {
  test.each([
    [4900, 'usd', '49.00 usd'],
    [5, 'usd', '0.05 usd'],
    [0, 'usd', '0.00 usd'],
    [-5, 'eur', '-0.05 eur'],
    [4900, 'jpy', '4900 jpy'],
    [-1, 'krw', '-1 krw'],
    [1500, 'kwd', '1.500 kwd'],
    [-15, 'bhd', '-0.015 bhd'],
    // Charged like two-decimal currencies, although their smaller unit is not used.
    [4900, 'isk', '49.00 isk'],
    [4900, 'ugx', '49.00 ugx'],
  ])('%i %s is %s', (amount, currency, text) => {
    expect(formatMoney({ amount, currency })).toBe(text)
  })

  test('no digit is lost: the text without its point is the amount', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.constantFrom('usd', 'jpy', 'kwd'), (amount, currency) => {
        const [digits = ''] = formatMoney({ amount, currency }).split(' ')
        expect(Number(digits.replace('.', ''))).toBe(amount)
        expect(digits.split('.')[1]?.length ?? 0).toBe(decimals(currency))
      }),
    )
  })
})

describe('instants', () => {
  test.each(['2026-12-31T09:15:00Z', '2024-02-29T00:00:00Z', '1970-01-01T00:00:00Z'])(
    '%s is read and written',
    (text) => {
      expect(formatInstant(parseInstant(text) ?? instant(0))).toBe(text)
    },
  )

  test.each([
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '2026-12-31',
    '2026-12-31T09:15:00+01:00',
    '2026-12-31T09:15:00.5Z',
    '2026-13-01T00:00:00Z',
    '2026-12-31T24:00:01Z',
    '',
  ])('%s is not an instant', (text) => {
    expect(parseInstant(text)).toBeUndefined()
  })

  test('only whole seconds are instants', () => {
    expect(() => instant(1.5)).toThrow(RangeError)
    expect(() => instant(Number.NaN)).toThrow(RangeError)
  })

  test('a time further ahead than it can have been set counts as due, because a clock was changed', () => {
    expect(isDue(100, 100, 50)).toBe(true)
    expect(isDue(101, 100, 50)).toBe(false)
    expect(isDue(150, 100, 50)).toBe(false)
    expect(isDue(151, 100, 50)).toBe(true)
  })
})

describe('addresses', () => {
  test('kinds and keys are separated at the first dot, sources and ids at the first slash', () => {
    expect(splitAddress('price.a.b')).toEqual({ kind: 'price', key: 'a.b' })
    expect(splitAddress(subscriberAddress('us/sub_1'))).toEqual({ kind: 'subscriber', key: 'us/sub_1' })
    expect(splitSubscriberKey(subscriberKey('us', 'sub_1'))).toEqual({ source: 'us', subscription: 'sub_1' })
  })
})

describe('canonical JSON', () => {
  test('the order of keys and absent values do not matter; the order of lists and null do', () => {
    expect(canonicalJson({ b: 1, a: [1, null, undefined], c: undefined })).toBe('{"a":[1,null,null],"b":1}')
    expect(digest({ a: 1, b: 2 })).toBe(digest({ b: 2, a: 1, c: undefined }))
    expect(digest([1, 2])).not.toBe(digest([2, 1]))
    expect(digest({ a: null })).not.toBe(digest({}))
    expect(digest({ a: 1 })).not.toBe(digest({ a: '1' }))
  })

  test('a value that is not JSON is a bug', () => {
    expect(() => canonicalJson(Number.POSITIVE_INFINITY)).toThrow('not a JSON number')
    expect(() => canonicalJson(() => 1)).toThrow('not a JSON value')
  })
})

describe('suggestions', () => {
  test.each([
    ['recuring', 'recurring'],
    ['reucrring', 'recurring'],
    ['CURRENCY', 'currency'],
    ['xyz', undefined],
    ['', undefined],
  ])('%s: %s', (typed, meant) => {
    expect(suggest(typed, ['currency', 'recurring', 'unit_amount'])).toBe(meant)
  })
})

describe('findings', () => {
  const finding = { severity: 'warning', rule: 'r', message: 'm', fix: 'f' } as const
  test('have a clickable first line, with the fix below it', () => {
    const at = { file: 'catalog/prices.yaml', line: 12, column: 5 }
    expect(formatDiagnostic({ ...finding, at })).toBe('catalog/prices.yaml:12:5: warning r: m\n    f')
    expect(formatDiagnostic({ ...finding, fix: '' })).toBe('warning r: m')
  })

  test('warnings are not errors', () => {
    expect(hasErrors([finding])).toBe(false)
    expect(hasErrors([finding, { ...finding, severity: 'error' }])).toBe(true)
  })
})
