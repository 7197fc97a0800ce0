import { describe, expect, test } from 'vitest'
import { CommandError, type Failure } from '../../src/core/outcome.ts'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { connectAccount, type ConnectOptions } from '../../src/stripe/account.ts'
import type { Fetch } from '../../src/stripe/client.ts'
import { VirtualTime } from './virtual-time.ts'

const account: Fetch = () => Promise.resolve(Response.json({ object: 'account', id: 'acct_1' }))
const options = (more: Partial<ConnectOptions> = {}): ConnectOptions => ({
  name: 'us',
  key: 'rk_test_secretsecret',
  account: 'acct_1',
  livemode: false,
  fetch: account,
  readPauses: [],
  ...more,
})

describe('connecting', () => {
  test('proves which account a key belongs to, against the sandbox', async () => {
    const sandbox = createSandbox()
    const { key, id } = sandbox.ready.accounts['intl'] ?? { key: '', id: '' }
    const connected = await connectAccount({ name: 'intl', key, account: id, livemode: false, fetch: sandbox.fetch })
    expect(connected).toMatchObject({ name: 'intl', id, livemode: false, apiVersion: '2026-10-28.endive' })
    expect(connected.now()).toBe(sandbox.clock())
    sandbox.close()
  })

  test.each([
    ['a key of another account', { account: 'acct_2' }, 'wrong_account', /says acct_2, but its key belongs to acct_1/],
    [
      'a live key for a test account',
      { key: 'sk_live_secretsecret' },
      'wrong_mode',
      /livemode: false, but its key is a live key/,
    ],
    ['a test key for a live account', { livemode: true }, 'wrong_mode', /livemode: true, but its key is a test key/],
    ['a publishable key', { key: 'pk_test_secretsecret' }, 'key_unusable', /not a secret or restricted key/],
    ['an empty key', { key: '' }, 'key_unusable', /not a secret or restricted key/],
    [
      'a refused key',
      {
        fetch: () =>
          Promise.resolve(
            Response.json({ error: { message: 'Invalid API Key provided: rk_test_secretsecret' } }, { status: 401 }),
          ),
      },
      'key_unusable',
      /refused its key/,
    ],
    [
      'an unreachable Stripe',
      {
        fetch: () =>
          Promise.reject(
            new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }) }),
          ),
      },
      'account_unreachable',
      /ECONNREFUSED/,
    ],
    [
      'a server that is not Stripe',
      { fetch: () => Promise.resolve(Response.json({ hello: 'world' })) },
      'account_unreachable',
      /not a Stripe object/,
    ],
  ] as const)('refuses %s with a message that does not contain the key', async (_, more, code, message) => {
    const refusal = await connectAccount(options(more)).then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(refusal).toMatchObject({ name: 'CommandError', code, message: expect.stringMatching(message) as string })
    expect(JSON.stringify(refusal) + String(refusal)).not.toContain('secretsecret')
  })
})

const stripeError =
  (status: number, error: Record<string, unknown>, headers: Record<string, string> = {}) =>
  () =>
    Response.json({ error }, { status, headers: { 'request-id': 'req_1', ...headers } })
const cut = (code: string) => () => {
  throw new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) })
}

describe('the first request', () => {
  /** An account that gives these answers first: the outcome, and the milliseconds until then. */
  async function waited(first: readonly (() => Response)[], more: Partial<ConnectOptions> = {}) {
    const answers = [...first]
    const timing = new VirtualTime()
    const fetch: Fetch = (input, init) => {
      const answer = answers.shift()
      return answer === undefined ? account(input, init) : Promise.resolve().then(answer)
    }
    const { readPauses: _patient, ...patient } = options({ fetch, timing, random: () => 1 })
    const code = await timing.run(
      connectAccount({ ...patient, ...more }).then(
        () => 'connected',
        (error: unknown) => (error as CommandError).code,
      ),
    )
    return { code, waited: timing.milliseconds(), left: answers.length }
  }
  const limited = stripeError(429, { message: 'slow down' }, { 'stripe-rate-limited-reason': 'global-rate' })
  const broken = stripeError(500, { message: 'try again' })

  test('waits for a rate limit as long as a list does', async () => {
    expect(await waited(Array.from({ length: 6 }, () => limited))).toMatchObject({ code: 'connected', left: 0 })
  })

  test('is repeated for a few seconds when Stripe is broken or away', async () => {
    expect(await waited([broken, cut('ECONNRESET'), broken])).toMatchObject({ code: 'connected', left: 0 })
    const gone = await waited(Array.from({ length: 9 }, () => cut('ECONNREFUSED')))
    expect(gone).toMatchObject({ code: 'account_unreachable', left: 5 })
    expect(gone.waited).toBeLessThan(10_000)
  })

  test('is sent once where the caller does not wait: a service that starts, and confirm', async () => {
    const away = await waited([broken], { mayBeAway: { account: 'acct_1' } })
    expect(away).toEqual({ code: 'connected', waited: 0, left: 0 })
    expect(await waited([broken, broken], { readPauses: [] })).toMatchObject({ code: 'account_unreachable', left: 1 })
  })
})

/** The result of one request to a server with this answer. */
async function sent(
  method: 'GET' | 'POST' | 'DELETE',
  answer: () => Response,
  calls: { count: number; url?: string; init?: RequestInit } = { count: 0 },
) {
  let connected = false
  const fetch: Fetch = (input, init) => {
    if (!connected) return account(input, init)
    calls.count++
    calls.url = input instanceof Request ? input.url : String(input)
    calls.init = init ?? {}
    return Promise.resolve().then(answer)
  }
  const us = await connectAccount(options({ fetch, timing: new VirtualTime() }))
  connected = true
  const params = {
    cancellation_details: { comment: 'a & b' },
    prorate: false,
    list: ['x', { y: null }],
    absent: undefined,
  }
  const outcome = await us.send({
    method,
    path: '/v1/subscriptions/sub_1',
    params,
    ...(method === 'POST' ? { idempotencyKey: 'key-1' } : {}),
  })
  return { outcome, calls, us }
}

describe('one request', () => {
  test('is sent once, with its key, form-encoded; GET and DELETE have their parameters in the address and no key', async () => {
    const ok = () => Response.json({ object: 'subscription', id: 'sub_1' })
    const post = await sent('POST', ok)
    expect(post.outcome).toMatchObject({ ok: true, value: { id: 'sub_1' } })
    expect(new Headers(post.calls.init?.headers).get('idempotency-key')).toBe('key-1')
    expect(decodeURIComponent(post.calls.init?.body as string)).toBe(
      'cancellation_details[comment]=a & b&prorate=false&list[0]=x&list[1][y]=',
    )
    for (const method of ['GET', 'DELETE'] as const) {
      const { calls } = await sent(method, ok)
      const url = new URL(calls.url ?? '')
      expect([...url.searchParams]).toEqual([
        ['cancellation_details[comment]', 'a & b'],
        ['prorate', 'false'],
        ['list[0]', 'x'],
        ['list[1][y]', ''],
      ])
      expect(new Headers(calls.init?.headers).has('idempotency-key')).toBe(false)
    }
  })

  test('a failure inside this process (an embedded sandbox whose disk is full) is not treated as a cut connection', async () => {
    const full = new CommandError('store_full', 'the disk is full')
    await expect(
      sent('POST', () => {
        throw full
      }),
    ).rejects.toBe(full)
  })

  const table: [string, () => Response, Failure['kind'], Failure['kind'], Partial<Failure>][] = [
    [
      'a refused parameter',
      stripeError(400, { type: 'invalid_request_error', code: 'parameter_unknown', param: 'x', message: 'no' }),
      'rejected',
      'rejected',
      { code: 'parameter_unknown', param: 'x', status: 400, requestId: 'req_1' },
    ],
    [
      'a declined card',
      stripeError(402, { type: 'card_error', code: 'card_declined', message: 'no' }),
      'rejected',
      'rejected',
      { code: 'card_declined' },
    ],
    [
      'a missing permission',
      stripeError(403, { type: 'invalid_request_error', message: 'no' }),
      'rejected',
      'rejected',
      { code: 'invalid_request_error' },
    ],
    [
      'a missing object',
      stripeError(404, { type: 'invalid_request_error', code: 'resource_missing', message: 'no' }),
      'rejected',
      'rejected',
      { code: 'resource_missing', status: 404 },
    ],
    [
      'a key in use',
      stripeError(409, { type: 'idempotency_error', code: 'idempotency_key_in_use', message: 'no' }),
      'conflict',
      'conflict',
      { code: 'idempotency_key_in_use' },
    ],
    [
      'a key used for another request',
      stripeError(400, { type: 'idempotency_error', message: 'no' }),
      'conflict',
      'conflict',
      { code: 'idempotency_error' },
    ],
    [
      'the rate limit',
      stripeError(429, { message: 'slow' }, { 'stripe-rate-limited-reason': 'endpoint-rate', 'retry-after': '3' }),
      'retryable',
      'retryable',
      { code: 'rate_limit_endpoint-rate', retryAfter: 3 },
    ],
    [
      'a locked object',
      stripeError(429, { code: 'lock_timeout', message: 'locked' }),
      'retryable',
      'retryable',
      { code: 'lock_timeout' },
    ],
    ['a 500', stripeError(500, { type: 'api_error', message: 'sorry' }), 'retryable', 'unknown', { status: 500 }],
    [
      'a 500 without error',
      () => Response.json({}, { status: 500 }),
      'retryable',
      'unknown',
      { code: 'not_an_answer' },
    ],
    ['an HTML page', () => new Response('<html>', { status: 502 }), 'retryable', 'unknown', { code: 'not_an_answer' }],
    ['a 200 with HTML', () => new Response('<html>'), 'retryable', 'unknown', {}],
    ['a 200 without object', () => Response.json({ id: 'sub_1' }), 'retryable', 'unknown', { code: 'not_an_answer' }],
    ['a cut connection', cut('UND_ERR_SOCKET'), 'retryable', 'unknown', { code: 'connection_cut', status: 0 }],
    ['a refused connection', cut('ECONNREFUSED'), 'retryable', 'retryable', { code: 'not_reached' }],
    ['a name that does not resolve', cut('ENOTFOUND'), 'retryable', 'retryable', { code: 'not_reached' }],
  ]
  test.each(table)('that meets %s', async (_, answer, read, write, told) => {
    const get = await sent('GET', answer)
    expect(get.outcome).toMatchObject({ ok: false, failure: { ...told, kind: read } })
    for (const method of ['POST', 'DELETE'] as const) {
      const { outcome, calls } = await sent(method, answer)
      expect(outcome).toMatchObject({ ok: false, failure: { ...told, kind: write } })
      expect(calls.count).toBe(1)
    }
  })

  test('after a reset connection is not sent again by the SDK', async () => {
    const { calls, outcome } = await sent('POST', () => {
      throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
    })
    expect(calls.count).toBe(1)
    expect(outcome).toMatchObject({ ok: false, failure: { kind: 'unknown', code: 'connection_cut' } })
  })

  test('without its idempotency key, or a read with one, is a bug', async () => {
    const us = await connectAccount(options())
    await expect(us.send({ method: 'POST', path: '/v1/prices' })).rejects.toThrow(
      /an idempotency key belongs to a POST/,
    )
    await expect(us.send({ method: 'DELETE', path: '/v1/prices/x', idempotencyKey: 'k' })).rejects.toThrow(
      /an idempotency key belongs to a POST/,
    )
  })

  test('never repeats an e-mail address or a key that Stripe’s answer quotes', async () => {
    const { outcome } = await sent(
      'POST',
      stripeError(400, { message: 'Invalid email: jane.doe+x@example.co.uk for sk_test_abc123' }),
    )
    expect(outcome).toMatchObject({ failure: { message: 'Invalid email: (an e-mail address) for (a key)' } })
  })

  test("reads Stripe's time: the newest Date received, and this machine's clock only before the first one", async () => {
    const dates = ['Tue, 01 Dec 2026 12:00:00 GMT', 'Tue, 01 Dec 2026 11:59:00 GMT', undefined]
    const fetch: Fetch = () => {
      const date = dates.shift()
      return Promise.resolve(
        Response.json({ object: 'account', id: 'acct_1' }, { headers: date === undefined ? {} : { date } }),
      )
    }
    const us = await connectAccount(options({ fetch, clock: () => 5_000 }))
    const noon = Date.parse('2026-12-01T12:00:00Z') / 1_000
    expect(us.now()).toBe(noon)
    await us.send({ method: 'GET', path: '/v1/account' })
    await us.send({ method: 'GET', path: '/v1/account' })
    expect(us.now()).toBe(noon)
    expect((await connectAccount(options({ clock: () => 5_000 }))).now()).toBe(5)
  })
})

test('the present time: after a minute without an answer Stripe is asked; without one this machine’s clock decides', async () => {
  const machine = { seconds: 1_000, away: false }
  const stripe = { seconds: 2_000_000_000 }
  let asked = 0
  const fetch: Fetch = () => {
    asked += 1
    if (machine.away) return Promise.reject(new TypeError('fetch failed'))
    const date = new Date(stripe.seconds * 1_000).toUTCString()
    return Promise.resolve(Response.json({ object: 'account', id: 'acct_1' }, { headers: { date } }))
  }
  const us = await connectAccount(options({ fetch, clock: () => machine.seconds * 1_000 }))
  asked = 0
  machine.seconds += 59
  expect([await us.present(), asked]).toEqual([2_000_000_000, 0])
  // The machine slept for two weeks, or its clock was set back in the meantime.
  for (const step of [14 * 86_400, -7_200]) {
    machine.seconds += step
    stripe.seconds += 86_400
    expect(await us.present()).toBe(stripe.seconds)
  }
  machine.seconds += 86_400
  machine.away = true
  expect(await us.present()).toBe(stripe.seconds + 86_400)
})

test('the check whether a request may still be sent runs after its wait for a place', async () => {
  const time = new VirtualTime()
  const seen: string[] = []
  const fetch: Fetch = (_, init) => {
    seen.push(`${init?.method} at ${time.milliseconds()}`)
    return account('', init)
  }
  const rates = { account: 1, operation: 1 }
  const connected = await time.run(connectAccount(options({ fetch, timing: time, rates })))
  seen.length = 0
  const still = async (): Promise<void> => {
    seen.push(`asked at ${time.milliseconds()}`)
    if (time.milliseconds() > 1_000) throw new CommandError('lease_lost', 'taken over')
  }
  const send = (key: string) =>
    connected.send({ method: 'POST', path: '/v1/products', params: { name: 'x' }, idempotencyKey: key, still })
  const [first, second] = await time.run(Promise.allSettled([send('a'), send('b')]))
  expect([first?.status, second?.status]).toEqual(['fulfilled', 'rejected'])
  expect(seen).toEqual(['asked at 1000', 'POST at 1000', 'asked at 2000'])
})
