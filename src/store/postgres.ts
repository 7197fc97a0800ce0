import {
  Kysely,
  PostgresDialect,
  PostgresDriver,
  type Driver,
  type PostgresDialectConfig,
  type PostgresPool,
} from 'kysely'
import pg from 'pg'
import { assert } from '../core/assert.ts'
import { postgresNow, type Prepare, type StoreEngine } from './engines.ts'
import { storeFailure, tellingFailures } from './failures.ts'
import { connectHosts, migrationPatience } from './postgres-hosts.ts'
import type { Tables } from './tables.ts'

/**
 * PostgreSQL's 64-bit integers arrive as text. Here they are counts and instants, far below 2^53.
 */
const bigint = 20
function safeInteger(text: string): number {
  const value = Number(text)
  assert(Number.isSafeInteger(value), `an integer of the store is beyond 2^53: ${text}`)
  return value
}

/** How messages name the store: never by its URL. */
const place = 'in PostgreSQL'

const types = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === bigint ? safeInteger : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
}

/**
 * A store that several machines share. The URL is a secret: it is never printed. The server is
 * reached at the first use, which runs `prepare` before everything else and throws `CommandError`
 * when the server does not answer; the next use then tries again.
 */
export function openPostgresEngine(url: string, prepare: Prepare): StoreEngine {
  const pool = connectHosts(url, types)
  const dialect = new TellingDialect({ pool }, async () => {
    await reached(pool)
    const patient = connectHosts(url, types, migrationPatience)
    try {
      const plain = new Kysely<Tables>({ dialect: new TellingDialect({ pool: patient }) })
      await prepare({ name: 'postgres', database: plain, nowMilliseconds: postgresNow })
    } finally {
      await patient.end()
    }
  })
  const database = new Kysely<Tables>({ dialect })
  return {
    name: 'postgres',
    database,
    nowMilliseconds: postgresNow,
    async close() {
      // The driver ends the pool, unless it was never used.
      await database.destroy().catch(() => {})
      if (!pool.ended) await pool.end()
    },
  }
}

async function reached(pool: PostgresPool): Promise<void> {
  try {
    const client = await pool.connect()
    client.release()
  } catch (error) {
    throw storeFailure(place, error)
  }
}

class TellingDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig
  readonly #prepare: () => Promise<void>
  constructor(config: PostgresDialectConfig, prepare = async (): Promise<void> => {}) {
    super(config)
    this.#config = config
    this.#prepare = prepare
  }
  override createDriver(): Driver {
    return new TellingDriver(this.#config, this.#prepare)
  }
}

class TellingDriver extends PostgresDriver {
  readonly #prepare: () => Promise<void>
  constructor(config: PostgresDialectConfig, prepare: () => Promise<void>) {
    super(config)
    this.#prepare = prepare
  }
  /** Kysely calls this at the first use, and again at the next one when it failed. */
  override async init(): Promise<void> {
    await super.init()
    await this.#prepare()
  }
  override async acquireConnection(): ReturnType<PostgresDriver['acquireConnection']> {
    try {
      return tellingFailures(await super.acquireConnection(), place)
    } catch (error) {
      throw storeFailure(place, error)
    }
  }
}
