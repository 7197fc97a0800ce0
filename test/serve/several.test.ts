import { afterAll, describe, expect, test } from 'vitest'
import { postgresBinaries, startPostgres } from '../postgres.ts'
import { allDone, allowed, cancels, everybodyLeaves, kills, school } from './kills.ts'
import { openTown } from './town.ts'

const postgres = postgresBinaries() === undefined ? undefined : await startPostgres()
afterAll(() => postgres?.stop())

/** Kills two of the three processes, again and again while kills are left. */
const rounds = Math.max(kills - 2, 2)

describe.skipIf(postgres === undefined)('several processes on one PostgreSQL store', () => {
  test(
    'receive every hook three times and cancel once; when some are killed, the others do their work',
    { timeout: allowed },
    async () => {
      const url = (await postgres?.database()) ?? ''
      const store = { yaml: '{ url: { env: DATABASE_URL } }', env: { DATABASE_URL: url }, options: { url } }
      const town = await openTown({ processes: 3, store })
      try {
        const people = await school(town.rig, cancels)
        const running = await Promise.all([0, 1, 2].map((which) => town.serve(which)))
        const killing = (async () => {
          for (let round = 0; round < rounds; round++) {
            const which = round % 3
            await running[which]?.kill('SIGKILL')
            // The last killed process stays dead, so the others finish its work.
            if (round < rounds - 1) running[which] = await town.serve(which)
          }
        })()
        await everybodyLeaves(town, people)
        await killing
        await allDone(town, people)
        expect(town.output()).not.toContain('postgres://')
      } finally {
        await town.close()
      }
    },
  )
})
