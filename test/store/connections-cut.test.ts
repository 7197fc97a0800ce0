import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { instant } from '../../src/core/instant.ts'
import { openStore } from '../../src/store/open.ts'
import { postgresBinaries, startPostgres } from '../postgres.ts'

const postgres = postgresBinaries() === undefined ? undefined : await startPostgres()
afterAll(async () => postgres?.stop())

const at = instant(1_800_000_000)

test.skipIf(postgres === undefined)(
  'connections that the server closes, idle or during work, end no process and lose nothing that was stored',
  async () => {
    const url = (await postgres?.database()) ?? ''
    const store = await openStore({ url })
    const signal = { source: 'relay', event: 'cancel', receivedAt: at, message: 'm' } as const
    const admin = new pg.Client({ connectionString: url })
    admin.on('error', () => {})
    await admin.connect()
    const stored: string[] = []
    let n = 0
    for (let round = 0; round < 6; round++) {
      stored.push((await store.inbox.accept({ keys: [`quiet ${round}`], signal, at })).id)
      const work = Array.from({ length: 40 }, async () => {
        const key = `key ${n++}`
        await store.inbox.accept({ keys: [key], signal, at }).then(
          ({ id }) => stored.push(id),
          () => {},
        )
        await store.inbox.claim('one', at, at, { limit: 1, cancels: true, lane: 'old' }).catch(() => {})
      })
      await admin.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      )
      await Promise.all(work)
    }
    // While no request runs, the server cuts the connections once more.
    await admin.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    )
    await new Promise((go) => setTimeout(go, 100))
    const rows = new Set((await store.inbox.list({ limit: 1_000 })).map(({ id }) => id))
    expect(stored.filter((id) => !rows.has(id))).toEqual([])
    expect(stored.length).toBeGreaterThan(0)

    // A server that became a standby refuses writes. The connection with that answer is not used
    // again.
    await admin.query(`alter database ${new URL(url).pathname.slice(1)} set default_transaction_read_only = on`)
    await admin.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    )
    await expect(store.put('x', 1).then(() => store.put('x', 1))).rejects.toThrow(/./)
    await expect(store.put('x', 1)).rejects.toThrow(/read-only/)
    await admin.query('set default_transaction_read_only = off')
    await admin.query(`alter database ${new URL(url).pathname.slice(1)} reset default_transaction_read_only`)
    await expect
      .poll(
        () =>
          store.put('x', 1).then(
            () => 'written',
            () => 'refused',
          ),
        { timeout: 5_000 },
      )
      .toBe('written')
    await admin.end()
    await store.close()
  },
  60_000,
)
