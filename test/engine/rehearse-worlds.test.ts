import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rehearsalWorlds } from '../../src/cli/rehearsal/worlds.ts'
import { worldSays } from '../../src/cli/rehearsal/world-says.ts'
import { rehearse } from '../../src/engine/rehearse/rehearse.ts'
import { defaultWorld, readings, switches, switchNames, type Unsure } from '../../src/sandbox/kernel/unsure.ts'
import { openSchool, type School } from './school.ts'

/** `CROSSBILL_SUBSCRIBERS=600 CROSSBILL_MONTHS=14`: the school of the promise, in an hour. */
const subscribers = Number(process.env['CROSSBILL_SUBSCRIBERS'] ?? 20)
const months = Number(process.env['CROSSBILL_MONTHS'] ?? 3)
const patience = 60_000 * Math.max(1, (subscribers * months) / 60)

let school: School
beforeAll(async () => {
  school = await openSchool(subscribers)
}, patience)
afterAll(() => school[Symbol.asyncDispose]())

/** Every reading that differs from the default, alone. */
const flips = switchNames.flatMap((name) =>
  readings(name)
    .filter((value) => value !== switches[name].default)
    .map((value) => [name, value] as const),
)

describe('safe in every documented Stripe: each reading alone, all others as by default', () => {
  test.each(flips)(
    '%s=%s',
    async (name, value) => {
      const unsure = { ...defaultWorld(), [name]: value } as Unsure
      const project = { ...school.rig.context, catalog: school.catalog }
      const report = await rehearse(project, {
        months,
        faults: false,
        seed: 3,
        worlds: rehearsalWorlds(project, unsure),
      })
      expect([report.ok, report.differences]).toEqual([true, []])
      expect(report.counts.expected).toBeGreaterThan(subscribers)
      // The report says what this world changes, and for how many.
      const [said = '', ...others] = worldSays(unsure, school.catalog)
      expect(others).toEqual([])
      expect(said).toMatch(new RegExp(`^${name}=${value}.*(\\d+ subscribers? |It concerns no subscriber|: ).+\\.$`))
    },
    patience,
  )
})

test('the default world changes nothing', () => {
  expect(worldSays(defaultWorld(), school.catalog)).toEqual([])
})
