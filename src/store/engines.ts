import { sql, type Kysely, type RawBuilder } from 'kysely'
import type { Tables } from './tables.ts'

/** What differs between the two engines; every query beside this is the same text. */
export interface StoreEngine {
  readonly name: 'sqlite' | 'postgres'
  readonly database: Kysely<Tables>
  /**
   * Throws when the database file was deleted or replaced since it was opened: what is written then
   * goes where no later process finds it.
   */
  readonly inPlace?: () => void
  /**
   * Milliseconds since 1970 as an expression of the database: with several machines its clock is
   * the only one they share, and leases are compared by it.
   */
  readonly nowMilliseconds: RawBuilder<number>
}

export const sqliteNow = sql<number>`cast(unixepoch('now', 'subsec') * 1000 as integer)`
export const postgresNow = sql<number>`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`
