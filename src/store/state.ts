import type { Kysely, Transaction } from 'kysely'
import { canonicalJson } from '../core/canonical.ts'
import { instant } from '../core/instant.ts'
import type { Json, JsonObject } from '../core/json.ts'
import type { CopyMapRow, Store } from '../engine/ports.ts'
import type { InGroup } from './group-commit.ts'
import type { Tables } from './tables.ts'

type State = Omit<
  Store,
  'journalStart' | 'journalEnd' | 'journalOpen' | 'journal' | 'acquire' | 'leaseHolder' | 'breakLease' | 'close'
>

/** Rows written by one statement: far below the parameter limit of both engines. */
const batch = 500
/** Rows of the copy map read at a time, so that no cursor stays open while the caller works. */
const page = 5_000

/**
 * Objects, subscribers, the copy map and small named values. A write to anything that a plan is
 * bound to raises the serial in the same transaction.
 */
export function openState(database: Kysely<Tables>, inGroup: InGroup): State {
  const change = (work: (transaction: Transaction<Tables>) => Promise<void>) =>
    inGroup(async (transaction) => {
      await transaction
        .updateTable('state_version')
        .set((row) => ({ serial: row('serial', '+', 1) }))
        .execute()
      await work(transaction)
    })

  return {
    version: () => database.selectFrom('state_version').select(['lineage', 'serial']).executeTakeFirstOrThrow(),

    async objects() {
      const rows = await database.selectFrom('objects').selectAll().orderBy('address').execute()
      return rows.map(({ object, ...row }) => ({ ...row, id: object }))
    },
    async putObjects(records) {
      if (records.length === 0) return
      await change((transaction) =>
        inBatches(records, (some) =>
          transaction
            .insertInto('objects')
            .values(some.map(({ address, account, id, applied }) => ({ address, account, object: id, applied })))
            .onConflict((conflict) =>
              conflict.column('address').doUpdateSet((row) => ({
                account: row.ref('excluded.account'),
                object: row.ref('excluded.object'),
                applied: row.ref('excluded.applied'),
              })),
            )
            .execute(),
        ),
      )
    },
    async removeObjects(addresses) {
      if (addresses.length === 0) return
      await change((transaction) =>
        inBatches(addresses, (some) => transaction.deleteFrom('objects').where('address', 'in', some).execute()),
      )
    },

    async subscribers() {
      return (await database.selectFrom('subscribers').selectAll().orderBy('key').execute()).map(subscriber)
    },
    async subscriber(key) {
      const row = await database.selectFrom('subscribers').selectAll().where('key', '=', key).executeTakeFirst()
      return row && subscriber(row)
    },
    async putSubscribers(records) {
      if (records.length === 0) return
      await change((transaction) =>
        inBatches(records, (some) =>
          transaction
            .insertInto('subscribers')
            .values(some.map((record) => ({ ...record, facts: canonicalJson(record.facts) })))
            .onConflict((conflict) =>
              conflict.column('key').doUpdateSet((row) => ({
                phase: row.ref('excluded.phase'),
                facts: row.ref('excluded.facts'),
                updated: row.ref('excluded.updated'),
              })),
            )
            .execute(),
        ),
      )
    },

    copyMap: (source) => readCopyMap(database, source),
    async putCopyMap(rows) {
      if (rows.length === 0) return
      await change((transaction) =>
        inBatches(rows, (some) =>
          transaction
            .insertInto('copy_map')
            .values(
              some.map((row) => ({
                source: row.source,
                customer_old: row.customerOld,
                source_old: row.sourceOld,
                customer_new: row.customerNew,
                source_new: row.sourceNew,
                imported_at: row.importedAt,
              })),
            )
            .onConflict((conflict) =>
              conflict.columns(['source', 'customer_old', 'source_old']).doUpdateSet((row) => ({
                customer_new: row.ref('excluded.customer_new'),
                source_new: row.ref('excluded.source_new'),
                imported_at: row.ref('excluded.imported_at'),
              })),
            )
            .execute(),
        ),
      )
    },

    async get(name) {
      const row = await database.selectFrom('named_values').select('value').where('name', '=', name).executeTakeFirst()
      return row && (JSON.parse(row.value) as Json)
    },
    async put(name, value) {
      const text = canonicalJson(value)
      await database
        .insertInto('named_values')
        .values({ name, value: text })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: text }))
        .execute()
    },
  }
}

async function inBatches<T>(rows: readonly T[], write: (some: readonly T[]) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < rows.length; from += batch) await write(rows.slice(from, from + batch))
}

function subscriber(row: { key: string; phase: string; facts: string; updated: number }) {
  return { key: row.key, phase: row.phase, facts: JSON.parse(row.facts) as JsonObject, updated: instant(row.updated) }
}

async function* readCopyMap(database: Kysely<Tables>, source: string | undefined): AsyncGenerator<CopyMapRow> {
  let after: { source: string; customer_old: string; source_old: string } | undefined
  while (true) {
    let query = database.selectFrom('copy_map').selectAll()
    if (source !== undefined) query = query.where('source', '=', source)
    if (after !== undefined) {
      const { source: s, customer_old: c, source_old: p } = after
      query = query.where((row) => row(row.refTuple('source', 'customer_old', 'source_old'), '>', row.tuple(s, c, p)))
    }
    const rows = await query.orderBy('source').orderBy('customer_old').orderBy('source_old').limit(page).execute()
    for (const row of rows)
      yield {
        source: row.source,
        customerOld: row.customer_old,
        customerNew: row.customer_new,
        sourceOld: row.source_old,
        sourceNew: row.source_new,
        importedAt: instant(row.imported_at),
      }
    after = rows.at(-1)
    if (rows.length < page) return
  }
}
