import { idOf } from '../core/reference.ts'
import { hasBegun, paymentFailure, usualStatus } from '../live/subscription.ts'
import type Stripe from 'stripe'
import { canonicalJson } from '../core/canonical.ts'
import { subscriberKey, type SubscriberKey } from '../core/address.ts'
import { isJsonObject, type Json, type JsonObject, objectIn } from '../core/json.ts'
import { readHold } from '../live/source.ts'
import type { Changed } from '../handover/changed-terms.ts'
import type { ToAdopt } from '../handover/to-adopt.ts'
import type { LiveAccount } from '../live/accounts.ts'
import type { KeyTable } from './consolidate.ts'
import type { PulledFiles } from './files.ts'
import { pulledFields, pulledSubscriber } from './subscriber.ts'
import type { Whereabouts } from './whereabouts.ts'

export interface WavesInput {
  readonly live: LiveAccount
  readonly table: KeyTable
  readonly files: PulledFiles
  readonly notes: string[]
  /** Maximum number of subscribers in a wave that pull fills. */
  readonly size: number
  /** What moved subscribers changed in the target, and what is wrong in their entries. */
  readonly changedInTarget: ReadonlyMap<SubscriberKey, ToAdopt>
  /** Moved subscribers with their stage or their project. */
  readonly whereabouts: ReadonlyMap<SubscriberKey, Whereabouts>
}

/**
 * Updates the subscribers of one source. New subscribers are added to the last wave with room;
 * changed terms are updated. For moved subscribers, only their changes in the target are written,
 * and fields that describe neither of their subscriptions are corrected. Other settled and ended
 * subscribers, and anything else that people wrote, stay unchanged. New entries
 * get their subscriber's current stage, so that a rewritten file reverts no move.
 */
export function pulledWaves({
  live,
  table,
  files,
  notes,
  size,
  changedInTarget,
  whereabouts,
}: WavesInput): Readonly<Record<string, number>> {
  const waves = files.wavesOf(live.name)
  const where = new Map<string, { path: string; entry: JsonObject; stage: string }>()
  for (const [path, wave] of waves)
    for (const [id, entry] of Object.entries(objectIn(wave['subscribers']))) {
      const stage = objectIn(entry)['stage'] ?? wave['stage']
      where.set(id, { path, entry: objectIn(entry), stage: typeof stage === 'string' ? stage : 'source' })
    }
  const counts = { subscribers: 0, new_subscribers: 0, changed_subscribers: 0, ended_subscribers: 0 }
  const newcomers: Stripe.Subscription[] = []
  const elsewhere: string[] = []
  for (const subscription of inOrder(live.subscriptions)) {
    const known = where.get(subscription.id)
    const now = whereabouts.get(subscriberKey(live.name, subscription.id))
    if (known === undefined && now !== undefined && 'project' in now) {
      elsewhere.push(now.project)
      continue
    }
    // If no file has a subscriber of this account, all are written as at the first pull, including
    // settled ones.
    if (known === undefined && now !== undefined && 'stage' in now && now.stage === 'settled' && where.size === 0) {
      if (isMapped(subscription, table)) newcomers.push(subscription)
      continue
    }
    const key = subscriberKey(live.name, subscription.id)
    const wrong =
      known === undefined ? [] : correct(files, known, { subscription, live, table }, changedInTarget.get(key))
    if (wrong.length > 0) {
      counts.changed_subscribers += 1
      notes.push(`${key} differed from what is billed: ${wrong.join(', ')}; the entry was corrected`)
    }
    if (!hasBegun(subscription)) {
      if (known !== undefined && known.stage === 'source' && known.entry['excluded'] === undefined)
        counts.ended_subscribers += 1
      continue
    }
    counts.subscribers += 1
    if (known === undefined) newcomers.push(subscription)
    else if (known.entry['excluded'] === undefined) {
      // A subscriber with a later stage may not be moved yet: until the hold, the old account has
      // the terms.
      const isMoved = known.stage !== 'source' && readHold(subscription) !== null
      const changed = isMoved
        ? adopt(files, known.path, subscription.id, changedInTarget.get(key)?.changed ?? [])
        : update(files, known, subscription, live, table)
      if (changed.length > 0) {
        if (wrong.length === 0) counts.changed_subscribers += 1
        notes.push(
          `${live.name}/${subscription.id} changed in the ${isMoved ? 'target' : 'source'}: ${changed.join(', ')}`,
        )
      }
    }
  }
  counts.new_subscribers = newcomers.length
  place(newcomers, waves, { live, table, files, notes, size, whereabouts })
  for (const [project, people] of Map.groupBy(elsewhere, (one) => one))
    notes.push(`${people.length} subscriptions of ${live.name} were moved by project ${project}; they are left out`)
  if (counts.ended_subscribers > 0)
    notes.push(
      `${counts.ended_subscribers} declared subscriptions of ${live.name} have ended; their entries were not changed`,
    )
  return counts
}

function update(
  files: PulledFiles,
  { path, entry }: { readonly path: string; readonly entry: JsonObject },
  subscription: Stripe.Subscription,
  live: LiveAccount,
  table: KeyTable,
): readonly string[] {
  const now = pulledSubscriber(subscription, live.customers.get(idOf(subscription.customer)), table)
  const changed = pulledFields.filter((name) => spelled(name, entry[name]) !== spelled(name, now[name]))
  for (const name of changed) files.open(path).set('subscribers', subscription.id, name, now[name])
  // T advances with every renewal and is not reported as a change.
  return changed.filter((name) => name !== 'next_invoice')
}

/** Writes the terms of the old account again where an entry describes neither subscription. */
function correct(
  files: PulledFiles,
  { path, entry }: { readonly path: string; readonly entry: JsonObject },
  {
    subscription,
    live,
    table,
  }: { readonly subscription: Stripe.Subscription; readonly live: LiveAccount; readonly table: KeyTable },
  adopted: ToAdopt | undefined,
): readonly string[] {
  if (adopted === undefined || adopted.wrong.length === 0) return []
  const now = pulledSubscriber(subscription, live.customers.get(idOf(subscription.customer)), table)
  for (const field of adopted.wrong) {
    const value = adopted.values[field] ?? now[field]
    if (value !== entry[field]) files.open(path).set('subscribers', subscription.id, field, value)
  }
  return adopted.wrong
}

/** Fields of a change that name objects of the catalog. */
const lists = [
  ['items', 'price'],
  ['discounts', 'coupon'],
  ['tax_rates', 'tax rate'],
] as const

/**
 * Writes the changes that a subscriber made after the move. A change that the catalog cannot
 * express yet is reported and not written.
 */
function adopt(files: PulledFiles, path: string, id: string, changes: readonly Changed[]): readonly string[] {
  return changes.map(({ what, now }) => {
    const lacks = lists.find(([field]) => field in now && now[field] === undefined)
    if (lacks !== undefined)
      return `${what} (a ${lacks[1]} is not in the catalog; run crossbill pull --source target first)`
    if (Object.keys(now).length === 0)
      return `${what} (an entry has no field for it; before a revert, change the old one)`
    for (const [name, value] of Object.entries(now))
      files.open(path).set('subscribers', id, name, value as Json | undefined)
    return what
  })
}

/**
 * Text for comparison: values with the same meaning compare equal. Default values may be written,
 * and the order of a set does not matter.
 */
function spelled(name: (typeof pulledFields)[number], value: unknown): string {
  const silent: Readonly<Record<string, unknown>> = {
    automatic_tax: false,
    cancel_at_period_end: false,
    collection_method: 'charge_automatically',
    status: usualStatus,
  }
  if (value === undefined || value === silent[name] || (Array.isArray(value) && value.length === 0)) return ''
  if (!Array.isArray(value)) return canonicalJson(value)
  return (value as readonly unknown[])
    .map((one) => canonicalJson(isJsonObject(one) && one['quantity'] === 1 ? { ...one, quantity: undefined } : one))
    .sort()
    .join(' ')
}

function place(
  newcomers: readonly Stripe.Subscription[],
  waves: ReadonlyMap<string, JsonObject>,
  { live, table, files, notes, size, whereabouts }: Omit<WavesInput, 'changedInTarget'>,
): void {
  let number = Math.max(0, ...[...waves.keys()].map((path) => Number(/wave-(\d+)\.ya?ml$/.exec(path)?.[1] ?? 0)))
  const pathOf = (): string => `subscribers/${live.name}/wave-${String(number).padStart(2, '0')}.yaml`
  const last = waves.get(pathOf())
  let room =
    last === undefined || (last['stage'] ?? 'source') !== 'source'
      ? 0
      : size - Object.keys(objectIn(last['subscribers'])).length
  for (const subscription of newcomers) {
    if (room <= 0) {
      number += 1
      room = size
      files.open(pathOf()).setTop('stage', 'source')
    }
    const now = whereabouts.get(subscriberKey(live.name, subscription.id))
    const terms = pulledSubscriber(subscription, live.customers.get(idOf(subscription.customer)), table)
    const value = now !== undefined && 'stage' in now ? { stage: now.stage, ...terms } : terms
    const comment = commentFor(subscription)
    files
      .open(pathOf())
      .add('subscribers', { key: subscription.id, value, ...(comment === undefined ? {} : { comment }) })
    room -= 1
  }
  if (waves.size > 0 && newcomers.length > 0)
    notes.push(`${newcomers.length} subscriptions of ${live.name} are new since the last pull`)
}

/** Whether the catalog has a key for everything that the entry would name. */
function isMapped({ items, default_tax_rates: rates }: Stripe.Subscription, table: KeyTable): boolean {
  const all = [...(rates ?? []), ...items.data.flatMap((item) => item.tax_rates ?? [])]
  return (
    items.data.every(({ price }) => table.keyOf('price', price.id) !== undefined) &&
    all.every(({ id }) => table.keyOf('tax_rate', id) !== undefined)
  )
}

/** A comment for an entry that needs a decision before the subscriber can be moved. */
function commentFor(subscription: Stripe.Subscription): string | undefined {
  if (subscription.application !== null)
    return 'made by a Connect application: set managed_by_application to open_ended or { payments_left: n }'
  if (subscription.cancel_at_period_end) return 'ends with its period: stays in the source'
  return paymentFailure(subscription) !== undefined ? `${subscription.status}: see policies.past_due` : undefined
}

/** Oldest first, so that a later pull only appends. */
function inOrder(subscriptions: readonly Stripe.Subscription[]): readonly Stripe.Subscription[] {
  return [...subscriptions].sort((a, b) => a.created - b.created || (a.id < b.id ? -1 : 1))
}
