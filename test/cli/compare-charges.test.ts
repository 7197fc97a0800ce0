import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareCharges, type PayerCharge } from '../../src/cli/compare-charges.ts'

const charge = (payer: string, at: string, amount = 4900): PayerCharge => ({ payer, at, amount, currency: 'usd' })
const january = charge('us/sub_1', '2027-01-31T10:00:00Z')
const february = charge('us/sub_1', '2027-02-28T10:00:00Z')
const kinds = (expected: PayerCharge[], made: PayerCharge[]): string[] =>
  compareCharges(expected, made).differences.map((one) => one.kind)

describe('charges compared with the world in which nobody migrated', () => {
  test('the same charges, in any order, do not differ', () => {
    expect(compareCharges([january, february], [february, january])).toMatchObject({
      charges: { expected: 2, made: 2 },
      double: 0,
      missed: 0,
      amount_differs: 0,
      date_differs: 0,
    })
  })

  test.each([
    ['a charge nobody made is missed', [january, february], [january], ['missed']],
    ['a second charge in the same second is double', [january], [january, january], ['double']],
    ['a charge nobody owed is double', [january], [january, february], ['double']],
    ['another amount in the same second', [january], [{ ...january, amount: 4901 }], ['amount_differs']],
    ['another currency in the same second', [january], [{ ...january, currency: 'eur' }], ['amount_differs']],
    ['the same amount a second later', [january], [{ ...january, at: '2027-01-31T10:00:01Z' }], ['date_differs']],
    ['the right charge to the wrong person', [january], [{ ...january, payer: 'us/sub_2' }], ['missed', 'double']],
  ])('%s', (_name, expected, made, found) => {
    expect(kinds(expected, made)).toEqual(found)
  })

  test('every charge is accounted for exactly once', () => {
    const some = fc.array(
      fc.record({
        payer: fc.constantFrom('us/sub_1', 'us/sub_2'),
        at: fc.constantFrom('2027-01-01T00:00:00Z', '2027-02-01T00:00:00Z', '2027-03-01T00:00:00Z'),
        amount: fc.constantFrom(100, 200),
        currency: fc.constantFrom('usd', 'eur'),
      }),
      { maxLength: 12 },
    )
    fc.assert(
      fc.property(some, some, (expected, made) => {
        const result = compareCharges(expected, made)
        const paired = result.amount_differs + result.date_differs
        const same = expected.length - paired - result.missed
        expect(same).toBe(made.length - paired - result.double)
        expect(same).toBeGreaterThanOrEqual(0)
        expect(compareCharges(made, made).differences).toEqual([])
      }),
    )
  })
})
