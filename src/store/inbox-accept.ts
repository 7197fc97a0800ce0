import { randomUUID } from 'node:crypto'
import type { Transaction } from 'kysely'
import { mayCancel } from '../cancel/signal.ts'
import { canonicalJson } from '../core/canonical.ts'
import { CommandError } from '../core/outcome.ts'
import type { InboxStore } from '../engine/inbox/port.ts'
import type { StoreEngine } from './engines.ts'
import type { Tables } from './tables.ts'

type Entry = Parameters<InboxStore['accept']>[0]
type Accepted = Awaited<ReturnType<InboxStore['accept']>>

interface Waiting {
  readonly entry: Entry
  readonly done: (accepted: Accepted) => void
  readonly failed: (error: unknown) => void
}

/** At most this many signals share a commit; the others wait for the next one. */
const largestBatch = 200
/** Attempts, for the case that another process stores one of the same keys at the same instant. */
const tries = 5

/**
 * Group commit: signals that arrive while a commit is being written share the next one, so that
 * they wait for the disk once and not once each. A signal is answered with "accepted" only after
 * its commit; a failed commit is reported for every signal in it.
 */
export function openAcceptance({ database, inPlace }: StoreEngine): InboxStore['accept'] {
  const waiting: Waiting[] = []
  let writing = false

  const write = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      const accepted = await attempt(() =>
        database.transaction().execute((transaction) =>
          store(
            transaction,
            batch.map(({ entry }) => entry),
          ),
        ),
      )
      inPlace?.()
      batch.forEach(({ done }, index) => done(accepted[index] as Accepted))
    } catch (error) {
      for (const { failed } of batch) failed(error)
    }
  }
  const drain = async (): Promise<void> => {
    while (waiting.length > 0) await write(waiting.splice(0, largestBatch))
    writing = false
  }

  return (entry) =>
    new Promise((done, failed) => {
      waiting.push({ entry, done, failed })
      if (writing) return
      writing = true
      setImmediate(() => void drain())
    })
}

class KeyTaken extends Error {}

/** Milliseconds after which a sender waits no longer for a second attempt. */
const atOnce = 1_000

/**
 * A connection that the server closed while it was idle fails at its next use. The keys make a
 * second attempt safe, even if the first was committed.
 */
async function attempt<T>(work: () => Promise<T>): Promise<T> {
  const began = performance.now()
  for (let attempts = 1; ; attempts++)
    try {
      return await work()
    } catch (error) {
      const again = error instanceof KeyTaken || (meansCut(error) && performance.now() - began < atOnce)
      if (!again || attempts === tries) throw error
    }
}

function meansCut(error: unknown): boolean {
  return error instanceof CommandError && error.code === 'store_unreachable'
}

async function store(transaction: Transaction<Tables>, entries: readonly Entry[]): Promise<Accepted[]> {
  const asked = [...new Set(entries.flatMap(({ keys }) => keys))]
  const known = await transaction.selectFrom('inbox_keys').selectAll().where('key', 'in', asked).execute()
  const owner = new Map(known.map(({ key, inbox }) => [key, inbox]))
  const fresh: { id: string; entry: Entry }[] = []
  const accepted = entries.map((entry): Accepted => {
    const earlier = entry.keys.map((key) => owner.get(key)).find((id) => id !== undefined)
    if (earlier !== undefined) return { id: earlier, duplicate: true }
    const id = `sig_${randomUUID().replaceAll('-', '').slice(0, 16)}`
    for (const key of entry.keys) owner.set(key, id)
    fresh.push({ id, entry })
    return { id, duplicate: false }
  })
  if (fresh.length > 0) await insert(transaction, fresh)
  return accepted
}

async function insert(transaction: Transaction<Tables>, fresh: readonly { id: string; entry: Entry }[]): Promise<void> {
  // All processes use the same order, so that two of them never wait for each other.
  const keys = fresh
    .flatMap(({ id, entry }) => [...new Set(entry.keys)].map((key) => ({ key, inbox: id })))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
  const stored = await transaction
    .insertInto('inbox_keys')
    .values(keys)
    .onConflict((conflict) => conflict.column('key').doNothing())
    .returning('key')
    .execute()
  if (stored.length < keys.length) throw new KeyTaken('another process stored the same signal')
  await transaction
    .insertInto('inbox')
    .values(
      fresh.map(({ id, entry }) => ({
        id,
        signal: canonicalJson(entry.signal),
        state: 'received',
        cancels: mayCancel(entry.signal) ? 1 : 0,
        contact: entry.signal.contact ?? null,
        customer: entry.signal.customer ?? null,
        cause: null,
        details: canonicalJson({ state: 'received' }),
        facts: '{}',
        due: entry.at,
        holder: null,
        leased_until: 0,
        accepted_at: entry.at,
        updated_at: entry.at,
      })),
    )
    .execute()
  await transaction
    .insertInto('inbox_notes')
    .values(fresh.map(({ id, entry }) => ({ inbox: id, at: entry.at, state: 'received', text: 'accepted' })))
    .execute()
}
