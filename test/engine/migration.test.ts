import { expect, test } from 'vitest'
import { importCopyMap } from '../../src/engine/copy-map.ts'
import type { Context } from '../../src/engine/context.ts'
import { makePlan } from '../../src/engine/make-plan.ts'
import { stateRebuild } from '../../src/engine/rebuild.ts'
import { stateExport } from '../../src/engine/state.ts'
import { verify } from '../../src/engine/verify.ts'
import { instant, secondsPerDay } from '../../src/core/instant.ts'
import { guardNames } from '../../src/plan/guards.ts'
import { openStore } from '../../src/store/open.ts'
import { planAndApply } from './rig.ts'
import { openSchool, type School } from './school.ts'

/** `CROSSBILL_SCHOOL=2000` for the whole school; the shape is the same. */
const subscribers = Number(process.env['CROSSBILL_SCHOOL'] ?? 100)
const policies = `policies: ${JSON.stringify({
  customer_balance: 'carry',
  pending_invoice_items: 'carry',
  schedules: 'carry',
  collection_paused: 'carry',
})}\n`

/** What a project declares because it has to live with it: people who pay twice as they did before, and other programs that charge. */
const declared = new Set(['same_person_pays_twice', 'external_biller'])
const everythingElse = async (context: Context): Promise<readonly string[]> =>
  (await verify(context)).violations
    .filter(({ code }) => !declared.has(code))
    .map(({ code, subscriber, detail }) => `${code} ${subscriber} ${detail}`)

test(`a school of ${subscribers}: everybody classified, everything movable moved, and fourteen months later billed as if nobody had migrated`, async () => {
  await using school = await openSchool(subscribers, 1, policies)
  const began = school.rig.sandbox.clock()
  const first = await makePlan(school.stage('target'))
  const counted = Object.values(first.people).reduce((sum, count) => sum + count, 0)
  expect(counted).toBe(school.catalog.subscribers.length)
  // Who was too near to a renewal, or waits for a date, goes with a later wave.
  for (const day of [0, 7, 21, 45]) {
    await school.advance(instant(began + day * secondsPerDay))
    const { plan, result } = await planAndApply(school.stage('target'), { allow: guardNames, fromFile: true })
    expect(result.changes.filter(({ outcome }) => outcome !== 'done')).toEqual([])
    expect([result.ok, plan.blocked.filter(({ fix }) => fix === '')]).toEqual([true, []])
  }
  expect(await everythingElse(school.stage('target'))).toEqual([])
  await rebuilt(school)
  await school.advance(instant(began + 426 * secondsPerDay))
  expect(school.differences()).toEqual([])
  const byTarget = school.charges().filter(({ account }) => account === 'target')
  expect(byTarget.length).toBeGreaterThan(0.8 * school.charges().length)
  expect(await everythingElse(school.stage('target'))).toEqual([])
}, 600_000)

/** State deleted, rebuilt from the marks: the plan is the same, the identities too. */
async function rebuilt(school: School): Promise<void> {
  const context = school.stage('target')
  const store = await openStore({ file: ':memory:' })
  const forgetful = { ...context, store }
  for (const source of ['us', 'intl']) {
    const rows = []
    for await (const { importedAt: _at, ...row } of context.store.copyMap(source)) rows.push(row)
    await importCopyMap(forgetful, source, rows)
  }
  await stateRebuild(forgetful)
  expect((await makePlan(forgetful)).changes).toEqual((await makePlan(context)).changes)
  expect(await stateExport(forgetful)).toEqual(await stateExport(context))
  await store.close()
}
