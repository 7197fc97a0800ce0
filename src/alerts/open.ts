import { formatInstant, type Instant } from '../core/instant.ts'
import type { Alert, LogLine } from '../engine/inbox/context.ts'
import type { Channel } from './channels.ts'

export interface AlertOptions {
  readonly project: string
  readonly channels: readonly Channel[]
  readonly fetch: typeof globalThis.fetch
  readonly clock: () => Instant
  /** Lets that many seconds pass. */
  readonly wait: (seconds: number) => Promise<void>
  readonly log: (line: LogLine) => void
}

export interface Alerts {
  /** Tells somebody, unless the same key was told within the hour. Returns at once: nothing ever waits for an alert. */
  readonly alert: (alert: Alert) => void
  /** Until everything told so far has been delivered or given up. */
  flush(): Promise<void>
}

const repeatSeconds = 3_600
const pauses = [1, 5, 30, 120, 300]
/** Keys remembered; more at once means that everything is wrong, and then repeating is no harm. */
const remembered = 5_000

/** Every alert is logged as well, so that a service without channels is not silent. */
export function openAlerts(options: AlertOptions): Alerts {
  const told = new Map<string, Instant>()
  const flying = new Set<Promise<void>>()
  return {
    alert(alert) {
      const now = options.clock()
      const last = told.get(alert.key)
      if (alert.resolved === true) {
        if (!told.delete(alert.key)) return
      } else {
        if (last !== undefined && now - last < repeatSeconds) return
        if (told.size >= remembered) told.clear()
        told.set(alert.key, now)
      }
      const { key, severity, summary, fix } = alert
      options.log({
        level: severity === 'critical' && alert.resolved !== true ? 'error' : 'warn',
        event: alert.resolved === true ? 'alert_over' : 'alert',
        key,
        summary,
        fix,
      })
      for (const channel of options.channels) {
        const sent: Promise<void> = deliver(options, channel, alert, now).finally(() => flying.delete(sent))
        flying.add(sent)
      }
    },
    flush: async () => void (await Promise.all(flying)),
  }
}

async function deliver(options: AlertOptions, channel: Channel, alert: Alert, now: Instant): Promise<void> {
  const message = channel(alert, { project: options.project, at: formatInstant(now) })
  if (message === undefined) return
  for (const pause of [...pauses, undefined]) {
    const { done, retryAfter } = await attempt(options.fetch, message.url, JSON.stringify(message.body))
    if (done === 'delivered') return
    if (done === 'refused' || pause === undefined) break
    await options.wait(Math.max(pause, retryAfter))
  }
  options.log({ level: 'error', event: 'alert_not_delivered', key: alert.key })
}

async function attempt(
  fetch: typeof globalThis.fetch,
  url: string,
  body: string,
): Promise<{ done: 'delivered' | 'refused' | 'later'; retryAfter: number }> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(10_000),
    })
    await answer.arrayBuffer()
    const asked = Number(answer.headers.get('retry-after') ?? 0)
    const retryAfter = Number.isFinite(asked) ? Math.min(asked, 600) : 0
    if (answer.ok) return { done: 'delivered', retryAfter }
    return { done: answer.status === 429 || answer.status >= 500 ? 'later' : 'refused', retryAfter }
  } catch {
    // Not reached, cut or too slow; an alert that arrives twice is better than none.
    return { done: 'later', retryAfter: 0 }
  }
}
