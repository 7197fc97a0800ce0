import { sql, type Kysely } from 'kysely'
import { isJsonObject, type JsonObject } from '../core/json.ts'
import { CommandError } from '../core/outcome.ts'
import type { StoreEngine } from './engines.ts'
import type { Tables } from './tables.ts'

/** Each table that a backup holds, with its key, in which order its rows are read. */
const tables = {
  objects: ['address'],
  subscribers: ['key'],
  journal: ['id'],
  copy_map: ['source', 'customer_old', 'source_old'],
  named_values: ['name'],
  inbox: ['id'],
  inbox_keys: ['key'],
  inbox_notes: ['id'],
  grants: ['contact', 'offer'],
  holdings: ['contact', 'offer'],
} as const satisfies Partial<Record<keyof Tables, readonly string[]>>
// Leases belong to running processes, the version is in the first line, and triggers fill
// grant_subscribers.

type Table = keyof typeof tables

/** Numbers that the database gives to its rows: a restored row gets a new one. */
const numbered: ReadonlySet<Table> = new Set(['journal', 'inbox_notes'])

const format = 'crossbill store 1'
const pageSize = 1_000

/**
 * The whole store as lines of JSON, as it is at one instant: a head, one line for each row, and a
 * last line with their number. Other processes read and write meanwhile.
 */
export async function* backupLines({ database }: Pick<StoreEngine, 'database'>): AsyncGenerator<string> {
  const transaction = await database
    .startTransaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute()
  try {
    const version = await transaction.selectFrom('state_version').selectAll().executeTakeFirstOrThrow()
    yield JSON.stringify({ format, lineage: version.lineage, serial: version.serial })
    let rows = 0
    for (const table of Object.keys(tables) as Table[])
      for await (const row of rowsOf(transaction, table)) {
        rows++
        yield JSON.stringify({ table, row })
      }
    yield JSON.stringify({ rows })
  } finally {
    await transaction.rollback().execute()
  }
}

async function* rowsOf(database: Kysely<Tables>, table: Table): AsyncGenerator<JsonObject> {
  const key = sql.join(tables[table].map((column) => sql.ref(column)))
  let last: readonly unknown[] | undefined
  for (;;) {
    const after = last === undefined ? sql`` : sql`where (${key}) > (${sql.join(last)})`
    const page = await sql<JsonObject>`
      select * from ${sql.table(table)} ${after} order by ${key} limit ${sql.lit(pageSize)}
    `.execute(database)
    yield* page.rows
    if (page.rows.length < pageSize) return
    const end = page.rows.at(-1)
    last = tables[table].map((column) => end?.[column])
  }
}

/**
 * Fills an empty store with a backup, whichever database it was made from. All of it or nothing.
 * Returns the number of rows.
 * @throws CommandError `store_not_empty`, `backup_unreadable`
 */
export async function restoreLines(
  { database }: Pick<StoreEngine, 'database'>,
  lines: AsyncIterable<string>,
): Promise<number> {
  return await database.transaction().execute(async (transaction) => {
    for (const table of Object.keys(tables) as Table[])
      if ((await sql`select 1 from ${sql.table(table)} limit 1`.execute(transaction)).rows.length > 0) throw notEmpty()
    let rows = 0
    let said: unknown
    let head: JsonObject | undefined
    let batch: { readonly table: Table; readonly rows: JsonObject[] } | undefined
    const flush = async (): Promise<void> => {
      if (batch !== undefined) await insert(transaction, batch.table, batch.rows)
      batch = undefined
    }
    for await (const text of lines) {
      const line = parsed(text)
      if (!isJsonObject(line) || said !== undefined) throw unreadable('it has a line that is not of a backup')
      if (head === undefined) {
        if (line['format'] !== format) throw unreadable(`its first line does not say "${format}"`)
        head = line
      } else if (isTable(line['table']) && isJsonObject(line['row'])) {
        if (batch?.table !== line['table'] || batch.rows.length === pageSize / 10) await flush()
        batch ??= { table: line['table'], rows: [] }
        batch.rows.push(line['row'])
        rows++
      } else if ('rows' in line) said = line['rows']
      else throw unreadable('it has a line that is not of a backup')
    }
    await flush()
    if (head === undefined || said !== rows) throw unreadable('it does not end as a backup does: a part is missing')
    const { lineage, serial } = head
    if (typeof lineage !== 'string' || typeof serial !== 'number') throw unreadable('its first line is incomplete')
    await transaction.updateTable('state_version').set({ lineage, serial }).execute()
    return rows
  })
}

async function insert(database: Kysely<Tables>, table: Table, rows: readonly JsonObject[]): Promise<void> {
  const columns = Object.keys(rows[0] ?? {}).filter((column) => !(numbered.has(table) && column === 'id'))
  const values = rows.map((row) => sql`(${sql.join(columns.map((column) => sql.val(row[column] ?? null)))})`)
  await sql`
    insert into ${sql.table(table)} (${sql.join(columns.map((column) => sql.ref(column)))})
    values ${sql.join(values)}
  `.execute(database)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isTable(value: unknown): value is Table {
  return typeof value === 'string' && Object.hasOwn(tables, value)
}

function notEmpty(): CommandError {
  return new CommandError('store_not_empty', 'the store of this project is not empty', {
    notDone: 'nothing was restored',
    fix: 'stop every crossbill process, move the store away or name a new one in project.yaml, and run the command again',
  })
}

function unreadable(why: string): CommandError {
  return new CommandError('backup_unreadable', `this file is not a complete backup of a store: ${why}`, {
    notDone: 'nothing was restored',
    fix: 'use another backup, or run "crossbill state rebuild": everything but the inbox is read back from the accounts',
  })
}
