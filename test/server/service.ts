import { randomBytes } from 'node:crypto'
import type { Access } from '../../src/catalog/schemas/access.ts'
import type { Signal } from '../../src/cancel/signal.ts'
import { instant, type Instant } from '../../src/core/instant.ts'
import { failed, success } from '../../src/core/outcome.ts'
import type { Alert, LogLine } from '../../src/engine/inbox/context.ts'
import type { ServerContext, ServerSecrets } from '../../src/server/context.ts'
import type { Pressed } from '../../src/engine/inbox/pressed.ts'
import type { School } from '../../src/server/page.ts'
import { openMetrics, type Metrics } from '../../src/server/metrics.ts'
import { startService, type ListenOptions, type Service } from '../../src/server/service.ts'

export const now = instant(1_800_000_000)

export const hookSecret = 'a1'.repeat(16)
export const oldHookSecret = 'b2'.repeat(16)
export const relaySecret = `whsec_${randomBytes(32).toString('base64')}`
export const linkSecret = randomBytes(32).toString('base64')
export const stripeSecret = `whsec_${'x'.repeat(32)}`

const access: Access = {
  offers: {
    membership: { kajabi: '101', prices: ['membership-monthly'], cancel_tags: ['77'] },
    diploma: { kajabi: '102', prices: ['diploma'] },
  },
  forms: { '55': { offer: 'membership' } },
}

export const secrets: ServerSecrets = {
  hooks: [hookSecret, oldHookSecret],
  relays: [relaySecret],
  links: [linkSecret],
  stripe: new Map([
    ['target', [stripeSecret, `${stripeSecret}old`]],
    ['us', [`${stripeSecret}us`]],
  ]),
}

export interface Running {
  readonly service: Service
  readonly signals: Signal[]
  readonly alerts: Alert[]
  readonly lines: LogLine[]
  readonly metrics: Metrics
  readonly clock: { now: Instant }
  /** The store's write, which a test may replace by a failure. */
  readonly store: { accept: ServerContext['accept']; ready: boolean }
  /** What Stripe answers for the snapshot of a thin event. */
  readonly events: { read: ServerContext['eventOf'] }
  /** What `describe` returns to a member's page. */
  readonly ending: { value: Awaited<ReturnType<ServerContext['describe']>> }
  /** The states of pressed links; accepted requests wait. */
  readonly pressed: Map<string, Pressed>
  /** Members' cards: the state of each link, and what the button does. */
  readonly cards: {
    state: NonNullable<ServerContext['cards']>['state']
    open: NonNullable<ServerContext['cards']>['open']
    readonly opened: string[]
  }
  readonly status: { value: Awaited<ReturnType<ServerContext['status']>> }
}

/** Both listeners on free ports, with a store that records its signals. */
export async function runService(
  more: {
    options?: Partial<ListenOptions>
    secrets?: ServerSecrets
    school?: School
    /** False: a project without a public address. */
    cards?: false
    describe?: ServerContext['describe']
  } = {},
): Promise<Running> {
  const signals: Signal[] = []
  const seen = new Map<string, string>()
  const running: Omit<Running, 'service' | 'metrics'> = {
    signals,
    alerts: [],
    lines: [],
    clock: { now },
    store: {
      ready: true,
      accept: (signal) => {
        const earlier = seen.get(signal.message)
        if (earlier !== undefined) return Promise.resolve({ id: earlier, duplicate: true })
        const id = `sig_${signals.push(signal)}`
        seen.set(signal.message, id)
        return Promise.resolve({ id, duplicate: false })
      },
    },
    events: {
      read: () =>
        Promise.resolve(failed({ kind: 'rejected', code: 'resource_missing', message: 'no such event', status: 404 })),
    },
    pressed: new Map(),
    cards: {
      opened: [],
      state: () => Promise.resolve(success({ state: 'open', link: undefined, session: undefined })),
      open({ subscriber, customer }, link) {
        running.cards.opened.push(`${subscriber} ${customer} ${link}`)
        return Promise.resolve(success({ state: 'page', url: 'https://checkout.stripe.com/c/pay/cs_1' }))
      },
    },
    ending: {
      value: success({
        state: 'live',
        products: ['Formulation Membership'],
        endsAt: now,
        nextPayment: instant(now + 86_400),
      }),
    },
    status: {
      value: {
        states: { received: 0, done: 3, dead: 0 },
        oldestPendingSeconds: undefined,
        breaker: undefined,
        lastReconciliation: { at: instant(now - 3_600), differences: 0, found: { missing: 0 } },
        dead: [],
        waiting: [],
      },
    },
  }
  const metrics = openMetrics({
    version: '0.0.0',
    status: async () => running.status.value,
    milliseconds: () => running.clock.now * 1_000,
  })
  const context: ServerContext = {
    version: '0.0.0',
    access,
    secrets: more.secrets ?? secrets,
    metrics,
    accounts: ['target', 'us'],
    accept: (signal) => running.store.accept(signal),
    eventOf: (account, id) => running.events.read(account, id),
    wake: () => {},
    pressed: (link) => Promise.resolve(running.pressed.get(link) ?? (seen.has(link) ? 'waiting' : 'no')),
    ...(more.cards === false
      ? {}
      : {
          cards: {
            state: (owner) => running.cards.state(owner),
            open: (owner, link) => running.cards.open(owner, link),
            patience: 3_000,
          },
        }),
    school: more.school ?? {},
    describe: more.describe ?? (() => Promise.resolve(running.ending.value)),
    ready: async () => running.store.ready,
    status: async () => running.status.value,
    alert: (alert) => void running.alerts.push(alert),
    log: (line) => void running.lines.push(line),
    clock: () => running.clock.now,
    machineClock: () => running.clock.now,
    stripeClock: () => running.clock.now,
  }
  const options = {
    host: '127.0.0.1',
    port: 0,
    adminHost: '127.0.0.1',
    adminPort: 0,
    requestsPerMinute: 60_000,
    trustProxy: 0,
    ...more.options,
  }
  return { ...running, metrics, service: await startService(context, options) }
}
