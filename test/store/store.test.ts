import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { instant } from '../../src/core/instant.ts'
import type { CopyMapRow, Store } from '../../src/engine/ports.ts'
import { openStore, type StoreOptions } from '../../src/store/open.ts'
import { onEveryEngine, type Place } from './engines.ts'

const at = instant(1_800_000_000)

onEveryEngine('store', keepsItsPromises)

function keepsItsPromises(place: Place): void {
  let where: StoreOptions
  let store: Store
  beforeEach(async () => {
    where = await place()
    store = await openStore(where)
  })
  afterEach(() => store.close())
  const reopen = async (): Promise<void> => {
    await store.close()
    store = await openStore(where)
  }

  const started = { run: 'run-1', account: 'target', method: 'POST', path: '/v1/prices', attempt: 1, startedAt: at }
  const entry = (address: string, step = 'create') => ({
    ...started,
    address,
    step,
    params: { currency: 'usd', nested: { list: [1, null, 'two'] } },
    idempotencyKey: `${address}-${step}`,
  })

  test('the lineage stays the same; every write of state raises the serial, reads and the journal do not', async () => {
    const first = await store.version()
    expect(first.serial).toBe(0)
    await store.putObjects([{ address: 'price.a', account: 'target', id: 'price_1', applied: null }])
    await store.putSubscribers([{ key: 'us/sub_1', phase: 'held', facts: { a: 1 }, updated: at }])
    await store.removeObjects(['price.a'])
    await store.putCopyMap([row('us', 'cus_1', 'pm_1')])
    await store.journalStart(entry('price.a'))
    await store.put('last', { run: 'x' })
    await store.objects()
    await reopen()
    expect(await store.version()).toEqual({ lineage: first.lineage, serial: 4 })
  })

  test('many writes at once are all kept, and a failed one does not affect the others', async () => {
    const { serial } = await store.version()
    const people = Array.from({ length: 50 }, (_, n) => ({
      key: `us/sub_${n}`,
      phase: 'held',
      facts: { n },
      updated: at,
    }))
    const wrong = { key: 'us/sub_wrong', phase: null as unknown as string, facts: {}, updated: at }
    const written = await Promise.allSettled([
      ...people.map((one) => store.putSubscribers([one])),
      store.putSubscribers([wrong]),
      ...people.map(({ key }) => store.journalStart(entry(`subscriber.${key}`))),
      store.journalEnd(4_711, { status: 'succeeded', at }),
    ])
    expect(written.map(({ status }) => status)).toEqual(
      [...people, wrong, ...people, 4_711].map((one) => (one === wrong || one === 4_711 ? 'rejected' : 'fulfilled')),
    )
    const ids = written.slice(51, 101).map((one) => (one.status === 'fulfilled' ? one.value : undefined))
    expect(new Set(ids).size).toBe(50)
    await reopen()
    expect((await store.subscribers()).map(({ key }) => key)).toEqual(people.map(({ key }) => key).toSorted())
    expect((await store.journalOpen()).map(({ id }) => id)).toEqual(ids)
    expect((await store.version()).serial).toBe(serial + 50)
  })

  test('an empty write changes nothing', async () => {
    await store.putObjects([])
    await store.putSubscribers([])
    await store.removeObjects([])
    await store.putCopyMap([])
    expect((await store.version()).serial).toBe(0)
  })

  test('objects and subscribers are replaced by key, and read back after reopening in order of their names', async () => {
    await store.putObjects([
      { address: 'price.b', account: 'target', id: 'price_2', applied: 'digest' },
      { address: 'price.a', account: 'target', id: 'price_1', applied: null },
    ])
    await store.putObjects([{ address: 'price.b', account: 'target', id: 'price_3', applied: null }])
    await store.putSubscribers([
      { key: 'us/sub_2', phase: 'held', facts: { before: null }, updated: at },
      { key: 'intl/sub_1', phase: 'moved', facts: { 'münze 🐦': ['x'], deep: { n: 1 } }, updated: at },
    ])
    await store.putSubscribers([{ key: 'us/sub_2', phase: 'moved', facts: {}, updated: instant(at + 1) }])
    await reopen()
    expect(await store.objects()).toEqual([
      { address: 'price.a', account: 'target', id: 'price_1', applied: null },
      { address: 'price.b', account: 'target', id: 'price_3', applied: null },
    ])
    expect(await store.subscribers()).toEqual([
      { key: 'intl/sub_1', phase: 'moved', facts: { 'münze 🐦': ['x'], deep: { n: 1 } }, updated: at },
      { key: 'us/sub_2', phase: 'moved', facts: {}, updated: at + 1 },
    ])
    expect(await store.subscriber('us/sub_2')).toMatchObject({ phase: 'moved' })
    expect(await store.subscriber('us/sub_3')).toBeUndefined()
  })

  test('a started entry stays open until its outcome is known; unknown is open, the others are closed', async () => {
    const one = await store.journalStart(entry('price.a'))
    const two = await store.journalStart(entry('price.b'))
    const three = await store.journalStart(entry('price.a', 'archive'))
    expect([two - one, three - two].every((step) => step > 0)).toBe(true)
    await store.journalEnd(one, { status: 'succeeded', result: 'price_1', requestId: 'req_1', at })
    await store.journalEnd(two, { status: 'unknown', failure: { code: 'connection_cut' }, at })
    await reopen()
    expect((await store.journalOpen()).map((open) => [open.id, open.status])).toEqual([
      [two, 'unknown'],
      [three, 'started'],
    ])
    expect((await store.journalOpen('price.a')).map(({ id }) => id)).toEqual([three])
    expect((await store.journal({ address: 'price.a' }))[0]).toEqual({
      ...entry('price.a'),
      id: one,
      status: 'succeeded',
      result: 'price_1',
      failure: null,
      requestId: 'req_1',
      endedAt: at,
    })
    await store.journalEnd(two, { status: 'abandoned', at })
    expect((await store.journalOpen()).map(({ id }) => id)).toEqual([three])
    expect((await store.journal({ limit: 2 })).map(({ id }) => id)).toEqual([two, three])
    expect(await store.journal({ run: 'another' })).toEqual([])
  })

  test('a success or a failure is final; an entry that was given up accepts a later outcome; a missing entry is a bug', async () => {
    const [one, two] = [await store.journalStart(entry('price.a')), await store.journalStart(entry('price.b'))]
    await store.journalEnd(one, { status: 'succeeded', result: 'price_1', at })
    await store.journalEnd(one, { status: 'failed', at })
    await store.journalEnd(two, { status: 'abandoned', at })
    await store.journalEnd(two, { status: 'succeeded', result: 'price_2', at })
    const entries = await store.journal()
    expect(entries.map(({ status, result }) => [status, result])).toEqual([
      ['succeeded', 'price_1'],
      ['succeeded', 'price_2'],
    ])
    await expect(store.journalEnd(two + 99, { status: 'failed', at })).rejects.toThrow(/no entry/)
  })

  test('the copy map holds any number of rows by source, and a later row replaces the same old ids', async () => {
    const many = Array.from({ length: 11_000 }, (_, n) => row('us', `cus_${String(n).padStart(6, '0')}`, `pm_${n}`))
    await store.putCopyMap(many)
    await store.putCopyMap([
      row('intl', 'cus_000001', ''),
      { ...row('us', 'cus_000007', 'pm_7'), sourceNew: 'pm_later' },
    ])
    const all = await collect(store.copyMap())
    expect(all).toHaveLength(11_001)
    expect(all[0]).toEqual(row('intl', 'cus_000001', ''))
    expect(all.find((one) => one.source === 'us' && one.sourceOld === 'pm_7')?.sourceNew).toBe('pm_later')
    expect(await collect(store.copyMap('intl'))).toHaveLength(1)
    expect(new Set(all.map((one) => `${one.source} ${one.customerOld}`)).size).toBe(11_001)
  })

  test('small values are stored unchanged', async () => {
    expect(await store.get('nothing')).toBeUndefined()
    await store.put('a', null)
    await store.put('b', { list: [1, 'two', { three: false }] })
    await store.put('b', 'replaced')
    await reopen()
    expect(await store.get('a')).toBeNull()
    expect(await store.get('b')).toBe('replaced')
  })

  test('a lease has one holder; after its release or its end it can be taken, and a loser can neither renew nor release it', async () => {
    const first = await store.acquire('apply', 'one', 60)
    expect(first).toMatchObject({ name: 'apply', holder: 'one' })
    expect(await store.acquire('apply', 'two', 60)).toBeUndefined()
    expect(await store.acquire('apply', 'one', 60)).toBeUndefined()
    expect((await store.leaseHolder('apply'))?.holder).toBe('one')
    expect(await store.acquire('serve', 'two', 60)).toBeDefined()
    await first?.release()
    expect(await store.leaseHolder('apply')).toBeUndefined()
    expect(await first?.renew()).toBe(false)

    const runOut = await store.acquire('apply', 'two', 0)
    expect(await runOut?.renew()).toBe(true)
    const third = await store.acquire('apply', 'three', 60)
    expect(third?.holder).toBe('three')
    expect([await runOut?.renew(), await runOut?.isOurs(), await third?.isOurs()]).toEqual([false, false, true])
    await runOut?.release()
    expect((await store.leaseHolder('apply'))?.holder).toBe('three')
    expect(await third?.renew()).toBe(true)
  })

  test('of many requests for a lease at once, one gets it', async () => {
    const second = await openStore(where)
    const asked = await Promise.all(
      Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? store : second).acquire('apply', `holder-${n}`, 60)),
    )
    expect(asked.filter((lease) => lease !== undefined)).toHaveLength(1)
    await second.close()
  })

  test('two processes that open a new store at once share one lineage and lose no write', async () => {
    const fresh = await place()
    const [one, two] = await Promise.all([openStore(fresh), openStore(fresh)])
    expect((await one.version()).lineage).toBe((await two.version()).lineage)
    await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        (n % 2 === 0 ? one : two).putSubscribers([{ key: `us/sub_${n}`, phase: 'held', facts: {}, updated: at }]),
      ),
    )
    expect((await one.version()).serial).toBe(40)
    expect(await two.subscribers()).toHaveLength(40)
    await Promise.all([one.close(), two.close()])
  })

  test('an entry started before a kill exists after it', async () => {
    const script = `
      const { openStore } = await import(${JSON.stringify(new URL('../../src/store/open.ts', import.meta.url).href)})
      const store = await openStore(${JSON.stringify(where)})
      for (let n = 0; ; n++) {
        await store.journalStart({ ...${JSON.stringify(entry('price.a'))}, step: String(n) })
        process.stdout.write(n + '\\n')
      }`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const gone = once(child, 'exit')
    let said = ''
    for await (const chunk of child.stdout) {
      said += String(chunk)
      if (said.split('\n').length > 25) child.kill('SIGKILL')
    }
    await gone
    const acknowledged = said.split('\n').slice(0, -1).map(Number)
    expect(acknowledged.length).toBeGreaterThan(20)
    const steps = new Set((await store.journalOpen('price.a')).map(({ step }) => Number(step)))
    expect(acknowledged.filter((n) => !steps.has(n))).toEqual([])
  })
}

function row(source: string, customerOld: string, sourceOld: string): CopyMapRow {
  return {
    source,
    customerOld,
    customerNew: customerOld,
    sourceOld,
    sourceNew: sourceOld && `new_${sourceOld}`,
    importedAt: at,
  }
}

async function collect<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const one of rows) all.push(one)
  return all
}
