import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { postgresBinaries, startPostgres } from '../postgres.ts'
import { allDone, allowed, cancels, everybodyLeaves, faultShare, kills, school } from './kills.ts'
import { openTown } from './town.ts'

const postgres = postgresBinaries() === undefined ? undefined : await startPostgres()
afterAll(() => postgres?.stop())

/** Kills two of the three processes, again and again while kills are left. */
const rounds = Math.max(kills - 2, 2)

/** Seconds between two restarts of the database, which cut every connection of all processes. */
const restartSeconds = Number(process.env['CROSSBILL_RESTART_SECONDS'] ?? 2)

describe.skipIf(postgres === undefined)('several processes on one PostgreSQL store', () => {
  test(
    'receive every hook three times and cancel once; some are killed, the database restarts, and requests fail',
    { timeout: allowed },
    async () => {
      const url = (await postgres?.database()) ?? ''
      const store = { yaml: '{ url: { env: DATABASE_URL } }', env: { DATABASE_URL: url }, options: { url } }
      const town = await openTown({ processes: 3, store })
      try {
        const people = await school(town.rig, cancels)
        const running = await Promise.all([0, 1, 2].map((which) => town.serve(which)))
        let left = false
        const killing = (async () => {
          for (let round = 0; round < rounds; round++) {
            const which = round % 3
            await running[which]?.kill('SIGKILL')
            // The last killed process stays dead, so the others finish its work.
            if (round < rounds - 1) running[which] = await town.serve(which)
          }
          left = true
        })()
        const restarting = (async () => {
          do {
            await sleep(restartSeconds * 1_000)
            await postgres?.restart()
          } while (!left)
        })()
        town.faults.share = faultShare
        await everybodyLeaves(town, people)
        await Promise.all([killing, restarting])
        await allDone(town, people)
        expect(town.output()).not.toContain('postgres://')
      } finally {
        await town.close()
      }
    },
  )
})
