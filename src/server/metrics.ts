import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { LogLine } from '../engine/inbox/context.ts'
import type { ServiceStatus } from '../engine/inbox/status.ts'

/** Where a request came in. Never an id or a path: labels are few and known (https://prometheus.io/docs/practices/naming/). */
export type Door = 'hook' | 'relay' | 'link' | 'stripe'

export interface Metrics {
  readonly registry: Registry
  request(door: Door, outcome: string): void
  refused(door: Door, reason: string): void
  /** A signal was accepted here; its latency is counted from now. */
  accepted(id: string): void
  /** Reads the worker's log lines: what was done, and how long it took. */
  heard(line: LogLine): void
}

/** Signals whose latency is still being counted; older ones are forgotten rather than kept for ever. */
const followed = 10_000

export function openMetrics(options: {
  readonly version: string
  readonly status: () => Promise<ServiceStatus>
  /** Milliseconds, never going back. */
  readonly milliseconds: () => number
}): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const requests = new Counter({
    name: 'crossbill_webhook_requests_total',
    help: 'Requests at the doors of the cancel service.',
    labelNames: ['source', 'outcome'],
    registers,
  })
  const failures = new Counter({
    name: 'crossbill_webhook_auth_failures_total',
    help: 'Requests refused for want of a secret or signature.',
    labelNames: ['source', 'reason'],
    registers,
  })
  const ends = new Counter({
    name: 'crossbill_signals_total',
    help: 'Signals that came to an end, or are tried again.',
    labelNames: ['source', 'state'],
    registers,
  })
  const latency = new Histogram({
    name: 'crossbill_cancel_latency_seconds',
    help: 'From acceptance to the cancel that Stripe confirmed.',
    buckets: [0.5, 1, 2, 5, 10, 30, 60, 300],
    registers,
  })
  new Gauge({ name: 'crossbill_build_info', help: 'The version that runs.', labelNames: ['version'], registers }).set(
    { version: options.version },
    1,
  )
  registerStatus(registry, options.status)

  const since = new Map<string, number>()
  return {
    registry,
    request: (source, outcome) => requests.inc({ source, outcome }),
    refused: (source, reason) => failures.inc({ source, reason }),
    accepted(id) {
      if (since.size >= followed) since.delete(since.keys().next().value ?? '')
      since.set(id, options.milliseconds())
    },
    heard(line) {
      if (line.event !== 'signal') return
      const { id, state, source } = line
      ends.inc({ source: String(source), state: String(state) })
      const begun = since.get(String(id))
      if (begun === undefined || state === 'retry') return
      since.delete(String(id))
      if (state === 'done') latency.observe((options.milliseconds() - begun) / 1_000)
    },
  }
}

/** Gauges that are read from the store when somebody asks for them. */
function registerStatus(registry: Registry, status: () => Promise<ServiceStatus>): void {
  const registers = [registry]
  const age = new Gauge({
    name: 'crossbill_oldest_pending_age_seconds',
    help: 'Age of the oldest signal that waits.',
    registers,
  })
  const breaker = new Gauge({ name: 'crossbill_breaker_open', help: '1 while cancelling is stopped.', registers })
  const reconciled = new Gauge({
    name: 'crossbill_reconcile_last_success_timestamp_seconds',
    help: 'When reconciliation last went through.',
    registers,
  })
  const differences = new Gauge({
    name: 'crossbill_reconcile_differences',
    help: 'What the last reconciliation found.',
    registers,
  })
  const signals = new Gauge({
    name: 'crossbill_inbox_signals',
    help: 'Signals in the inbox by state.',
    labelNames: ['state'],
    registers,
    async collect() {
      const now = await status()
      for (const [state, count] of Object.entries(now.states)) signals.set({ state }, count)
      age.set(now.oldestPendingSeconds ?? 0)
      breaker.set(now.breaker === undefined ? 0 : 1)
      if (now.lastReconciliation === undefined) return
      reconciled.set(now.lastReconciliation.at)
      differences.set(now.lastReconciliation.differences)
    },
  })
}
