import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { CommandError } from '../../src/core/outcome.ts'
import { storeFailure } from '../../src/store/failures.ts'
import { openDatabaseFile } from '../../src/store/node-sqlite.ts'
import { openStore } from '../../src/store/open.ts'

const folder = mkdtempSync(join(tmpdir(), 'crossbill-failures-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function refusal(work: () => Promise<unknown>): Promise<CommandError> {
  try {
    await work()
  } catch (error) {
    if (error instanceof CommandError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

const rows = (count: number) =>
  Array.from({ length: count }, (_, at) => ({
    address: `price.${at}`,
    account: 'target' as const,
    id: `price_${at}`,
    applied: 'x'.repeat(500),
  }))

test('a disk that fills up during work is reported, and earlier commits are kept', async () => {
  const file = join(folder, 'full.db')
  const store = await openStore({ file })
  await store.putObjects(rows(3))
  await store.close()
  // A database that may not grow answers like a full disk; the limit is a pragma of each
  // connection, so the file is filled up to it.
  const raw = openDatabaseFile(file)
  const pages = Number(raw.prepare('pragma page_count').get()?.['page_count'])
  raw.exec(`pragma max_page_count = ${pages + 2}`)
  const error = await refusal(async () => {
    try {
      raw.exec('create table filler (text text)')
      const put = raw.prepare('insert into filler values (?)')
      for (let at = 0; at < 100; at++) put.run('x'.repeat(1_000))
    } catch (caught) {
      throw storeFailure(file, caught)
    }
  })
  raw.close()
  expect(error).toMatchObject({ code: 'store_full', message: expect.stringContaining('the disk is full') })
  expect(error.notDone).toContain('not in the store')
  const again = await openStore({ file })
  expect(await again.objects()).toHaveLength(3)
  await again.close()
})

test('a damaged store is named, with the two remedies', async () => {
  const file = join(folder, 'damaged.db')
  const store = await openStore({ file })
  await store.putObjects(rows(200))
  await store.close()
  const bytes = readFileSync(file)
  // The header is intact, and everything after the first page is noise: it opens, and fails at the
  // first read.
  writeFileSync(file, bytes.fill(0x5a, 4_096))
  const error = await refusal(async () => openStore({ file }))
  expect(error).toMatchObject({ code: 'store_damaged', fix: expect.stringContaining('crossbill state rebuild') })
  expect(error.message).toContain(file)
})

test('a file that is not a store, and a folder where the file should be', async () => {
  const text = join(folder, 'text.db')
  writeFileSync(text, 'certainly not a database, but long enough to be looked at as if it were one'.repeat(50))
  expect(await refusal(async () => openStore({ file: text }))).toMatchObject({ code: 'store_damaged' })
  const place = join(folder, 'folder.db')
  mkdirSync(place)
  expect(await refusal(async () => openStore({ file: place }))).toMatchObject({ code: 'store_unusable' })
  expect(await refusal(async () => openStore({ file: join(text, 'below.db') }))).toMatchObject({
    code: 'store_unusable',
  })
})

test.each([
  [{ errcode: 13 }, 'store_full'],
  [{ errcode: 5 | (2 << 8) }, 'store_busy'],
  [{ errcode: 10 | (3 << 8) }, 'store_unusable'],
  [{ code: '53100' }, 'store_full'],
  [{ code: '25006' }, 'store_read_only'],
  [{ code: '57P03' }, 'store_unreachable'],
  [{ code: '08006' }, 'store_unreachable'],
  [{ code: '28P01' }, 'store_unreachable'],
  [{ code: 'EAI_AGAIN', syscall: 'getaddrinfo', hostname: 'db.example' }, 'store_unreachable'],
  [{ code: 'ECONNRESET', syscall: 'read' }, 'store_unreachable'],
])('%j is %s', (told, code) => {
  expect(storeFailure('here', Object.assign(new Error('in its own words'), told))).toMatchObject({ code })
})

test('a store that is away names neither its host nor its user', () => {
  const told = storeFailure('in PostgreSQL', Object.assign(new Error('no entry for ada@db.example'), { code: '28000' }))
  expect(told).toMatchObject({
    code: 'store_unreachable',
    message: 'the store in PostgreSQL cannot be reached (28000)',
  })
  const ended = storeFailure('in PostgreSQL', new Error('Connection terminated unexpectedly'))
  expect(ended).toMatchObject({ message: 'the store in PostgreSQL cannot be reached (no answer)' })
})

test('an error in Crossbill’s query stays a bug', () => {
  const broken = Object.assign(new Error('no such column: adress'), { errcode: 1 })
  expect(storeFailure('here', broken)).toBe(broken)
  const unique = Object.assign(new Error('duplicate key'), { code: '23505' })
  expect(storeFailure('here', unique)).toBe(unique)
})
