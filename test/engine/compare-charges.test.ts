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

test('the old account bills the usage and the target the rest: together they are the one charge expected', () => {
  const parts = [charge(10, 900), charge(10, 4000, 'target')]
  expect(codes([charge(10, 4900)], parts)).toEqual([])
  expect(codes([charge(10, 4901)], parts)).not.toEqual([])
  expect(codes([charge(10, 4900)], [charge(10, 900, 'target'), charge(10, 4000, 'target')])).not.toEqual([])
  expect(codes([charge(10, 4900)], [charge(10, 900), charge(11, 4000, 'target')])).not.toEqual([])
})

test('a carried invoice is collected at another time, once, and for the same money', () => {
  const carried = (at: number, amount: number): WorldCharge => ({ ...charge(at, amount, 'target'), carried: true })
  expect(codes([charge(50, 4900)], [carried(10, 4900)])).toEqual([])
  expect(codes([charge(50, 4900)], [carried(10, 4800)])).toHaveLength(2)
  expect(codes([charge(50, 4900)], [carried(10, 4900), charge(50, 4900)])).toEqual(['double us/sub_1 10'])
})
