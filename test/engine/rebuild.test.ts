import { expect, test, vi } from 'vitest'
import { asRebuilt } from '../../src/engine/as-rebuilt.ts'
import { importCopyMap } from '../../src/engine/copy-map.ts'
import type { Context } from '../../src/engine/context.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import type { Store } from '../../src/engine/ports.ts'
import { stateRebuild } from '../../src/engine/rebuild.ts'
import { stateExport, stateShow, stateUnlock } from '../../src/engine/state.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { openStore } from '../../src/store/open.ts'
import { type Members, members } from './members.ts'
import { boundaries, dieAt, planAndApply } from './rig.ts'

// Many worlds in sequence: slow on a busy machine, but never waiting.
vi.setConfig({ testTimeout: 90_000 })

const people = [
  { since: '2026-09-20T09:15:00Z' },
  { since: '2026-09-21T09:15:00Z' },
  { since: '2026-09-28T09:15:00Z' },
] as const
const now = '2026-10-05T12:00:00Z'

/**
 * The same accounts with an empty store: the state after the loss of the database file. The copy
 * map is imported again.
 */
async function forgetful(school: Members, context: Context): Promise<Context & { store: Store }> {
  const store = await openStore({ file: ':memory:' })
  const rows = []
  for await (const { importedAt: _at, ...row } of school.rig.context.store.copyMap('us')) rows.push(row)
  await importCopyMap({ ...context, store }, 'us', rows)
  return { ...context, store }
}

test('losing the state loses nothing: rebuilt from the marks, the plan is empty and the identities are the same', async () => {
  await using school = await members(people, now)
  await planAndApply(school.stage((index) => (index < 2 ? 'target' : 'source')))
  await school.advance('2026-10-23T00:00:00Z')
  const stages = school.stage((index) => (['settled', 'target', 'source'] as const)[index] ?? 'source')
  await planAndApply(stages)
  const before = await stateExport(stages)
  const context = await forgetful(school, stages)
  expect(await stateRebuild(context)).toMatchObject({ subscribers: 2, findings: [] })
  expect(await stateExport(context)).toEqual(before)
  expect((await stateShow(context)).subscribers).toEqual({ moved: 1, settled: 1 })
  expect((await makePlan(context)).changes).toEqual([])
  expect(await verify(context)).toMatchObject({ violations: [] })
  await context.store.close()
})

test('an old store beside a newer one: who was moved or reverted elsewhere is named as the accounts show it', async () => {
  await using school = await members(people, now)
  const moved = school.stage((index) => (index < 2 ? 'target' : 'source'))
  await planAndApply(moved)
  const elsewhere = await forgetful(
    school,
    school.stage((index) => (['source', 'target', 'target'] as const)[index] ?? 'source'),
  )
  await planAndApply(elsewhere)
  const old = await asRebuilt({ ...elsewhere, store: moved.store })
  const [reverted = '', , third = ''] = school.keys
  const named = (await stateExport({ ...elsewhere, store: old.store })).filter(({ kind }) => kind === 'subscription')
  expect(named.map(({ address }) => address)).not.toContain(`subscriber.${reverted}`)
  expect(named.map(({ address }) => address)).toContain(`subscriber.${third}`)
  await elsewhere.store.close()
})

/** The catalog in which the price has another amount, so that it is replaced. */
function withAmount(context: Context, amount: number): Context {
  const { catalog } = context
  const resources = catalog.resources.map((one) =>
    one.address === 'price.monthly' ? { ...one, value: { ...one.value, unit_amount: amount } } : one,
  )
  return { ...context, catalog: { ...catalog, resources, digest: `${catalog.digest} ${amount}` } }
}

test('an old store beside a newer one: a price that was replaced elsewhere is named and used as the accounts show it', async () => {
  await using school = await members([{ since: '2026-09-20T09:15:00Z' }], now)
  await planAndApply(school.stage('source'))
  // Another amount and back again: the price of this store is archived.
  const elsewhere = await forgetful(school, school.stage('source'))
  for (const amount of [5400, 4900])
    expect((await planAndApply(withAmount(elsewhere, amount))).result).toMatchObject({ ok: true })
  const shown = (await stateExport(elsewhere)).find(({ address }) => address === 'price.monthly')
  const laptop = school.stage('target')
  const named = await stateExport({ ...laptop, store: (await asRebuilt(laptop)).store })
  expect(named.find(({ address }) => address === 'price.monthly')).toEqual(shown)
  expect((await planAndApply(laptop)).result).toMatchObject({ ok: true, remaining: [] })
  const [successor] = (await school.target.subscriptions.list()).data
  expect(successor?.items.data.map(({ price }) => price.id)).toEqual([shown?.new_id])
  await elsewhere.store.close()
})

test.each(boundaries(4))(
  'a replacement elsewhere that died $side request $request is finished with an old store, and no price is made twice',
  async (boundary) => {
    await using school = await members([{ since: '2026-09-20T09:15:00Z' }], now)
    await planAndApply(school.stage('source'))
    const elsewhere = await forgetful(school, school.stage('source'))
    await dieAt(withAmount(elsewhere, 5400), boundary, planAndApply)
    const laptop = withAmount(school.stage('source'), 5400)
    expect((await planAndApply(laptop)).result).toMatchObject({ ok: true, remaining: [] })
    const { data } = await school.target.prices.list()
    const marked = data.filter(({ metadata }) => metadata['crossbill_address'] === 'price.monthly')
    expect(marked.map(({ unit_amount: amount }) => amount)).toEqual([5400])
    expect(data.filter(({ unit_amount: amount }) => amount === 5400)).toHaveLength(1)
    expect((await makePlan(laptop)).drift).toEqual([])
    await elsewhere.store.close()
  },
)

test('who has left since they were moved is noted by the next apply, as a rebuilt store would know them', async () => {
  await using school = await members(people, now)
  const context = school.stage('target')
  await planAndApply(context)
  const [first = ''] = school.keys
  for await (const one of school.target.subscriptions.list({}))
    if (one.metadata['crossbill_from'] === first) await school.target.subscriptions.cancel(one.id)
  await school.us.subscriptions.cancel(school.subscriptions[0] ?? '')
  await planAndApply(context)
  expect((await stateShow(context)).subscribers).toEqual({ ended: 1, moved: 2 })
  const fresh = await forgetful(school, context)
  await stateRebuild(fresh)
  expect((await stateShow(fresh)).subscribers).toEqual({ ended: 1, moved: 2 })
  await fresh.store.close()
})

test('a rebuilt store reverts as the lost store would have', async () => {
  await using school = await members(people, now)
  await planAndApply(school.stage('target'))
  const context = await forgetful(school, school.stage('source'))
  await stateRebuild(context)
  const { result } = await planAndApply(context)
  expect(result).toMatchObject({ ok: true, remaining: [] })
  expect(await verify(context)).toMatchObject({ violations: [] })
  await context.store.close()
})

test.each([0, 1, 2])(
  'state lost in the middle of a move, after request %i: the next apply finishes or undoes it from the marks alone',
  async (request) => {
    await using school = await members(people.slice(0, 1), now)
    await planAndApply(school.stage('source'))
    const target = school.stage('target')
    expect(await dieAt(target, { request, side: 'after' }, planAndApply)).toBe(true)
    const context = await forgetful(school, school.stage('target'))
    await planAndApply(context)
    await planAndApply(context)
    expect(await verify(context)).toMatchObject({ violations: [] })
    expect((await makePlan(context)).changes).toEqual([])
    await context.store.close()
  },
)

test('the identity map names every object once per old id, customers and cards included', async () => {
  await using school = await members(people.slice(0, 1), now)
  await planAndApply(school.stage('target'))
  const rows = await stateExport(school.stage('target'))
  const kinds = Map.groupBy(rows, ({ kind }) => kind)
  expect([...kinds.keys()]).toEqual(['coupon', 'customer', 'payment_method', 'price', 'product', 'subscription'])
  const [subscription] = kinds.get('subscription') ?? []
  expect(subscription).toMatchObject({
    source: 'us',
    old_id: school.subscriptions[0],
    address: `subscriber.${school.keys[0]}`,
  })
  expect(subscription?.new_id).toMatch(/^sub_/)
})

test('the lease of a dead holder can be broken by name', async () => {
  await using school = await members(people.slice(0, 1), now)
  const { context } = school.rig
  await context.store.acquire('apply', 'run-x', 60)
  expect(await stateUnlock(context, 'apply')).toBe('run-x')
  expect(await stateUnlock(context, 'apply')).toBeUndefined()
})
