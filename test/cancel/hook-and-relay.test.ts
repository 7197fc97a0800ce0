import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { readKajabiHook } from '../../src/cancel/kajabi-hook.ts'
import { mayCancel, type Signal } from '../../src/cancel/signal.ts'
import { verifyWebhook, webhookKey } from '../../src/cancel/standard-webhooks.ts'
import { readStripeEvent } from '../../src/cancel/stripe-event.ts'
import { instant } from '../../src/core/instant.ts'
import type { Json } from '../../src/core/json.ts'

const now = instant(1_800_000_000)

describe('a hook that adds a tag', () => {
  const access = { offers: { membership: { kajabi: '1', prices: ['monthly'], cancel_tags: ['7'] } } }
  const hook = (payload: Json, more = {}): ReturnType<typeof readKajabiHook> =>
    readKajabiHook('{}', { event: 'tag_added', payload }, { ...access, ...more }, now)
  const contact = { type: 'contacts', id: '5' }

  test('asks for a cancel when the tag belongs to an offer', () => {
    expect(hook([contact, { type: 'contact_tags', id: '7' }])).toMatchObject({
      signal: { source: 'hook', contact: '5', tag: '7', offer: 'membership' },
    })
  })

  test('means nothing with another tag', () => {
    expect(hook([contact, { type: 'contact_tags', id: '8' }])).toEqual({ ignored: 'tag_means_nothing' })
  })

  test('goes to a person, without an offer, when some offers cannot be read', () => {
    const read = hook([contact, { type: 'contact_tags', id: '8' }], { incomplete: true })
    expect(read).toMatchObject({ signal: { contact: '5', tag: '8' } })
    expect('signal' in read && 'offer' in read.signal).toBe(false)
  })

  test.each([
    ['no contact', [{ type: 'contact_tags', id: '7' }]],
    ['no tag', [contact]],
  ])('is ignored with %s', (_what, payload) => {
    expect(hook(payload)).toEqual({ ignored: 'names_no_contact_or_tag' })
  })
})

describe('which signals can end in a cancel', () => {
  const signal = (source: Signal['source'], event: string): Signal => ({
    source,
    event,
    receivedAt: now,
    message: 'm',
  })

  test.each([
    ['hook', 'tag_added', true],
    ['form', 'form_submission', false],
    ['target_account', 'subscription_ended', false],
    ['source_account', 'hold_removed', false],
    ['relay', 'cancel', true],
  ] as const)('%s %s: %s', (source, event, may) => {
    expect(mayCancel(signal(source, event))).toBe(may)
  })
})

describe('the signature of a relay', () => {
  test.each([
    [23, false],
    [24, true],
    [64, true],
    [65, false],
  ])('a key of %i bytes is accepted: %s', (bytes, accepted) => {
    expect(webhookKey(Buffer.alloc(bytes, 7).toString('base64')) !== undefined).toBe(accepted)
  })

  test.each(['id', 'timestamp', 'signature'] as const)('a request without its %s is not signed', (missing) => {
    const key = Buffer.alloc(32, 7)
    const signature = `v1,${createHmac('sha256', key).update(`msg.${now}.{}`).digest('base64')}`
    const headers = { id: 'msg', timestamp: String(now), signature }
    expect(verifyWebhook(headers, '{}', [key], [now])).toEqual({ ok: true, id: 'msg' })
    expect(verifyWebhook({ ...headers, [missing]: undefined }, '{}', [key], [now])).toEqual({
      ok: false,
      reason: 'unsigned',
    })
  })
})

test.each([
  ['when it ends', 0, true],
  ['an hour early, by the time of the event', 3_600, true],
  ['earlier', 3_601, false],
] as const)('a discount that Stripe removes %s ended in time: %i s, %s', (_when, ahead, inTime) => {
  const object = { end: now + ahead, subscription: 'sub_1', coupon: { duration: 'repeating' } }
  const read = readStripeEvent(
    'target',
    true,
    {
      id: 'evt_1',
      type: 'customer.discount.deleted',
      created: now,
      data: { object },
    },
    now,
  )
  expect(read.ignored === 'discount_ended_in_time').toBe(inTime)
})
