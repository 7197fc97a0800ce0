import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CompiledQuery,
  SqliteAdapter,
  SqliteDialect,
  SqliteDriver,
  type DatabaseConnection,
  type DialectAdapter,
  type Driver,
  type SqliteDatabase,
  type SqliteDialectConfig,
  type SqliteStatement,
  type TransactionSettings,
} from 'kysely'
import { tellingFailures } from './failures.ts'

/**
 * Milliseconds for which a statement waits for another process inside SQLite; this process is
 * blocked meanwhile.
 */
const blockingWait = 10
/** Milliseconds it then waits outside SQLite, while this process continues. */
const patientWait = 15_000
/**
 * Number of prepared statements kept. Batches of each size have their own text, so there is a
 * limit.
 */
const keptStatements = 256

/**
 * A database file that survives power loss after every commit: write-ahead log, full sync.
 * @see https://www.sqlite.org/pragma.html#pragma_synchronous
 */
export function openDatabaseFile(path: string): DatabaseSync {
  const raw = new DatabaseSync(path, { timeout: patientWait })
  raw.exec('pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on')
  raw.exec(`pragma busy_timeout = ${blockingWait}`)
  return raw
}

/**
 * Kysely's SQLite dialect over Node's own SQLite. `open` is called at the first use, and again at
 * the next one when it failed. `place` names the file in error messages.
 */
export function sqliteDialect(open: () => Promise<DatabaseSync>, place: string): SqliteDialect {
  return new NodeSqliteDialect({ database: async () => speakNode(await open()) }, place)
}

/** Kysely was written against better-sqlite3; node:sqlite differs in three places. */
function speakNode(raw: DatabaseSync): SqliteDatabase {
  const seen = new Map<string, SqliteStatement>()
  return {
    close: () => raw.close(),
    prepare(sql) {
      const known = seen.get(sql)
      if (known !== undefined) return known
      // A transaction that reads first and writes later fails when another process writes. When it
      // takes the lock at its start, it waits instead.
      const made = adapt(raw.prepare(sql === 'begin' ? 'begin immediate' : sql))
      if (seen.size >= keptStatements) seen.clear()
      seen.set(sql, made)
      return made
    },
  }
}

function adapt(statement: StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...(parameters as SQLInputValue[])),
    run: (parameters) => statement.run(...(parameters as SQLInputValue[])),
    iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])),
  }
}

class NodeSqliteDialect extends SqliteDialect {
  readonly #config: SqliteDialectConfig
  readonly #place: string
  constructor(config: SqliteDialectConfig, place: string) {
    super(config)
    this.#config = config
    this.#place = place
  }
  override createDriver(): Driver {
    return new PatientDriver(this.#config, this.#place)
  }
  override createAdapter(): DialectAdapter {
    return new TransactionalDdl()
  }
}

/**
 * SQLite rolls back schema changes. Declaring this lets two processes migrate one new file at once
 * (the second waits, then finds nothing to do).
 */
class TransactionalDdl extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

/**
 * node:sqlite blocks the whole process while it waits for a lock. A lock held by another connection
 * of this process would then never be released, so a busy statement is tried again after a turn of
 * the event loop.
 */
class PatientDriver extends SqliteDriver {
  readonly #place: string
  constructor(config: SqliteDialectConfig, place: string) {
    super(config)
    this.#place = place
  }
  /** Work that only reads takes no lock: others write meanwhile, and it sees one instant. */
  override async beginTransaction(connection: DatabaseConnection, settings?: TransactionSettings): Promise<void> {
    if (settings?.accessMode !== 'read only') return await super.beginTransaction(connection)
    await connection.executeQuery(CompiledQuery.raw('begin deferred'))
  }
  override async acquireConnection(): Promise<DatabaseConnection> {
    const connection = await super.acquireConnection()
    const patient: DatabaseConnection = {
      executeQuery: async (query, options) => {
        for (let waited = 0, pause = 1; ; waited += pause + blockingWait, pause = Math.min(pause * 2, 32))
          try {
            return await connection.executeQuery(query, options)
          } catch (error) {
            if (!isBusy(error) || waited > patientWait) throw error
            await sleep(pause)
          }
      },
      streamQuery: (query, chunkSize, options) => connection.streamQuery(query, chunkSize, options),
    }
    return tellingFailures(patient, this.#place)
  }
}

/** SQLITE_BUSY and its extended forms, https://www.sqlite.org/rescode.html#busy */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 5
}
