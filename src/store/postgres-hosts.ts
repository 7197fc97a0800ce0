import type { PostgresPool, PostgresPoolClient } from 'kysely'
import pg from 'pg'
import { meansAway } from './failures.ts'

/** Milliseconds until a server that does not answer a new connection is given up. */
const connectPatience = 10_000
/** The same where another server is named, which may be the primary now. */
const nextPatience = 3_000
/**
 * Milliseconds until a query without an answer fails. A server that vanished without closing its
 * connections would otherwise be waited for until the operating system gives up, a quarter of an
 * hour later.
 */
const queryPatience = 30_000
/** The same for a migration, which may rewrite a large table or wait for another process's. */
export const migrationPatience = 3_600_000

/**
 * The servers that a URL names, as one URL each. `postgres://user@one:5432,two:5432/db` is the form
 * of libpq, which the driver does not know.
 */
export function serversOf(url: string): readonly [string, ...string[]] {
  const [, before = '', hosts = '', after = ''] = /^(\w+:\/\/(?:[^/?#]*@)?)([^/?#@]*)(.*)$/s.exec(url) ?? []
  const [first, ...others] = hosts.split(',').filter((host) => host !== '')
  if (first === undefined || others.length === 0) return [url]
  return [`${before}${first}${after}`, ...others.map((host) => `${before}${host}${after}`)]
}

/**
 * Connections to the server that accepts writes. With several servers, each new connection begins
 * with the server that was last used, and tries the others in their order: after a fail-over, the
 * next connection reaches the new primary. `types` parses what is read. `patience` replaces the
 * limit of each query, also the one that the URL sets.
 */
export function connectHosts(
  url: string,
  types: pg.CustomTypesConfig,
  patience?: number,
): PostgresPool & { readonly ended: boolean } {
  const servers = serversOf(patience === undefined ? url : withLimit(url, patience))
  const alone = servers.length === 1
  const pools = servers.map((server) => openPool(server, types, alone))
  /** Connections whose server accepted writes when they were opened. */
  const writable = new WeakSet<pg.PoolClient>()
  let now = 0
  return {
    get ended() {
      return pools.every(({ ended }) => ended)
    },
    async connect() {
      const from = now
      let failure: unknown
      for (let n = 0; n < pools.length; n++) {
        const index = (from + n) % pools.length
        try {
          const client = await pools[index]?.connect()
          if (client === undefined) continue
          if (!alone && !writable.has(client)) await mustWrite(client)
          writable.add(client)
          now = index
          return dropping(client, () => {
            if (now === index) now = (index + 1) % pools.length
          })
        } catch (error) {
          // A server that is only a standby says less than one that cannot be reached.
          if (failure === undefined || !isStandby(error)) failure = error
          if (!meansAway(error)) break
        }
      }
      throw failure
    },
    async end() {
      await Promise.all(pools.filter(({ ended }) => !ended).map(async (pool) => pool.end()))
    },
  } as PostgresPool & { readonly ended: boolean }
}

/** Drivers take what the URL sets before their own options. */
function withLimit(url: string, milliseconds: number): string {
  const plain = url.replaceAll(/(?<=[?&])query_timeout=[^&]*&?/g, '')
  return `${plain}${plain.includes('?') ? '&' : '?'}query_timeout=${milliseconds}`
}

function openPool(connectionString: string, types: pg.CustomTypesConfig, alone: boolean): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    max: 10,
    connectionTimeoutMillis: alone ? connectPatience : nextPatience,
    query_timeout: queryPatience,
    keepAlive: true,
    types,
    application_name: 'crossbill',
  })
  // A connection that breaks is replaced at the next use. An error event without a listener would
  // end the process, and the pool itself listens only while a connection is idle.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

const standbyState = '25006'

async function mustWrite(client: pg.PoolClient): Promise<void> {
  try {
    const { rows } = await client.query<{ transaction_read_only: string }>('show transaction_read_only')
    if (rows[0]?.transaction_read_only !== 'on') return
  } catch (error) {
    client.release(true)
    throw error
  }
  client.release(true)
  throw Object.assign(new Error('the server is a standby'), { code: standbyState })
}

function isStandby(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === standbyState
}

/**
 * A connection that is closed instead of reused after such an error: the server shuts down, has
 * become a standby that refuses writes, or does not answer. Nothing more is sent on it, no rollback
 * either: the server undoes what was not committed.
 */
function dropping(client: pg.PoolClient, dropped: () => void): PostgresPoolClient {
  let failure: Error | undefined
  const released = client.release.bind(client)
  const query = client.query.bind(client) as (...given: readonly unknown[]) => Promise<never>
  return Object.assign(Object.create(client) as typeof client, {
    query: async (...given: readonly unknown[]) => {
      if (failure !== undefined) throw failure
      try {
        return await query(...given)
      } catch (error) {
        if (error instanceof Error && meansAway(error)) {
          failure = error
          dropped()
        }
        throw error
      }
    },
    release: () => released(failure !== undefined),
  }) as unknown as PostgresPoolClient
}
