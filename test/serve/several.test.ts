import { afterAll, describe, expect, test } from 'vitest'
import { postgresBinaries, startPostgres } from '../postgres.ts'
import { allDone, allowed, cancels, everybodyLeaves, kills, school } from './kills.ts'
import { openTown } from './town.ts'

const postgres = postgresBinaries() === undefined ? undefined : await startPostgres()
afterAll(() => postgres?.stop())

/** Two of the three processes, and then again while there are kills left. */
const rounds = Math.max(kills - 2, 2)

describe.skipIf(postgres === undefined)('several processes on one PostgreSQL store', () => {
  test(
    'hear every hook three times and cancel once; killed one after another, the others do their work',
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
            // The last one to die stays dead: the others end what it had in hand.
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
