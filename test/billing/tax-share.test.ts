import fc from 'fast-check'
import { expect, test } from 'vitest'
import { percentageOf, shareOf } from '../../src/billing/tax-share.ts'

test('usual tax rates', () => {
  const seen = [
    [931, 4_900],
    [4_349, 49_000],
    [404, 4_900],
    // 9.975 % of an amount that is too small for a finer rate.
    [489, 4_900],
    [1, 4],
    [-931, -4_900],
    [0, 4_900],
    [0, 0],
  ] as const
  expect(seen.map(([tax, taxable]) => percentageOf(tax, taxable))).toEqual([19, 8.875, 8.25, 9.98, 25, 19, 0, 0])
})

test('the reported rate gives the charged tax for the charged amount', () => {
  const rate = fc.integer({ min: 1, max: 300_000 }).map((ten) => ten / 10_000)
  fc.assert(
    fc.property(rate, fc.integer({ min: 1, max: 5_000_000 }), (percentage, taxable) => {
      const tax = shareOf(Math.round(percentage * 10_000), 1_000_000, taxable)
      const told = percentageOf(tax, taxable)
      expect(shareOf(Math.round(told * 10_000), 1_000_000, taxable)).toBe(tax)
    }),
  )
})

test('the share of an equal amount is the same, and that of other amounts is within a cent', () => {
  const amount = fc.integer({ min: 1, max: 5_000_000 })
  fc.assert(
    fc.property(amount, amount, fc.integer({ min: 0, max: 30 }), (one, two, percent) => {
      // The rate of the largest invoice in a group, used for the smaller ones.
      const [net, other] = [Math.max(one, two), Math.min(one, two)]
      const tax = shareOf(percent, 100, net)
      expect(shareOf(tax, net, net)).toBe(tax)
      expect(Math.abs(shareOf(tax, net, other) - shareOf(percent, 100, other))).toBeLessThanOrEqual(1)
    }),
  )
  expect([shareOf(1, 2, 1), shareOf(1, 2, -1), shareOf(1, 0, 5)]).toEqual([1, -1, 0])
})
