import { randomUUID } from 'node:crypto'
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { Kysely, sql } from 'kysely'
import type { InboxStore } from '../engine/inbox/port.ts'
import type { Store } from '../engine/ports.ts'
import { backupLines, restoreLines } from './backup.ts'
import { checkpointBeside, patientCheckpoint } from './checkpoints.ts'
import { sqliteNow, type Prepare, type StoreEngine } from './engines.ts'
import { groupCommit } from './group-commit.ts'
import { openInbox } from './inbox.ts'
import { openJournal } from './journal.ts'
import { openLeases } from './leases.ts'
import { CommandError } from '../core/outcome.ts'
import { storeFailure } from './failures.ts'
import { migrate } from './migrations.ts'
import { openDatabaseFile, sqliteDialect } from './node-sqlite.ts'
import { openState } from './state.ts'
import type { Tables } from './tables.ts'
import { noWorld, openWorld, type WorldStorage } from './world.ts'

export type StoreOptions =
  /**
   * The database file, created with its folder when missing; `:memory:` for a store that ends with
   * the process.
   */
  | { readonly file: string }
  /** A PostgreSQL database, `postgres://…`: one store for any number of processes and machines. */
  | { readonly url: string }

export interface OpenStore extends Store {
  /** The cancel service's inbox, in the same database. */
  readonly inbox: InboxStore
  readonly world: WorldStorage
  /** Opens and migrates the store now, unless it is open. Throws `CommandError`. */
  prepare(): Promise<void>
  /** Throws when the store was deleted or replaced since it was opened. */
  inPlace(): void
  /** The whole store as lines of JSON, as it is at one instant. */
  backup(): AsyncIterable<string>
  /** Fills this store, which must be empty, with a backup. Returns the number of rows. */
  restore(lines: AsyncIterable<string>): Promise<number>
  /**
   * For a service: until the store is closed, no commit waits for a checkpoint of the log.
   */
  moveLogBeside(): Promise<void>
}

/**
 * Opens the store and migrates its tables to this version. Every method is durable when it returns.
 * `world` is where a sandbox in this process keeps its world: `<file>.sandbox`, created on first
 * use. Throws `CommandError` when the store cannot be opened.
 */
export async function openStore(options: StoreOptions): Promise<OpenStore> {
  const store = await openStoreLater(options)
  try {
    await store.prepare()
    return store
  } catch (error) {
    await store.close()
    throw error
  }
}

/**
 * The same for a service, which must start while its database is away: the store is opened and
 * migrated at its first use. Until that succeeds, every method throws `CommandError`.
 */
export async function openStoreLater(options: StoreOptions): Promise<OpenStore> {
  const world = 'file' in options ? openWorld(worldFile(options.file)) : noWorld
  const engine = 'file' in options ? openSqliteEngine(options.file) : await openPostgres(options.url)
  const inGroup = groupCommit(engine.database)
  let beside: ReturnType<typeof checkpointBeside> | undefined
  return {
    ...openState(engine.database, inGroup),
    ...openJournal(engine.database, inGroup),
    ...openLeases(engine),
    inbox: openInbox(engine, inGroup),
    world,
    prepare: async () => engine.database.connection().execute(async () => {}),
    backup: () => backupLines(engine),
    restore: async (lines) => restoreLines(engine, lines),
    inPlace: () => engine.inPlace?.(),
    async moveLogBeside() {
      if (!('file' in options) || options.file === ':memory:' || beside !== undefined) return
      await sql`pragma wal_autocheckpoint = ${sql.raw(String(patientCheckpoint))}`.execute(engine.database)
      beside = checkpointBeside(options.file)
    },
    async close() {
      world.close()
      await beside?.stop()
      await engine.close()
    },
  }
}

async function prepareTables(engine: Parameters<Prepare>[0]): Promise<void> {
  await migrate(engine)
  await engine.database
    .insertInto('state_version')
    .values({ id: 1, lineage: randomUUID(), serial: 0 })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
}

function worldFile(file: string): string {
  return file === ':memory:' ? file : `${file}.sandbox`
}

/** The driver is loaded only when it is needed, because loading takes 50 ms. */
async function openPostgres(url: string): Promise<StoreEngine> {
  const { openPostgresEngine } = await import('./postgres.ts')
  return openPostgresEngine(url, prepareTables)
}

/**
 * The file and its log are recognised by their inode numbers, which a copy in their place does not
 * have.
 */
function watched(file: string): () => void {
  const numbers = new Map<string, string>()
  const numberOf = (path: string): string | undefined => {
    const found = statSync(path, { throwIfNoEntry: false })
    return found && `${found.dev} ${found.ino}`
  }
  const check = (): void => {
    for (const path of [file, `${file}-wal`]) {
      const [known, now] = [numbers.get(path), numberOf(path)]
      if (known === undefined && now !== undefined) numbers.set(path, now)
      if (known !== undefined && now !== known)
        throw new CommandError('store_replaced', `the store ${path} was deleted or replaced while it was open`, {
          notDone: 'nothing more is written to it or read from it',
          fix: 'put the right file back in its place and start the service again',
        })
    }
  }
  check()
  return check
}

function openSqliteEngine(file: string): StoreEngine {
  let inPlace: (() => void) | undefined
  const common = { name: 'sqlite', nowMilliseconds: sqliteNow } as const
  const open = async (): Promise<DatabaseSync> => {
    try {
      if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true })
      const raw = openDatabaseFile(file)
      try {
        const plain = new Kysely<Tables>({ dialect: sqliteDialect(async () => raw, file) })
        await prepareTables({ ...common, database: plain })
      } catch (error) {
        raw.close()
        throw error
      }
      if (file !== ':memory:') inPlace = watched(file)
      return raw
    } catch (error) {
      throw storeFailure(file, error)
    }
  }
  const database = new Kysely<Tables>({ dialect: sqliteDialect(open, file) })
  return {
    ...common,
    database,
    inPlace: () => inPlace?.(),
    // A store that could not be opened has nothing to close.
    close: async () => database.destroy().catch(() => {}),
  }
}
