import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { isBug } from '../core/assert.ts'
import type { LogLine } from '../engine/inbox/context.ts'
import type { ServiceStatus } from '../engine/inbox/status.ts'

/**
 * The route group of a request. It is a label, so it never holds an id or a path: labels have few,
 * known values (https://prometheus.io/docs/practices/naming/).
 */
export type Door = 'hook' | 'relay' | 'link' | 'card' | 'stripe'

export interface Metrics {
  /**
   * The text that Prometheus scrapes. When the store cannot be read, the gauges keep their values.
   */
  text(): Promise<string>
  readonly contentType: string
  request(door: Door, outcome: string): void
  refused(door: Door, reason: string): void
  /** A signal was accepted by this process; its latency counts from now. */
  accepted(id: string): void
  /**
   * Counts what a log line of the worker reports. @returns milliseconds from acceptance to the end
   * or confirmation, when this process accepted the signal
   */
  heard(line: LogLine): number | undefined
  /**
   * Latency of the last cancels that this process accepted and confirmed; undefined before the
   * first.
   */
  latency(): Latency | undefined
  /** Counts one answer of Kajabi's API; `status` is 0 when there was no answer. */
  kajabi(route: string, status: number): void
}

/** Milliseconds from acceptance to Stripe's confirmation. */
export interface Latency {
  readonly cancels: number
  readonly half: number
  readonly slowest: number
  /** Each of them, the oldest first. */
  readonly each: readonly number[]
}

/** Number of recent cancels that the status page summarises. */
const recent = 50

/**
 * Largest number of signals whose latency is being measured; the oldest are forgotten first.
 */
const followed = 10_000

export function openMetrics(options: {
  readonly version: string
  readonly status: () => Promise<ServiceStatus>
  /** Monotonic milliseconds. */
  readonly milliseconds: () => number
}): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const requests = new Counter({
    name: 'crossbill_webhook_requests_total',
    help: 'Requests to the cancel service.',
    labelNames: ['source', 'outcome'],
    registers,
  })
  const failures = new Counter({
    name: 'crossbill_webhook_auth_failures_total',
    help: 'Requests refused because a secret or signature is missing or wrong.',
    labelNames: ['source', 'reason'],
    registers,
  })
  const ends = new Counter({
    name: 'crossbill_signals_total',
    help: 'Signals that ended or will be tried again.',
    labelNames: ['source', 'state'],
    registers,
  })
  const cancels = new Counter({
    name: 'crossbill_stripe_cancels_total',
    help: 'Cancels sent to Stripe, by outcome.',
    labelNames: ['outcome'],
    registers,
  })
  const kajabi = new Counter({
    name: 'crossbill_kajabi_api_requests_total',
    help: 'Requests to the Kajabi API.',
    labelNames: ['route', 'status_class'],
    registers,
  })
  const latency = new Histogram({
    name: 'crossbill_cancel_latency_seconds',
    help: 'Seconds from acceptance of a signal to Stripe’s confirmation of the cancel.',
    buckets: [0.5, 1, 2, 5, 10, 30, 60, 300],
    registers,
  })
  new Gauge({ name: 'crossbill_build_info', help: 'The running version.', labelNames: ['version'], registers }).set(
    { version: options.version },
    1,
  )
  const storeUnreadable = new Counter({
    name: 'crossbill_store_unreadable_total',
    help: 'Times that the store could not be read for these metrics.',
    registers,
  })
  const readStatus = registerStatus(registry, options.status)

  const since = new Map<string, number>()
  const last: number[] = []
  return {
    contentType: registry.contentType,
    async text() {
      await readStatus().catch((error: unknown) => {
        if (isBug(error)) throw error
        storeUnreadable.inc()
      })
      return registry.metrics()
    },
    request: (source, outcome) => requests.inc({ source, outcome }),
    refused: (source, reason) => failures.inc({ source, reason }),
    latency() {
      if (last.length === 0) return undefined
      const sorted = last.toSorted((a, b) => a - b)
      const half = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
      return { cancels: last.length, half, slowest: sorted.at(-1) ?? 0, each: [...last] }
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
 * Gauges of what the store holds. @returns a function that updates them. It must run before the
 * registry collects, because the registry collects all gauges concurrently.
 */
function registerStatus(registry: Registry, status: () => Promise<ServiceStatus>): () => Promise<void> {
  const registers = [registry]
  const age = new Gauge({
    name: 'crossbill_oldest_pending_age_seconds',
    help: 'Age of the oldest waiting signal in seconds.',
    registers,
  })
  const breaker = new Gauge({
    name: 'crossbill_breaker_open',
    help: '1 while cancelling is stopped, otherwise 0.',
    registers,
  })
  const reconciled = new Gauge({
    name: 'crossbill_reconcile_last_success_timestamp_seconds',
    help: 'Time of the last successful reconciliation.',
    registers,
  })
  const drift = new Gauge({
    name: 'crossbill_reconcile_drift_subscriptions',
    help: 'Differences that the last reconciliation found, by kind: offers missing, offers revoked, hooks recreated, holds restored.',
    labelNames: ['kind'],
    registers,
  })
  const dead = new Gauge({
    name: 'crossbill_dead_letter_events',
    help: 'Signals that wait for an operator.',
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
