import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Stripe from 'stripe'
import { afterEach, expect, test, vi } from 'vitest'
import { createSandbox, type WorldStorage } from '../../src/sandbox/sandbox.ts'
import { serveSandbox } from '../../src/sandbox/server.ts'
import { clientOf, refusal } from './client.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()))
})

async function served(options: Parameters<typeof createSandbox>[0] = {}) {
  const sandbox = createSandbox(options)
  const server = await serveSandbox(sandbox, { port: 0 })
  open.push(server)
  const { hostname, port } = new URL(server.url)
  const stripe = new Stripe('sk_test_sandbox_us', {
    host: hostname,
    port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
  })
  return { sandbox, server, stripe }
}

/** A storage that keeps rows as the product's store does, and counts its calls. */
function memory() {
  const rows = new Map<string, { table: string; key: string; value: string }>()
  const storage: WorldStorage = {
    load: () => rows.values(),
    save(changes) {
      for (const { table, key, value } of changes) {
        if (value === null) rows.delete(`${table}\n${key}`)
        else rows.set(`${table}\n${key}`, { table, key, value })
      }
    },
  }
  return { rows, storage }
}

test('the same SDK code gets the same answers over HTTP as in this process', async () => {
  const story = async (stripe: Stripe) => {
    const product = await stripe.products.create({ name: 'Ü & more', metadata: { 'a b': 'c=d&e' } })
    const price = await stripe.prices.create({
      product: product.id,
      currency: 'usd',
      unit_amount: 100,
      expand: ['product'],
    })
    const wrong = await refusal(stripe.prices.retrieve('price_none'))
    const gone = await stripe.products.create({ name: 'Gone' })
    return [product, price, wrong, await stripe.products.del(gone.id), (await stripe.events.list()).data.length]
  }
  const { stripe } = await served()
  const plain = (values: unknown) => JSON.parse(JSON.stringify(values)) as unknown
  expect(plain(await story(stripe))).toEqual(plain(await story(clientOf(createSandbox()))))
})

test('everything answered is in the storage: another process continues where this one was killed', async () => {
  const { storage } = memory()
  const first = clientOf(createSandbox({ storage }))
  await first.products.create({ id: 'p', name: 'P' })
  await first.customers.create({ payment_method: 'pm_card_visa' }, { idempotencyKey: 'once' })
  await first.prices.create({ product: 'p', currency: 'usd', unit_amount: 100, lookup_key: 'k' })
  // Nothing is closed or flushed: as after kill -9.
  const sandbox = createSandbox({ storage })
  const second = clientOf(sandbox)
  const before = await second.customers.list()
  const again = await second.customers.create({ payment_method: 'pm_card_visa' }, { idempotencyKey: 'once' })
  expect(before.data.map(({ id }) => id)).toEqual([again.id])
  expect((await second.prices.list({ lookup_keys: ['k'] })).data).toHaveLength(1)
  const ids = await Promise.all(
    [second, clientOf(createSandbox())].map((stripe) => stripe.products.create({ name: 'Q' })),
  )
  expect(ids[0]?.id).toMatch(/^prod_\w{14}$/)
})

test('a refused request changes nothing in the storage', async () => {
  const { rows, storage } = memory()
  const stripe = clientOf(createSandbox({ storage }))
  const before = new Map(rows)
  await refusal(
    stripe.prices.create({
      currency: 'usd',
      unit_amount: 1,
      product_data: { name: 'P' },
      recurring: { interval: 'year', interval_count: 9 },
    }),
  )
  expect([...rows.keys()].filter((key) => !key.includes('idempotency'))).toEqual([...before.keys()])
})

test('control: the world, the clock, and a reset to the beginning', async () => {
  const { server, stripe, sandbox } = await served()
  const control = async (path: string, body?: object) => {
    const answer = await fetch(
      `${server.url}/_sandbox/${path}`,
      body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) },
    )
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }
  await stripe.products.create({ id: 'p', name: 'P' })
  expect((await control('clock', { to: '2026-12-31T23:59:59Z' })).body).toEqual({ clock: '2026-12-31T23:59:59Z' })
  expect((await control('clock', { to: '2026-12-01T00:00:00Z' })).status).toBe(400)
  expect((await control('world')).body).toMatchObject({
    clock: '2026-12-31T23:59:59Z',
    accounts: { us: { products: 1 }, intl: {} },
  })
  expect((await control('act', { act: 'dance', account: 'us' })).status).toBe(400)
  expect((await control('reset', {})).body).toEqual({ clock: '2026-12-01T12:00:00Z' })
  expect((await stripe.products.list()).data).toEqual([])
  expect(sandbox.ready.accounts['target']).toEqual({
    id: expect.stringMatching(/^acct_1SandboxTarget\w+$/) as string,
    key: 'sk_test_sandbox_target',
    long_key: expect.stringMatching(/^sk_test_[a-zA-Z0-9]{24,}$/) as string,
  })
})

test('webhooks reach receivers on this machine; receivers on other machines count as answered, and nothing is sent to them', async () => {
  const heard: string[] = []
  const receiver = createServer((request, response) => {
    heard.push(`${request.method} ${request.url} ${String(request.headers['stripe-signature']).slice(0, 2)}`)
    request.resume().on('end', () => response.end())
  })
  await new Promise<void>((resolve) => void receiver.listen(0, '127.0.0.1', resolve))
  open.push({ close: () => new Promise((resolve) => void receiver.close(() => resolve())) })
  const { port } = receiver.address() as AddressInfo
  const { stripe, sandbox, server } = await served()
  const sentFar = vi.spyOn(globalThis, 'fetch')
  for (const url of [`http://127.0.0.1:${port}/near`, 'https://far.example/hook'])
    await stripe.webhookEndpoints.create({ url, enabled_events: ['product.created'] })
  await stripe.products.create({ id: 'p', name: 'P' })
  await Promise.all(sandbox.world.deliveries)
  expect(heard).toEqual(['POST /near t='])
  expect(sentFar.mock.calls.map(([input]) => new URL((input as Request).url).hostname)).toEqual(['127.0.0.1'])
  sentFar.mockRestore()
  const waiting = await (await fetch(`${server.url}/_sandbox/webhooks`)).json()
  expect(waiting).toEqual({ waiting: { us: [], intl: [], target: [] } })
})

test('the Date header is the simulated clock over HTTP as well', async () => {
  const { server } = await served()
  await fetch(`${server.url}/_sandbox/clock`, { method: 'POST', body: '{"to":"2027-02-28T00:00:00Z"}' })
  const answer = await fetch(`${server.url}/v1/account`, { headers: { authorization: 'Bearer sk_test_sandbox_us' } })
  expect(answer.headers.get('date')).toBe('Sun, 28 Feb 2027 00:00:00 GMT')
})

test('a cut connection is a connection error to the client', async () => {
  const { stripe } = await served({
    faults: {
      exact: [
        { fault: 'cut_before', nth: 1 },
        { fault: 'cut_before', nth: 2 },
      ],
    },
  })
  await expect(stripe.products.list()).rejects.toMatchObject({ type: 'StripeConnectionError' })
})
