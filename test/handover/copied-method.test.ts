import { expect, test } from 'vitest'
import { methodMismatch } from '../../src/handover/copied-method.ts'
import type { CopyMap } from '../../src/handover/types.ts'
import type { ShownMethod } from '../../src/live/shown-method.ts'

const card = (id: string, customer: string, last4: string, brand = 'visa'): ShownMethod => ({
  id,
  customer,
  type: 'card',
  card: { brand, last4 },
})

function judged(copy: ShownMethod, copied: Readonly<Record<string, string>>): string | undefined {
  const copyMap: CopyMap = {
    customers: new Map([['cus_1', 'cus_1']]),
    payments: new Map(Object.entries(copied).map(([old, id]) => [old, { customer: 'cus_1', id }])),
  }
  return methodMismatch({
    old: { id: 'pm_a' },
    copy: copyMap.payments.get('pm_a'),
    copyMap,
    source: { methods: new Map([['pm_a', card('pm_a', 'cus_1', '4242')]]) },
    target: { methods: new Map([[copy.id, copy]]) },
  })
}

test('a card that its bank replaced on one side stops nobody who has one copied method', () => {
  expect(judged(card('pm_x', 'cus_1', '1111', 'mastercard'), { pm_a: 'pm_x' })).toBeUndefined()
  expect(judged(card('pm_x', 'cus_1', '4242'), { pm_a: 'pm_x', pm_b: 'pm_y' })).toBeUndefined()
})

test('another number or brand is another card where the customer has several copied methods', () => {
  const both = { pm_a: 'pm_x', pm_b: 'pm_y' }
  expect(judged(card('pm_x', 'cus_1', '1111'), both)).toContain('visa …4242 and the new one is visa …1111')
  expect(judged(card('pm_x', 'cus_1', '4242', 'mastercard'), both)).toContain('mastercard …4242')
})

test('a method of another customer of the target is never the copy', () => {
  expect(judged(card('pm_x', 'cus_2', '4242'), { pm_a: 'pm_x' })).toContain(
    'belongs to cus_2 of the target, not to cus_1',
  )
})
