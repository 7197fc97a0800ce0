import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { discountEnd, discountRuns, takeOff, type Reduction } from '../../../src/sandbox/stripe/billing/discounting.ts'
import { nextAttempt } from '../../../src/sandbox/stripe/billing/dunning.ts'
import { percentOf, percentWithin, split, times } from '../../../src/sandbox/stripe/billing/money.ts'
import { amountFor } from '../../../src/sandbox/stripe/billing/pricing.ts'
import { automaticRate, taxesOf, type Rate } from '../../../src/sandbox/stripe/billing/taxing.ts'
import { addUp, settleBalance, type LineDraft } from '../../../src/sandbox/stripe/billing/totals.ts'

const at = (iso: string): number => Date.parse(iso) / 1_000
const rate = (percentage: number, inclusive: boolean): Rate => ({
  id: `txr_${percentage}_${inclusive}`,
  percentage,
  inclusive,
  reason: 'standard_rated',
})
const reduction = (given: Partial<Reduction>): Reduction => ({
  discount: 'di_1',
  percentOff: null,
  amountOff: null,
  currency: null,
  products: null,
  ...given,
})
const line = (amount: number, given: Partial<LineDraft> = {}): LineDraft => ({
  amount,
  description: null,
  quantity: 1,
  price: 'price_1',
  product: 'prod_1',
  unitAmount: String(amount),
  period: { start: 0, end: 1 },
  discountable: true,
  own: [],
  rates: [],
  proration: false,
  subscription: null,
  subscriptionItem: null,
  invoiceItem: null,
  metadata: {},
  ...given,
})

describe('money is exact', () => {
  test('decimal unit amounts are multiplied first and rounded once', () => {
    expect(times(3, '33.5')).toBe(101)
    expect(times(1_000_000, '0.000001')).toBe(1)
    expect(percentOf(999, 10)).toBe(100)
    expect(percentOf(-999, 10)).toBe(-100)
    expect(percentOf(10_000, 8.875)).toBe(888)
  })

  test('parts of a split add up to the whole', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 10 ** 9 }),
        fc.array(fc.integer({ min: 0, max: 10 ** 7 }), { minLength: 1, maxLength: 20 }),
        (amount, weights) => {
          const parts = split(amount, weights)
          const whole = weights.reduce((sum, weight) => sum + weight, 0)
          expect(parts.reduce((sum, part) => sum + part, 0)).toBe(whole === 0 ? 0 : amount)
        },
      ),
    )
  })

  test('graduated and volume tiers', () => {
    const tiers = [
      { upTo: 5, unit: '100', flat: '1000' },
      { upTo: null, unit: '50', flat: null },
    ]
    const terms = { scheme: 'tiered', transform: null } as const
    expect(amountFor({ unit: null, tiers }, { ...terms, tiersMode: 'graduated' }, 7)).toBe(1_000 + 500 + 100)
    expect(amountFor({ unit: null, tiers }, { ...terms, tiersMode: 'volume' }, 7)).toBe(350)
    expect(amountFor({ unit: null, tiers }, { ...terms, tiersMode: 'volume' }, 5)).toBe(1_500)
  })

  test('packages are counted up or down', () => {
    const terms = { scheme: 'per_unit', tiersMode: null } as const
    expect(amountFor({ unit: '1000', tiers: null }, { ...terms, transform: { divideBy: 10, round: 'up' } }, 11)).toBe(
      2_000,
    )
    expect(amountFor({ unit: '1000', tiers: null }, { ...terms, transform: { divideBy: 10, round: 'down' } }, 11)).toBe(
      1_000,
    )
  })
})

describe('discounts (docs.stripe.com/billing/subscriptions/coupons)', () => {
  test('apply to the line first, then to the invoice, in order', () => {
    const own = reduction({ discount: 'di_item', percentOff: 50 })
    const taken = takeOff(
      [line(1_000, { own: [own] })],
      [reduction({ percentOff: 10 }), reduction({ discount: 'di_2', amountOff: 100, currency: 'usd' })],
      'usd',
    )
    expect(taken).toEqual([
      [
        { discount: 'di_item', amount: 500 },
        { discount: 'di_1', amount: 50 },
        { discount: 'di_2', amount: 100 },
      ],
    ])
  })

  test('an amount off in another currency is ignored', () => {
    expect(takeOff([line(1_000)], [reduction({ amountOff: 100, currency: 'eur' })], 'usd')).toEqual([
      [{ discount: 'di_1', amount: 0 }],
    ])
  })

  test('an amount off is split over all lines and never exceeds them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 500_000 }),
        (amounts, off) => {
          const taken = takeOff(
            amounts.map((amount) => line(amount)),
            [reduction({ amountOff: off, currency: 'usd' })],
            'usd',
          )
          const perLine = taken.map((each) => each.reduce((sum, one) => sum + one.amount, 0))
          expect(perLine.reduce((sum, one) => sum + one, 0)).toBe(
            Math.min(
              off,
              amounts.reduce((sum, amount) => sum + amount, 0),
            ),
          )
          perLine.forEach((one, index) => expect(one).toBeLessThanOrEqual(amounts[index] ?? 0))
        },
      ),
    )
  })

  test('a discount for one product does not change other lines', () => {
    const taken = takeOff(
      [line(1_000), line(1_000, { product: 'prod_2' })],
      [reduction({ percentOff: 20, products: ['prod_2'] })],
      'usd',
    )
    expect(taken).toEqual([[], [{ discount: 'di_1', amount: 200 }]])
  })

  test('a repeating discount lasts calendar months from its start, excluding the end; others have no end date', () => {
    const end = discountEnd('repeating', 3, at('2027-01-31T00:00:00Z'))
    expect(end).toBe(at('2027-04-30T00:00:00Z'))
    expect(discountRuns(end, at('2027-04-29T23:59:59Z'))).toBe(true)
    expect(discountRuns(end, at('2027-04-30T00:00:00Z'))).toBe(false)
    expect(discountEnd('forever', null, 0)).toBeNull()
    expect(discountEnd('once', null, 0)).toBeNull()
  })
})

describe('taxes', () => {
  test('exclusive tax is added to the discounted amount, inclusive tax is contained in it', () => {
    const totals = addUp(
      [line(1_000, { rates: [rate(19, false)] }), line(1_190, { rates: [rate(19, true)] })],
      [reduction({ percentOff: 50 })],
      'eur',
    )
    expect(totals).toMatchObject({
      subtotal: 2_190,
      subtotalExcludingTax: 2_000,
      total: 595 + 595,
      totalExcludingTax: 1_000,
    })
    expect(totals.taxes.map((tax) => [tax.inclusive, tax.amount, tax.taxable])).toEqual([
      [false, 95, 500],
      [true, 95, 500],
    ])
  })

  test('inclusive tax and the rest add up to the amount', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 10 ** 8 }),
        fc.constantFrom(5, 7, 8.1, 8.875, 19, 20, 25.5),
        (amount, percentage) => {
          const [tax] = taxesOf(amount, [rate(percentage, true)])
          expect((tax?.taxable ?? 0) + (tax?.amount ?? 0)).toBe(amount)
          expect(percentWithin(amount, percentage, [percentage])).toBe(tax?.amount)
        },
      ),
    )
  })

  test('automatic tax: home, one-stop shop, reverse charge for a business abroad, nowhere registered', () => {
    const german = { customer: { country: 'DE', state: null }, exempt: 'none', business: false } as const
    expect(automaticRate({ ...german, registrations: ['IE'] })).toMatchObject({
      percentage: 19,
      reason: 'standard_rated',
    })
    expect(automaticRate({ ...german, business: true, registrations: ['IE'] })).toMatchObject({
      percentage: 0,
      reason: 'reverse_charge',
    })
    expect(automaticRate({ ...german, business: true, registrations: ['DE'] })).toMatchObject({
      percentage: 19,
      reason: 'standard_rated',
    })
    expect(automaticRate({ ...german, registrations: ['US-NY'] })).toMatchObject({
      percentage: 0,
      reason: 'not_collecting',
    })
    expect(automaticRate({ ...german, exempt: 'exempt', registrations: ['DE'] })).toMatchObject({
      percentage: 0,
      reason: 'customer_exempt',
    })
    expect(
      automaticRate({
        customer: { country: 'US', state: 'NY' },
        exempt: 'none',
        business: false,
        registrations: ['US-NY'],
      }),
    ).toMatchObject({ percentage: 8.875, type: 'sales_tax' })
  })
})

describe('balance and retries', () => {
  test('credit is used first, an amount too small to charge is owed, a negative invoice becomes credit', () => {
    expect(settleBalance(1_000, -300, { smallest: 50, step: 1 })).toEqual({ amountDue: 700, endingBalance: 0 })
    expect(settleBalance(1_000, -1_300, { smallest: 50, step: 1 })).toEqual({ amountDue: 0, endingBalance: -300 })
    expect(settleBalance(20, 0, { smallest: 50, step: 1 })).toEqual({ amountDue: 0, endingBalance: 20 })
    expect(settleBalance(-500, 0, { smallest: 50, step: 1 })).toEqual({ amountDue: 0, endingBalance: -500 })
    expect(settleBalance(1_000, 200, { smallest: 50, step: 1 })).toEqual({ amountDue: 1_200, endingBalance: 0 })
  })

  test('attempts follow the account’s retry days and end', () => {
    const days = [1, 2, 3, 4].map((attempts) => nextAttempt([3, 8, 15], 0, attempts))
    expect(days).toEqual([3 * 86_400, 8 * 86_400, 15 * 86_400, null])
  })
})
