import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, describe, expect, test } from 'vitest'
import { openStore } from '../../src/store/open.ts'
import { serversOf } from '../../src/store/postgres-hosts.ts'
import { postgresBinaries, startPostgres } from '../postgres.ts'

const postgres = postgresBinaries() === undefined ? undefined : await startPostgres()
afterAll(async () => postgres?.stop())

describe('the servers that a URL names', () => {
  test('one stays as it is, several are one URL each', () => {
    expect(serversOf('postgres://u:p@one:5432/db?sslmode=require')).toEqual([
      'postgres://u:p@one:5432/db?sslmode=require',
    ])
    expect(serversOf('postgresql://u:p,@w@one,two:6000,[::1]:7000/db?sslmode=require')).toEqual([
      'postgresql://u:p,@w@one/db?sslmode=require',
      'postgresql://u:p,@w@two:6000/db?sslmode=require',
      'postgresql://u:p,@w@[::1]:7000/db?sslmode=require',
    ])
    expect(serversOf('postgres://one,two')).toEqual(['postgres://one', 'postgres://two'])
    expect(serversOf('postgres:///db?host=/tmp')).toEqual(['postgres:///db?host=/tmp'])
  })
})

test.skipIf(postgres === undefined)(
  'a server that vanished with its connections open is given up, and the next one is used',
  async () => {
    const url = (await postgres?.database()) ?? ''
    const real = Number(new URL(url).port)
    const sockets: Socket[] = []
    let vanished = false
    const between = createServer((socket) => {
      sockets.push(socket)
      const server = connect(real, '127.0.0.1')
      sockets.push(server)
      for (const [from, to] of [
        [socket, server],
        [server, socket],
      ] as const)
        from.on('error', () => {}).on('data', (bytes) => vanished || to.write(bytes))
    }).listen(0, '127.0.0.1')
    await new Promise((listening) => between.once('listening', listening))
    const { port } = between.address() as AddressInfo
    const store = await openStore({
      url: `${url.replace(`:${real}/`, `:${port},127.0.0.1:${real}/`)}?query_timeout=300`,
    })
    try {
      await store.put('before', 1)
      vanished = true
      const began = performance.now()
      await expect(store.put('after', 2)).rejects.toMatchObject({ code: 'store_unreachable' })
      await store.put('after', 2)
      expect(performance.now() - began).toBeLessThan(2_000)
      expect(await store.get('after')).toBe(2)
    } finally {
      await store.close()
      for (const socket of sockets) socket.destroy()
      between.close()
    }
  },
)

test.skipIf(postgres === undefined)('a migration is not cut off by the limit of a query', async () => {
  const url = (await postgres?.database()) ?? ''
  const other = new pg.Client({ connectionString: url })
  await other.connect()
  // Another process migrates: Kysely's lock.
  await other.query('select pg_advisory_lock(3853314791062309107)')
  const opened = openStore({ url: `${url}?query_timeout=200` })
  try {
    const first = await Promise.race([opened.then(() => 'open'), sleep(500, 'waits')]).catch(String)
    expect(first).toBe('waits')
    await other.query('select pg_advisory_unlock(3853314791062309107)')
    const store = await opened
    await store.put('after', 2)
    expect(await store.get('after')).toBe(2)
    await store.close()
  } finally {
    await other.end()
  }
})
