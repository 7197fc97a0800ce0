import { DatabaseSync } from 'node:sqlite'
import { CommandError } from '../core/outcome.ts'
import { storeFailure } from './failures.ts'

/**
 * Where the embedded sandbox keeps its world between commands. Writes are synchronous: what was
 * saved before an answer survives a kill after it.
 */
export interface WorldStorage {
  load(): Iterable<{ table: string; key: string; value: string }>
  save(changes: readonly { table: string; key: string; value: string | null }[]): void
}

/**
 * A separate file beside the store: the sandbox saves within a request, while the store may be in
 * the middle of a transaction of the same process. The file is created on first use and held
 * exclusively, because two processes that play one world would overwrite each other. It is written
 * to the system at every save: a killed process loses nothing, and a sandbox need not survive a
 * power failure.
 */
export function openWorld(path: string): WorldStorage & { close(): void } {
  let opened: DatabaseSync | undefined
  const database = (): DatabaseSync => (opened ??= openFile(path))
  return {
    *load() {
      for (const row of database().prepare('select "table", key, value from world order by "table", key').iterate())
        yield row as { table: string; key: string; value: string }
    },
    save(changes) {
      const file = database()
      const put = file.prepare(
        'insert into world ("table", key, value) values (?, ?, ?) on conflict ("table", key) do update set value = excluded.value',
      )
      const drop = file.prepare('delete from world where "table" = ? and key = ?')
      file.exec('begin immediate')
      try {
        for (const { table, key, value } of changes)
          if (value === null) drop.run(table, key)
          else put.run(table, key, value)
        file.exec('commit')
      } catch (error) {
        // SQLite itself rolls back when the disk is full.
        if (file.isTransaction) file.exec('rollback')
        throw storeFailure(path, error)
      }
    },
    close() {
      opened?.close()
      opened = undefined
    },
  }
}

/**
 * A shared database keeps no sandbox: one process saves the world of a sandbox, and synchronously.
 */
export const noWorld: WorldStorage & { close(): void } = {
  load: refuse,
  save: refuse,
  close() {},
}

function refuse(): never {
  throw new CommandError(
    'sandbox_without_file',
    'a sandbox in this process keeps its world in a file beside the store, but the store is PostgreSQL',
    {
      notDone: 'no request was sent to the sandbox',
      fix: 'start "crossbill sandbox" and give every account its api_base, or use store: { file: … }',
    },
  )
}

function openFile(path: string): DatabaseSync {
  const file = new DatabaseSync(path, { timeout: 300 })
  try {
    file.exec('pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = normal')
    file.exec(
      'create table if not exists world ("table" text not null, key text not null, value text not null, primary key ("table", key)) without rowid',
    )
    return file
  } catch (error) {
    file.close()
    throw new CommandError('sandbox_in_use', `the sandbox's world (${path}) cannot be opened`, {
      notDone: 'no request was sent to the sandbox',
      fix: 'another crossbill process uses it: wait for that process, or start "crossbill sandbox" and give every account its api_base',
      cause: error,
    })
  }
}
