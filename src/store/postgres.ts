import {
  Kysely,
  PostgresDialect,
  PostgresDriver,
  type Driver,
  type PostgresDialectConfig,
  type PostgresPool,
  type PostgresPoolClient,
} from 'kysely'
import pg from 'pg'
import { assert } from '../core/assert.ts'
import { CommandError } from '../core/outcome.ts'
import { postgresNow, type StoreEngine } from './engines.ts'
import { tellingFailures } from './failures.ts'
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

const types = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === bigint ? safeInteger : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
}

/**
 * A store that several machines share. The URL is a secret: it is never printed. Throws
 * `CommandError` when the server does not answer.
 */
export async function openPostgresEngine(url: string): Promise<StoreEngine> {
  const pool = new pg.Pool({
    connectionString: url,
    max: 10,
    connectionTimeoutMillis: 10_000,
    types,
    application_name: 'crossbill',
  })
  // A connection that breaks is replaced at the next use. An error event without a listener would
  // end the process, and the pool itself listens only while a connection is idle.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  try {
    await pool.query('select 1')
  } catch (error) {
    await pool.end()
    throw new CommandError(
      'store_unreachable',
      `the PostgreSQL store cannot be reached (${error instanceof Error && 'code' in error ? String(error.code) : 'no answer'})`,
      {
        notDone: 'nothing was read or written',
        fix: 'check the secret that store.url names in catalog/project.yaml, and that the server accepts connections from here',
        cause: error,
      },
    )
  }
  return {
    name: 'postgres',
    database: new Kysely<Tables>({ dialect: new TellingDialect({ pool: dropping(pool) }) }),
    nowMilliseconds: postgresNow,
  }
}

/**
 * The server's codes for "this connection can no longer be used": it shuts down, or has become a
 * standby that refuses writes.
 */
const useless = new Set(['57P01', '57P02', '57P03', '25006', '08006', '08003'])

/**
 * A pool that closes connections with such an error instead of reusing them: after a fail-over, the
 * next connection reaches the new primary.
 */
function dropping(pool: pg.Pool): PostgresPool {
  return {
    async connect() {
      const client = await pool.connect()
      let drop = false
      const released = client.release.bind(client)
      const query = client.query.bind(client) as (...given: readonly unknown[]) => Promise<never>
      return Object.assign(Object.create(client) as typeof client, {
        query: async (...given: readonly unknown[]) => {
          try {
            return await query(...given)
          } catch (error) {
            if (error instanceof Error && 'code' in error && useless.has(String(error.code))) drop = true
            throw error
          }
        },
        release: () => released(drop),
      }) as unknown as PostgresPoolClient
    },
    end: async () => pool.end(),
  } as PostgresPool
}

class TellingDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig
  constructor(config: PostgresDialectConfig) {
    super(config)
    this.#config = config
  }
  override createDriver(): Driver {
    return new TellingDriver(this.#config)
  }
}

class TellingDriver extends PostgresDriver {
  override async acquireConnection(): ReturnType<PostgresDriver['acquireConnection']> {
    return tellingFailures(await super.acquireConnection(), 'in PostgreSQL')
  }
}
