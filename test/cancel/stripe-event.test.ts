import { describe, expect, test } from 'vitest'
import { readStripeEvent } from '../../src/cancel/stripe-event.ts'
import { instant } from '../../src/core/instant.ts'
import type { JsonObject } from '../../src/core/json.ts'

const items = (quantity: number, end: number): JsonObject => ({
  object: 'list',
  data: [{ id: 'si_1', price: { id: 'price_1' }, quantity, current_period_end: end }],
})
const held = (more: JsonObject = {}): JsonObject => ({
  id: 'sub_1',
  object: 'subscription',
  customer: 'cus_1',
  metadata: { crossbill_hold: '{"before":null,"since":1,"print":"x"}' },
  pause_collection: { behavior: 'void', resumes_at: null },
  items: items(1, 2_000),
  ...more,
})
const updated = (object: JsonObject, previous: JsonObject): ReturnType<typeof readStripeEvent> =>
  readStripeEvent(
    'us',
    false,
    { id: 'evt_1', type: 'customer.subscription.updated', data: { object, previous_attributes: previous } },
    instant(0),
  )

describe('a held subscription of an old account is watched', () => {
  test('its renewals move the periods of its items, and nobody is alarmed', () => {
    expect(updated(held(), { items: items(1, 1_000), latest_invoice: 'in_1' })).toEqual({
      ignored: 'nothing_that_matters',
    })
  })
  test('another quantity is drift', () => {
    expect(updated(held(), { items: items(2, 2_000) }).notice).toMatchObject({ key: 'drift_on_held_source us/sub_1' })
  })
  test('another card is drift', () => {
    expect(updated(held(), { default_payment_method: 'pm_1' }).notice).toMatchObject({ severity: 'warning' })
  })
  test('a hold taken off is critical', () => {
    expect(updated(held({ pause_collection: null }), { pause_collection: { behavior: 'void' } }).notice).toMatchObject({
      key: 'hold_missing us/sub_1',
      severity: 'critical',
    })
  })
})
