import { expect, test } from 'vitest'
import { rehearsalWorlds } from '../../src/cli/rehearsal/worlds.ts'
import { instant } from '../../src/core/instant.ts'
import { rehearse } from '../../src/engine/rehearse/rehearse.ts'
import { weeksOfWaves } from '../../src/engine/rehearse/wave-order.ts'
import { planAndApply } from './rig.ts'
import { openSchool } from './school.ts'

const week = 7 * 86_400

test('waves that have begun come first, then the pilots, then the first waves of every account', () => {
  const began = instant(1_800_000_000)
  const files = [
    'intl/wave-01',
    'intl/wave-02',
    'us/pilot',
    'us/wave-00',
    'us/wave-01',
    'us/wave-02-pilots',
    'us/wave-03',
  ]
  const subscribers = files.map((name) => ({ key: `us/${name}`, file: `subscribers/${name}.yaml` }))
  const moved = new Map([['us/us/wave-03', instant(began - 3 * week - 1)]])
  const over = new Set(['us/us/wave-00'])
  const played = weeksOfWaves(subscribers as never, { moved, over }, began)
  expect(played.map(({ name, start }) => `${name.replace(/^subscribers\/|\.yaml$/g, '')} ${start}`)).toEqual([
    'us/wave-03 -3',
    'us/pilot 0',
    'intl/wave-01 1',
    'us/wave-01 2',
    'us/wave-02-pilots 3',
    'intl/wave-02 4',
  ])
})

test('someone who has moved is played as moved; who is settled or has ended is said not to be played', async () => {
  await using school = await openSchool(16)
  const [first, second] = school.catalog.subscribers.filter(({ key }) => key.startsWith('us/'))
  const early = new Set([first?.key, second?.key])
  const project = school.stage((one) => (early.has(one.key) ? 'target' : 'source'))
  await planAndApply(project)
  await school.advance('2027-01-12T12:00:00Z')
  await planAndApply(
    school.stage((one) => (one.key === first?.key ? 'settled' : early.has(one.key) ? 'target' : 'source')),
  )
  const report = await rehearse(project, { months: 2, faults: false, seed: 3, worlds: rehearsalWorlds(project) })
  expect(report.differences).toEqual([])
  const { declared, played, moved, settled, ended } = report.people
  expect(declared).toBe(school.catalog.subscribers.length)
  expect(played + settled + ended).toBe(declared)
  expect({ moved, settled }).toEqual({ moved: 1, settled: 1 })
  const [begun, ...others] = report.waves
  expect(begun?.movedAt).toBeLessThan(report.began)
  for (const wave of others) expect(wave.movedAt).toBeGreaterThanOrEqual(report.began)
}, 240_000)
