import { randomUUID } from 'node:crypto'
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { Kysely, sql } from 'kysely'
import type { InboxStore } from '../engine/inbox/port.ts'
import type { Store } from '../engine/ports.ts'
import { backupLines, restoreLines } from './backup.ts'
import { checkpointBeside, patientCheckpoint } from './checkpoints.ts'
import { sqliteNow, type StoreEngine } from './engines.ts'
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
  const world = 'file' in options ? openWorld(worldFile(options.file)) : noWorld
  const engine = 'file' in options ? openSqliteEngine(options.file) : await openPostgres(options.url)
  await migrate(engine)
  await engine.database
    .insertInto('state_version')
    .values({ id: 1, lineage: randomUUID(), serial: 0 })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
  const inGroup = groupCommit(engine.database)
  let beside: ReturnType<typeof checkpointBeside> | undefined
  return {
    ...openState(engine.database, inGroup),
    ...openJournal(engine.database, inGroup),
    ...openLeases(engine),
    inbox: openInbox(engine, inGroup),
    world,
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
      await engine.database.destroy()
    },
  }
}

function worldFile(file: string): string {
  return file === ':memory:' ? file : `${file}.sandbox`
}

/** The driver is loaded only when it is needed, because loading takes 50 ms. */
async function openPostgres(url: string): Promise<StoreEngine> {
  const { openPostgresEngine } = await import('./postgres.ts')
  return openPostgresEngine(url)
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
  try {
    if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true })
    const database = new Kysely<Tables>({ dialect: sqliteDialect(openDatabaseFile(file), file) })
    return {
      name: 'sqlite',
      database,
      nowMilliseconds: sqliteNow,
      ...(file === ':memory:' ? {} : { inPlace: watched(file) }),
    }
  } catch (error) {
    throw storeFailure(file, error)
  }
}
