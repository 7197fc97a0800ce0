// The event log of an account (30 days, as Stripe keeps it). https://docs.stripe.com/api/events
import { isDeepStrictEqual } from 'node:util'
import { secondsPerDay } from '../../core/instant.ts'
import type { Context } from './context.ts'
import type { Row, TableDefinition } from './tables.ts'

export const apiVersion = '2026-10-28.endive'

/**
 * Whether a text has the form of a Stripe API version: a date, since autumn 2024 with the name of a
 * release. A date in the future is not a version.
 */
export function isVersion(text: string): boolean {
  const [, date = '', release] = /^(\d{4}-\d{2}-\d{2})(\.[a-z]+)?$/.exec(text) ?? []
  if (date < '2011-01-01' || date > apiVersion.slice(0, 10) || Number.isNaN(Date.parse(`${date}T00:00:00Z`)))
    return false
  return (release !== undefined) === date >= '2024-09-30'
}

export interface EventRow extends Row {
  readonly type: string
  readonly object: object
  readonly previous_attributes: Readonly<Record<string, unknown>> | null
  readonly request: { readonly id: string | null; readonly idempotency_key: string | null }
  /** Endpoints that have not acknowledged the event yet. */
  readonly waiting: readonly string[]
}

export const events: TableDefinition<EventRow> = { name: 'events', indexes: { type: (row) => row.type } }

/**
 * A module that listens to events: `who` names the endpoints that must acknowledge an event,
 * `dispatch` sends it.
 */
export interface Listener {
  readonly who: (context: Context, type: string) => readonly string[]
  readonly dispatch: (context: Context, event: EventRow) => void
  /** Called for every event, whether or not the event is kept. */
  readonly hears?: (context: Context, type: string, object: () => object) => void
}

/**
 * Builds the object only when the event is kept or received: a rehearsal of many months needs few
 * of them.
 */
export type Shown = object | (() => object)

const show = (shown: Shown): object => (typeof shown === 'function' ? (shown as () => object)() : shown)

export function recordEvent(context: Context, type: string, about: { object: Shown; before?: Shown }): string {
  const { listeners } = context.world
  for (const listener of listeners) listener.hears?.(context, type, () => show(about.object))
  const waiting = listeners.flatMap((listener) => listener.who(context, type))
  const id = context.newId('evt')
  if (waiting.length === 0 && !context.world.keepEvents) return id
  const shape = (shown: Shown) => context.world.expander.shape(context, show(shown), [])
  const object = shape(about.object)
  const row = context.table(events).put({
    id,
    created: context.now,
    type,
    object,
    previous_attributes: about.before === undefined ? null : changed(shape(about.before), object),
    request: context.request,
    waiting,
  })
  for (const listener of listeners) listener.dispatch(context, row)
  return id
}

/** Drops events older than 30 days. */
export function pruneEvents(context: Context): void {
  const table = context.table(events)
  const oldest = context.now - 30 * secondsPerDay
  const old: string[] = []
  for (const row of table.oldest()) {
    if (row.created >= oldest) break
    old.push(row.id)
  }
  for (const id of old) table.delete(id)
}

function changed(before: object, after: object): Record<string, unknown> {
  const now = after as Record<string, unknown>
  const entries = Object.entries(before).filter(([key, value]) => !isDeepStrictEqual(value, now[key]))
  return Object.fromEntries(entries)
}
