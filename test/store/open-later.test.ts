import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { mayReturn } from '../../src/store/failures.ts'
import { openStoreLater } from '../../src/store/open.ts'
import { freePort } from '../serve/town.ts'
import { postgresBinaries, startPostgres } from '../postgres.ts'

const postgres = postgresBinaries() === undefined ? undefined : await startPostgres()
const folder = mkdtempSync(join(tmpdir(), 'crossbill-later-'))
afterAll(async () => {
  await postgres?.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function refusal(work: () => Promise<unknown>): Promise<unknown> {
  return await work().then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe('a store that is opened at its first use', () => {
  test('of a file: works as soon as its folder can be used', async () => {
    const place = join(folder, 'not-a-folder')
    writeFileSync(place, '')
    const store = await openStoreLater({ file: join(place, 'crossbill.db') })
    expect(await refusal(() => store.put('ready', 1))).toMatchObject({ code: 'store_unusable' })
    rmSync(place)
    mkdirSync(place)
    await store.put('ready', 2)
    expect(await store.get('ready')).toBe(2)
    expect(() => store.inPlace()).not.toThrow()
    await store.close()
  })

  test('of a server that cannot be reached or found: says that it may return, and not where it is', async () => {
    for (const host of [`127.0.0.1:${await freePort()}`, 'db.invalid:5432']) {
      const store = await openStoreLater({ url: `postgres://ada:secret@${host}/crossbill` })
      const error = await refusal(() => store.prepare())
      expect([host, error]).toEqual([host, expect.objectContaining({ code: 'store_unreachable' })])
      expect(mayReturn(error)).toBe(true)
      expect(String(error)).not.toMatch(/ada|secret|127\.0\.0\.1|db\.invalid/)
      await store.close()
    }
  })

  test.skipIf(postgres === undefined)('of a server that is away: works as soon as it answers', async () => {
    const url = (await postgres?.database()) ?? ''
    await postgres?.down()
    const store = await openStoreLater({ url })
    const tries = await Promise.all([1, 2, 3].map(async (n) => refusal(() => store.put('ready', n))))
    for (const error of tries) expect(error).toMatchObject({ code: 'store_unreachable' })
    await postgres?.up()
    await Promise.all([1, 2, 3].map(async (n) => store.put(`ready ${n}`, n)))
    expect(await store.get('ready 2')).toBe(2)
    await store.close()
  })
})
