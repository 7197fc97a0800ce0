import { describe, expect, test } from 'vitest'
import { pagerDuty, slack, webhook } from '../../src/alerts/channels.ts'
import { Bundle } from '../../src/alerts/bundle.ts'
import { openAlerts } from '../../src/alerts/open.ts'
import { instant } from '../../src/core/instant.ts'
import type { Alert, LogLine } from '../../src/engine/inbox/context.ts'

const breaker: Alert = {
  key: 'breaker',
  severity: 'critical',
  summary: 'cancelling has stopped: <50 & more>',
  fix: 'crossbill inbox resume',
}

function setUp(answers: (() => Response)[] = []) {
  const clock = { now: 1_800_000_000 }
  const sent: { url: string; body: Record<string, unknown> }[] = []
  const waits: number[] = []
  const lines: LogLine[] = []
  const alerts = openAlerts({
    project: 'school',
    channels: [slack('https://hooks.example/secret'), pagerDuty('R'.repeat(32)), webhook('https://own.example/in')],
    fetch: (input, init) => {
      sent.push({
        url: input instanceof Request ? input.url : String(input),
        body: JSON.parse(init?.body as string) as Record<string, unknown>,
      })
      return Promise.resolve().then(() => answers.shift()?.() ?? new Response('ok'))
    },
    clock: () => instant(clock.now),
    wait: (seconds) => {
      waits.push(seconds)
      return Promise.resolve()
    },
    log: (line) => void lines.push(line),
  })
  return { alerts, clock, sent, waits, lines }
}

describe('an alert', () => {
  test('reaches every channel in its own format, with the command that helps', async () => {
    const { alerts, sent } = setUp()
    alerts.alert(breaker)
    await alerts.flush()
    expect(sent).toEqual([
      {
        url: 'https://hooks.example/secret',
        body: {
          text: ':rotating_light: *school*: cancelling has stopped: &lt;50 &amp; more&gt;',
          blocks: [
            {
              type: 'section',
              text: {
                type: 'mrkdwn',
                text: ':rotating_light: *school*: cancelling has stopped: &lt;50 &amp; more&gt;',
              },
            },
            { type: 'context', elements: [{ type: 'mrkdwn', text: '`crossbill inbox resume`' }] },
          ],
        },
      },
      {
        url: 'https://events.pagerduty.com/v2/enqueue',
        body: {
          routing_key: 'R'.repeat(32),
          event_action: 'trigger',
          dedup_key: 'crossbill/school/breaker',
          payload: {
            summary: 'cancelling has stopped: <50 & more>',
            source: 'school',
            severity: 'critical',
            timestamp: '2027-01-15T08:00:00Z',
            component: 'crossbill',
            custom_details: { fix: 'crossbill inbox resume' },
          },
        },
      },
      {
        url: 'https://own.example/in',
        body: { ...breaker, project: 'school', at: '2027-01-15T08:00:00Z', resolved: false },
      },
    ])
  })

  test('is sent at once, repeated after an hour while the cause lasts, and resolved once', async () => {
    const { alerts, clock, sent } = setUp()
    const tell = async (alert: Alert, after: number): Promise<number> => {
      clock.now += after
      alerts.alert(alert)
      await alerts.flush()
      return sent.splice(0).length
    }
    expect(await tell({ ...breaker, resolved: true }, 0)).toBe(0)
    expect(await tell(breaker, 0)).toBe(3)
    expect(await tell(breaker, 3_599)).toBe(0)
    expect(await tell({ ...breaker, key: 'another' }, 0)).toBe(3)
    expect(await tell(breaker, 1)).toBe(3)
    expect(await tell({ ...breaker, resolved: true }, 1)).toBe(3)
    expect(await tell({ ...breaker, resolved: true }, 1)).toBe(0)
    expect(await tell(breaker, 1)).toBe(3)
  })

  test('a night of 5,000 dead letters makes at most twenty messages, and the first of each cause is immediate', () => {
    const bundle = new Bundle()
    const messages: Alert[] = []
    const causes = ['nobody', 'ambiguous', 'no_offer_named', 'resource_missing', 'given_up']
    const began = new Map<string, number>()
    const told = new Map<string, number>()
    for (let n = 0; n < 5_000; n++) {
      const now = instant(1_800_000_000 + Math.floor((n * 8 * 3_600) / 5_000))
      if ((bundle.waits(now) ?? 1) <= 0) messages.push(...[bundle.digest(now)].filter((one) => one !== undefined))
      const cause = causes[Math.min(n % 97 === 0 ? 4 : Math.floor((n * 4) / 5_000), 4)] ?? ''
      if (!began.has(cause)) began.set(cause, now)
      const message = bundle.take({ ...breaker, key: `dead sig_${n}`, group: `dead ${cause}`, summary: cause }, now)
      if (message === undefined) continue
      messages.push(message)
      told.set(cause, now)
    }
    expect(messages.length).toBeLessThanOrEqual(20)
    expect(told).toEqual(began)
  })

  test('news of several causes is one message, and no message for PagerDuty, which has an incident for each cause', async () => {
    const { alerts, sent } = setUp()
    for (const cause of ['nobody', 'ambiguous'])
      for (let n = 0; n < 3; n++)
        alerts.alert({ ...breaker, key: `dead ${cause} ${n}`, group: `dead ${cause}`, summary: `${cause} ${n}` })
    await alerts.flush()
    const texts = sent.filter(({ url }) => url.includes('own.example')).map(({ body }) => body['summary'])
    expect(texts).toEqual(['nobody 0', 'ambiguous 0', '2 more, the last: nobody 2 — 2 more, the last: ambiguous 2'])
    expect(sent.filter(({ url }) => url.includes('pagerduty'))).toHaveLength(2)
  })

  test('is resolved in PagerDuty under the key that triggered it', async () => {
    const { alerts, sent } = setUp()
    alerts.alert(breaker)
    alerts.alert({ ...breaker, resolved: true })
    await alerts.flush()
    const events = sent
      .filter(({ url }) => url.includes('pagerduty'))
      .map(({ body }) => [body['event_action'], body['dedup_key']])
    expect(events).toEqual([
      ['trigger', 'crossbill/school/breaker'],
      ['resolve', 'crossbill/school/breaker'],
    ])
  })

  test('is sent again after a failure, not earlier than the channel asks, and never after a refusal', async () => {
    const trouble = [
      () => new Response('', { status: 429, headers: { 'retry-after': '40' } }),
      () => new Response('', { status: 400 }),
      () => {
        throw new TypeError('fetch failed')
      },
    ]
    const { alerts, sent, waits, lines } = setUp(trouble)
    alerts.alert(breaker)
    await alerts.flush()
    expect(sent.map(({ url }) => new URL(url).host).sort()).toEqual([
      'events.pagerduty.com',
      'hooks.example',
      'hooks.example',
      'own.example',
      'own.example',
    ])
    expect(waits.sort((a, b) => a - b)).toEqual([1, 40])
    expect(lines.map(({ event }) => event)).toEqual(['alert', 'alert_not_delivered'])
  })

  test('that no channel accepts is given up in the end, and the log says so without the address', async () => {
    const { alerts, sent, lines } = setUp(Array.from({ length: 18 }, () => () => new Response('', { status: 503 })))
    alerts.alert(breaker)
    await alerts.flush()
    expect(sent).toHaveLength(18)
    expect(lines.filter(({ event }) => event === 'alert_not_delivered')).toHaveLength(3)
    expect(JSON.stringify(lines)).not.toMatch(/hooks\.example|RRRR/)
  })
})
