import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { StripeObject } from '../../src/core/json.ts'
import type { StripeAccount } from '../../src/engine/ports.ts'
import { connectAccount } from '../../src/stripe/account.ts'
import { stripeRates, type Rates } from '../../src/stripe/limits.ts'
import { ListServer, type Row } from './listed.ts'
import { VirtualTime } from './virtual-time.ts'

const now = 1_796_000_000

async function connect(
  server: ListServer,
  time = new VirtualTime(),
  rates: Rates | 'none' = 'none',
): Promise<StripeAccount> {
  const clock = (): number => now * 1_000
  const options = { name: 'us', key: 'sk_test_x', fetch: server.fetch, timing: time, clock, rates, random: () => 0.5 }
  return time.run(connectAccount(options))
}

async function collect(objects: AsyncIterable<StripeObject>): Promise<string[]> {
  const ids: string[] = []
  for await (const object of objects) ids.push(object.id ?? '')
  return ids
}

const newestFirst = (rows: readonly Row[]): string[] =>
  rows.toSorted((a, b) => b.created - a.created || (a.id < b.id ? 1 : -1)).map(({ id }) => id)

const rowsAt = (createds: readonly number[]): Row[] =>
  createds.map((created, n) => ({ id: `sub_${String(n).padStart(6, '0')}`, created }))

describe('a list', () => {
  test('of one page costs one request, with a hundred objects per page', async () => {
    const server = new ListServer(rowsAt(Array.from({ length: 100 }, (_, n) => now - n)))
    const account = await connect(server)
    expect(await collect(account.list('/v1/subscriptions'))).toHaveLength(100)
    expect(server.requests).toBe(1)
  })

  test('returns every object once and in order, for any distribution over time', async () => {
    const spread = fc.oneof(
      fc.array(fc.integer({ min: now - 1_000, max: now - 1 }), { maxLength: 900 }),
      fc.array(fc.integer({ min: 1_262_304_000, max: now - 1 }), { maxLength: 900 }),
      // Bulk imports: many objects within one second.
      fc.array(fc.constantFrom(now - 5, now - 6, now - 86_400, 1_300_000_000), { maxLength: 900 }),
    )
    await fc.assert(
      fc.asyncProperty(spread, async (createds) => {
        const rows = rowsAt(createds)
        const time = new VirtualTime()
        const account = await connect(new ListServer(rows), time)
        expect(await time.run(collect(account.list('/v1/subscriptions')))).toEqual(newestFirst(rows))
      }),
      { numRuns: 40 },
    )
  })

  test('without ranges is read page by page', async () => {
    const rows = rowsAt(Array.from({ length: 350 }, (_, n) => now - 1 - n * 1_000))
    const server = new ListServer(rows)
    const account = await connect(server)
    expect(await collect(account.list('/v1/webhook_endpoints'))).toEqual(newestFirst(rows))
    expect(server.requests).toBe(4)
  })

  test('includes objects that were created during the read', async () => {
    const server = new ListServer(rowsAt(Array.from({ length: 500 }, (_, n) => now - 1 - n * 7_777)))
    server.before = (request) => {
      if (request === 3) server.rows.push({ id: 'sub_new', created: now })
      return Promise.resolve(undefined)
    }
    const account = await connect(server)
    const ids = await collect(account.list('/v1/subscriptions'))
    expect(ids).toContain('sub_new')
    expect(new Set(ids).size).toBe(501)
    expect(ids).toHaveLength(501)
  })

  test('survives rate limits, locks, 500s, HTML and broken connections, and waits as long as Stripe asks', async () => {
    const rows = rowsAt(Array.from({ length: 150 }, (_, n) => now - 1 - n))
    const server = new ListServer(rows)
    const answers: (() => Response)[] = [
      () =>
        Response.json(
          { error: { type: 'invalid_request_error' } },
          { status: 429, headers: { 'retry-after': '40', 'stripe-rate-limited-reason': 'global-rate' } },
        ),
      () => Response.json({ error: { type: 'invalid_request_error', code: 'lock_timeout' } }, { status: 429 }),
      () => Response.json({ error: { type: 'api_error', message: 'sorry' } }, { status: 500 }),
      () => new Response('<html>502</html>', { status: 502, headers: { 'content-type': 'text/html' } }),
      () => Response.json({}),
      () => {
        throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
      },
    ]
    server.before = () => Promise.resolve(answers.shift()?.())
    const time = new VirtualTime()
    const account = await connect(server, time)
    expect(await time.run(collect(account.list('/v1/subscriptions')))).toEqual(newestFirst(rows))
    expect(answers).toEqual([])
    expect(time.milliseconds()).toBeGreaterThan(40_000)
  })

  test('of a customer that the account never had is empty; of an unreadable or deleted customer it is an error', async () => {
    const error = { type: 'invalid_request_error', code: 'resource_missing', param: 'customer', message: 'No such one' }
    const read = async (customer: Response): Promise<readonly string[]> => {
      const server = new ListServer([])
      server.before = (request) => Promise.resolve(request === 1 ? Response.json({ error }, { status: 400 }) : customer)
      const account = await connect(server)
      return collect(account.list('/v1/subscriptions', { customer: 'cus_1', status: 'all' }))
    }
    await expect(read(Response.json({ error }, { status: 404 }))).resolves.toEqual([])
    const gone = Response.json({ object: 'customer', id: 'cus_1', deleted: true })
    await expect(read(gone)).rejects.toThrow('cannot be read')
    await expect(read(Response.json({ error }, { status: 403 }))).rejects.toThrow('cannot be read')
  })

  test.each([
    [
      'a refusal',
      () => Response.json({ error: { type: 'invalid_request_error', message: 'no permission' } }, { status: 403 }),
      1,
    ],
    [
      'a server that never recovers',
      () => Response.json({ error: { type: 'api_error', message: 'down' } }, { status: 500 }),
      9,
    ],
  ])('ends with a message after %s, never with part of a list', async (_, answer, attempts) => {
    const server = new ListServer([])
    server.before = () => Promise.resolve(answer())
    const time = new VirtualTime()
    const account = await connect(server, time)
    await expect(time.run(collect(account.list('/v1/subscriptions')))).rejects.toMatchObject({
      name: 'CommandError',
      code: 'list_unreadable',
      message: expect.stringContaining('account us: /v1/subscriptions') as string,
    })
    expect(server.requests).toBe(attempts)
  })

  test('a failure on a late page fails the whole list', async () => {
    const server = new ListServer(rowsAt(Array.from({ length: 1_000 }, (_, n) => now - 1 - n * 86_400)))
    server.before = (request) =>
      Promise.resolve(request === 7 ? Response.json({ error: { message: 'gone' } }, { status: 404 }) : undefined)
    const time = new VirtualTime()
    const account = await connect(server, time)
    await expect(time.run(collect(account.list('/v1/subscriptions')))).rejects.toThrow(/gone/)
  })

  test('fails on an empty page that says "more"', async () => {
    const server = new ListServer([])
    server.before = () => Promise.resolve(Response.json({ object: 'list', data: [], has_more: true }))
    const account = await connect(server)
    await expect(collect(account.list('/v1/subscriptions'))).rejects.toThrow(/an empty page with has_more/)
  })

  test('is read as fast as the limit allows when every page takes 200 ms', async () => {
    // Sixteen years of an account, with nine tenths of its objects in the last two.
    const createds = Array.from({ length: 20_000 }, (_, n) =>
      n % 10 === 0 ? now - 1 - n * 20_000 : now - 1 - n * 3_000,
    )
    const server = new ListServer(rowsAt(createds))
    const time = new VirtualTime()
    server.before = async () => {
      await time.sleep(200)
      return undefined
    }
    const rates = stripeRates(false)
    const account = await connect(server, time, rates)
    const begun = time.milliseconds()
    expect(await time.run(collect(account.list('/v1/subscriptions')))).toHaveLength(20_000)
    const bound = (200 * 1_000) / 25
    expect((time.milliseconds() - begun) / bound).toBeLessThan(1.2 + 1_500 / bound)
    expect(server.requests).toBeLessThan(240)
  })
})
