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
 * A file of its own beside the store: the sandbox saves within a request, while the store may be in
 * the middle of a transaction of the same process. Made when the sandbox first asks, held
 * exclusively (two processes playing one world would overwrite each other), flushed to the system
 * at every save: a killed process loses nothing, and a sandbox does not need to outlive a power
 * cut.
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
        // SQLite rolls back by itself when the disk is full.
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

/** A shared database keeps no sandbox: its world is saved synchronously, and by one process. */
export const noWorld: WorldStorage & { close(): void } = {
  load: refuse,
  save: refuse,
  close() {},
}

function refuse(): never {
  throw new CommandError(
    'sandbox_without_file',
    'a sandbox in this process keeps its world beside a store in a file, and the store is PostgreSQL',
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
