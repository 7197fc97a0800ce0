import { expect, test } from 'vitest'
import type { Classification } from '../../src/handover/types.ts'
import type { Live } from '../../src/live/accounts.ts'
import { markFrom } from '../../src/live/marks.ts'
import { sharedCustomers } from '../../src/plan/shared-customers.ts'

// Only what the notice reads.
const moves = (key: string, customer: string): Classification =>
  ({ key, outcome: 'move', plan: { expect: { customer_old: customer, customer_new: customer } } }) as never

const account = (balance: number): unknown => ({
  subscriptions: ['sub_1', 'sub_3', 'sub_4'].map((id) => ({ id })),
  customers: new Map([['cus_1', { balance, currency: 'usd' }]]),
  pendingItems: new Map([['cus_1', [{ id: 'ii_1', amount: 700, currency: 'usd', parent: null }]]]),
})

const liveWith = (...arrived: readonly string[]): Live =>
  ({
    sources: new Map([
      ['us', account(-9_000)],
      ['intl', { subscriptions: [{ id: 'sub_2' }], customers: new Map(), pendingItems: new Map() }],
    ]),
    target: {
      subscriptions: arrived.map((key) => ({ status: 'active', customer: 'cus_1', metadata: { [markFrom]: key } })),
    },
  }) as never

test('promise 12: customers of two old accounts that become one are named, with the money that they share', () => {
  const both = [moves('us/sub_1', 'cus_1'), moves('intl/sub_2', 'cus_1'), moves('us/sub_3', 'cus_3')]
  const [notice, ...more] = sharedCustomers(both, liveWith())
  expect([notice?.code, notice?.customer, more]).toEqual(['customers_become_one', 'cus_1', []])
  expect(notice?.message).toContain('a balance of -90.00 usd comes from us, item ii_1 of 7.00 usd comes from us')
  // The other one is there already.
  expect(sharedCustomers([moves('us/sub_1', 'cus_1')], liveWith('intl/sub_2'))).toHaveLength(1)
  // One old account, or nobody who moves.
  expect(sharedCustomers([moves('us/sub_1', 'cus_1')], liveWith('us/sub_4'))).toEqual([])
  // The account had another name when the mark was written.
  expect(sharedCustomers([moves('us/sub_1', 'cus_1')], liveWith('america/sub_4'))).toEqual([])
  expect(sharedCustomers([], liveWith('us/sub_1', 'intl/sub_2'))).toEqual([])
})
