import type { DatabaseConnection } from 'kysely'
import { CommandError } from '../core/outcome.ts'

interface Words {
  readonly code: string
  readonly what: string
  readonly fix: string
  /** What is true of the last write, unless it is surely not in the store. */
  readonly notDone?: string
  /** The driver's message may name the host and the user, which are part of a secret. */
  readonly codeOnly?: true
}

const full: Words = {
  code: 'store_full',
  what: 'cannot be written: the disk is full',
  fix: 'free some space and run the command again: the journal holds the work in progress, and the next apply finishes or undoes it',
}
const damaged: Words = {
  code: 'store_damaged',
  what: 'is damaged, or is not a Crossbill store',
  fix: 'restore a backup, or move it away and run "crossbill state rebuild": everything but the inbox is read back from the accounts',
}
const unusable: Words = {
  code: 'store_unusable',
  what: 'cannot be read or written',
  fix: 'check that its folder exists and that this user may write the file and the folder',
}
/**
 * The server is away for a while: a restart, a fail-over, a network or a name that does not answer.
 */
const away: Words = {
  code: 'store_unreachable',
  what: 'cannot be reached',
  fix: 'check the secret that store.url names in catalog/project.yaml, and that the server accepts connections from here',
  notDone: 'the last write may not be in the store; nothing was done after it',
  codeOnly: true,
}
const standby: Words = {
  code: 'store_read_only',
  what: 'refuses writes: it is a standby, or read-only',
  fix: 'let store.url lead to the primary, and run the command again',
}
const busy: Words = {
  code: 'store_busy',
  what: 'is held by another process',
  fix: 'wait until the other crossbill process has finished, and run the command again',
}

/** SQLite's primary result codes, https://www.sqlite.org/rescode.html */
const sqliteWords: Readonly<Record<number, Words>> = {
  3: unusable,
  5: busy,
  8: unusable,
  10: unusable,
  11: damaged,
  13: full,
  14: unusable,
  26: damaged,
}

/** PostgreSQL's SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html */
const postgresWords: Readonly<Record<string, Words>> = {
  '53100': full,
  XX001: damaged,
  XX002: damaged,
  '25006': standby,
  '42501': unusable,
  '53300': away,
  '57P01': away,
  '57P02': away,
  '57P03': away,
}
/** Authentication, and connections that break: whole classes of codes. */
const awayClasses: readonly string[] = ['08', '28', '3D']

/** Errors of Node's sockets and of the look-up of names. */
const networkCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
])
/** What the driver `pg` says when a connection ends or begins too slowly; these have no code. */
const endedConnection =
  /^(?:Connection terminated|Client has encountered a connection error|timeout exceeded when|Query read timeout|The client was closed)/

/** Codes of a store that may be usable again without a change of the project: a service waits. */
const passing: ReadonlySet<string> = new Set(['store_unreachable', 'store_read_only', 'store_full', 'store_busy'])

/** Whether the store may be back by itself. */
export function mayReturn(error: unknown): boolean {
  return error instanceof CommandError && passing.has(error.code)
}

/**
 * Whether the database server cannot be used just now, or takes no writes: another connection, or
 * another server, may do better.
 */
export function meansAway(error: unknown): boolean {
  const words = error instanceof Error ? wordsFor(error) : undefined
  return words === away || words === standby
}

/**
 * Turns failures of the database's file, disk or server into messages with a fix. An error in a
 * query is returned unchanged. `place` names the store: its file, or a description, never a URL.
 */
export function storeFailure(place: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const words = wordsFor(error)
  if (words === undefined) return error
  const said = words.codeOnly === true ? ('code' in error ? String(error.code) : 'no answer') : error.message
  return new CommandError(words.code, `the store ${place} ${words.what} (${said})`, {
    notDone: words.notDone ?? 'the last write is not in the store; nothing was done after it',
    fix: words.fix,
    cause: error,
  })
}

function wordsFor(error: Error): Words | undefined {
  if ('errcode' in error) return sqliteWords[Number(error.errcode) & 0xff]
  if (!('code' in error) || typeof error.code !== 'string')
    return endedConnection.test(error.message) ? away : undefined
  // The operating system refused the file or its folder.
  if ('syscall' in error && 'path' in error) return error.code === 'ENOSPC' ? full : unusable
  if (networkCodes.has(error.code)) return away
  return postgresWords[error.code] ?? (awayClasses.includes(error.code.slice(0, 2)) ? away : undefined)
}

const telling = new WeakSet<DatabaseConnection>()

/**
 * The same connection, whose failures become messages about the store. Drivers compare their
 * connections by identity, so it is not wrapped.
 */
export function tellingFailures<C extends DatabaseConnection>(connection: C, place: string): C {
  if (telling.has(connection)) return connection
  telling.add(connection)
  const execute = connection.executeQuery.bind(connection)
  const tellingOne: DatabaseConnection['executeQuery'] = async (query, options) => {
    try {
      return await execute(query, options)
    } catch (error) {
      throw storeFailure(place, error)
    }
  }
  return Object.assign(connection, { executeQuery: tellingOne })
}
