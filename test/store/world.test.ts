import { mkdtempSync, existsSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openStore } from '../../src/store/open.ts'

const folder = mkdtempSync(join(tmpdir(), 'crossbill-world-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a world is loaded as it was saved, and created only on use', async () => {
  const file = join(folder, 'a.db')
  const store = await openStore({ file })
  expect(existsSync(`${file}.sandbox`)).toBe(false)
  store.world.save([
    { table: 'prices', key: 'price_1', value: '{"a":1}' },
    { table: 'clock', key: 'now', value: '1' },
  ])
  store.world.save([
    { table: 'prices', key: 'price_1', value: null },
    { table: 'prices', key: 'price_2', value: '{}' },
    { table: 'clock', key: 'now', value: '2' },
  ])
  await store.close()
  const again = await openStore({ file })
  expect([...again.world.load()].map((row) => ({ ...row }))).toEqual([
    { table: 'clock', key: 'now', value: '2' },
    { table: 'prices', key: 'price_2', value: '{}' },
  ])
  await again.close()
})

test('a world is saved during a transaction of the store', async () => {
  const store = await openStore({ file: join(folder, 'b.db') })
  const writing = store.putObjects([{ address: 'price.a', account: 'target', id: 'price_1', applied: null }])
  for (let turn = 0; turn < 20; turn++) {
    store.world.save([{ table: 'turn', key: String(turn), value: 'x' }])
    await Promise.resolve()
  }
  await writing
  expect([...store.world.load()]).toHaveLength(20)
  expect(await store.objects()).toHaveLength(1)
  await store.close()
})

test('a second process with the same world is refused with a message', async () => {
  const file = join(folder, 'c.db')
  const first = await openStore({ file })
  first.world.save([{ table: 'a', key: 'b', value: 'c' }])
  const second = await openStore({ file })
  expect(() => [...second.world.load()]).toThrow(/world .* cannot be opened/)
  await first.close()
  expect([...second.world.load()]).toHaveLength(1)
  await second.close()
})
