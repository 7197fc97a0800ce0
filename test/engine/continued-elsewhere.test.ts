import { describe, expect, test, vi } from 'vitest'
import type { Catalog } from '../../src/catalog/types.ts'
import type { Context } from '../../src/engine/context.ts'
import { apply } from '../../src/engine/apply/apply.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { load } from '../catalog/project.ts'
import { members } from './members.ts'
import { dieAt, elsewhere, openRig, planAndApply, told, boundaries, type Rig } from './rig.ts'

vi.setConfig({ testTimeout: 120_000 })

function catalogOf(sections: string): Catalog {
  const { catalog, findings } = load({ 'products.yaml': '', 'prices.yaml': '', 'all.yaml': sections })
  if (catalog === undefined) throw new Error(JSON.stringify(findings, null, 1))
  return catalog
}

const sections = (amount: number, more = ''): string => `
products:
  membership: { name: Membership, default_price: monthly }
prices:
  monthly: { product: membership, currency: usd, unit_amount: ${amount}, recurring: { interval: month }, lookup_key: monthly }
coupons: { welcome: { percent_off: ${amount / 100}, duration: once } }
promotion_codes: { hello: { code: HELLO, promotion: { coupon: welcome } } }
meters: { calls: { display_name: C, event_name: calls, default_aggregation: { formula: sum }, active: false } }
${more}`

/** Every object in use, without ids and times. */
async function inUse({ context }: Rig): Promise<readonly string[]> {
  const all: string[] = []
  for (const path of ['/v1/products', '/v1/prices', '/v1/coupons', '/v1/promotion_codes', '/v1/billing/meters'])
    for await (const one of context.accounts.target.list(path, {}))
      if (one['active'] !== false)
        all.push(
          JSON.stringify([path, one['name'], one['unit_amount'], one['percent_off'], one['code'], one['status']]),
        )
  return all.toSorted()
}

describe('promise: crash anywhere, run again: the same plan in a fresh checkout', () => {
  test.each([
    ['a first apply', undefined, sections(1_000)],
    [
      'replacements and retirements',
      sections(1_000, 'shipping_rates: { post: { display_name: P, fixed_amount: { amount: 5, currency: usd } } }'),
      sections(2_000, 'removed: [shipping_rate.post]'),
    ],
  ])('%s', async (_name, before, after) => {
    const allow = ['retire_share'] as const
    const run = async (kill?: Parameters<typeof dieAt>[1]): Promise<{ found: readonly string[]; died: boolean }> => {
      await using rig = await openRig(catalogOf(before ?? sections(1_000)))
      if (before !== undefined) await planAndApply(rig.context)
      const context = rig.with(catalogOf(after))
      const plan = await makePlan(context)
      const died =
        kill !== undefined && (await dieAt(context, kill, (living) => apply(living, plan, { allow, fromFile: true })))
      const fresh: Context = died || kill === undefined ? await elsewhere(context) : context
      const isLeft = died || kill === undefined
      const result = isLeft ? await apply(fresh, plan, { allow, fromFile: true }) : { ok: true, remaining: [] }
      expect({ kill, ok: result.ok, remaining: result.remaining }).toEqual({ kill, ok: true, remaining: [] })
      expect((await makePlan(fresh)).changes).toEqual([])
      // A job that is run a second time after its success has nothing left to do.
      const sent = rig.sent.length
      const again = await apply(await elsewhere(context), plan, { allow, fromFile: true })
      expect(again).toMatchObject({ ok: true, remaining: [] })
      expect(again.changes.map(({ outcome }) => outcome)).toEqual(plan.changes.map(() => 'done'))
      expect(rig.sent).toHaveLength(sent)
      return { found: await inUse(rig), died }
    }
    const clean = await run()
    for (const kill of boundaries(14)) {
      const { found, died } = await run(kill)
      expect([told(kill), found]).toEqual([told(kill), clean.found])
      if (!died) break
    }
  })
})

describe('promise: what you reviewed is what happens, also when a part of it is there', () => {
  test('a difference that the plan does not explain is refused, and nothing is sent', async () => {
    await using rig = await openRig(catalogOf(sections(1_000)))
    const plan = await makePlan(rig.context)
    await dieAt(rig.context, { request: 3, side: 'before' }, (living) => apply(living, plan))
    const { target } = rig.context.accounts
    for await (const one of target.list('/v1/products', {}))
      await target.send({
        method: 'POST',
        path: `/v1/products/${one.id}`,
        params: { name: 'Other' },
        idempotencyKey: 'x',
      })
    const before = rig.sent.length
    await expect(apply(await elsewhere(rig.context), plan)).rejects.toMatchObject({ code: 'plan_stale' })
    const edited = await elsewhere(rig.with(catalogOf(sections(2_000))))
    await expect(apply(edited, plan)).rejects.toMatchObject({ code: 'plan_stale' })
    expect(rig.sent).toHaveLength(before)
  })

  test('moves: those that are done stay, the others follow; one who left is not said to be moved', async () => {
    const people = [{ since: '2026-09-20T09:15:00Z' }, { since: '2026-09-21T09:15:00Z' }] as const
    await using school = await members(people, '2026-10-05T12:00:00Z')
    const context = school.stage('target')
    const plan = await makePlan(context)
    await dieAt(context, { request: 12, side: 'after' }, (living) => apply(living, plan))
    expect(await apply(await elsewhere(context), plan)).toMatchObject({ ok: true, remaining: [] })
    const sent = school.rig.sent.length
    expect(await apply(await elsewhere(context), plan)).toMatchObject({ ok: true, summary: { moved: 0 } })
    expect(school.rig.sent).toHaveLength(sent)
    const { data } = await school.target.subscriptions.list()
    await school.target.subscriptions.cancel(data[0]?.id ?? '')
    await expect(apply(await elsewhere(context), plan)).rejects.toMatchObject({ code: 'plan_stale' })
    expect(school.rig.sent).toHaveLength(sent)
  })

  test.each([
    ['the store that applied it', (context: Context) => Promise.resolve(context)],
    ['another checkout', elsewhere],
  ])('a move that was done and then reverted needs a new review: %s', async (_name, place) => {
    const people = [{ since: '2026-09-20T09:15:00Z' }, { since: '2026-09-21T09:15:00Z' }] as const
    await using school = await members(people, '2026-10-05T12:00:00Z')
    const context = school.stage('target')
    // The first move also sets the customer's card. A later one sends the same requests each time.
    await planAndApply(context)
    await planAndApply(school.stage('source'))
    const plan = await makePlan(context)
    expect(await apply(context, plan)).toMatchObject({ ok: true })
    expect(await planAndApply(school.stage('source'))).toMatchObject({ result: { ok: true } })
    const sent = school.rig.sent.length
    await expect(apply(await place(school.stage('target')), plan)).rejects.toMatchObject({ code: 'plan_stale' })
    expect(school.rig.sent).toHaveLength(sent)
  })

  test('an update that was done and then taken back by another plan needs a new review', async () => {
    await using rig = await openRig(catalogOf(sections(1_000)))
    await planAndApply(rig.context)
    const shipping = 'shipping_rates: { post: { display_name: P, fixed_amount: { amount: 5, currency: usd } } }'
    const renamed = sections(1_000, shipping).replace('name: Membership', 'name: Club')
    const context = rig.with(catalogOf(renamed))
    const plan = await makePlan(context)
    expect(await apply(context, plan)).toMatchObject({ ok: true })
    await planAndApply(rig.with(catalogOf(sections(1_000, shipping))))
    const sent = rig.sent.length
    await expect(apply(context, plan)).rejects.toMatchObject({ code: 'plan_stale' })
    expect(rig.sent).toHaveLength(sent)
  })
})
