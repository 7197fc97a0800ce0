import { afterAll, describe, expect, test } from 'vitest'
import type { Member } from '../inbox/rig.ts'
import { postgresBinaries, startPostgres } from '../postgres.ts'
import { openTown, until } from './town.ts'

const postgres = postgresBinaries() === undefined ? undefined : await startPostgres()
afterAll(() => postgres?.stop())

describe.skipIf(postgres === undefined)('several processes on one PostgreSQL store', () => {
  test(
    'hear every hook three times and cancel once; when two are killed, the third does their work',
    { timeout: 240_000 },
    async () => {
      const url = (await postgres?.database()) ?? ''
      const store = { yaml: '{ url: { env: DATABASE_URL } }', env: { DATABASE_URL: url }, options: { url } }
      const town = await openTown({ processes: 3, store })
      try {
        const members: Member[] = []
        for (const name of 'abcdefghijkl') members.push(await town.rig.member(`m${name}`, 'held'))
        const stays = await town.rig.member('stays', 'held')
        const [one, two] = [await town.serve(0), await town.serve(1)]
        await town.serve(2)
        for (const [n, { contact }] of members.entries()) {
          if (n === 4) await one.kill('SIGKILL')
          if (n === 8) await two.kill('SIGKILL')
          await town.tag(contact)
        }
        const { inbox } = town.rig.store
        await until(
          'nothing is pending',
          async () => {
            const { oldestPending, states } = await inbox.counts()
            return oldestPending === undefined && states.done >= members.length
          },
          120,
        )
        for (const { successor, old } of members)
          expect([await town.rig.status('target', successor), await town.rig.status('us', old)]).toEqual([
            'canceled',
            'canceled',
          ])
        expect((await inbox.counts()).states).toMatchObject({ done: members.length, dead: 0 })
        expect(await town.rig.status('target', stays.successor)).toBe('active')
        const { data } = await town.rig
          .stripe('target')
          .events.list({ type: 'customer.subscription.deleted', limit: 100 })
        expect(data).toHaveLength(members.length)
        expect(town.output()).not.toContain('postgres://')
      } finally {
        await town.close()
      }
    },
  )
})
