import { expect, test } from 'vitest'
import { rehearsalWorlds } from '../../src/cli/rehearsal/worlds.ts'
import { refresh } from '../../src/engine/read/refresh.ts'
import { rehearse } from '../../src/engine/rehearse/rehearse.ts'
import { members } from './members.ts'
import { planAndApply } from './rig.ts'
import { openSchool } from './school.ts'

const nothing = { double: 0, missed: 0, amount_differs: 0, date_differs: 0 }

test('no subscriber would notice: the charges of the school with and without the migration are the same', async () => {
  await using school = await openSchool(24)
  const { context } = school.rig
  const project = { ...context, catalog: school.catalog }
  school.rig.sent.length = 0
  const report = await rehearse(project, { months: 5, faults: false, seed: 3, worlds: rehearsalWorlds(project) })
  expect(report.differences).toEqual([])
  expect(report.counts).toMatchObject(nothing)
  expect(report).toMatchObject({ ok: true, subscribers: school.catalog.subscribers.length })
  expect(report.counts.expected).toBeGreaterThan(60)
  expect(report.counts.actual).toBe(report.counts.expected)
  // The real accounts are only read.
  expect(school.rig.sent).toEqual([])
}, 120_000)

test('no part of it reaches the real store, the Kajabi site or the place for secrets', async () => {
  await using school = await openSchool(6)
  const { context } = school.rig
  const fail = (): never => {
    throw new Error('a rehearsal touched the project')
  }
  const untouchable = new Proxy({} as NonNullable<typeof context.access>, { get: fail })
  const { project } = school.catalog
  const real = {
    ...context,
    catalog: { ...school.catalog, project: { ...project, serve: {} } },
    access: untouchable,
    sink: { write: fail },
  }
  const version = await context.store.version()
  const report = await rehearse(real, { months: 2, faults: false, seed: 3, worlds: rehearsalWorlds(real) })
  expect(report).toMatchObject({ ok: true })
  expect(report.counts.expected).toBeGreaterThan(0)
  expect(await context.store.version()).toEqual(version)
  const world = await rehearsalWorlds(real).build(await refresh(context), { seed: 3, faults: false })
  await world.context.sink.write({ file: '.env.webhooks' }, 'whsec_simulated')
  await world.close()
}, 60_000)

test('the same with kills and faults', async () => {
  await using school = await openSchool(16)
  const { context } = school.rig
  const project = { ...context, catalog: school.catalog }
  const report = await rehearse(project, { months: 3, faults: true, seed: 5, worlds: rehearsalWorlds(project) })
  expect(report.differences).toEqual([])
  expect(report.ok).toBe(true)
  const injected = Object.fromEntries(report.faults.map(({ kind, count }) => [kind, count]))
  expect(injected['kill']).toBeGreaterThan(0)
  expect(Object.keys(injected).length).toBeGreaterThan(2)
}, 120_000)

test('a migration in progress is rehearsed from its present state', async () => {
  const people = ['2026-09-10T09:15:00Z', '2026-09-20T09:15:00Z', '2026-09-25T09:15:00Z'].map((since) => ({ since }))
  await using school = await members(people, '2026-10-05T12:00:00Z')
  // The first is settled, the second on hold, the third not moved yet.
  await planAndApply(school.stage((index) => (index < 2 ? 'target' : 'source')))
  await school.advance('2026-10-25T12:00:00Z')
  const now = school.stage((index) => (['settled', 'target', 'source'] as const)[index] ?? 'source')
  await planAndApply(now)
  const report = await rehearse(now, { months: 3, faults: false, seed: 1, worlds: rehearsalWorlds(now) })
  expect(report).toMatchObject({ ok: true, differences: [], standing: [] })
  // Three charges of the second and two of the third until 24 January; a settled subscriber has
  // nothing left to rehearse.
  expect(report.counts).toMatchObject({ expected: 5, actual: 5 })
})

test('a catalog without subscribers has nothing to rehearse', async () => {
  await using school = await members([{ since: '2026-09-20T09:15:00Z' }], '2026-10-05T12:00:00Z')
  const context = school.stage('source')
  const empty = { ...context, catalog: { ...context.catalog, subscribers: [] } }
  const options = { months: 1, faults: false, seed: 1, worlds: rehearsalWorlds(empty) }
  await expect(rehearse(empty, options)).rejects.toMatchObject({ code: 'nobody_to_rehearse' })
})
