import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { postgresBinaries, startPostgres } from '../postgres.ts'
import { hookSecret, openTown, until } from './town.ts'

const postgres = postgresBinaries() === undefined ? undefined : await startPostgres()
afterAll(() => postgres?.stop())

const status = async (url: string, init?: RequestInit): Promise<number> => (await fetch(url, init)).status

describe('the service starts and stays', () => {
  test.skipIf(postgres === undefined)(
    'while PostgreSQL is away: it refuses signals, and takes them as soon as the store answers',
    { timeout: 120_000 },
    async () => {
      const url = (await postgres?.database()) ?? ''
      const store = { yaml: '{ url: { env: DATABASE_URL } }', env: { DATABASE_URL: url }, options: { url } }
      const town = await openTown({ store })
      try {
        const ada = await town.rig.member('ada', 'held')
        await postgres?.down()
        const service = await town.serve()
        const at = `http://127.0.0.1:${town.ports[0]}`
        expect(await status(`${at}/livez`)).toBe(200)
        expect(await status(`${at}/readyz`)).toBe(503)
        const body = JSON.stringify({
          event: 'tag_added',
          payload: [
            { id: town.rig.tag, type: 'contact_tags' },
            { id: ada.contact, type: 'contacts' },
          ],
        })
        const hook = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
        const refused = await fetch(`${at}/kajabi/hooks/${hookSecret}`, hook)
        expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5'])
        await postgres?.up()
        await until('the service is ready', async () => (await status(`${at}/readyz`)) === 200)
        await town.tag(ada.contact)
        await until(
          'ada is cancelled',
          async () =>
            (await town.rig.status('target', ada.successor)) === 'canceled' &&
            (await town.rig.status('us', ada.old)) === 'canceled',
        )
        expect(await service.kill('SIGTERM')).toBe(0)
        expect(town.output()).toContain('"event":"store_awaited","code":"store_unreachable"')
        expect(town.output()).not.toContain('postgres://')
      } finally {
        await town.close()
      }
    },
  )

  test.skipIf(postgres === undefined)(
    'while PostgreSQL is away, and stops on request',
    { timeout: 60_000 },
    async () => {
      const url = (await postgres?.database()) ?? ''
      const store = { yaml: '{ url: { env: DATABASE_URL } }', env: { DATABASE_URL: url }, options: { url } }
      const town = await openTown({ store })
      try {
        await postgres?.down()
        const service = await town.serve()
        const began = performance.now()
        expect(await service.kill('SIGTERM')).toBe(0)
        expect(performance.now() - began).toBeLessThan(10_000)
      } finally {
        await postgres?.up()
        await town.close()
      }
    },
  )

  test(
    'while the names of Stripe, Kajabi, the mailer and the alert channel cannot be looked up: it accepts',
    { timeout: 60_000 },
    async () => {
      const town = await openTown()
      try {
        const path = join(town.folder, 'catalog/project.yaml')
        const found = readFileSync(path, 'utf8')
        const base = /api_base: "(http:\/\/127\.0\.0\.1:\d+)"/.exec(found)?.[1] ?? ''
        const away = found
          .replaceAll(base, 'https://api.invalid')
          .replace('serve:\n', 'alerts: { slack: { env: SLACK } }\nserve:\n  mailer: { env: MAILER }\n')
        expect(away).not.toBe(found)
        writeFileSync(path, away)
        const service = await town.serve(0, { SLACK: 'https://hooks.invalid/s', MAILER: 'https://mailer.invalid/m' })
        const at = `http://127.0.0.1:${town.ports[0]}`
        expect(await status(`${at}/readyz`)).toBe(200)
        const hook = {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({
            event: 'tag_added',
            payload: [
              { id: town.rig.tag, type: 'contact_tags' },
              { id: '5', type: 'contacts' },
            ],
          }),
        }
        expect(await status(`${at}/kajabi/hooks/${hookSecret}`, hook)).toBe(202)
        expect(await status(service.adminUrl)).toBe(200)
        // V8 would give it 128 MB.
        const metrics = await (await fetch(`${service.adminUrl}/metrics`)).text()
        const young = /^nodejs_heap_space_size_total_bytes\{space="new"\} (\d+)$/m.exec(metrics)?.[1]
        expect(Number(young)).toBeLessThan(16e6)
        expect(await service.kill('SIGTERM')).toBe(0)
      } finally {
        await town.close()
      }
    },
  )
})
