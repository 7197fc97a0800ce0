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

const ends = 1_800_000_000
const metered = (more: JsonObject = {}): JsonObject =>
  held({
    metadata: { crossbill_hold: `{"before":null,"since":1,"print":"x","around":"","ends":${ends}}` },
    pause_collection: null,
    status: 'active',
    cancel_at: ends,
    cancel_at_period_end: true,
    ...more,
  })

describe('one that is billed by usage ends with its period', () => {
  const ended = (object: JsonObject): ReturnType<typeof readStripeEvent> =>
    readStripeEvent('us', false, { id: 'evt_1', type: 'customer.subscription.deleted', data: { object } }, instant(0))
  const over = (at: number): JsonObject => metered({ status: 'canceled', ended_at: at })

  test('our own end is no cancel and no removed hold', () => {
    const previous = { pause_collection: { behavior: 'keep_as_draft' }, cancel_at: null, cancel_at_period_end: false }
    expect(updated(metered(), previous)).toEqual({ ignored: 'nothing_that_matters' })
  })
  test.each([
    [
      'the end taken off',
      metered({ cancel_at: null, cancel_at_period_end: false }),
      { cancel_at: ends, cancel_at_period_end: true },
    ],
    [
      'another end',
      metered({ cancel_at: ends - 500, cancel_at_period_end: false }),
      { cancel_at: ends, cancel_at_period_end: true },
    ],
    ['a pause', metered({ pause_collection: { behavior: 'void', resumes_at: 9 } }), { pause_collection: null }],
  ])('%s is a signal to restore the hold', (_, now, previous) => {
    expect(updated(now, previous).signal).toMatchObject({ event: 'hold_removed', subscriber: 'us/sub_1' })
  })
  test('another quantity is still drift', () => {
    expect(updated(metered({ items: items(2, 2_000) }), { items: items(1, 2_000) }).notice).toMatchObject({
      key: 'drift_on_held_source us/sub_1',
    })
  })
  test('its end at the boundary is ours; an earlier or a much later end is the cancel of a member', () => {
    expect(ended(over(ends + 5))).toEqual({ ignored: 'caused_by_us' })
    for (const at of [ends - 86_400, ends + 86_400])
      expect(ended(over(at)).signal).toMatchObject({ event: 'old_subscription_cancelled', subscriber: 'us/sub_1' })
  })
})

describe('a held subscription of an old account is watched', () => {
  test('its renewals change the periods of its items and raise no alarm', () => {
    expect(updated(held(), { items: items(1, 1_000), latest_invoice: 'in_1' })).toEqual({
      ignored: 'nothing_that_matters',
    })
  })
  test('another quantity is drift', () => {
    expect(updated(held(), { items: items(2, 2_000) }).notice).toMatchObject({ key: 'drift_on_held_source us/sub_1' })
  })
  test('a free month is drift; the end of a trial is not', () => {
    expect(updated(held({ trial_end: 9 }), { trial_end: null }).notice).toMatchObject({
      summary: expect.stringContaining('(trial_end)') as string,
    })
    const ended = held({ trial_end: 9, billing_cycle_anchor: 9 })
    expect(updated(ended, { billing_cycle_anchor: 5, status: 'trialing' })).toEqual({ ignored: 'nothing_that_matters' })
  })
  test('another card is drift', () => {
    expect(updated(held(), { default_payment_method: 'pm_1' }).notice).toMatchObject({ severity: 'warning' })
  })
  test.each([
    ['a pause taken off', held({ pause_collection: null }), { pause_collection: { behavior: 'void' } }],
    [
      'a pause that will end by itself',
      held({ pause_collection: { behavior: 'void', resumes_at: 9 } }),
      { pause_collection: { behavior: 'void', resumes_at: null } },
    ],
    [
      'pause and mark taken off',
      held({ pause_collection: null, metadata: {} }),
      { pause_collection: { behavior: 'void' }, metadata: { crossbill_hold: '{}' } },
    ],
  ])('%s is a signal to restore the hold', (_, now, previous) => {
    expect(updated(now, previous)).toEqual({
      signal: {
        source: 'source_account',
        event: 'hold_removed',
        subscriber: 'us/sub_1',
        receivedAt: 0,
        message: 'evt_1',
      },
    })
  })
  test('our own step from one hold to the next is not a signal', () => {
    expect(updated(held(), { pause_collection: { behavior: 'keep_as_draft', resumes_at: null } })).toEqual({
      ignored: 'nothing_that_matters',
    })
  })
  test('an end by dunning is not a cancel request; access follows it', () => {
    const object = held({ status: 'canceled', cancellation_details: { reason: 'payment_failed', comment: null } })
    const event = { id: 'evt_1', type: 'customer.subscription.deleted', data: { object } }
    const { signal, notice } = readStripeEvent('us', false, event, instant(0))
    expect(signal?.event).toBe('subscription_ended')
    expect(notice).toMatchObject({ key: 'lapsed_in_source us/sub_1', severity: 'warning' })
  })
})

describe('a successor that Crossbill cancelled', () => {
  const deleted = (more: JsonObject): string | undefined => {
    const comment = 'crossbill cancelled on request sig_1'
    const object = { id: 'sub_2', customer: 'cus_1', metadata: { crossbill_from: 'us/sub_1' }, ...more }
    const data = { object: { ...object, cancellation_details: { comment } } }
    return readStripeEvent('target', true, { id: 'evt_1', type: 'customer.subscription.deleted', data }, instant(0))
      .signal?.event
  }
  test('at once makes no signal, because the cancel signal revokes the access', () => {
    expect(deleted({ canceled_at: 9, ended_at: 9, cancel_at_period_end: false })).toBeUndefined()
  })
  test('at the end of its period revokes the access at that time', () => {
    expect(deleted({ canceled_at: 9, ended_at: 99, cancel_at_period_end: false })).toBe('subscription_ended')
    expect(deleted({ canceled_at: 9, ended_at: 9, cancel_at_period_end: true })).toBe('subscription_ended')
  })
})
