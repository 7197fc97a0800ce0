import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { LogLine } from '../engine/inbox/context.ts'
import type { ServiceStatus } from '../engine/inbox/status.ts'

/**
 * Where a request came in. Never an id or a path: labels are few and known
 * (https://prometheus.io/docs/practices/naming/).
 */
export type Door = 'hook' | 'relay' | 'link' | 'stripe'

export interface Metrics {
  /** What Prometheus is told; a store that cannot be read leaves the gauges as they were. */
  text(): Promise<string>
  readonly contentType: string
  request(door: Door, outcome: string): void
  refused(door: Door, reason: string): void
  /** A signal was accepted here; its latency is counted from now. */
  accepted(id: string): void
  /**
   * Reads the worker's log lines: what was done. @returns milliseconds from acceptance to this
   * line's end or confirmation, where it was accepted here
   */
  heard(line: LogLine): number | undefined
  /**
   * Of the last cancels that were accepted and confirmed by this process; undefined before the
   * first.
   */
  latency(): Latency | undefined
  /** Kajabi's API answered; `status` 0 when it did not. */
  kajabi(route: string, status: number): void
}

/** Milliseconds from acceptance to Stripe's word. */
export interface Latency {
  readonly cancels: number
  readonly half: number
  readonly slowest: number
}

/** Cancels that the status page tells of. */
const recent = 50

/**
 * Signals whose latency is still being counted; older ones are forgotten rather than kept for ever.
 */
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
  const cancels = new Counter({
    name: 'crossbill_stripe_cancels_total',
    help: 'Cancels sent to Stripe, by what came of them.',
    labelNames: ['outcome'],
    registers,
  })
  const kajabi = new Counter({
    name: 'crossbill_kajabi_api_requests_total',
    help: 'Requests to the API of Kajabi.',
    labelNames: ['route', 'status_class'],
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
  const storeUnreadable = new Counter({
    name: 'crossbill_store_unreadable_total',
    help: 'Times that the store could not be read for these figures.',
    registers,
  })
  const readStatus = registerStatus(registry, options.status)

  const since = new Map<string, number>()
  const last: number[] = []
  return {
    contentType: registry.contentType,
    async text() {
      await readStatus().catch(() => storeUnreadable.inc())
      return registry.metrics()
    },
    request: (source, outcome) => requests.inc({ source, outcome }),
    refused: (source, reason) => failures.inc({ source, reason }),
    latency() {
      if (last.length === 0) return undefined
      const sorted = last.toSorted((a, b) => a - b)
      const half = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
      return { cancels: last.length, half, slowest: sorted.at(-1) ?? 0 }
    },
    kajabi: (route, status) =>
      kajabi.inc({ route, status_class: status === 0 ? 'none' : `${Math.floor(status / 100)}xx` }),
    accepted(id) {
      if (since.size >= followed) since.delete(since.keys().next().value ?? '')
      since.set(id, options.milliseconds())
    },
    heard(line) {
      const { event, id, state, source, outcome } = line
      if (event === 'stripe_cancel') cancels.inc({ outcome: String(outcome) })
      if (event === 'signal') ends.inc({ source: String(source), state: String(state) })
      if (event !== 'signal' && event !== 'stripe_confirmed') return undefined
      const begun = since.get(String(id))
      if (begun === undefined) return undefined
      const milliseconds = Math.round(options.milliseconds() - begun)
      if (event === 'stripe_confirmed') {
        latency.observe(milliseconds / 1_000)
        if (last.push(milliseconds) > recent) last.shift()
      }
      if (event === 'signal' && state !== 'retry') since.delete(String(id))
      return milliseconds
    },
  }
}

/**
 * Gauges of what the store holds. @returns what brings them up to date: before they are told, since
 * gauges are told side by side
 */
function registerStatus(registry: Registry, status: () => Promise<ServiceStatus>): () => Promise<void> {
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
  const drift = new Gauge({
    name: 'crossbill_reconcile_drift_subscriptions',
    help: 'What the last reconciliation found: offers missing, offers taken away, hooks made again, holds put back.',
    labelNames: ['kind'],
    registers,
  })
  const dead = new Gauge({
    name: 'crossbill_dead_letter_events',
    help: 'Signals that wait for a person.',
    registers,
  })
  const signals = new Gauge({
    name: 'crossbill_inbox_events',
    help: 'Signals in the inbox by state.',
    labelNames: ['state'],
    registers,
  })
  return async () => {
    const now = await status()
    for (const [state, count] of Object.entries(now.states)) signals.set({ state }, count)
    dead.set(now.states['dead'] ?? 0)
    age.set(now.oldestPendingSeconds ?? 0)
    breaker.set(now.breaker === undefined ? 0 : 1)
    if (now.lastReconciliation === undefined) return
    reconciled.set(now.lastReconciliation.at)
    for (const [kind, count] of Object.entries(now.lastReconciliation.found)) drift.set({ kind }, count)
  }
}
