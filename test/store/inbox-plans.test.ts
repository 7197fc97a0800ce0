import { expect, test } from 'vitest'
import pg from 'pg'
import { instant } from '../../src/core/instant.ts'
import { openDatabaseFile } from '../../src/store/node-sqlite.ts'
import { openStore } from '../../src/store/open.ts'
import { onEveryEngine } from './engines.ts'

const at = instant(1_800_000_000)

onEveryEngine('what one signal costs', (place) => {
  test('reads no more with a backlog: of 20,000 waiting rows, no step reads all', async () => {
    const where = await place()
    const store = await openStore(where)
    const signal = { source: 'relay', event: 'cancel', offer: 'membership', receivedAt: at, message: 'm' } as const
    const one = (n: number) =>
      store.inbox.accept({
        keys: [`k${n}`],
        signal: { ...signal, contact: String(n), customer: `cus_${n}` },
        at: instant(at + (n % 600)),
      })
    for (let n = 0; n < 20_000; n += 2_000) await Promise.all(Array.from({ length: 2_000 }, (_, m) => one(n + m)))
    const url = 'url' in where ? where.url : undefined
    if (url !== undefined) {
      const pool = await connected(url)
      await pool.query('analyze')
      await pool.end()
    }
    const now = instant(at + 600)
    const timed = async (work: () => Promise<unknown>): Promise<number> => {
      await work()
      const began = performance.now()
      for (let n = 0; n < 5; n++) await work()
      return (performance.now() - began) / 5
    }
    const steps = {
      fresh: () => store.inbox.claim('one', now, instant(now + 15), { limit: 1, cancels: true, lane: 'fresh' }),
      old: () => store.inbox.claim('two', now, instant(now + 15), { limit: 1, cancels: true, lane: 'old' }),
      about: () => store.inbox.about({ contact: '77', customer: 'cus_77' }, 50),
      breaker: () => store.inbox.cancelsSince(at, now),
      causes: () => store.inbox.causes('dead'),
      status: () => store.inbox.counts(),
    }
    for (const [name, work] of Object.entries(steps))
      expect([name, await timed(work)]).toEqual([name, expect.toSatisfy((ms: number) => ms < 60)])
    expect(await plans(where)).toEqual([])
    await store.close()
  }, 120_000)
})

async function connected(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString })
  // The server of the test may end before the connection.
  client.on('error', () => {})
  await client.connect()
  return client
}

/** The queries of one signal whose query plan reads the whole inbox. */
async function plans(
  where: Awaited<ReturnType<Parameters<Parameters<typeof onEveryEngine>[1]>[0]>>,
): Promise<string[]> {
  const queries = [
    `select id from inbox where state = 'received' and accepted_at > ${at + 590} and leased_until <= ${at} order by accepted_at desc limit 5`,
    `select id from inbox where due is not null and due <= ${at + 600} and leased_until <= ${at} order by due, accepted_at limit 5`,
    `select id from inbox where due is not null and updated_at > ${at + 5_000} order by updated_at limit 5`,
    `select * from inbox where contact = '77' or customer = 'cus_77' order by accepted_at desc limit 50`,
    `select count(*) from inbox where state = 'done' and updated_at > ${at}`,
    `select count(*) from inbox where holder is not null and leased_until > ${at} and cancels = 1`,
    `select cause, count(*) from inbox where state = 'dead' group by cause`,
  ]
  const whole: string[] = []
  if ('file' in where) {
    const raw = openDatabaseFile(where.file)
    for (const query of queries) {
      const steps = raw.prepare(`explain query plan ${query}`).all() as { detail: string }[]
      if (steps.some(({ detail }) => /^SCAN inbox(?! USING)/.test(detail))) whole.push(query)
    }
    raw.close()
    return whole
  }
  const pool = await connected(where.url)
  for (const query of queries) {
    const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`explain ${query}`)
    if (rows.some((row) => row['QUERY PLAN'].includes('Seq Scan on inbox'))) whole.push(query)
  }
  await pool.end()
  return whole
}
