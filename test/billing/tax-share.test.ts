import fc from 'fast-check'
import { expect, test } from 'vitest'
import { percentageOf, shareOf } from '../../src/billing/tax-share.ts'

test('rates as people know them', () => {
  const seen = [
    [931, 4_900],
    [4_349, 49_000],
    [404, 4_900],
    // Of 9.975 %: of so little that nothing finer can be told.
    [489, 4_900],
    [1, 4],
    [-931, -4_900],
    [0, 4_900],
    [0, 0],
  ] as const
  expect(seen.map(([tax, taxable]) => percentageOf(tax, taxable))).toEqual([19, 8.875, 8.25, 9.98, 25, 19, 0, 0])
})

test('whatever rate was charged, the one told makes the same tax of the same amount', () => {
  const rate = fc.integer({ min: 1, max: 300_000 }).map((ten) => ten / 10_000)
  fc.assert(
    fc.property(rate, fc.integer({ min: 1, max: 5_000_000 }), (percentage, taxable) => {
      const tax = shareOf(Math.round(percentage * 10_000), 1_000_000, taxable)
      const told = percentageOf(tax, taxable)
      expect(shareOf(Math.round(told * 10_000), 1_000_000, taxable)).toBe(tax)
    }),
  )
})

test('the share of an equal amount is the same, and of others within a cent of it', () => {
  const amount = fc.integer({ min: 1, max: 5_000_000 })
  fc.assert(
    fc.property(amount, amount, fc.integer({ min: 0, max: 30 }), (one, two, percent) => {
      // Told of the largest bill of a group for the smaller ones.
      const [net, other] = [Math.max(one, two), Math.min(one, two)]
      const tax = shareOf(percent, 100, net)
      expect(shareOf(tax, net, net)).toBe(tax)
      expect(Math.abs(shareOf(tax, net, other) - shareOf(percent, 100, other))).toBeLessThanOrEqual(1)
    }),
  )
  expect([shareOf(1, 2, 1), shareOf(1, 2, -1), shareOf(1, 0, 5)]).toEqual([1, -1, 0])
})
