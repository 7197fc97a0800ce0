import {
  sql,
  type ExpressionBuilder,
  type QueryCreator,
  type Selectable,
  type SelectQueryBuilder,
  type Transaction,
} from 'kysely'
import type { InboxState } from '../cancel/machine.ts'
import { inboxStates } from '../cancel/machine.ts'
import { reasonCode } from '../cancel/reasons.ts'
import type { Signal } from '../cancel/signal.ts'
import { unreachable } from '../core/assert.ts'
import { canonicalJson } from '../core/canonical.ts'
import { instant, type Instant } from '../core/instant.ts'
import type { JsonObject } from '../core/json.ts'
import type { InboxNote, InboxRow, InboxStore } from '../engine/inbox/port.ts'
import type { StoreEngine } from './engines.ts'
import { openArchive } from './inbox-archive.ts'
import { openAcceptance } from './inbox-accept.ts'
import { openGrants } from './grants.ts'
import type { InGroup } from './group-commit.ts'
import type { Tables } from './tables.ts'

const pendingStates = ['received', 'verifying', 'cancelling', 'retry'] as const

/**
 * Every lease is shorter than this many seconds. A lease that ends later, or a row with a later
 * change, was written by a clock that was set back since.
 */
const clockGoneBack = 600

/** For this many seconds a signal counts as new and comes before everything older. */
const freshSeconds = 30

/** Rows without a holder. */
function free(row: ExpressionBuilder<Tables, 'inbox'>, now: Instant) {
  return row.or([row('leased_until', '<=', now), row('leased_until', '>', now + clockGoneBack)])
}

/** The inbox's part of the store. */
export function openInbox(engine: StoreEngine, inGroup: InGroup): InboxStore {
  const { database } = engine
  return {
    accept: openAcceptance(engine),
    ...openGrants(database),
    ...openRows(engine, inGroup),
    ...openArchive(inGroup),

    async get(id) {
      const row = await database.selectFrom('inbox').selectAll().where('id', '=', id).executeTakeFirst()
      if (row === undefined) return undefined
      const notes = await database.selectFrom('inbox_notes').selectAll().where('inbox', '=', id).orderBy('id').execute()
      return {
        row: inboxRow(row),
        notes: notes.map(({ at, state, text }) => ({ at: instant(at), state: state as InboxNote['state'], text })),
      }
    },
    async byKey(keys) {
      const found = await database
        .selectFrom('inbox_keys')
        .innerJoin('inbox', 'inbox.id', 'inbox_keys.inbox')
        .selectAll('inbox')
        .where('inbox_keys.key', 'in', [...keys])
        .limit(1)
        .executeTakeFirst()
      return found === undefined ? undefined : inboxRow(found)
    },
    async list({ state, limit }) {
      let query = database.selectFrom('inbox').selectAll()
      if (state !== undefined) query = query.where('state', '=', state)
      const rows = await query.orderBy('accepted_at', 'desc').orderBy('id').limit(limit).execute()
      return rows.map(inboxRow)
    },
    async about({ contact, customer }, limit) {
      if (contact === undefined && customer === undefined) return []
      const rows = await database
        .selectFrom('inbox')
        .selectAll()
        .where((row) =>
          row.or([
            ...(contact === undefined ? [] : [row('contact', '=', contact)]),
            ...(customer === undefined ? [] : [row('customer', '=', customer)]),
          ]),
        )
        .orderBy('accepted_at', 'desc')
        .orderBy('id')
        .limit(limit)
        .execute()
      return rows.map(inboxRow)
    },
    async naming(subscriber, limit) {
      const named = `%${JSON.stringify(subscriber)}%`
      const rows = await database
        .selectFrom('inbox')
        .selectAll()
        .where((row) => row.or([row('signal', 'like', named), row('facts', 'like', named)]))
        .orderBy('accepted_at', 'desc')
        .orderBy('id')
        .limit(limit)
        .execute()
      return rows.map(inboxRow)
    },
    async causes(state) {
      const rows = await database
        .selectFrom('inbox')
        .select((row) => ['cause', row.fn.countAll<number>().as('rows'), row.fn.max('id').as('example')])
        .where('state', '=', state)
        .groupBy('cause')
        .execute()
      return rows.map(({ cause, rows: count, example }) => ({ cause: cause ?? 'unknown', rows: count, example }))
    },
    async counts() {
      const rows = await database
        .selectFrom('inbox')
        .select((row) => ['state', row.fn.countAll<number>().as('rows'), row.fn.min('accepted_at').as('oldest')])
        .groupBy('state')
        .execute()
      const pending = rows.filter(({ state }) => pendingStates.some((one) => one === state))
      const oldest = pending.length === 0 ? undefined : Math.min(...pending.map(({ oldest: at }) => at))
      const states = Object.fromEntries(
        inboxStates.map((state) => [state, rows.find((row) => row.state === state)?.rows ?? 0]),
      ) as Record<InboxState['state'], number>
      return { states, oldestPending: oldest === undefined ? undefined : instant(oldest) }
    },
    async cancelsSince(at, now) {
      const count = (row: ExpressionBuilder<Tables, 'inbox'>) => row.fn.countAll<number>().as('rows')
      const [done, inHand] = await Promise.all([
        database
          .selectFrom('inbox')
          .select(count)
          .where('state', '=', 'done')
          .where('updated_at', '>', at)
          .executeTakeFirstOrThrow(),
        database
          .selectFrom('inbox')
          .select(count)
          .where('holder', 'is not', null)
          .where('leased_until', '>', now)
          .where('cancels', '=', 1)
          .executeTakeFirstOrThrow(),
      ])
      return { done: done.rows, inHand: inHand.rows }
    },
  }
}

/** Rows with a holder, and the change of holders. */
function openRows(
  engine: StoreEngine,
  inGroup: InGroup,
): Pick<InboxStore, 'claim' | 'renew' | 'hasten' | 'release' | 'save' | 'change'> {
  const { database } = engine
  return {
    async claim(holder, now, until, which) {
      engine.inPlace?.()
      const rows = await database
        .with('taken', (query) =>
          which.lane === 'fresh' ? freshRows(query, engine, now, which) : oldRows(query, engine, now, which),
        )
        .updateTable('inbox')
        .set({ holder, leased_until: until })
        .where('id', 'in', (query) => query.selectFrom('taken').select('taken.id'))
        .returningAll()
        .execute()
      return rows.map(inboxRow).toSorted((a, b) => a.acceptedAt - b.acceptedAt || (a.id < b.id ? -1 : 1))
    },
    async renew(holder, ids, until) {
      if (ids.length === 0) return
      await database
        .updateTable('inbox')
        .set({ leased_until: until })
        .where('id', 'in', [...ids])
        .where('holder', '=', holder)
        .execute()
    },
    async hasten(cause) {
      await database
        .updateTable('inbox')
        .set({ due: 0 })
        .where('state', '=', 'retry')
        .where('cause', '=', cause)
        .execute()
    },
    async release(holder, ids) {
      if (ids.length === 0) return
      await database
        .updateTable('inbox')
        .set({ holder: null, leased_until: 0 })
        .where('id', 'in', [...ids])
        .where('holder', '=', holder)
        .execute()
    },
    // Rows in progress write at the same time. With a commit for each, they would queue for the
    // disk.
    save: (id, holder, { now, facts, note, release }) =>
      inGroup(async (transaction) => {
        const saved = await transaction
          .updateTable('inbox')
          .set({ ...stateColumns(now, note.at), facts: canonicalJson(facts) })
          .$if(release, (update) => update.set({ holder: null, leased_until: 0 }))
          .where('id', '=', id)
          .where('holder', '=', holder)
          .executeTakeFirst()
        if (saved.numUpdatedRows === 0n) return false
        await writeNote(transaction, id, note)
        return true
      }),
    change: (id, { now, note }) =>
      database.transaction().execute(async (transaction) => {
        const changed = await transaction
          .updateTable('inbox')
          .set({ ...stateColumns(now, note.at), holder: null, leased_until: 0 })
          .where('id', '=', id)
          .where((row) => free(row, note.at))
          .executeTakeFirst()
        if (changed.numUpdatedRows === 0n) return false
        await writeNote(transaction, id, note)
        return true
      }),
  }
}

interface Which {
  readonly limit: number
  readonly cancels?: boolean
}

function waiting(query: QueryCreator<Tables>, now: Instant, { cancels = true }: Which) {
  return query
    .selectFrom('inbox')
    .select('id')
    .where((row) => free(row, now))
    .$if(!cancels, (some) => some.where('cancels', '=', 0))
}

/**
 * PostgreSQL skips rows that another process is claiming at this moment. SQLite has one writer at a
 * time.
 */
function passingOver<T>(query: SelectQueryBuilder<Tables, 'inbox', T>, engine: StoreEngine) {
  return engine.name === 'postgres' ? query.forUpdate().skipLocked() : query
}

function freshRows(query: QueryCreator<Tables>, engine: StoreEngine, now: Instant, which: Which) {
  const rows = waiting(query, now, which)
    .where('state', '=', 'received')
    .where('accepted_at', '>', now - freshSeconds)
    .orderBy('accepted_at', 'desc')
    .limit(which.limit)
  return passingOver(rows, engine)
}

/**
 * The row that has been due longest comes first. A row with a due time from a clock that was set
 * back since is due at once.
 */
function oldRows(query: QueryCreator<Tables>, engine: StoreEngine, now: Instant, which: Which) {
  const due = waiting(query, now, which)
    .where('due', 'is not', null)
    .where('due', '<=', now)
    .orderBy('due')
    .orderBy('accepted_at')
    .limit(which.limit)
  // The sum keeps the planner from an index that begins with `cancels`: few rows are ahead, while
  // many may wait.
  const ahead = waiting(query, now, { limit: which.limit })
    .$if(which.cancels === false, (some) => some.where(sql`cancels + 0`, '=', 0))
    .where('due', 'is not', null)
    .where('updated_at', '>', now + clockGoneBack)
    .orderBy('updated_at')
    .limit(which.limit)
  return query
    .with('due_rows', () => passingOver(due, engine))
    .with('ahead_rows', () => passingOver(ahead, engine))
    .selectFrom('due_rows')
    .select('due_rows.id')
    .unionAll((both) => both.selectFrom('ahead_rows').select('ahead_rows.id'))
    .limit(which.limit)
}

function stateColumns(now: InboxState, at: Instant) {
  const cause = 'reason' in now ? reasonCode(now.reason) : null
  return { state: now.state, details: canonicalJson(now), due: dueOf(now), updated_at: at, cause }
}

/**
 * When a worker may claim a row. A row that a dead worker left may be claimed as soon as its lease
 * has expired.
 */
function dueOf(now: InboxState): number | null {
  switch (now.state) {
    case 'received':
    case 'verifying':
    case 'cancelling':
      return 0
    case 'retry':
      return now.at
    case 'done':
    case 'ignored':
    case 'dead':
      return null
    default:
      return unreachable(now)
  }
}

async function writeNote(transaction: Transaction<Tables>, inbox: string, note: InboxNote): Promise<void> {
  await transaction
    .insertInto('inbox_notes')
    .values({ inbox, at: note.at, state: note.state, text: note.text })
    .execute()
}

function inboxRow(row: Selectable<Tables['inbox']>): InboxRow {
  return {
    id: row.id,
    signal: JSON.parse(row.signal) as Signal,
    now: JSON.parse(row.details) as InboxState,
    facts: JSON.parse(row.facts) as JsonObject,
    acceptedAt: instant(row.accepted_at),
    updatedAt: instant(row.updated_at),
  }
}
