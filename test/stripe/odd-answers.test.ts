import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CommandError } from '../../src/core/outcome.ts'
import { connectAccount } from '../../src/stripe/account.ts'
import { answeredClock } from '../../src/stripe/clock.ts'
import type { Fetch } from '../../src/stripe/client.ts'
import type { StripeAccount } from '../../src/engine/ports.ts'

const timing = { milliseconds: () => 0, sleep: () => Promise.resolve() }

/** An account that identifies itself and then gives the same answer to every request. */
async function answering(answer: () => Response): Promise<StripeAccount> {
  let isFirst = true
  const fetch: Fetch = () => {
    const own = Response.json({ object: 'account', id: 'acct_1' })
    const response = isFirst ? own : answer()
    isFirst = false
    return Promise.resolve(response)
  }
  return connectAccount({ name: 'us', key: 'rk_test_secretsecret', fetch, timing, rates: 'none', random: () => 0 })
}

const scraps = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    42,
    '',
    'OK',
    [],
    {},
    { error: null },
    { error: 'no' },
    { error: 5 },
    { error: [] },
    { error: {} },
  ),
  fc.constantFrom<unknown>(
    { error: { message: 7, code: {}, type: [] } },
    { error: { message: 'no', param: null, code: 'x' } },
    { object: 5, id: 'a' },
    { object: 'subscription', id: 7 },
    { object: 'list' },
    { object: 'list', data: 'x', has_more: true },
    { object: 'list', data: [], has_more: true },
    { object: 'list', data: [null], has_more: false },
    { object: 'list', data: [5, 'x'], has_more: true },
    { object: 'list', data: [{ id: 'a' }], has_more: false },
    { object: 'list', data: [{ object: 'price', id: 'price_1' }], has_more: true },
    { object: 'list', data: [{ object: 'price', id: 1 }], has_more: 'no' },
    { object: 'price', id: 'price_1', error: 'what' },
  ),
  fc.json().map((text) => JSON.parse(text) as unknown),
)

const responses = fc.record({
  status: fc.constantFrom(
    200,
    201,
    204,
    302,
    304,
    400,
    401,
    402,
    403,
    404,
    407,
    409,
    418,
    429,
    500,
    502,
    503,
    504,
    520,
  ),
  body: fc.oneof(
    scraps.map((body) => JSON.stringify(body)),
    fc.constantFrom('', '<html>maintenance</html>', '{"object":"subscription"', 'null', '{}{}', '\uFEFF{}', ' '),
  ),
  headers: fc.dictionary(
    fc.constantFrom(
      'date',
      'retry-after',
      'stripe-rate-limited-reason',
      'content-type',
      'request-id',
      'stripe-should-retry',
    ),
    fc.constantFrom(
      '',
      '0',
      '-1',
      '1e9',
      'soon',
      'Infinity',
      'Thu, 01 Jan 1970 00:00:00 GMT',
      '2026',
      '12',
      'Fri, 31 Dec 9999 23:59:59 GMT',
      'text/html',
      'true',
    ),
  ),
})

const built = ({
  status,
  body,
  headers,
}: {
  status: number
  body: string
  headers: Record<string, string>
}): Response => new Response([204, 304].includes(status) ? null : body, { status, headers })

async function told(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'outcome',
    (error: unknown) => (error instanceof CommandError ? 'in words' : `thrown: ${String(error)}`),
  )
}

describe('any answer of Stripe or a proxy is an outcome, never a stack trace (property)', () => {
  test('of a request', async () => {
    await fc.assert(
      fc.asyncProperty(responses, fc.constantFrom('GET', 'POST', 'DELETE'), async (answer, method) => {
        const us = await answering(() => built(answer))
        const request = { method, path: '/v1/subscriptions/sub_1' } as const
        const key = method === 'POST' ? { idempotencyKey: 'k', params: { a: 1 } } : {}
        expect(await told(us.send({ ...request, ...key }))).toBe('outcome')
      }),
      { numRuns: 1_500 },
    )
  })

  test('of a list', async () => {
    await fc.assert(
      fc.asyncProperty(responses, async (answer) => {
        const us = await answering(() => built(answer))
        const read = async (): Promise<void> => {
          for await (const one of us.list('/v1/prices')) expect(typeof one.id).toBe('string')
        }
        expect(await told(read())).toMatch(/^(outcome|in words)$/)
      }),
      { numRuns: 800 },
    )
  })

  test('of the first request, which identifies the account', async () => {
    await fc.assert(
      fc.asyncProperty(responses, async (answer) => {
        const fetch: Fetch = () => Promise.resolve(built(answer))
        const connecting = connectAccount({ name: 'us', key: 'rk_test_secretsecret', account: 'acct_1', fetch, timing })
        expect(await told(connecting)).toBe('in words')
      }),
      { numRuns: 800 },
    )
  })

  test('a write with an answer that is not Stripe’s may have been executed, whatever the status', async () => {
    for (const status of [200, 302, 403, 404, 407, 502]) {
      const us = await answering(() => new Response('<html>', { status }))
      const outcome = await us.send({ method: 'DELETE', path: '/v1/subscriptions/sub_1' })
      expect(outcome).toMatchObject({ ok: false, failure: { kind: 'unknown', code: 'not_an_answer' } })
    }
  })

  test('an incomplete body is a cut connection', async () => {
    const broken = (): Response => {
      const stream = new ReadableStream({ start: (controller) => controller.error(new TypeError('terminated')) })
      return new Response(stream)
    }
    const us = await answering(broken)
    const outcome = await us.send({ method: 'DELETE', path: '/v1/subscriptions/sub_1' })
    expect(outcome).toMatchObject({ ok: false, failure: { kind: 'unknown' } })
  })

  test.each([
    ['an instant that is text', { current_period_end: 'soon' }],
    ['an instant beyond every calendar', { canceled_at: 1e300 }],
    ['a part of a second', { created: 0.5 }],
    ['a currency that is none', { currency: 'constructor' }],
    ['one of them deep inside', { items: { object: 'list', data: [{ object: 'x', price: { currency: '' } }] } }],
  ])('%s is not an answer', async (_what, field) => {
    const us = await answering(() => Response.json({ object: 'subscription', id: 'sub_1', ...field }))
    expect(await us.send({ method: 'GET', path: '/v1/subscriptions/sub_1' })).toMatchObject({
      failure: { kind: 'retryable', code: 'not_an_answer' },
    })
  })

  test('text that people write is not checked', async () => {
    const metadata = { created: 'in spring', currency: 'euro' }
    const us = await answering(() => Response.json({ object: 'subscription', id: 'sub_1', created: 1, metadata }))
    expect(await us.send({ method: 'GET', path: '/v1/subscriptions/sub_1' })).toMatchObject({ ok: true })
  })

  test('a malformed address of the next page is reported in words', async () => {
    const page = {
      object: 'list',
      data: [{ object: 'price', id: 'price_1' }],
      has_more: true,
      next_page_url: 'https://[',
    }
    const us = await answering(() => Response.json(page))
    const read = async (): Promise<void> => {
      for await (const one of us.list('/v1/prices')) expect(one.id).toBe('price_1')
    }
    expect(await told(read())).toBe('in words')
  })

  test('a requested wait is limited', async () => {
    const us = await answering(() =>
      Response.json({ error: { message: 'slow' } }, { status: 429, headers: { 'retry-after': '1e9' } }),
    )
    expect(await us.send({ method: 'GET', path: '/v1/prices' })).toMatchObject({ failure: { retryAfter: 120 } })
  })
})

describe('the clock that reads the answers', () => {
  const date = (iso: string): string => new Date(iso).toUTCString()
  const heard = (...texts: string[]): string => {
    const clock = answeredClock(() => Date.parse('2020-01-01T00:00:00Z'))
    for (const text of texts) clock.hear(new Headers({ date: text }))
    return new Date(clock.now() * 1_000).toISOString()
  }
  const good = [date('2026-12-01T12:00:00Z'), date('2026-12-01T12:00:01Z')]

  test.each([
    '',
    '1',
    '2026',
    '2030-01-01T00:00:00Z',
    'Thu, 01 Jan 1970 00:00:00 GMT',
    'Fri, 31 Dec 9999 23:59:59 GMT',
  ])('ignores %j', (odd) => {
    expect(heard(odd)).toBe('2020-01-01T00:00:00.000Z')
    expect(heard(...good, odd)).toBe('2026-12-01T12:00:01.000Z')
  })

  test('a wrong later date is replaced by the next right one', () => {
    const odd = date('2031-05-05T05:05:05Z')
    expect(heard(...good, odd, date('2026-12-01T12:00:02Z'))).toBe('2026-12-01T12:00:02.000Z')
    expect(heard(odd, date('2026-12-01T12:00:02Z'))).toBe('2026-12-01T12:00:02.000Z')
  })

  test('a wrong earlier date is ignored unless another answer agrees', () => {
    const behind = date('2025-05-05T05:05:05Z')
    expect(heard(...good, behind)).toBe('2026-12-01T12:00:01.000Z')
    expect(heard(...good, behind, date('2026-12-01T12:00:03Z'))).toBe('2026-12-01T12:00:03.000Z')
    expect(heard(...good, behind, date('2025-05-05T05:05:06Z'))).toBe('2025-05-05T05:05:06.000Z')
  })

  test('answers in another order do not set it back, and simulated time may jump ahead', () => {
    expect(heard(good[1] ?? '', good[0] ?? '')).toBe('2026-12-01T12:00:01.000Z')
    expect(heard(...good, date('2027-03-01T00:00:00Z'))).toBe('2027-03-01T00:00:00.000Z')
  })
})
