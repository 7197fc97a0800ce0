import { sql, type Kysely, type RawBuilder } from 'kysely'
import type { Tables } from './tables.ts'

/** The differences between the two engines; all other queries have the same text. */
export interface StoreEngine {
  readonly name: 'sqlite' | 'postgres'
  readonly database: Kysely<Tables>
  /**
   * Throws when the database file was deleted or replaced since it was opened: no later process
   * finds what is written to it then.
   */
  readonly inPlace?: () => void
  /**
   * Milliseconds since 1970 as an expression of the database. Several machines share only its
   * clock, so leases are compared by it.
   */
  readonly nowMilliseconds: RawBuilder<number>
  close(): Promise<void>
}

/**
 * What the first use of an engine does before everything else: it creates or migrates the tables.
 */
export type Prepare = (engine: Omit<StoreEngine, 'close'>) => Promise<void>

export const sqliteNow = sql<number>`cast(unixepoch('now', 'subsec') * 1000 as integer)`
export const postgresNow = sql<number>`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`
