import { afterAll, expect, test } from 'vitest'
import { postgresBinaries, startPostgres } from '../postgres.ts'
import { allDone, everybodyLeaves, faultShare, school } from './kills.ts'
import { openTown, until } from './town.ts'

const postgres = postgresBinaries() === undefined ? undefined : await startPostgres()
afterAll(async () => postgres?.stop())

test.skipIf(postgres === undefined)(
  'a standby of PostgreSQL is promoted while three processes cancel: nothing accepted is lost, and each cancel is done once',
  { timeout: 120_000 },
  async () => {
    const database = (await postgres?.database()) ?? ''
    const standby = await postgres?.standby()
    const url = standby?.urlOf(database) ?? ''
    expect(url).toContain(',')
    const store = { yaml: '{ url: { env: DATABASE_URL } }', env: { DATABASE_URL: url }, options: { url } }
    const town = await openTown({ processes: 3, store })
    try {
      const people = await school(town.rig, 9)
      await Promise.all([0, 1, 2].map((which) => town.serve(which)))
      const ready = async (): Promise<boolean> =>
        (await fetch(`http://127.0.0.1:${town.ports[0]}/readyz`)).status === 200
      expect(await ready()).toBe(true)
      town.faults.share = faultShare
      await everybodyLeaves(town, { ...people, leave: people.leave.slice(0, 6) })
      const promoted = standby?.promote()
      // While no server takes writes, hooks are refused, and Kajabi sends them again.
      await everybodyLeaves(town, { ...people, leave: people.leave.slice(6) })
      await promoted
      await until('the service is ready', ready)
      await town.rig.act({ act: 'redeliver' })
      // The primary has ended, so all of this is in the database that was the standby.
      await allDone(town, people)
      expect(town.output()).not.toContain('postgres://')
    } finally {
      await town.close()
    }
  },
)
