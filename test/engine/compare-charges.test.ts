import { expect, test } from 'vitest'
import { instant } from '../../src/core/instant.ts'
import { compareCharges, type WorldCharge } from '../../src/engine/rehearse/compare-charges.ts'

function charge(at: number, amount: number, account = 'us', subscriber = 'us/sub_1'): WorldCharge {
  return { subscriber, account, at: instant(at), amount, currency: 'usd' }
}

const codes = (expected: WorldCharge[], actual: WorldCharge[]): string[] =>
  compareCharges(expected, actual).map((one) => `${one.code} ${one.subscriber} ${one.at}`)

test('the same charges in another account are no difference', () => {
  expect(codes([charge(10, 4900), charge(20, 4900)], [charge(20, 4900, 'target'), charge(10, 4900)])).toEqual([])
})

test('one period charged in both accounts is a double charge', () => {
  expect(codes([charge(10, 4900)], [charge(10, 4900), charge(10, 4900, 'target')])).toEqual(['double us/sub_1 10'])
})

test('a charge that no account made is missed', () => {
  expect(codes([charge(10, 4900), charge(20, 4900)], [charge(10, 4900)])).toEqual(['missed us/sub_1 20'])
})

test('one cent is a difference in amount, one second a difference in date', () => {
  expect(codes([charge(10, 4900)], [charge(10, 4901)])).toEqual(['amount_differs us/sub_1 10'])
  expect(codes([charge(10, 4900)], [charge(11, 4900)])).toEqual(['date_differs us/sub_1 10'])
})

test('the same number in another currency is another amount', () => {
  expect(codes([charge(10, 4900)], [{ ...charge(10, 4900), currency: 'eur' }])).toEqual(['amount_differs us/sub_1 10'])
})

test('one subscriber’s charge never replaces another’s', () => {
  expect(codes([charge(10, 1, 'us', 'us/a')], [charge(10, 1, 'us', 'us/b')])).toEqual([
    'missed us/a 10',
    'double us/b 10',
  ])
})
