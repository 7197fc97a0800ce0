import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { present } from '../../src/core/assert.ts'
import { now, runService, secrets, stripeSecret, type Running } from './service.ts'

let running: Running
beforeEach(async () => {
  running = await runService()
})
afterEach(() => running.service.close())

const post = (path: string, body: string, headers: Record<string, string>): Promise<Response> =>
  fetch(`${running.service.url}${path}`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  })

describe('webhooks of Stripe', () => {
  const sign = (body: string, secret: string, at: number = now): Record<string, string> => ({
    'stripe-signature': `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`,
  })
  const event = (type: string, object: object, previous?: object): string =>
    JSON.stringify({
      id: 'evt_1',
      object: 'event',
      type,
      created: now,
      data: { object, ...(previous === undefined ? {} : { previous_attributes: previous }) },
    })
  const us = `${stripeSecret}us`
  const hold = { metadata: { crossbill_hold: '{}' } }
  const old = { id: 'sub_1', object: 'subscription', customer: 'cus_1', status: 'canceled', metadata: {} }

  test('of a held subscription that its member cancelled are a cancel of both subscriptions', async () => {
    const body = event('customer.subscription.deleted', { ...old, ...hold })
    expect((await post('/stripe/webhooks/us', body, sign(body, us))).status).toBe(202)
    expect((await post('/stripe/webhooks/us', body, sign(body, us))).status).toBe(200)
    expect(running.signals).toEqual([
      {
        source: 'source_account',
        event: 'old_subscription_cancelled',
        subscriber: 'us/sub_1',
        customer: 'cus_1',
        receivedAt: now,
        message: 'evt_1',
      },
    ])
  })

  test('of a held subscription that a dispute ended are the same, and say why', async () => {
    const body = event('customer.subscription.deleted', {
      ...old,
      ...hold,
      cancellation_details: { reason: 'payment_disputed', comment: null },
    })
    expect((await post('/stripe/webhooks/us', body, sign(body, us))).status).toBe(202)
    expect(running.signals).toMatchObject([{ event: 'old_subscription_cancelled', subscriber: 'us/sub_1' }])
    expect(running.alerts).toMatchObject([{ key: 'disputed_in_source us/sub_1' }])
  })

  test('of a removed hold are stored, to restore it', async () => {
    const body = event(
      'customer.subscription.updated',
      { ...old, ...hold, pause_collection: null },
      { pause_collection: { behavior: 'void' } },
    )
    expect((await post('/stripe/webhooks/us', body, sign(body, us))).status).toBe(202)
    expect(running.signals).toMatchObject([{ event: 'hold_removed', subscriber: 'us/sub_1' }])
  })

  test.each([
    'crossbill settled, continues as sub_9',
    'crossbill cancelled on request sig_1',
    'crossbill undone, back to us/sub_1',
  ])('that we caused ourselves ("%s") are ignored', async (comment) => {
    const body = event('customer.subscription.deleted', { ...old, ...hold, cancellation_details: { comment } })
    expect(await (await post('/stripe/webhooks/us', body, sign(body, us))).json()).toEqual({ ok: true })
    expect([running.signals, running.alerts]).toEqual([[], []])
  })

  test.each([
    [
      'us',
      'a card changed on hold',
      event(
        'customer.subscription.updated',
        { ...old, ...hold, pause_collection: {} },
        { default_payment_method: 'pm_1' },
      ),
      'drift_on_held_source us/sub_1',
    ],
    [
      'target',
      'a successor that ended',
      event('customer.subscription.deleted', { ...old, metadata: { crossbill_from: 'us/sub_1' } }),
      'ended_in_target us/sub_1',
    ],
    [
      'target',
      'a discount that went early',
      event('customer.discount.deleted', {
        object: 'discount',
        end: now + 90_000,
        subscription: 'sub_9',
        source: { coupon: { duration: 'repeating' } },
      }),
      'discount_lost sub_9',
    ],
    [
      'target',
      'a discount without an end, whose coupon is only named',
      event('customer.discount.deleted', {
        object: 'discount',
        end: null,
        subscription: 'sub_9',
        source: { coupon: 'welcome', type: 'coupon' },
      }),
      'discount_lost sub_9',
      'warning',
    ],
    [
      'target',
      'a failed payment',
      event('invoice.payment_failed', {
        object: 'invoice',
        id: 'in_1',
        parent: { subscription_details: { metadata: { crossbill_from: 'us/sub_1' } } },
      }),
      'payment_failed us/sub_1',
    ],
    [
      'target',
      'a failed payment, in the shape of 2020',
      event('invoice.payment_failed', {
        object: 'invoice',
        id: 'in_1',
        subscription: 'sub_9',
        lines: { data: [{ type: 'subscription', metadata: { crossbill_from: 'us/sub_1' } }] },
      }),
      'payment_failed us/sub_1',
    ],
    [
      'target',
      'an invoice that could not be finalized',
      event('invoice.finalization_failed', {
        object: 'invoice',
        id: 'in_1',
        last_finalization_error: { code: 'customer_tax_location_invalid' },
        parent: { subscription_details: { metadata: { crossbill_from: 'us/sub_1' } } },
      }),
      'finalization_failed us/sub_1',
      'critical',
    ],
    [
      'us',
      'a plan changed on hold, in the shape of 2020',
      event(
        'customer.subscription.updated',
        { ...old, ...hold, pause_collection: {}, items: { data: [{ price: { id: 'price_2' }, quantity: 1 }] } },
        { plan: { id: 'price_1' } },
      ),
      'drift_on_held_source us/sub_1',
    ],
  ])('of %s about %s raise an alarm', async (account, _, body, key, severity?: string) => {
    expect(
      (await post(`/stripe/webhooks/${account}`, body, sign(body, present(secrets.stripe.get(account)?.[0], account))))
        .status,
    ).toBeLessThan(300)
    expect(running.alerts).toMatchObject([{ key, ...(severity === undefined ? {} : { severity }) }])
    expect(running.signals.filter(({ event: what }) => what !== 'subscription_ended')).toEqual([])
  })

  test('is accepted under the current and the previous secret during a rotation, and under no other', async () => {
    const body = event('customer.created', { object: 'customer', id: 'cus_1' })
    const statuses = [...(secrets.stripe.get('target') ?? []), `whsec_${'n'.repeat(32)}`].map(
      async (secret) => (await post('/stripe/webhooks/target', body, sign(body, secret))).status,
    )
    expect(await Promise.all(statuses)).toEqual([200, 200, 400])
  })

  test.each([
    ['us', event('customer.subscription.updated', { ...old, pause_collection: null }, { pause_collection: {} })],
    [
      'us',
      event('customer.subscription.updated', { ...old, ...hold, pause_collection: {} }, { latest_invoice: 'in_1' }),
    ],
    [
      'target',
      event('customer.discount.deleted', {
        object: 'discount',
        end: now,
        subscription: 'sub_9',
        source: { coupon: { duration: 'repeating' } },
      }),
    ],
    [
      'target',
      event('customer.discount.deleted', {
        object: 'discount',
        end: null,
        subscription: 'sub_9',
        source: { coupon: { duration: 'once' } },
      }),
    ],
    ['target', event('customer.created', { object: 'customer', email: 'ada@example.com' })],
  ])('of %s without meaning for us are answered', async (account, body) => {
    expect(
      (await post(`/stripe/webhooks/${account}`, body, sign(body, present(secrets.stripe.get(account)?.[0], account))))
        .status,
    ).toBe(200)
    expect([running.alerts, running.signals]).toEqual([[], []])
  })

  test.each([
    ['target', 'target_account'],
    ['us', 'source_account'],
  ])('of %s about an ended subscription make access follow', async (account, source) => {
    const body = event('customer.subscription.deleted', old)
    await post(`/stripe/webhooks/${account}`, body, sign(body, present(secrets.stripe.get(account)?.[0], account)))
    expect(running.signals).toEqual([
      { source, event: 'subscription_ended', customer: 'cus_1', receivedAt: now, message: 'evt_1' },
    ])
  })

  test('are accepted in any number; without a signature their sender is limited', async () => {
    await running.service.close()
    running = await runService({ options: { requestsPerMinute: 5 } })
    const body = event('customer.created', { object: 'customer' })
    const statuses = async (headers: Record<string, string>): Promise<number[]> => {
      const seen: number[] = []
      for (let n = 0; n < 8; n++) seen.push((await post('/stripe/webhooks/us', body, headers)).status)
      return [...new Set(seen)]
    }
    expect(await statuses(sign(body, us))).toEqual([200])
    expect(await statuses(sign(body, stripeSecret))).toEqual([400, 429])
    expect(await statuses(sign(body, us))).toEqual([200])
  })

  test('with a wrong, old or missing signature, or for another account, are refused', async () => {
    const body = event('customer.subscription.deleted', { ...old, ...hold })
    const status = async (account: string, headers: Record<string, string>): Promise<number> =>
      (await post(`/stripe/webhooks/${account}`, body, headers)).status
    expect(await status('us', sign(body, stripeSecret))).toBe(400)
    expect(await status('us', sign(body, us, now - 301))).toBe(400)
    expect(await status('us', sign(`${body} `, us))).toBe(400)
    expect(await status('us', {})).toBe(400)
    expect(await status('intl', sign(body, us))).toBe(404)
    expect(running.signals).toEqual([])
  })

  test('thin, not JSON, or with malformed ids, cause no failure and cost no more than their length', async () => {
    const thin = JSON.stringify({ id: 'evt_1', object: 'v2.core.event', type: 'v1.customer.created', data: {} })
    expect((await post('/stripe/webhooks/us', thin, sign(thin, us))).status).toBe(200)
    expect(running.alerts).toMatchObject([{ key: 'thin_events us' }])
    for (const body of ['hello', '[]', '7', 'null', '['.repeat(50_000)])
      expect((await post('/stripe/webhooks/us', body, sign(body, us))).status).toBe(400)
    const long = 'x'.repeat(200_000)
    const began = performance.now()
    for (const object of [
      { ...old, ...hold, id: long },
      { ...old, customer: long },
      { ...old, metadata: { crossbill_hold: long } },
    ]) {
      const body = event('customer.subscription.deleted', object)
      expect((await post('/stripe/webhooks/us', body, sign(body, us))).status).toBeLessThan(300)
    }
    const marked = event('customer.subscription.deleted', { ...old, metadata: { crossbill_from: long } })
    const failed = event('invoice.payment_failed', {
      id: 'in_1',
      parent: { subscription_details: { metadata: { crossbill_from: long } } },
    })
    for (const body of [marked, failed])
      expect((await post('/stripe/webhooks/target', body, sign(body, stripeSecret))).status).toBeLessThan(300)
    expect(performance.now() - began).toBeLessThan(1_000)
    expect(JSON.stringify([running.signals, running.alerts])).not.toContain('xxx')
  })

  test.each(['', 't=', 't=1,v1=', 'v1=00', 't=1e400,v1=00,v1=00', `t=${now},v1=zz`, ','.repeat(5_000), 't=-1,v1=é'])(
    'with the signature %j is refused',
    async (signature) => {
      const body = event('customer.subscription.deleted', old)
      const answer = await post('/stripe/webhooks/us', body, { 'stripe-signature': encodeURI(signature) })
      expect(answer.status).toBe(400)
    },
  )
})
