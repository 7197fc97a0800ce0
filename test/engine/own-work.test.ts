import { describe, expect, test, vi } from 'vitest'
import { apply } from '../../src/engine/apply/apply.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { boundaries, dieAt, openRig, planAndApply, told } from './rig.ts'
import { catalogOf } from '../kinds/target.ts'

vi.setConfig({ testTimeout: 90_000 })

const school = `features: { export: { name: Export, lookup_key: export }, api: { name: API, lookup_key: api } }
products: { p: { name: P, default_price: monthly, features: [export, api] } }
prices: { monthly: { product: p, currency: usd, unit_amount: 4900, recurring: { interval: month } } }`

describe('promise: nothing silent, and nothing untrue: what a stopped run left is not called a change by others', () => {
  test.each([
    ['everything is created', '', school, 1],
    ['the default price is replaced', school, school.replace('4900', '5900'), 0],
  ])('%s', async (_name, from, to, least) => {
    await using whole = await openRig(catalogOf(from))
    if (from !== '') await planAndApply(whole.context)
    const before = whole.sent.length
    await planAndApply(whole.with(catalogOf(to)))
    const requests = whole.sent.length - before
    expect(requests).toBeGreaterThan(2)
    let named = 0
    for (const boundary of boundaries(requests)) {
      await using rig = await openRig(catalogOf(from))
      if (from !== '') await planAndApply(rig.context)
      const context = rig.with(catalogOf(to))
      const plan = await makePlan(context)
      await dieAt(context, boundary, (living) => apply(living, plan)).catch(() => undefined)
      const { drift, changes } = await makePlan(context)
      expect([told(boundary), drift]).toEqual([told(boundary), []])
      if (changes.some(({ because }) => because.includes('left unfinished by an earlier apply'))) named += 1
      expect((await planAndApply(context)).result).toMatchObject({ ok: true })
      expect((await makePlan(context)).changes).toEqual([])
    }
    expect(named).toBeGreaterThanOrEqual(least)
  })
})

test('a replaced event destination gets a new signing secret, so it needs the word that an endpoint needs', async () => {
  const entry = (payload: string) =>
    catalogOf(
      `event_destinations: { e: { name: E, type: webhook_endpoint, event_payload: ${payload}, enabled_events: ["*"], webhook_endpoint: { url: "https://x.test/e" }, secret_to: { file: e } } }`,
    )
  await using rig = await openRig(entry('thin'))
  await planAndApply(rig.context)
  const context = rig.with(entry('snapshot'))
  const plan = await makePlan(context)
  expect(plan.summary).toMatchObject({ replace: 1 })
  expect(plan.guards.find(({ id }) => id === 'webhook_replace')).toMatchObject({ actual: 1, tripped: true })
  await expect(apply(context, plan)).rejects.toMatchObject({ code: 'guard_tripped' })
  expect(await apply(context, plan, { allow: ['webhook_replace'] })).toMatchObject({ ok: true })
})

describe('entries that exchange their names, in one apply of the engine', () => {
  const codes = (one: string, two: string, three: string) =>
    catalogOf(`coupons: { c1: { percent_off: 10 }, c2: { percent_off: 20 }, c3: { percent_off: 30 } }
promotion_codes: { a: { code: ${one}, promotion: { coupon: c1 } }, b: { code: ${two}, promotion: { coupon: c2 } }, c: { code: ${three}, promotion: { coupon: c3 } } }
features: { a: { name: A, lookup_key: ${one} }, b: { name: B, lookup_key: ${two} }, c: { name: C, lookup_key: ${three} } }
products: { p: { name: P, features: [a] } }`)

  test.each([
    ['a circle of two', ['y', 'x', 'z']],
    ['a circle of three', ['y', 'z', 'x']],
    ['a chain', ['y', 'z', 'w']],
  ] as const)('%s', async (_name, [one, two, three]) => {
    await using rig = await openRig(codes('x', 'y', 'z'))
    await planAndApply(rig.context)
    const context = rig.with(codes(one, two, three))
    const { plan, result } = await planAndApply(context)
    expect(plan.blocked).toEqual([])
    expect(result).toMatchObject({ ok: true, remaining: [] })
    expect((await makePlan(context)).changes).toEqual([])
  })

  test('a creation that Stripe refuses leaves every code of the circle in use', async () => {
    await using rig = await openRig(codes('x', 'y', 'z'))
    await planAndApply(rig.context)
    const { target } = rig.context.accounts
    const refusing: typeof target = {
      ...target,
      send: async (request) =>
        request.path === '/v1/promotion_codes'
          ? { ok: false, failure: { kind: 'rejected', code: 'refused', message: 'refused', status: 400 } }
          : target.send(request),
    }
    const context = rig.with(codes('y', 'x', 'z'))
    const stopped = await planAndApply({ ...context, accounts: { ...context.accounts, target: refusing } })
    expect(stopped.result.ok).toBe(false)
    expect((await makePlan(rig.context)).changes.filter(({ address }) => address.startsWith('promotion'))).toEqual([])
    expect((await planAndApply(context)).result).toMatchObject({ ok: true })
  })
})
