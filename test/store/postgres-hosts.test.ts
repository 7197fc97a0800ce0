import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
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
