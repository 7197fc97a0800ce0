import { describe, expect, test } from 'vitest'
import { readStripeEvent } from '../../src/cancel/stripe-event.ts'
import { instant } from '../../src/core/instant.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { clientOf, refusal } from './client.ts'

interface Sent {
  readonly url: string
  readonly body: string
  readonly signature: string
}

/** A receiver that answers with the next status of `answers`, then with 200. */
function receiver(answers: number[] = []) {
  const sent: Sent[] = []
  const deliver: typeof fetch = async (input, init) => {
    const request = new Request(input, init)
    sent.push({
      url: request.url,
      body: await request.text(),
      signature: request.headers.get('stripe-signature') ?? '',
    })
    return new Response('', { status: answers.shift() ?? 200 })
  }
  return { sent, deliver }
}

const clock = async (sandbox: ReturnType<typeof createSandbox>, to: string) => {
  const answer = await sandbox.fetch('http://sandbox/_sandbox/clock', { method: 'POST', body: JSON.stringify({ to }) })
  expect(answer.status).toBe(200)
}

test('the secret is shown once, and signs what is delivered at the simulated time', async () => {
  const { sent, deliver } = receiver()
  const sandbox = createSandbox({ deliver })
  const stripe = clientOf(sandbox)
  const made = await stripe.webhookEndpoints.create({
    url: 'https://crossbill.test/hook',
    enabled_events: ['product.created'],
  })
  expect(made.secret).toMatch(/^whsec_\w{32}$/)
  expect((await stripe.webhookEndpoints.retrieve(made.id)).secret).toBeUndefined()
  await stripe.products.create({ id: 'p', name: 'P' })
  await stripe.products.update('p', { name: 'Q' })
  await Promise.all(sandbox.world.deliveries)
  expect(sent).toHaveLength(1)
  const [{ body, signature, url }] = sent as [Sent]
  expect(url).toBe('https://crossbill.test/hook')
  const event = stripe.webhooks.constructEvent(
    body,
    signature,
    made.secret ?? '',
    undefined,
    undefined,
    sandbox.clock() * 1_000,
  )
  expect(event).toMatchObject({
    type: 'product.created',
    api_version: '2026-10-28.endive',
    data: { object: { id: 'p', name: 'P' } },
  })
  expect(() =>
    stripe.webhooks.constructEvent(body, signature, `${made.secret}x`, undefined, undefined, sandbox.clock() * 1_000),
  ).toThrow('No signatures found')
  expect((await stripe.events.retrieve(event.id)).pending_webhooks).toBe(0)
})

test('an unacknowledged event is retried by the simulated clock, then given up', async () => {
  const { sent, deliver } = receiver([500, 302, 503])
  const sandbox = createSandbox({ deliver })
  const stripe = clientOf(sandbox)
  await stripe.webhookEndpoints.create({ url: 'https://crossbill.test/hook', enabled_events: ['*'] })
  await stripe.products.create({ id: 'p', name: 'P' })
  await Promise.all(sandbox.world.deliveries)
  expect((await stripe.events.list()).data.map((event) => event.pending_webhooks)).toEqual([1])
  await clock(sandbox, '2026-12-01T12:10:00Z')
  expect(sent).toHaveLength(2)
  await clock(sandbox, '2026-12-05T12:00:00Z')
  expect(sent).toHaveLength(3)
})

test('an endpoint of 2020 receives the shapes of its version, and the service reads both', async () => {
  const { sent, deliver } = receiver()
  const sandbox = createSandbox({ deliver })
  const stripe = clientOf(sandbox)
  for (const api_version of ['2020-08-27', undefined])
    await stripe.webhookEndpoints.create({
      url: `https://crossbill.test/${api_version === undefined ? 'now' : 'old'}`,
      enabled_events: ['customer.subscription.updated', 'customer.discount.deleted', 'invoice.payment_failed'],
      ...(api_version === undefined ? {} : { api_version: api_version as '2020-08-27' }),
    })
  const product = await stripe.products.create({ name: 'P' })
  const [price, dearer] = await Promise.all(
    [4_900, 9_900].map((unit_amount) =>
      stripe.prices.create({ product: product.id, currency: 'usd', unit_amount, recurring: { interval: 'month' } }),
    ),
  )
  const coupon = await stripe.coupons.create({ percent_off: 10, duration: 'repeating', duration_in_months: 12 })
  const card = 'pm_card_visa'
  const customer = await stripe.customers.create({
    payment_method: card,
    invoice_settings: { default_payment_method: card },
  })
  const metadata = { crossbill_hold: '{}', crossbill_from: 'us/sub_1' }
  const { id, items } = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price?.id ?? '' }],
    discounts: [{ coupon: coupon.id }],
    metadata,
  })
  await stripe.subscriptions.update(id, {
    items: [{ id: items.data[0]?.id ?? '', price: dearer?.id ?? '' }],
    proration_behavior: 'none',
  })
  await stripe.subscriptions.deleteDiscount(id)
  await sandbox.fetch('http://sandbox/_sandbox/act', {
    method: 'POST',
    body: JSON.stringify({ act: 'decline_card', account: 'us', subscription: id }),
  })
  await clock(sandbox, '2027-01-05T12:00:00Z')
  const shown = (name: string) =>
    sent
      .filter(({ url }) => url.endsWith(name))
      .map(({ body }) => JSON.parse(body) as { type: string; data: { object: JsonObject } } & JsonObject)
  const [then, now] = [shown('/old'), shown('/now')]
  const types = new Set(then.map(({ type }) => type))
  expect([...types].toSorted()).toEqual([
    'customer.discount.deleted',
    'customer.subscription.updated',
    'invoice.payment_failed',
  ])
  // Each shape is that of its time, and none has the place of the other.
  const fieldsOf = (all: typeof then, type: string) => all.find((one) => one.type === type)?.data.object ?? {}
  const places = [
    ['customer.subscription.updated', 'current_period_end', true],
    ['customer.discount.deleted', 'coupon', true],
    ['customer.discount.deleted', 'source', false],
    ['invoice.payment_failed', 'subscription', true],
    ['invoice.payment_failed', 'parent', false],
  ] as const
  for (const [type, field, isOlder] of places)
    expect([field, field in fieldsOf(then, type), field in fieldsOf(now, type)]).toEqual([field, isOlder, !isOlder])
  // The service draws the same conclusions from both.
  const readings = (all: typeof then, isTarget: boolean) =>
    all.map((one) => readStripeEvent(isTarget ? 'target' : 'us', isTarget, { ...one, id: 'evt_1' }, instant(0)))
  for (const isTarget of [false, true]) {
    expect(readings(then, isTarget)).toEqual(readings(now, isTarget))
    const keys = readings(then, isTarget).flatMap(({ notice }) => notice?.key ?? [])
    expect(new Set(keys)).toEqual(
      new Set(isTarget ? [`discount_lost ${id}`, 'payment_failed us/sub_1'] : [`drift_on_held_source us/${id}`]),
    )
  }
})

test('an acknowledged attempt is the last one', async () => {
  const { sent, deliver } = receiver([500])
  const sandbox = createSandbox({ deliver })
  const stripe = clientOf(sandbox)
  await stripe.webhookEndpoints.create({ url: 'https://crossbill.test/hook', enabled_events: ['*'] })
  await stripe.products.create({ id: 'p', name: 'P' })
  await clock(sandbox, '2026-12-05T12:00:00Z')
  expect(sent).toHaveLength(2)
  expect(new Set(sent.map(({ body }) => (JSON.parse(body) as { id: string }).id)).size).toBe(1)
  expect((await stripe.events.list({ delivery_success: true })).data).toHaveLength(1)
})

test('a disabled or deleted endpoint receives nothing more; an undone request sends nothing', async () => {
  const { sent, deliver } = receiver([500])
  const sandbox = createSandbox({ deliver })
  const stripe = clientOf(sandbox)
  const made = await stripe.webhookEndpoints.create({ url: 'https://crossbill.test/hook', enabled_events: ['*'] })
  await refusal(stripe.customers.create({ payment_method: 'pm_card_chargeDeclined' }))
  await stripe.products.create({ id: 'p', name: 'P' })
  await Promise.all(sandbox.world.deliveries)
  expect(sent).toHaveLength(1)
  await stripe.webhookEndpoints.update(made.id, { disabled: true })
  await stripe.products.update('p', { name: 'Q' })
  await clock(sandbox, '2026-12-05T12:00:00Z')
  expect(sent).toHaveLength(1)
})

test('unknown event types, bad addresses and a seventeenth endpoint are refused', async () => {
  const stripe = clientOf(createSandbox())
  const create = (url: string, event: string) => stripe.webhookEndpoints.create({ url, enabled_events: [event as '*'] })
  expect(await refusal(create('https://a.test', 'product.made'))).toMatchObject({
    status: 400,
    param: 'enabled_events[0]',
  })
  expect(await refusal(create('a.test', '*'))).toMatchObject({ code: 'url_invalid', param: 'url' })
  for (let n = 0; n < 16; n++) await create(`https://a.test/${n}`, '*')
  expect((await refusal(create('https://a.test/16', '*'))).message).toMatch(/maximum of 16/)
})

test('an endpoint keeps the version of its creation, and receives objects in the shape of that version', async () => {
  const { sent, deliver } = receiver()
  const sandbox = createSandbox({ deliver })
  const stripe = clientOf(sandbox)
  const versions = ['2020-08-27', '2026-10-28.endive'] as const
  for (const version of versions)
    await stripe.webhookEndpoints.create({
      url: `https://crossbill.test/${version}`,
      enabled_events: ['customer.subscription.created', 'invoice.paid'],
      api_version: version as '2026-10-28.endive',
    })
  const card = 'pm_card_visa'
  const { id: customer } = await stripe.customers.create({
    payment_method: card,
    invoice_settings: { default_payment_method: card },
  })
  const { id: product } = await stripe.products.create({ name: 'P' })
  const recurring = { interval: 'month' } as const
  const { id: price } = await stripe.prices.create({ product, currency: 'usd', unit_amount: 900, recurring })
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price }] })
  await Promise.all(sandbox.world.deliveries)
  const bodies = sent.map(({ body }) => JSON.parse(body) as Record<string, unknown>)
  const of = (type: string) =>
    versions.map((version) => bodies.find((one) => one['type'] === type && one['api_version'] === version)?.['data'])
  expect(of('customer.subscription.created')).toMatchObject([
    { object: { id, current_period_end: expect.any(Number), discount: null } },
    { object: { id, items: { data: [{ current_period_end: expect.any(Number) }] } } },
  ])
  expect(of('invoice.paid')).toMatchObject([
    { object: { subscription: id, paid: true } },
    { object: { parent: { subscription_details: { subscription: id } } } },
  ])
  expect(of('invoice.paid')[0]).not.toHaveProperty('object.parent')
})

describe('event destinations', () => {
  /** Made with the second version of the API, which speaks JSON. */
  async function destination(
    sandbox: ReturnType<typeof createSandbox>,
    about: { payload: 'snapshot' | 'thin'; events: readonly string[]; version?: string },
  ): Promise<{ readonly id: string; readonly secret: string }> {
    const answer = await sandbox.fetch('http://sandbox/v2/core/event_destinations', {
      method: 'POST',
      headers: { authorization: 'Bearer sk_test_sandbox_us', 'content-type': 'application/json' },
      body: JSON.stringify({
        name: 'Service',
        type: 'webhook_endpoint',
        event_payload: about.payload,
        enabled_events: about.events,
        webhook_endpoint: { url: `https://crossbill.test/${about.payload}` },
        include: ['webhook_endpoint.signing_secret'],
        ...(about.version === undefined ? {} : { snapshot_api_version: about.version }),
      }),
    })
    expect(answer.status).toBe(200)
    const made = (await answer.json()) as { id: string; webhook_endpoint: { signing_secret: string } }
    return { id: made.id, secret: made.webhook_endpoint.signing_secret }
  }
  const act = async (sandbox: ReturnType<typeof createSandbox>, id: string, action: string): Promise<void> => {
    const headers = { authorization: 'Bearer sk_test_sandbox_us', 'content-type': 'application/json' }
    const url = `http://sandbox/v2/core/event_destinations/${id}${action}`
    const answer = await sandbox.fetch(url, { method: action === '' ? 'DELETE' : 'POST', headers })
    expect(answer.status).toBe(200)
  }

  test('a snapshot destination receives what an endpoint receives, in its version, signed with its secret', async () => {
    const { sent, deliver } = receiver()
    const sandbox = createSandbox({ deliver })
    const stripe = clientOf(sandbox)
    const { secret } = await destination(sandbox, {
      payload: 'snapshot',
      events: ['product.created'],
      version: '2025-03-31.basil',
    })
    await stripe.products.create({ id: 'p', name: 'P' })
    await stripe.products.update('p', { name: 'Q' })
    await Promise.all(sandbox.world.deliveries)
    expect(sent.map(({ url }) => url)).toEqual(['https://crossbill.test/snapshot'])
    const [{ body, signature }] = sent as [Sent]
    const event = stripe.webhooks.constructEvent(body, signature, secret, undefined, undefined, sandbox.clock() * 1_000)
    expect(event).toMatchObject({
      object: 'event',
      api_version: '2025-03-31.basil',
      data: { object: { id: 'p', name: 'P' } },
    })
    expect((await stripe.events.retrieve(event.id)).pending_webhooks).toBe(0)
  })

  test('a thin destination receives ids alone, and the snapshot can be read', async () => {
    const { sent, deliver } = receiver()
    const sandbox = createSandbox({ deliver })
    const stripe = clientOf(sandbox)
    const { secret } = await destination(sandbox, { payload: 'thin', events: ['v1.product.updated'] })
    await stripe.products.create({ id: 'p', name: 'P' })
    await stripe.products.update('p', { name: 'Q' })
    await Promise.all(sandbox.world.deliveries)
    expect(sent).toHaveLength(1)
    const [{ body, signature }] = sent as [Sent]
    const at = sandbox.clock() * 1_000
    expect(stripe.webhooks.signature?.verifyHeader(body, signature, secret, 300, undefined, at)).toBe(true)
    const event = JSON.parse(body) as { snapshot_event: string }
    expect(event).toEqual({
      id: expect.stringMatching(/^evt_65/) as string,
      object: 'v2.core.event',
      created: new Date(at).toISOString(),
      livemode: false,
      reason: expect.objectContaining({ type: 'request' }) as object,
      related_object: { id: 'p', type: 'product', url: '/v1/products/p' },
      snapshot_event: expect.stringMatching(/^evt_/) as string,
      type: 'v1.product.updated',
    })
    expect(await stripe.events.retrieve(event.snapshot_event)).toMatchObject({
      type: 'product.updated',
      data: { previous_attributes: { name: 'P' } },
    })
  })

  test.each(['snapshot', 'thin'] as const)('a %s event is retried until it is acknowledged', async (payload) => {
    const { sent, deliver } = receiver([500])
    const sandbox = createSandbox({ deliver })
    await destination(sandbox, { payload, events: ['*'] })
    await clientOf(sandbox).products.create({ id: 'p', name: 'P' })
    await clock(sandbox, '2026-12-05T12:00:00Z')
    expect(sent).toHaveLength(2)
    expect(new Set(sent.map(({ body }) => body)).size).toBe(1)
  })

  test.each(['/disable', ''])('a destination that was stopped (%s) receives nothing more', async (action) => {
    const { sent, deliver } = receiver([500])
    const sandbox = createSandbox({ deliver })
    const { id } = await destination(sandbox, { payload: 'thin', events: ['*'] })
    await clientOf(sandbox).products.create({ id: 'p', name: 'P' })
    await Promise.all(sandbox.world.deliveries)
    await act(sandbox, id, action)
    await clientOf(sandbox).products.update('p', { name: 'Q' })
    await clock(sandbox, '2026-12-05T12:00:00Z')
    expect(sent).toHaveLength(1)
  })
})
