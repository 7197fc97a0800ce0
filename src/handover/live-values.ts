import type Stripe from 'stripe'
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import { foreignMetadata } from '../live/marks.ts'

/**
 * Personal data (shipping address, tax ids, metadata, descriptions) goes from account to account
 * without appearing in a plan, the journal or the store. A step holds `{ "$live":
 * "customer/shipping" }`, and the value is inserted when the request is sent. Other keys beside
 * `$live` are added to the inserted object.
 */
export function liveValue(path: string, more: JsonObject = {}): JsonObject {
  return { $live: path, ...more }
}

/**
 * The text of a pending item, for the note of carried money: a deleted item cannot be read. Stripe
 * limits a metadata value to 500 characters.
 */
export function itemNote(account: string, item: string): JsonObject {
  return liveValue(`${noteRoot}/${account}/invoiceitems/${item}`)
}

/** The text that the note of carried money keeps under this key. */
export function noteText(key: string): JsonObject {
  return liveValue(`subscription/metadata/${key}`)
}

/** The text of an invoice line. */
export function lineText(account: string, invoice: string, line: string): JsonObject {
  return liveValue(`${textRoot}/${account}/invoices/${invoice}/${line}`)
}

const textRoot = 'text'
const noteRoot = 'note'
const noteAtMost = 500

/** The path of the text itself, for a path below `text` or `note`. */
function textPath(path: string): string | undefined {
  if (path.startsWith(`${textRoot}/`)) return path
  return path.startsWith(`${noteRoot}/`) ? `${textRoot}${path.slice(noteRoot.length)}` : undefined
}

/** The paths of all such texts that these parameters contain. */
export function textsIn(value: Json | undefined): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((one: Json) => textsIn(one))
  if (!isJsonObject(value)) return []
  const { $live: path } = value
  const text = typeof path === 'string' ? textPath(path) : undefined
  if (text !== undefined) return [text]
  return Object.values(value).flatMap((one) => textsIn(one))
}

export interface LiveValues {
  readonly subscription: Stripe.Subscription
  /** The invoice that the hold voided, with all its lines, when its period is billed. */
  readonly voided?: Stripe.Invoice | undefined
  /** The old customer, with tax ids. */
  readonly customer: Stripe.Customer | undefined
  /** The schedule created for the new subscription, once it exists. */
  readonly schedule?: Stripe.SubscriptionSchedule | undefined
  /** The schedule of the old subscription, where a phase's metadata is carried. */
  readonly oldSchedule?: Stripe.SubscriptionSchedule | undefined
  /** Texts of items and lines by path, where a step asks for any. */
  readonly texts?: ReadonlyMap<string, string | undefined>
}

/** The parameters with every `$live` value inserted. A value that no longer exists is omitted. */
export function withLiveValues(params: JsonObject, live: LiveValues): JsonObject {
  return Object.fromEntries(
    Object.entries(params).flatMap(([key, value]) => {
      const filled = fill(value, live)
      return filled === undefined ? [] : [[key, filled]]
    }),
  )
}

function fill(value: Json | undefined, live: LiveValues): Json | undefined {
  if (Array.isArray(value)) return value.flatMap((one: Json) => fill(one, live) ?? [])
  if (!isJsonObject(value)) return value
  const { $live: path, ...more } = value
  if (typeof path !== 'string') return withLiveValues(value, live)
  const found = read(path, live)
  return isJsonObject(found) ? { ...found, ...more } : found
}

function read(path: string, live: LiveValues): Json | undefined {
  const { texts } = live
  const text = textPath(path)
  if (text !== undefined) return path === text ? texts?.get(text) : texts?.get(text)?.slice(0, noteAtMost)
  const [root, ...steps] = path.split('/')
  let at = rootOf(root, live) as unknown
  for (const step of steps) at = child(at, step)
  const value = clean(at)
  return steps.at(-1) === 'metadata' ? foreignMetadata((value ?? {}) as Record<string, string>) : value
}

function rootOf(
  root: string | undefined,
  { subscription, customer, schedule, oldSchedule }: LiveValues,
): object | undefined {
  if (root === 'customer') return customer
  if (root === oldScheduleRoot) return oldSchedule
  return root === 'schedule' ? schedule : subscription
}

const oldScheduleRoot = 'old_schedule'

/** The metadata of a phase of the old subscription's schedule. */
export function phaseMetadata(phase: number): JsonObject {
  return liveValue(`${oldScheduleRoot}/phases/${phase}/metadata`)
}

/** Whether a step needs the schedule of the old subscription. */
export function needsOldSchedule({ params }: { readonly params: JsonObject }): boolean {
  return JSON.stringify(params).includes(`"${oldScheduleRoot}/`)
}

/** A field, or the element of a list with this id. */
function child(value: unknown, step: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  if ('data' in value && Array.isArray(value.data))
    return value.data.find((one: unknown) => typeof one === 'object' && one !== null && 'id' in one && one.id === step)
  return (value as Record<string, unknown>)[step]
}

/** Stripe shows an unset value as null, and refuses null when it is sent back. */
function clean(value: unknown): Json | undefined {
  if (value === null || value === undefined) return undefined
  if (Array.isArray(value)) return value.flatMap((one) => clean(one) ?? [])
  if (typeof value !== 'object') return value as Json
  const entries = Object.entries(value).map(([key, one]) => [key, clean(one)] as const)
  return Object.fromEntries(entries.filter(([, one]) => one !== undefined))
}
