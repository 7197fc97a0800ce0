import { expect, test } from 'vitest'
import { importCopyMap } from '../../src/engine/copy-map.ts'
import type { Context } from '../../src/engine/context.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { stateRebuild } from '../../src/engine/rebuild.ts'
import { stateExport } from '../../src/engine/state.ts'
import { verify, type Violation } from '../../src/engine/verify/verify.ts'
import { instant, secondsPerDay } from '../../src/core/instant.ts'
import { guardNames } from '../../src/catalog/guards.ts'
import { openStore } from '../../src/store/open.ts'
import { planAndApply } from './rig.ts'
import { openSchool } from './school.ts'

/** `CROSSBILL_SCHOOL=2000` for the whole school; the shape is the same. */
const subscribers = Number(process.env['CROSSBILL_SCHOOL'] ?? 100)
const policies = `policies: ${JSON.stringify({
  customer_balance: 'carry',
  pending_invoice_items: 'carry',
  schedules: 'carry',
  collection_paused: 'carry',
})}\n`

/**
 * Conditions of a real school, declared as its owners would: other programs that charge, and
 * members who pay twice for the same product.
 */
function declare(found: readonly Violation[]): (context: Context) => Context {
  const of = (code: Violation['code']): readonly string[] =>
    found.filter((one) => one.code === code).map(({ subscriber }) => subscriber)
  const externals = of('external_biller').map((one) => {
    const [source = '', customer = ''] = one.split('/')
    return { source, customer, reason: 'a payment plan of the old checkout' }
  })
  const twice = new Set(of('same_person_pays_twice'))
  return (context) => ({
    ...context,
    catalog: {
      ...context.catalog,
      externals,
      subscribers: context.catalog.subscribers.map((one) =>
        twice.has(one.key) ? { ...one, pays_twice: 'a seat for a colleague' } : one,
      ),
    },
  })
}

test(
  `a school of ${subscribers}: every subscriber is classified, every movable one moved, and fourteen months of charges equal the control run`,
  async () => {
    await using school = await openSchool(subscribers, 1, policies)
    const began = school.rig.sandbox.clock()
    const before = await verify(school.stage('source'))
    expect(new Set(before.violations.map(({ code }) => code))).toEqual(
      new Set(['external_biller', 'same_person_pays_twice']),
    )
    const declared = declare(before.violations)
    expect(await verify(declared(school.stage('source')))).toMatchObject({ ok: true, violations: [] })
    const target = (): Context => declared(school.stage('target'))
    const first = await makePlan(target())
    const counted = Object.values(first.people).reduce((sum, count) => sum + count, 0)
    expect(counted).toBe(school.catalog.subscribers.length)
    // Members too near to a renewal, or waiting for a date, move with a later wave.
    for (const day of [0, 7, 21, 45]) {
      await school.advance(instant(began + day * secondsPerDay))
      const { plan, result } = await planAndApply(target(), { allow: guardNames, fromFile: true })
      expect(result.changes.filter(({ outcome }) => outcome !== 'done')).toEqual([])
      expect([result.ok, plan.blocked.filter(({ fix }) => fix === '')]).toEqual([true, []])
    }
    expect(await verify(target())).toMatchObject({ ok: true, violations: [] })
    await rebuilt(target())
    await school.advance(instant(began + 426 * secondsPerDay))
    expect(school.differences()).toEqual([])
    const byTarget = school.charges().filter(({ account }) => account === 'target')
    expect(byTarget.length).toBeGreaterThan(0.8 * school.charges().length)
    expect(await verify(target())).toMatchObject({ ok: true, violations: [] })
  },
  Math.max(60, subscribers) * 1_500,
)

/** The state is deleted and rebuilt from the marks: the plan and the identities are the same. */
async function rebuilt(context: Context): Promise<void> {
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
