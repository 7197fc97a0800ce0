import type { Kysely, Selectable } from 'kysely'
import { canonicalJson } from '../core/canonical.ts'
import { assert } from '../core/assert.ts'
import { instant } from '../core/instant.ts'
import type { JsonObject } from '../core/json.ts'
import type { JournalEntry, Store } from '../engine/ports.ts'
import type { InGroup } from './group-commit.ts'
import type { Tables } from './tables.ts'

type Journal = Pick<Store, 'journalStart' | 'journalEnd' | 'journalOpen' | 'journal'>

/** The journal in the store: one row for each request, in order. */
export function openJournal(database: Kysely<Tables>, inGroup: InGroup): Journal {
  return {
    async journalStart(entry) {
      const { id } = await inGroup((transaction) =>
        transaction
          .insertInto('journal')
          .values({
            run: entry.run,
            address: entry.address,
            step: entry.step,
            account: entry.account,
            method: entry.method,
            path: entry.path,
            params: canonicalJson(entry.params),
            idempotency_key: entry.idempotencyKey,
            attempt: entry.attempt,
            status: 'started',
            result: null,
            failure: null,
            request: null,
            started_at: entry.startedAt,
            ended_at: null,
          })
          .returning('id')
          .executeTakeFirstOrThrow(),
      )
      return id
    },
    async journalEnd(id, outcome) {
      await inGroup(async (transaction) => {
        const closed = await transaction
          .updateTable('journal')
          .set({
            status: outcome.status,
            result: outcome.result ?? null,
            failure: outcome.failure === undefined ? null : canonicalJson(outcome.failure),
            // A later look-up finds the result and no request, so it keeps the earlier id.
            ...(outcome.requestId === undefined ? {} : { request: outcome.requestId }),
            ended_at: outcome.at,
          })
          .where('id', '=', id)
          .where('status', 'in', ['started', 'unknown', 'abandoned'])
          .executeTakeFirst()
        if (closed.numUpdatedRows === 1n) return
        // Two runs may close one request: a run that seemed dead, and the run that took over. The
        // first outcome counts.
        const entry = await transaction.selectFrom('journal').select('id').where('id', '=', id).executeTakeFirst()
        assert(entry !== undefined, `the journal has no entry ${id}`)
      })
    },
    async journalOpen(address) {
      let query = database.selectFrom('journal').selectAll().where('status', 'in', ['started', 'unknown'])
      if (address !== undefined) query = query.where('address', '=', address)
      return (await query.orderBy('id').execute()).map(entry)
    },
    async journal(filter = {}) {
      let query = database.selectFrom('journal').selectAll()
      if (filter.address !== undefined) query = query.where('address', '=', filter.address)
      if (filter.run !== undefined) query = query.where('run', '=', filter.run)
      if (filter.limit === undefined) return (await query.orderBy('id').execute()).map(entry)
      // A limit selects the newest; they are still returned oldest first.
      return (await query.orderBy('id', 'desc').limit(filter.limit).execute()).map(entry).reverse()
    },
  }
}

function entry(row: Selectable<Tables['journal']>): JournalEntry {
  return {
    id: row.id,
    run: row.run,
    address: row.address,
    step: row.step,
    account: row.account,
    method: row.method,
    path: row.path,
    params: JSON.parse(row.params) as JsonObject,
    idempotencyKey: row.idempotency_key,
    attempt: row.attempt,
    status: row.status,
    result: row.result,
    failure: row.failure === null ? null : (JSON.parse(row.failure) as JsonObject),
    requestId: row.request,
    startedAt: instant(row.started_at),
    endedAt: row.ended_at === null ? null : instant(row.ended_at),
  }
}
