import { rehearsalWorlds } from '../../src/cli/rehearsal/worlds.ts'
import { rehearse } from '../../src/engine/rehearse/rehearse.ts'
import { openSchool } from '../engine/school.ts'

/**
 * One rehearsal in a separate process, to measure its memory: `node test/bench/rehearsed.ts
 * SUBSCRIBERS MONTHS`.
 */
const [subscribers = 100, months = 14] = process.argv.slice(2).map(Number)
await using school = await openSchool(subscribers)
const project = { ...school.rig.context, catalog: school.catalog }
const begin = performance.now()
const processor = process.cpuUsage()
const { ok, counts } = await rehearse(project, { months, faults: false, seed: 1, worlds: rehearsalWorlds(project) })
const { user, system } = process.cpuUsage(processor)
process.stdout.write(
  JSON.stringify({
    ok,
    charges: counts.actual,
    took: performance.now() - begin,
    processor: (user + system) / 1_000,
    megabytes: Math.round(process.resourceUsage().maxRSS / 1_024),
  }),
)
