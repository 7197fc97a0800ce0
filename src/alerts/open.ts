import { formatInstant, type Instant } from '../core/instant.ts'
import type { Alert, LogLine } from '../engine/inbox/context.ts'
import { Bundle } from './bundle.ts'
import type { Channel } from './channels.ts'

export interface AlertOptions {
  readonly project: string
  readonly channels: readonly Channel[]
  readonly fetch: typeof globalThis.fetch
  readonly clock: () => Instant
  /** Waits for that many seconds. */
  readonly wait: (seconds: number) => Promise<void>
  readonly log: (line: LogLine) => void
}

export interface Alerts {
  /** Sends a message, or adds a known cause to the next digest. Returns at once. */
  readonly alert: (alert: Alert) => void
  /** Waits until every alert so far is delivered or given up. */
  flush(): Promise<void>
}

const pauses = [1, 5, 30, 120, 300]

/**
 * Opens the alert channels. Every alert is logged as well, so that a service without channels is
 * not silent. No other work waits for an alert.
 */
export function openAlerts(options: AlertOptions): Alerts {
  const bundle = new Bundle()
  const flying = new Set<Promise<void>>()
  let waiting = false
  const log = ({ key, severity, summary, fix, resolved }: Alert): void =>
    options.log({
      level: severity === 'critical' && resolved !== true ? 'error' : 'warn',
      event: resolved === true ? 'alert_over' : 'alert',
      key,
      summary,
      fix,
    })
  const send = (alert: Alert, now: Instant): void => {
    for (const channel of options.channels) {
      const sent: Promise<void> = deliver(options, channel, alert, now).finally(() => flying.delete(sent))
      flying.add(sent)
    }
  }
  const sendDigest = (): void => {
    const now = options.clock()
    const digest = bundle.digest(now)
    if (digest === undefined) return
    log(digest)
    send(digest, now)
  }
  const waitForDigest = async (): Promise<void> => {
    if (waiting) return
    waiting = true
    for (let left = bundle.waits(options.clock()); left !== undefined; left = bundle.waits(options.clock())) {
      if (left > 0) await options.wait(left)
      if ((bundle.waits(options.clock()) ?? 1) <= 0) sendDigest()
      // Another call flushed the digest, or the clock stands still: the next alert checks again.
      else break
    }
    waiting = false
  }
  return {
    alert(alert) {
      const now = options.clock()
      const isNew = bundle.isNew(alert)
      const message = bundle.take(alert, now)
      // The log has every new case, including those that only add to the next digest.
      if (message !== undefined || isNew) log(alert)
      if (message !== undefined) send(message, now)
      if (bundle.waits(now) !== undefined) void waitForDigest()
    },
    async flush() {
      sendDigest()
      await Promise.all(flying)
    },
  }
}

async function deliver(options: AlertOptions, channel: Channel, alert: Alert, now: Instant): Promise<void> {
  const message = channel(alert, { project: options.project, at: formatInstant(now) })
  if (message === undefined) return
  for (const pause of [...pauses, undefined]) {
    const { done, retryAfter } = await message(options.fetch)
    if (done === 'delivered') return
    if (done === 'refused' || pause === undefined) break
    await options.wait(Math.max(pause, retryAfter))
  }
  options.log({ level: 'error', event: 'alert_not_delivered', key: alert.key })
}
