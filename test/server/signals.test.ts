import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { signWebhook, webhookKey } from '../../src/cancel/standard-webhooks.ts'
import { present } from '../../src/core/assert.ts'
import { hookSecret, now, oldHookSecret, relaySecret, runService, type Running } from './service.ts'

let running: Running
beforeEach(async () => {
  running = await runService()
})
afterEach(() => running.service.close())

const post = (path: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${running.service.url}${path}`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  })

const tagged = (tag: string | number = '77', extra: object = {}): string =>
  JSON.stringify({
    id: tag,
    event: 'tag_added',
    payload: [
      { id: String(tag), type: 'contact_tags', attributes: { name: 'cancel' } },
      {
        id: '5',
        type: 'contacts',
        attributes: { name: 'Ada Lind', email: 'ada@example.com', external_user_id: 'cus_1', ...extra },
      },
    ],
  })

describe('hooks of Kajabi', () => {
  test('are stored as ids only, with the offer that the tag names, and then answered', async () => {
    const answer = await post(`/kajabi/hooks/${hookSecret}`, tagged())
    expect([answer.status, await answer.json()]).toEqual([202, { ok: true, id: 'sig_1', duplicate: false }])
    expect(running.signals).toEqual([
      {
        source: 'hook',
        event: 'tag_added',
        contact: '5',
        tag: '77',
        offer: 'membership',
        receivedAt: now,
        message: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      },
    ])
    const again = await post(`/kajabi/hooks/${oldHookSecret}`, tagged())
    expect([again.status, await again.json()]).toEqual([200, { ok: true, id: 'sig_1', duplicate: true }])
  })

  test.each(['GET', 'HEAD'])('are announced by a %s, which succeeds only with the secret', async (method) => {
    const at = (secret: string): Promise<Response> => fetch(`${running.service.url}/kajabi/hooks/${secret}`, { method })
    expect((await at(hookSecret)).status).toBe(200)
    expect((await at('c3'.repeat(16))).status).toBe(404)
  })

  test.each([
    ['another tag', tagged('78'), 'tag_means_nothing'],
    ['a tag taken away', tagged().replace('tag_added', 'tag_removed'), 'event_never_acts'],
    ['a purchase', JSON.stringify({ id: '1', event: 'purchase', payload: [] }), 'event_never_acts'],
    [
      'a hook of the other kind',
      JSON.stringify({ id: 'x', event: 'payment.succeeded', member: { email: 'ada@example.com' } }),
      'event_never_acts',
    ],
    [
      'no contact',
      JSON.stringify({ id: '77', event: 'tag_added', payload: [{ id: '77', type: 'contact_tags' }] }),
      'names_no_contact_or_tag',
    ],
    ['ids that are not ids', tagged('77; drop table'), 'names_no_contact_or_tag'],
    [
      'an unknown form',
      JSON.stringify({
        id: '1',
        event: 'form_submission',
        payload: [
          { id: '1', type: 'form_submissions' },
          { id: '56', type: 'forms' },
        ],
      }),
      'form_means_nothing',
    ],
    ['something else', '[1, 2]', 'not_a_hook'],
  ])('with %s are answered and not stored', async (_, body, ignored) => {
    const answer = await post(`/kajabi/hooks/${hookSecret}`, body)
    expect([answer.status, await answer.json()]).toEqual([200, { ok: true, ignored }])
    expect(running.signals).toEqual([])
  })

  test('of a form name the submission and never the entered address', async () => {
    const payload = [
      { id: '900', type: 'form_submissions', attributes: { email: 'somebody.else@example.com', name: 'X' } },
      { id: 55, type: 'forms' },
    ]
    expect(
      (await post(`/kajabi/hooks/${hookSecret}`, JSON.stringify({ id: '900', event: 'form_submission', payload })))
        .status,
    ).toBe(202)
    expect(running.signals).toEqual([
      { source: 'form', event: 'form_submission', offer: 'membership', message: '900', receivedAt: now },
    ])
  })

  test.each([
    ['no JSON', '{', 'application/json', 400],
    ['nothing', '', 'application/json', 400],
    ['deep nesting', '['.repeat(50_000) + ']'.repeat(50_000), 'application/json', 400],
    ['a megabyte', `"${'x'.repeat(1_000_000)}"`, 'application/json', 413],
    ['a form', 'a=b', 'application/x-www-form-urlencoded', 415],
    ['XML', '<a/>', 'application/xml', 415],
  ])('with %s are refused', async (_, body, type, status) => {
    const answer = await post(`/kajabi/hooks/${hookSecret}`, body, { 'content-type': type })
    expect(answer.status).toBe(status)
    expect(await answer.text()).toMatch(/^\{"error":"\w+"\}$/)
    expect(running.signals).toEqual([])
  })

  test('that cannot be stored get an answer to try again, and raise an alarm', async () => {
    running.store.accept = () => Promise.reject(new Error('disk full'))
    const answer = await post(`/kajabi/hooks/${hookSecret}`, tagged())
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5'])
    expect(running.alerts).toMatchObject([{ key: 'store', severity: 'critical' }])
  })

  test('with an unknown secret get 404, even a thousand times', async () => {
    for (let n = 0; n < 1_000; n += 50) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, m) => post(`/kajabi/hooks/${'d'.repeat(20)}${n + m}`, tagged())),
      )
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404]))
    }
    expect(running.signals).toEqual([])
  })

  test('leave no secret, address or name in the log', async () => {
    await post(`/kajabi/hooks/${hookSecret}`, tagged())
    await post(`/kajabi/hooks/${hookSecret}x`, tagged())
    await fetch(`${running.service.url}/nowhere/ada@example.com`)
    const log = JSON.stringify(running.lines)
    expect(running.lines.map(({ route, status }) => [route, status])).toEqual([
      ['/kajabi/hooks/:secret', 202],
      ['/kajabi/hooks/:secret', 404],
      ['none', 404],
    ])
    for (const secret of [hookSecret, 'ada@', 'Ada', '@example']) expect(log).not.toContain(secret)
  })
})

describe('behind proxies', () => {
  const burst = async (trusted: number | string[], header: (n: number) => string): Promise<number> => {
    const near = await runService({ options: { requestsPerMinute: 20, trustProxy: trusted } })
    let limited = 0
    for (let n = 0; n < 40; n++) {
      const answer = await fetch(`${near.service.url}/cancel/a.b`, { headers: { 'x-forwarded-for': header(n) } })
      if (answer.status === 429) limited++
    }
    expect((await fetch(`${near.service.url}/readyz`)).status).toBe(200)
    await near.service.close()
    return limited
  }

  test.each([
    ['one proxy, and made-up entries in front', 1, (n: number) => `10.0.0.${n}, 203.0.113.9`, 20],
    ['two proxies, and made-up entries in front', 2, (n: number) => `10.0.0.${n}, 203.0.113.9, 192.0.2.1`, 20],
    ['a proxy by its address', ['127.0.0.1'], (n: number) => `10.0.0.${n}, 203.0.113.9`, 20],
    ['no proxy, so that the header means nothing', 0, (n: number) => `10.0.0.${n}`, 20],
    ['one proxy and many senders', 1, (n: number) => `203.0.113.${n}`, 0],
    ['one proxy and one network of IPv6', 1, (n: number) => `2001:db8::${n}`, 20],
    ['one proxy and many networks of IPv6', 1, (n: number) => `2001:db8:0:${n}::1`, 0],
  ] as const)('%s: only the nearest proxies are believed', async (_, trusted, header, limited) => {
    expect(await burst(typeof trusted === 'number' ? trusted : [...trusted], header)).toBe(limited)
  })
})

describe('a relay', () => {
  const key = present(webhookKey(relaySecret), 'relay key')
  const signed = (body: string, at = now, id = 'msg_1'): Record<string, string> => ({
    'webhook-id': id,
    'webhook-timestamp': String(at),
    'webhook-signature': signWebhook(id, at, body, key),
  })
  const request = JSON.stringify({ offer: 'membership', contact: '5' })

  test('is accepted by its signature, once for each message', async () => {
    expect((await post('/cancel', request, signed(request))).status).toBe(202)
    expect((await post('/cancel', request, signed(request))).status).toBe(200)
    expect(running.signals).toEqual([
      { source: 'relay', event: 'cancel', offer: 'membership', contact: '5', receivedAt: now, message: 'msg_1' },
    ])
  })

  test('may sign with the headers of Svix, and send the contact as a number', async () => {
    const body = '{"offer":"membership","contact":5}'
    const headers = Object.entries(signed(body)).map(([name, value]) => [name.replace('webhook-', 'svix-'), value])
    expect((await post('/cancel', body, Object.fromEntries(headers) as Record<string, string>)).status).toBe(202)
    expect(running.signals).toMatchObject([{ contact: '5' }])
  })

  test.each([
    ['no signature', request, {}, 401],
    ['another body', request.replace('5', '6'), signed(request), 401],
    ['an old time', request, signed(request, (now - 301) as typeof now), 401],
    ['no offer', '{"contact":"5"}', signed('{"contact":"5"}'), 422],
    ['an unknown offer', '{"offer":"x","contact":"5"}', signed('{"offer":"x","contact":"5"}'), 422],
    ['nobody', '{"offer":"membership"}', signed('{"offer":"membership"}'), 422],
    [
      'an e-mail address',
      '{"offer":"membership","email":"ada@example.com"}',
      signed('{"offer":"membership","email":"ada@example.com"}'),
      422,
    ],
    ['a fraction', '{"offer":"membership","contact":5.5}', signed('{"offer":"membership","contact":5.5}'), 422],
    ['a number for a text', '{"offer":7,"contact":"5"}', signed('{"offer":7,"contact":"5"}'), 422],
    ...['constructor', '__proto__', 'toString', 'hasOwnProperty'].flatMap(
      (name): [string, string, Record<string, string>, number][] => [
        [`the key ${name}`, `{"${name}":"x"}`, signed(`{"${name}":"x"}`), 422],
        [`the offer ${name}`, `{"offer":"${name}","contact":"5"}`, signed(`{"offer":"${name}","contact":"5"}`), 422],
      ],
    ),
    ['no JSON', 'hello', signed('hello'), 400],
  ])('with %s is refused', async (_, body, headers, status) => {
    const answer = await post('/cancel', body, headers)
    expect(answer.status).toBe(status)
    expect(await answer.text()).not.toContain('ada@')
    expect(running.signals).toEqual([])
  })
})

describe('limits', () => {
  test('an address without a secret is limited; Kajabi is not', async () => {
    const slow = await runService({ options: { requestsPerMinute: 20 } })
    const send = async (secret: string): Promise<number> => {
      const answer = await fetch(`${slow.service.url}/kajabi/hooks/${secret}`, {
        method: 'POST',
        body: tagged(),
        headers: { 'content-type': 'application/json' },
      })
      return answer.status
    }
    const bogus = await Promise.all(Array.from({ length: 40 }, () => send('e5'.repeat(16))))
    expect(bogus.filter((status) => status === 404)).toHaveLength(20)
    expect(bogus.filter((status) => status === 429)).toHaveLength(20)
    expect([202, 200]).toContain(await send(hookSecret))
    await slow.service.close()
  })

  test('a request in flight is answered before the service ends, and none is accepted after', async () => {
    let release = (): void => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    const { accept } = running.store
    let arrived = (): void => {}
    const inside = new Promise<void>((resolve) => (arrived = resolve))
    running.store.accept = async (signal) => {
      arrived()
      await held
      return accept(signal)
    }
    const flying = post(`/kajabi/hooks/${hookSecret}`, tagged())
    await inside
    const closing = running.service.close()
    release()
    expect((await flying).status).toBe(202)
    await closing
    await expect(post(`/kajabi/hooks/${hookSecret}`, tagged())).rejects.toThrow(/fetch failed/)
  })

  test.each([
    ['its headers', 'POST /cancel HTTP/1.1\r\nhost: x\r\n', 'x-more: y\r\n'],
    [
      'its body',
      'POST /cancel HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n',
      ' ',
    ],
  ])('a sender that never ends %s is cut off in the configured time', async (_, begin, more) => {
    const patience = { headers: 300, request: 400, silence: 10_000, check: 50 }
    const slow = await runService({ options: { patience } })
    const { port, hostname } = new URL(slow.service.url)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    socket.write(begin)
    const dripping = setInterval(() => socket.write(more), 100)
    const answer = await new Promise<string>((resolve) => {
      let text = ''
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
      socket.on('close', () => resolve(text))
    })
    clearInterval(dripping)
    // The rest of the request may reset the connection before the answer is read.
    expect(answer).toMatch(/^(HTTP\/1.1 408 |$)/)
    await slow.service.close()
  })

  test('half a request does not disturb others', async () => {
    const { port, hostname } = new URL(running.service.url)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    socket.write(
      'POST /cancel HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"of',
    )
    expect((await post(`/kajabi/hooks/${hookSecret}`, tagged())).status).toBe(202)
    socket.destroy()
  })
})
