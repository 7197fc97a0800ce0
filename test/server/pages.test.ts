import { createHmac, randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { signLink } from '../../src/cancel/link.ts'
import { formatInstant, instant } from '../../src/core/instant.ts'
import { failed, success } from '../../src/core/outcome.ts'
import type { ServerSecrets } from '../../src/server/context.ts'
import { hookSecret, linkSecret, now, relaySecret, runService, secrets, type Running } from './service.ts'

let running: Running
beforeEach(async () => {
  running = await runService()
})
afterEach(() => running.service.close())

const token = (more: { key?: Buffer; expires?: number; id?: string } = {}): string =>
  signLink(
    {
      subscriber: 'us/sub_1',
      offer: 'membership',
      expires: instant(more.expires ?? now + 600),
      id: more.id ?? 'link-1',
    },
    more.key ?? Buffer.from(linkSecret, 'base64'),
  )
const page = async (
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; text: string; headers: Headers }> => {
  const answer = await fetch(`${running.service.url}${path}`, init)
  return { status: answer.status, text: await answer.text(), headers: answer.headers }
}
const press = (link = token()) =>
  page(`/cancel/${link}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: '',
  })

describe("a member's link", () => {
  test('shows what ends and when, and opening it, however often, changes nothing', async () => {
    const { status, text, headers } = await page(`/cancel/${token()}`)
    expect(status).toBe(200)
    expect(text).toContain('This ends Formulation Membership.')
    expect(text).toContain('Your access ends as soon as you confirm.')
    expect(text).toContain('Your next payment, due on 16 January 2027, will not be taken.')
    expect(text).toContain('<form method="post">')
    expect(text).not.toMatch(/<script|us\/sub_1/)
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('content-security-policy')).toMatch(
      /default-src 'none';style-src 'sha256-[\w+/=]+';form-action 'self';frame-ancestors 'none'/,
    )
    await page(`/cancel/${token()}`)
    await page(`/cancel/${token()}`, { method: 'HEAD' })
    expect(running.signals).toEqual([])
  })

  test('stores the request for its subscription when pressed; pressed again, it is the same request', async () => {
    expect((await press()).text).toContain('Your cancellation is in progress')
    expect((await press()).text).toContain('Your cancellation is in progress')
    expect(running.signals).toEqual([
      {
        source: 'link',
        event: 'cancel',
        subscriber: 'us/sub_1',
        offer: 'membership',
        receivedAt: now,
        message: 'link-1',
      },
    ])
  })

  test('leads to the page with the state when pressed: Back, reload and a second tab send nothing again', async () => {
    const pressed = await fetch(`${running.service.url}/cancel/${token()}`, { method: 'POST', redirect: 'manual' })
    expect([pressed.status, pressed.headers.get('location')]).toEqual([303, `./${token()}`])
    const again = await page(`/cancel/${token()}`)
    expect([again.status, again.text.includes('Your cancellation is in progress')]).toEqual([200, true])
    expect(again.text).not.toContain('<form')
    expect(again.text).toContain(`<a href="./${token()}">Check whether it is done</a>`)
    expect((await press()).text).not.toContain('<form')
    expect(running.signals).toHaveLength(1)
  })

  test.each([
    ['done', 200, 'Your membership is cancelled'],
    ['person', 200, 'We are working on your cancellation'],
    ['over', 410, 'This link does not work'],
  ] as const)('whose request is %s says so, and has no form', async (state, status, says) => {
    running.pressed.set('link-1', state)
    const answer = await page(`/cancel/${token()}`)
    expect([answer.status, answer.text.includes(says), answer.text.includes('<form')]).toEqual([status, true, false])
    expect((await page(`/cancel/${token({ id: 'link-2' })}`)).text).toContain('<form')
  })

  test('shows until when access lasts after a finished cancel', async () => {
    running.pressed.set('link-1', 'done')
    running.ending.value = success({
      state: 'ending',
      products: ['A'],
      endsAt: instant(now + 10 * 86_400),
      nextPayment: undefined,
    })
    expect((await page(`/cancel/${token()}`)).text).toContain('You keep your access until 25 January 2027.')
  })

  test('of a membership that is already ending has no button', async () => {
    const endsAt = instant(now + 10 * 86_400)
    running.ending.value = success({ state: 'ending', products: ['A'], endsAt, nextPayment: undefined })
    const { text } = await page(`/cancel/${token()}`)
    expect(text).toContain('You keep your access until 25 January 2027, and no further payment will be taken.')
    expect(text).not.toContain('<form')
  })

  test.each([
    ['en', { amount: 4_660, currency: 'eur' }, '€46.60'],
    ['en', { amount: 29_550, currency: 'jpy' }, 'JP¥29,550'],
    ['en', { amount: 12_500, currency: 'kwd' }, 'KWD 12.500'],
    ['de', { amount: 4_660, currency: 'eur' }, '46,60 €'],
    ['de', { amount: 29_550, currency: 'jpy' }, '29.550 ¥'],
  ])(
    'names in %s the payment that is not taken, in the format of its reader: %o',
    async (language, nextAmount, shown) => {
      running.ending.value = success({
        state: 'live',
        products: ['A'],
        endsAt: now,
        nextPayment: instant(now + 86_400),
        nextAmount,
      })
      const { text } = await page(`/cancel/${token()}`, { headers: { 'accept-language': language } })
      expect(text.replaceAll('\u00a0', ' ')).toContain(shown)
    },
  )

  test('names the school and its contact', async () => {
    await running.service.close()
    running = await runService({ school: { name: 'Soap & Sense', contact: 'help@school.example' } })
    const { text } = await page(`/cancel/${token()}`)
    expect(text).toContain('<title>Cancel your membership – Soap &amp; Sense</title>')
    expect(text).toContain('<p class="from">Soap &amp; Sense</p>')
    expect(text).toContain('<a href="mailto:help@school.example">help@school.example</a>')
    expect((await page('/cancel/broken')).text).toContain('mailto:help@school.example')
  })

  test('uses the language of its reader, otherwise English', async () => {
    const inLanguage = async (header: string): Promise<string> =>
      (await page(`/cancel/${token()}`, { headers: { 'accept-language': header } })).text
    expect(await inLanguage('de-AT,de;q=0.9,en;q=0.5')).toContain('<html lang="de">')
    expect(await inLanguage('de;q=0.1,en;q=0.9')).toContain('<html lang="en">')
    expect(await inLanguage('fi, ja;q=0.8')).toContain('<html lang="en">')
    expect(await inLanguage('ja, fr-CA;q=0.8')).toContain('<html lang="fr">')
    expect(await inLanguage(`${'x,'.repeat(5_000)}`)).toContain('<html lang="en">')
  })

  test('shows that access lasts until the period ends', async () => {
    running.ending.value = success({
      state: 'live',
      products: ['A', 'B & C', 'D'],
      endsAt: instant(now + 10 * 86_400),
      nextPayment: undefined,
    })
    const { text } = await page(`/cancel/${token()}`)
    expect(text).toContain('This ends A, B &amp; C and D.')
    expect(text).toContain('You keep your access until 25 January 2027.')
    expect(text).not.toContain('next payment')
  })

  test('works while Stripe does not', async () => {
    running.ending.value = failed({ kind: 'retryable', code: 'timeout', message: '', status: 0 })
    expect((await page(`/cancel/${token()}`)).text).toContain('This ends your membership.')
    expect((await press()).status).toBe(200)
    expect(running.signals).toHaveLength(1)
  })

  test('says when nothing is left to cancel', async () => {
    running.ending.value = success({ state: 'ended', products: [], endsAt: now, nextPayment: undefined })
    expect((await page(`/cancel/${token()}`)).text).toContain('There is nothing to cancel')
  })

  test('says when the request could not be stored', async () => {
    running.store.accept = () => Promise.reject(new Error('disk full'))
    const { status, text } = await press()
    expect([status, text.includes('Nothing was changed')]).toEqual([503, true])
  })

  test.each([
    ['expired', () => token({ expires: now - 1 })],
    ['forged', () => token({ key: randomBytes(32) })],
    ['cut short', () => token().slice(0, -1)],
    ['lengthened', () => `${token()}x`],
    ['made up', () => 'hello'],
    ['huge', () => 'x'.repeat(1_500)],
  ])('that is %s is refused in words, even when pressed', async (_, made) => {
    for (const answer of [await page(`/cancel/${made()}`), await press(made())]) {
      expect(answer.status).toBe(404)
      expect(answer.text).toContain('This link does not work')
    }
    expect(running.signals).toEqual([])
  })
})

describe('a page during failures elsewhere', () => {
  test('is shown with its button within two seconds while Stripe hangs or fails', async () => {
    const odd = [() => new Promise<never>(() => {}), () => Promise.reject(new Error('odd'))]
    for (const describe of odd) {
      const near = await runService({ describe })
      const began = performance.now()
      const answer = await fetch(`${near.service.url}/cancel/${token()}`)
      expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('<form')])
      expect(performance.now() - began).toBeLessThan(2_000)
      await near.service.close()
    }
  })

  test('a link with a valid signature and malformed claims is a bad link', async () => {
    const key = Buffer.from(linkSecret, 'base64')
    for (const claims of ['{', '[]', '["a","b",1e400,"c"]', '"x"', '[1,2,3,4]']) {
      const body = Buffer.from(claims).toString('base64url')
      const mac = createHmac('sha256', key).update(`crossbill cancel link ${body}`).digest('base64url')
      expect((await page(`/cancel/${body}.${mac}`)).status).toBe(404)
    }
  })
})

describe('the listener for people on call', () => {
  const admin = async (path: string): Promise<{ status: number; text: string }> => {
    const answer = await fetch(`${running.service.adminUrl}${path}`)
    return { status: answer.status, text: await answer.text() }
  }

  test('answers only requests that name an address or this machine, which prevents DNS rebinding', async () => {
    const asked = (host: string): Promise<number> =>
      new Promise((done, failed) => {
        const { hostname, port } = new URL(running.service.adminUrl)
        const sent = request({ hostname, port, path: '/', headers: { host } }, (answer) => {
          answer.resume()
          done(answer.statusCode ?? 0)
        })
        sent.on('error', failed).end()
      })
    expect([await asked('evil.example'), await asked('localhost:1'), await asked('127.0.0.1')]).toEqual([421, 200, 200])
  })

  test('reloads by itself only when its reader asks for it', async () => {
    expect((await admin('/')).text).not.toContain('http-equiv="refresh"')
    expect((await admin('/?watch')).text).toContain('http-equiv="refresh"')
  })

  test('says that all is well', async () => {
    const { text } = await admin('/')
    expect(text).toContain('<h1>All is well</h1>')
    expect(text).toContain('Last reconciliation: 60 min ago, 0 differences')
  })

  test('names the school, who leads and the version, and draws the last cancels', async () => {
    const own = await runService({ school: { name: 'Soap & Sense' } })
    own.status.value = {
      ...own.status.value,
      leases: [{ work: 'leads the service', holder: 'run-1 <b>', expires: instant(now + 12) }],
    }
    own.metrics.accepted('sig_1')
    own.metrics.heard({ level: 'info', event: 'stripe_confirmed', id: 'sig_1' })
    const text = await (await fetch(own.service.adminUrl)).text()
    await own.service.close()
    expect(text).toContain('<title>Soap &amp; Sense: all is well</title>')
    expect(text).toContain('run-1 &lt;b&gt;')
    expect(text).toContain('12 s left')
    expect(text).toMatch(/<svg[^>]* role="img"\s+aria-label="Latency of the last 1 cancels/)
    expect(text).toContain(`0.0.0, Node ${process.versions.node}`)
  })

  test('shows what it read last while the store does not answer, and since when', async () => {
    const own = await runService({})
    const text = async (): Promise<string> => (await fetch(own.service.adminUrl)).text()
    const gone = Object.assign(new Error('gone'), { code: 'store_unreachable' })
    const { value } = own.status
    const fails = { get: () => Promise.reject(gone), configurable: true }
    Object.defineProperty(own.status, 'value', fails)
    expect(await text()).toContain('Nothing was read yet.')
    Object.defineProperty(own.status, 'value', { value, configurable: true })
    expect(await text()).toContain('All is well')
    Object.defineProperty(own.status, 'value', fails)
    await text()
    own.clock.now = instant(now + 60)
    const away = await text()
    await own.service.close()
    expect(away).toContain(
      `The store has not answered since ${formatInstant(now)} (store_unreachable): signals are refused`,
    )
    expect(away).toContain('What follows was read 60 s ago.')
    expect(away).toMatch(/<td>done<\/td>\s*<td>3<\/td>/)
  })

  test('shows troubles first, with the command that helps, and escapes foreign text', async () => {
    running.status.value = {
      states: { received: 1, dead: 2 },
      oldestPendingSeconds: 300,
      breaker: '50 cancels within an hour reached the limit of 50',
      lastReconciliation: { at: instant(now - 60), differences: 4, found: { missing: 4 } },
      dead: [
        { id: 'sig_1', acceptedAt: instant(now - 7_300), state: 'dead', reason: '<b>ambiguous</b>' },
        { id: 'sig_3', acceptedAt: instant(now - 900), state: 'dead', reason: 'source_unknown: no source eu' },
      ],
      waiting: [{ id: 'sig_2', acceptedAt: instant(now - 300), state: 'retry', reason: 'timeout' }],
    }
    const { text } = await admin('/')
    expect(text).toContain('<h1>4 things need attention</h1>')
    for (const part of [
      'Cancelling is stopped: 50 cancels',
      'crossbill inbox resume',
      '2 signals could not be carried out',
      'waited 5 min',
      'found 4 differences',
      'sig_1',
      '2 h ago',
      '&lt;b&gt;ambiguous',
      'an account that the project no longer names. (source_unknown: no source eu)',
      'then retry. <code>crossbill inbox redrive sig_3</code>',
    ])
      expect(text).toContain(part)
    expect(text).not.toContain('<b>')
  })

  test('shows how long cancels take, and that the last reconciliation is days old', async () => {
    expect((await admin('/')).text).toContain('has confirmed no cancel yet')
    await press()
    running.clock.now = instant(now + 3)
    running.metrics.heard({ level: 'info', event: 'stripe_confirmed', id: 'sig_1' })
    running.clock.now = instant(now + 3 * 86_400)
    const { text } = await admin('/')
    expect(text).toContain('last 1: half within 3.0 s, slowest 3.0 s')
    expect(text).toContain('The last reconciliation was 3 days ago')
  })

  test('has metrics with few and known labels', async () => {
    await fetch(`${running.service.url}/kajabi/hooks/${hookSecret}x`, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    })
    await press()
    const { text } = await admin('/metrics')
    expect(text).toContain('crossbill_webhook_auth_failures_total{source="hook",reason="unknown_secret"} 1')
    expect(text).toContain('crossbill_webhook_requests_total{source="link",outcome="accepted"} 1')
    for (const line of [
      'crossbill_inbox_events{state="done"} 3',
      'crossbill_dead_letter_events 0',
      'crossbill_oldest_pending_age_seconds 0',
      'crossbill_reconcile_drift_subscriptions{kind="missing"} 0',
    ])
      expect(text).toContain(line)
    expect(text).toMatch(/crossbill_reconcile_last_success_timestamp_seconds \d/)
    expect(text).toContain('crossbill_build_info{version="0.0.0"} 1')
    expect(text).not.toMatch(/sub_1|sig_1/)
  })

  test('is separate from the public listener', async () => {
    expect((await page('/metrics')).status).toBe(404)
    expect((await page('/')).status).toBe(404)
  })

  test('liveness is the process, readiness the store', async () => {
    const both = async (): Promise<number[]> => [
      (await page('/livez')).status,
      (await page('/readyz')).status,
      (await admin('/readyz')).status,
    ]
    expect(await both()).toEqual([200, 200, 200])
    running.store.ready = false
    expect(await both()).toEqual([200, 503, 503])
  })
})

describe('starting', () => {
  const start = (more: Partial<ServerSecrets>) => runService({ secrets: { ...secrets, ...more } })
  test.each([
    ['a short hook secret', { hooks: ['letmein'] }, /hook_secrets\[0\] is too weak/],
    ['a weak previous secret', { hooks: [hookSecret, 'old'] }, /hook_secrets\[1\] is too weak/],
    ['a short relay secret', { relays: ['whsec_c2hvcnQ='] }, /relay_secrets\[0\] is too weak/],
    ['a short link key', { links: [randomBytes(16).toString('base64')] }, /link_secrets\[0\] is too weak/],
    [
      'a passphrase for a link key',
      { links: ['correct horse battery staple, correct horse battery'] },
      /link_secrets\[0\] is too weak/,
    ],
    [
      'a Stripe secret that is none',
      { stripe: new Map([['target', ['sk_test_123']]]) },
      /stripe_webhook_secrets.target is not a signing secret/,
    ],
    [
      'a secret of an unknown account',
      { stripe: new Map([['intl', [`whsec_${'y'.repeat(32)}`]]]) },
      /intl is not an account/,
    ],
    ['one secret for two doors', { links: [relaySecret.slice(6)], relays: [relaySecret.slice(6)] }, /used twice/],
    [
      'no secret at all',
      { hooks: [], relays: [], links: [], stripe: new Map<string, readonly string[]>() },
      /no secret is configured, so no sender could be accepted/,
    ],
  ])('is refused with %s, which is not quoted', async (_, more, message) => {
    const refusal = await start(more).then(
      async ({ service }) => service.close(),
      (error: unknown) => error,
    )
    expect(refusal).toMatchObject({
      name: 'CommandError',
      code: 'weak_secret',
      message: expect.stringMatching(message) as string,
    })
    for (const secret of ['letmein', 'correct horse', 'sk_test_123', relaySecret.slice(6)])
      expect(String(refusal)).not.toContain(secret)
  })

  test('on an occupied port is refused in words, and no listener stays open', async () => {
    const port = Number(new URL(running.service.url).port)
    await expect(runService({ options: { adminPort: port } })).rejects.toMatchObject({ code: 'port_taken' })
  })
})
