import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  forecastInvoice,
  lineAmount,
  monthlyAmount,
  type AppliedDiscount,
  type BilledItem,
} from '../../src/billing/amount.ts'

const item = (given: Partial<BilledItem>): BilledItem => ({
  unitAmount: '4900',
  tiers: [],
  tiersMode: null,
  transform: null,
  quantity: 1,
  discounts: [],
  taxes: [],
  product: 'membership',
  ...given,
})
const percent = (percentOff: number, products: readonly string[] | null = null): AppliedDiscount => ({
  percentOff,
  amountOff: null,
  products,
})
const amount = (amountOff: number): AppliedDiscount => ({ percentOff: null, amountOff, products: null })

describe('a line', () => {
  test('multiplies decimal unit amounts exactly and rounds half up once', () => {
    expect(lineAmount(item({ unitAmount: '0.5', quantity: 3 }))).toBe(2)
    expect(lineAmount(item({ unitAmount: '0.000000000001', quantity: 500_000_000_000 }))).toBe(1)
    expect(lineAmount(item({ unitAmount: '33.333333333333', quantity: 3 }))).toBe(100)
  })
  test('adds up graduated tiers and prices all units alike in volume tiers', () => {
    const tiers = [
      { upTo: 10, unitAmount: '500', flatAmount: '1000' },
      { upTo: null, unitAmount: '300', flatAmount: null },
    ]
    expect(lineAmount(item({ unitAmount: null, tiers, tiersMode: 'graduated', quantity: 12 }))).toBe(
      1_000 + 5_000 + 600,
    )
    expect(lineAmount(item({ unitAmount: null, tiers, tiersMode: 'volume', quantity: 12 }))).toBe(3_600)
    expect(lineAmount(item({ unitAmount: null, tiers, tiersMode: 'volume', quantity: 10 }))).toBe(6_000)
    expect(lineAmount(item({ unitAmount: null, tiers, tiersMode: 'graduated', quantity: 0 }))).toBe(1_000)
  })
  test('rounds packages as the price says', () => {
    expect(lineAmount(item({ unitAmount: '1000', quantity: 7, transform: { divideBy: 5, round: 'up' } }))).toBe(2_000)
    expect(lineAmount(item({ unitAmount: '1000', quantity: 7, transform: { divideBy: 5, round: 'down' } }))).toBe(1_000)
  })
})

describe('an invoice', () => {
  test('subtracts item discounts before the subscription’s, then adds exclusive tax on the rest', () => {
    const forecast = forecastInvoice(
      [item({ unitAmount: '10000', discounts: [amount(2_000)], taxes: [{ percentage: 19, inclusive: false }] })],
      [percent(50)],
    )
    expect(forecast).toEqual({ subtotal: 10_000, discount: 6_000, tax: 760, total: 4_760 })
  })
  test('inclusive tax is inside the total', () => {
    const forecast = forecastInvoice([item({ unitAmount: '11900', taxes: [{ percentage: 19, inclusive: true }] })], [])
    expect(forecast).toEqual({ subtotal: 11_900, discount: 0, tax: 1_900, total: 11_900 })
  })
  test('with a discount larger than the total is zero and makes no credit', () => {
    expect(forecastInvoice([item({})], [amount(10_000)])).toEqual({
      subtotal: 4_900,
      discount: 4_900,
      tax: 0,
      total: 0,
    })
  })
  test('a discount for one product leaves the other lines alone', () => {
    const forecast = forecastInvoice(
      [item({}), item({ product: 'diploma', unitAmount: '10000' })],
      [percent(10, ['diploma'])],
    )
    expect(forecast.total).toBe(4_900 + 9_000)
  })
  test('for every invoice: sharing a discount over lines loses and adds nothing, and no line is negative', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 0, max: 200_000 }),
        fc.integer({ min: 0, max: 2_500 }),
        (units, off, rate) => {
          const taxes = [{ percentage: rate / 100, inclusive: false }]
          const items = units.map((unit) => item({ unitAmount: String(unit), taxes }))
          const forecast = forecastInvoice(items, [amount(off)])
          const subtotal = units.reduce((total, unit) => total + unit, 0)
          expect(forecast.subtotal).toBe(subtotal)
          expect(forecast.discount).toBe(Math.min(off, subtotal))
          expect(forecast.total).toBe(subtotal - forecast.discount + forecast.tax)
          expect(Math.abs(forecast.tax - ((subtotal - forecast.discount) * rate) / 10_000)).toBeLessThanOrEqual(
            units.length / 2,
          )
        },
      ),
      { numRuns: 2_000 },
    )
  })
})

test('monthly revenue converts every interval to a month', () => {
  expect(monthlyAmount([{ item: item({ unitAmount: '12000' }), recurrence: { interval: 'year', count: 1 } }])).toBe(
    1_000,
  )
  expect(monthlyAmount([{ item: item({ unitAmount: '9000' }), recurrence: { interval: 'month', count: 3 } }])).toBe(
    3_000,
  )
  expect(monthlyAmount([{ item: item({ unitAmount: '700' }), recurrence: { interval: 'week', count: 1 } }])).toBe(3_044)
  expect(monthlyAmount([])).toBe(0)
})
