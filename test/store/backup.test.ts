import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { instant } from '../../src/core/instant.ts'
import { readBackup, writeBackup } from '../../src/files/backup.ts'
import { openStore, type OpenStore, type StoreOptions } from '../../src/store/open.ts'
import { onEveryEngine, type Place } from './engines.ts'

const at = instant(1_800_000_000)
const folder = mkdtempSync(join(tmpdir(), 'crossbill-backup-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

onEveryEngine('backup', copiesTheStore)

let files = 0
const newFile = (): string => join(folder, `${++files}.backup`)

async function all(lines: AsyncIterable<string>): Promise<readonly string[]> {
  const found: string[] = []
  for await (const line of lines) found.push(line)
  return found
}

async function* from(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines
}

function copiesTheStore(place: Place): void {
  let where: StoreOptions
  let store: OpenStore
  beforeEach(async () => {
    where = await place()
    store = await openStore(where)
    await fill(store, 'before')
  })
  afterEach(() => store.close())

  test('state backup: another store, also of the other engine, holds what this one held', async () => {
    const file = newFile()
    await writeBackup(file, store.backup())
    const lines = await all(readBackup(file))
    expect(lines).toEqual(await all(store.backup()))
    for (const other of [await place(), { file: ':memory:' }]) {
      const restored = await openStore(other)
      expect(await restored.restore(readBackup(file))).toBe(lines.length - 2)
      expect(await all(restored.backup())).toEqual(lines)
      // It goes on as the store that was copied would.
      expect(await restored.version()).toEqual(await store.version())
      await restored.journalStart(started('price.later'))
      expect((await restored.journalOpen()).map(({ address }) => address)).toEqual(['price.before', 'price.later'])
      expect((await restored.inbox.accept({ keys: ['before'], signal: signal('again'), at })).duplicate).toBe(true)
      await restored.close()
    }
  })

  test('state backup: it holds one instant, while another process writes', async () => {
    const other = await openStore(where)
    const lines: string[] = []
    for await (const line of store.backup()) {
      lines.push(line)
      if (lines.length === 3) await fill(other, 'during')
    }
    await other.close()
    expect(lines.filter((line) => line.includes('during'))).toEqual([])
    const restored = await openStore({ file: ':memory:' })
    await restored.restore(from(lines))
    expect((await restored.subscribers()).map(({ key }) => key)).toEqual(['us/sub_before'])
    await restored.close()
  })

  test('state restore: a store that holds something is left as it is', async () => {
    const lines = await all(store.backup())
    await expect(store.restore(from(lines))).rejects.toMatchObject({ code: 'store_not_empty' })
    expect(await all(store.backup())).toEqual(lines)
  })
}

test('state restore: a part of a backup restores nothing', async () => {
  const store = await openStore({ file: ':memory:' })
  await fill(store, 'a')
  const lines = await all(store.backup())
  const empty = await openStore({ file: ':memory:' })
  const nothing = await all(empty.backup())
  for (const part of [
    lines.slice(0, -1),
    lines.slice(1),
    lines.toSpliced(2, 1),
    [...lines, lines.at(-1) ?? ''],
    lines.with(2, '{"table":"leases","row":{}}'),
    lines.with(2, '{'),
    [],
  ])
    await expect(empty.restore(from(part))).rejects.toMatchObject({ code: 'backup_unreadable' })
  expect(await all(empty.backup())).toEqual(nothing)
  await store.close()
  await empty.close()
})

test('state backup: the file is for its owner alone, replaces no other, and a cut one says so', async () => {
  const store = await openStore({ file: ':memory:' })
  await fill(store, 'a')
  const file = newFile()
  await writeBackup(file, store.backup())
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const bytes = readFileSync(file)
  await expect(writeBackup(file, store.backup())).rejects.toMatchObject({ code: 'out_taken' })
  expect(readFileSync(file)).toEqual(bytes)
  for (const wrong of [bytes.subarray(0, bytes.length - 20), Buffer.from('not a backup'), Buffer.alloc(0)]) {
    writeFileSync(file, wrong)
    const empty = await openStore({ file: ':memory:' })
    await expect(empty.restore(readBackup(file))).rejects.toMatchObject({ code: 'backup_unreadable' })
    expect((await empty.objects()).length).toBe(0)
    await empty.close()
  }
  await expect(all(readBackup(join(folder, 'missing')))).rejects.toMatchObject({ code: 'backup_unreadable' })
  await store.close()
})

const signal = (message: string) => ({
  source: 'relay' as const,
  event: 'cancel' as const,
  offer: 'membership',
  contact: '5',
  receivedAt: at,
  message,
})

const started = (address: string) => ({
  run: 'run-1',
  account: 'target',
  method: 'POST',
  path: '/v1/prices',
  attempt: 1,
  startedAt: at,
  address,
  step: 'create',
  params: { currency: 'usd', nested: { list: [1, null, 'zwölf'] } },
  idempotencyKey: `${address}-create`,
})

/** Something in every table that a backup holds. */
async function fill(store: OpenStore, name: string): Promise<void> {
  await store.putObjects([{ address: `price.${name}`, account: 'target', id: 'price_1', applied: null }])
  await store.putSubscribers([{ key: `us/sub_${name}`, phase: 'held', facts: { a: 1 }, updated: at }])
  await store.putCopyMap([
    {
      source: 'us',
      customerOld: `cus_${name}`,
      sourceOld: 'pm_1',
      customerNew: 'cus_1',
      sourceNew: 'pm_2',
      importedAt: at,
    },
  ])
  await store.put(`named.${name}`, { x: [1] })
  await store.journalStart(started(`price.${name}`))
  await store.inbox.accept({ keys: [name], signal: signal(name), at })
  const grant = { offer: name, customer: 'cus_1', subscribers: [`us/sub_${name}`] as const }
  await store.inbox.putGrants([{ contact: '5', ...grant, prices: ['monthly'], grantedAt: at, protectedUntil: at }])
  await store.inbox.setHoldings([{ contact: '6', ...grant }])
}
