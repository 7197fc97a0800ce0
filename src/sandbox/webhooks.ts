// Delivery of events to webhook endpoints and event destinations: signed, at least once, retried by
// the simulated clock.
// https://docs.stripe.com/webhooks
import { createHmac } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { instant } from '../core/instant.ts'
import { deliveryFault } from './faults.ts'
import { Context } from './kernel/context.ts'
import { events, type EventRow } from './kernel/events.ts'
import type { Module } from './kernel/module.ts'
import { sendLater, statusOf } from './kernel/outgoing.ts'
import type { Row, TableDefinition } from './kernel/tables.ts'
import { receiver, receiversIn } from './stripe/receivers.ts'

/** An event one endpoint has not acknowledged yet. */
interface DeliveryRow extends Row {
  readonly event: string
  readonly endpoint: string
  readonly attempts: number
}

const deliveries: TableDefinition<DeliveryRow> = {
  name: 'webhook_deliveries',
  indexes: { endpoint: (row) => row.endpoint },
}

const hour = 3_600
/** Seconds between attempts. Live: over three days; test: three attempts within a few hours. */
const retries = {
  live: [300, 1_800, 2 * hour, 5 * hour, 10 * hour, 10 * hour, 12 * hour, 12 * hour, 12 * hour],
  test: [600, 2 * hour],
}

export const webhookModule: Module = {
  listener: {
    who(context, type) {
      // This world sends nothing: every receiver counts as having acknowledged the event.
      if (context.world.deliver === undefined) return []
      return receiversIn(context)
        .filter(({ hears }) => hears(type))
        .map(({ id }) => id)
    },
    dispatch(about, event) {
      const context = about.onWorldClock()
      for (const endpoint of event.waiting) {
        const id = `${event.id}|${endpoint}`
        context.table(deliveries).put({ id, created: context.now, event: event.id, endpoint, attempts: 0 })
        attempt(context, id)
      }
    },
  },
  due: { 'webhook.retry': { rank: 10, run: attempt } },
  reactions: {
    'webhook_endpoint.stopped': settleAll,
    'event_destination.stopped': settleAll,
  },
  control: {
    'GET webhooks': (world) => ({
      waiting: Object.fromEntries(
        [...world.accounts].map(([name, account]) => [
          name,
          [...account.table(deliveries).all()].map(({ event, endpoint, attempts }) => ({ event, endpoint, attempts })),
        ]),
      ),
    }),
  },
}

/**
 * Sends once after the commit. The next attempt is already scheduled, so that a killed process
 * loses nothing.
 */
function attempt(context: Context, id: string): void {
  const row = context.table(deliveries).get(id)
  if (row === undefined) return
  const attempts = row.attempts + 1
  const wait = retries[context.livemode ? 'live' : 'test'][row.attempts]
  context.table(deliveries).put({ ...row, attempts })
  if (wait !== undefined) context.schedule(instant(context.now + wait), 'webhook.retry', id)
  sendLater(context.world, (send) => deliver(context, id, send))
}

async function deliver(context: Context, id: string, send: typeof globalThis.fetch): Promise<void> {
  const { world } = context
  const row = context.table(deliveries).get(id)
  const event = row === undefined ? undefined : context.table(events).get(row.event)
  const endpoint = row === undefined ? undefined : receiver(context, row.endpoint)
  // The request that caused it was undone, or the endpoint was deleted.
  if (row === undefined || event === undefined || endpoint === undefined) return
  const { times, late } = deliveryFault(world, `webhook ${endpoint.id} ${event.type}`)
  if (late > 0) await sleep(late)
  const body = JSON.stringify(endpoint.body(context, event), undefined, 2)
  for (let time = 0; time < times; time++) {
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
      'stripe-signature': signature(context, endpoint.secret, body),
    }
    const status = await statusOf(send, endpoint.url, { method: 'POST', headers, body })
    if (status === undefined || status < 200 || status > 299) continue
    const known = context.table(deliveries).get(id)
    if (known !== undefined) world.transact(() => settle(context, known))
  }
}

/**
 * `t=<simulated second>,v1=<HMAC-SHA256 of "t.body">`
 * https://docs.stripe.com/webhooks#verify-manually
 */
function signature(context: Context, secret: string, body: string): string {
  const hmac = createHmac('sha256', secret).update(`${context.now}.${body}`).digest('hex')
  return `t=${context.now},v1=${hmac}`
}

/** The endpoint receives nothing more. */
function settleAll(context: Context, endpoint: string): void {
  for (const row of context.table(deliveries).by('endpoint', endpoint)) settle(context, row)
}

/** The endpoint received the event, or never will: no more attempts. */
function settle(context: Context, row: DeliveryRow): void {
  context.table(deliveries).delete(row.id)
  context.unschedule('webhook.retry', row.id)
  const event: EventRow | undefined = context.table(events).get(row.event)
  if (event !== undefined)
    context.table(events).put({ ...event, waiting: event.waiting.filter((endpoint) => endpoint !== row.endpoint) })
}
