import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { afterEach, expect, test, vi } from 'vitest'
import pg from 'pg'
import { instant } from '../../src/core/instant.ts'
import { openDatabaseFile } from '../../src/store/node-sqlite.ts'
import { openStore, type OpenStore, type StoreOptions } from '../../src/store/open.ts'
import { onEveryEngine } from './engines.ts'

const at = instant(1_800_000_000)
const now = instant(at + 600)
const rows = 20_000
const grants = 4_000

afterEach(() => {
  vi.restoreAllMocks()
})

onEveryEngine('what one signal costs', (place) => {
  test(`reads no more with a backlog: of ${rows} waiting rows and ${grants} grants, no step reads all`, async () => {
    const where = await place()
    const store = await openStore(where)
    await fill(store)
    await store.close()
    expect(await wholeReads(where)).toEqual([])
  }, 240_000)
})

/** Everything that the service asks of its store for one signal. */
function stepsOf(store: OpenStore): Readonly<Record<string, () => Promise<unknown>>> {
  const { inbox } = store
  const until = instant(now + 15)
  const note = { at: now, state: 'done', text: 'cancelled' } as const
  return {
    accept: () => accepted(inbox, rows + 1),
    fresh: () => inbox.claim('one', now, until, { limit: 1, cancels: true, lane: 'fresh' }),
    old: () => inbox.claim('two', now, until, { limit: 1, cancels: true, lane: 'old' }),
    'old without cancels': () => inbox.claim('two', now, until, { limit: 1, cancels: false, lane: 'old' }),
    renew: () => inbox.renew('two', ['sig_1', 'sig_2'], until),
    release: () => inbox.release('two', ['sig_1', 'sig_2']),
    save: () => inbox.save('sig_1', 'two', { now: { state: 'done' }, facts: {}, note, release: true }),
    get: () => inbox.get('sig_1'),
    byKey: () => inbox.byKey(['k5']),
    about: () => inbox.about({ contact: '77', customer: 'cus_77' }, 50),
    breaker: () => inbox.cancelsSince(at, now),
    causes: () => inbox.causes('dead'),
    'grants of a contact': () => inbox.grants({ contact: '77' }),
    'grants of a customer': () => inbox.grants({ customer: 'cus_77' }),
    'grants of a subscriber': () => inbox.grants({ subscriber: 'us/sub_77' }),
    'holdings of a contact': () => inbox.holdings({ contact: '77' }),
    subscriber: () => store.subscriber('us/sub_77'),
    named: async () => [await store.get('breaker'), await store.put('ready', 1)],
  }
}

async function accepted(inbox: OpenStore['inbox'], n: number): Promise<unknown> {
  const signal = { source: 'relay', event: 'cancel', offer: 'membership', receivedAt: at, message: 'm' } as const
  const who = { contact: String(n), customer: `cus_${n}` }
  return inbox.accept({ keys: [`k${n}`], signal: { ...signal, ...who }, at: instant(at + (n % 600)) })
}

async function fill(store: OpenStore): Promise<void> {
  const { inbox } = store
  for (let n = 0; n < rows; n += 2_000)
    await Promise.all(Array.from({ length: 2_000 }, async (_, m) => accepted(inbox, n + m)))
  const common = { offer: 'membership', prices: ['monthly'], grantedAt: at, protectedUntil: at }
  const ids = Array.from({ length: grants }, (_, n) => n)
  await inbox.putGrants(
    ids.map((n) => ({ ...common, contact: String(n), customer: `cus_${n}`, subscribers: [`us/sub_${n}`] })),
  )
  await inbox.setHoldings(
    ids.map((n) => ({ contact: String(n), offer: 'x', customer: `cus_${n}`, subscribers: [`us/sub_${n}`] })),
  )
  await store.putSubscribers(ids.map((n) => ({ key: `us/sub_${n}`, phase: 'moved', facts: {}, updated: at })))
}

interface Query {
  readonly step: string
  readonly text: string
  readonly values: readonly unknown[]
}

/**
 * The queries that the steps really send and whose plan reads a whole table. A status page may read
 * an index as a whole, a signal may not.
 */
async function wholeReads(where: StoreOptions): Promise<readonly string[]> {
  const sent: Query[] = []
  let step = ''
  const isRead = (text: string): boolean => /^\s*(?:select|with|update|insert|delete)\b/i.test(text)
  const hear = (text: unknown, values: readonly unknown[] = []): void => {
    if (step !== '' && typeof text === 'string' && isRead(text)) sent.push({ step, text, values })
  }
  const prepare = Reflect.get(DatabaseSync.prototype, 'prepare') as (this: DatabaseSync, text: string) => StatementSync
  vi.spyOn(DatabaseSync.prototype, 'prepare').mockImplementation(function (this: DatabaseSync, text) {
    hear(text)
    return prepare.call(this, text)
  })
  const query = Reflect.get(pg.Client.prototype, 'query') as (this: pg.Client, ...given: unknown[]) => unknown
  vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...given: unknown[]) {
    hear(given[0], given[1] as unknown[])
    return query.apply(this, given)
  } as never)
  // The file's statements are kept once prepared, so it is opened again.
  const store = await openStore(where)
  for (const [name, work] of Object.entries(stepsOf(store))) {
    step = name
    await work()
  }
  step = ''
  await store.close()
  vi.restoreAllMocks()
  expect(new Set(sent.map((one) => one.step)).size).toBe(Object.keys(stepsOf(store)).length)
  return 'file' in where ? wholeInFile(where.file, sent) : wholeInPostgres(where.url, sent)
}

function wholeInFile(file: string, sent: readonly Query[]): string[] {
  const raw = openDatabaseFile(file)
  const tables = raw.prepare("select name from sqlite_master where type = 'table'").all() as { name: string }[]
  const scan = new RegExp(`^SCAN (?:${tables.map(({ name }) => name).join('|')})\\b`)
  const whole = sent.filter(({ step, text }) => {
    const plan = raw.prepare(`explain query plan ${text}`).all() as { detail: string }[]
    // SQLite does not tell how many rows a filter drops, so the indexes must begin with its
    // columns.
    const uses = (part: string): boolean => plan.some(({ detail }) => detail.includes(part))
    const isFiltered = step === 'old without cancels' && !(uses('(cancels=? AND due>?') && uses('(updated_at>?'))
    return isFiltered || plan.some(({ detail }) => scan.test(detail))
  })
  raw.close()
  return whole.map(({ step, text }) => `${step}: ${text}`)
}

async function wholeInPostgres(connectionString: string, sent: readonly Query[]): Promise<string[]> {
  const client = new pg.Client({ connectionString })
  // The server of the test may end before the connection.
  client.on('error', () => {})
  await client.connect()
  await client.query('analyze')
  const whole: string[] = []
  for (const { step, text, values } of sent) {
    // Of an insert, the plan has no rows that are read.
    if (/^\s*insert\b/i.test(text)) continue
    // Executed without effect, so that also rows that an index finds in vain are counted.
    await client.query('begin')
    const { rows: lines } = await client.query<{ 'QUERY PLAN': readonly [{ readonly Plan: Plan }] }>(
      `explain (analyze, format json) ${text}`,
      [...values],
    )
    await client.query('rollback')
    const read = rowsRead(lines[0]?.['QUERY PLAN'][0].Plan)
    if (read > most) whole.push(`${step} reads ${read} rows: ${text}`)
  }
  await client.end()
  return whole
}

interface Plan {
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Rows Removed by Index Recheck'?: number
  readonly Plans?: readonly Plan[]
}

/** More rows than any step needs, and few beside the backlog. */
const most = 500

function rowsRead(plan: Plan | undefined): number {
  if (plan === undefined) return 0
  const { 'Actual Rows': found, 'Actual Loops': loops, Plans: parts = [] } = plan
  const dropped = (plan['Rows Removed by Filter'] ?? 0) + (plan['Rows Removed by Index Recheck'] ?? 0)
  return (found + dropped) * loops + parts.reduce((sum, part) => sum + rowsRead(part), 0)
}
