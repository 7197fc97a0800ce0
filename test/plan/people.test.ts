import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { instant } from '../../src/core/instant.ts'
import { peopleIn } from '../../src/plan/resources/people.ts'

const now = instant(1_800_000_000)
const day = 86_400

/**
 * The parts of a subscription that these tests need; already renewed in the target by default.
 */
function subscription(id: string, more: Record<string, unknown> = {}): Stripe.Subscription {
  const items = more['items'] ?? [{ id: `si_${id}`, price: { id: 'price_a' }, tax_rates: [], discounts: [] }]
  return {
    id,
    status: 'active',
    billing_cycle_anchor: now - 40 * day,
    start_date: now - 40 * day,
    created: now - 40 * day,
    billing_cycle_anchor_config: null,
    schedule: null,
    discounts: [],
    default_tax_rates: [],
    trial_end: null,
    ...more,
    items: { data: items },
  } as unknown as Stripe.Subscription
}

describe('the subscribers of a price', () => {
  test('include all: two subscriptions, and two items of one subscription', () => {
    const item = (id: string): object => ({ id, price: { id: 'price_a' }, tax_rates: [], discounts: [] })
    const found = peopleIn([subscription('sub_1'), subscription('sub_2', { items: [item('si_x'), item('si_y')] })], now)
    expect(found.onPrice.get('price_a')).toEqual([
      { subscription: 'sub_1', item: 'si_sub_1' },
      { subscription: 'sub_2', item: 'si_x' },
      { subscription: 'sub_2', item: 'si_y' },
    ])
  })

  test('exclude ended subscriptions, and include past due, unpaid and paused ones', () => {
    const statuses = ['canceled', 'incomplete_expired', 'past_due', 'unpaid', 'paused', 'trialing', 'incomplete']
    const found = peopleIn(
      statuses.map((status) => subscription(status, { status })),
      now,
    )
    expect(found.onPrice.get('price_a')?.map((one) => one.subscription)).toEqual(statuses.slice(2))
  })

  test('cannot be changed while a schedule drives the subscription or before its first renewal', () => {
    const ahead = { billing_cycle_anchor: now + day }
    const found = peopleIn(
      [
        subscription('free'),
        subscription('driven', { schedule: 'sub_sched_1' }),
        subscription('new', ahead),
        subscription('driven_and_new', { ...ahead, schedule: 'sub_sched_2' }),
      ],
      now,
    )
    expect(found.onPrice.get('price_a')?.map(({ untouchable }) => untouchable)).toEqual([
      undefined,
      'schedule',
      'first_renewal_ahead',
      'schedule',
    ])
  })

  test('the first renewal counts as past from the second of its anchor', () => {
    const [holder] = peopleIn([subscription('a', { billing_cycle_anchor: now })], now).onPrice.get('price_a') ?? []
    expect(holder).not.toHaveProperty('untouchable')
  })
})

describe('the users of a tax rate or coupon', () => {
  test('are found on the subscription and on each of its items, each subscription once', () => {
    const rate = { id: 'txr_1' }
    const item = { id: 'si', price: { id: 'price_a' }, tax_rates: [rate], discounts: [] }
    const both = subscription('sub_1', { items: [item, { ...item, id: 'si_2' }], default_tax_rates: [rate] })
    const found = peopleIn([both, subscription('sub_2', { default_tax_rates: [rate] })], now)
    expect([...(found.using.get('txr_1') ?? [])]).toEqual(['sub_1', 'sub_2'])
  })

  test('a coupon is found by id or expanded; a discount that is only an id names no coupon', () => {
    const discount = (coupon: unknown): object => ({ id: 'di', source: { coupon } })
    const found = peopleIn(
      [
        subscription('sub_1', { discounts: [discount('welcome')] }),
        subscription('sub_2', { discounts: [discount({ id: 'welcome' }), 'di_only'] }),
        subscription('sub_3', { discounts: [discount(null)] }),
      ],
      now,
    )
    expect([...(found.using.get('welcome') ?? [])]).toEqual(['sub_1', 'sub_2'])
  })
})
