import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { sidesOf } from '../../src/engine/check/sides.ts'
import type { Live } from '../../src/live/accounts.ts'

function subscription(id: string, metadata: Record<string, string> = {}, status = 'active'): Stripe.Subscription {
  return { id, status, created: 1, metadata, pause_collection: null, trial_end: null } as unknown as Stripe.Subscription
}

const successor = (id: string, project: string, status = 'active'): Stripe.Subscription =>
  subscription(id, { crossbill_from: 'us/sub_1', crossbill_project: project }, status)

function seen(target: readonly Stripe.Subscription[]): readonly string[] {
  const live = {
    target: { subscriptions: target },
    sources: new Map([['us', { subscriptions: [subscription('sub_1')] }]]),
  } as unknown as Live
  return sidesOf(live, [], 'school').flatMap(({ alive }) => alive.map(({ id }) => id))
}

test('promise 1: a live successor of another project counts beside the project’s own, so both projects see two payers', () => {
  expect(seen([successor('sub_a', 'school'), successor('sub_b', 'academy')])).toEqual(['sub_a', 'sub_b'])
})

test('a subscriber that only another project moved belongs to that project', () => {
  expect(seen([successor('sub_b', 'academy')])).toEqual([])
  expect(seen([successor('sub_a', 'school', 'canceled'), successor('sub_b', 'academy')])).toEqual([])
})

test('an ended successor of another project bills no subscriber', () => {
  expect(seen([successor('sub_a', 'school'), successor('sub_b', 'academy', 'canceled')])).toEqual(['sub_a'])
})
