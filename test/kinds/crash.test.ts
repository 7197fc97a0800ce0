import { describe, expect, test } from 'vitest'
import { kinds } from '../../src/kinds/registry.ts'
import { catalogOf, lines, Target } from './target.ts'

const before = `products: { p: { name: P, default_price: a } }
prices: { a: { product: p, currency: usd, unit_amount: 4900, recurring: { interval: month }, lookup_key: k } }
coupons: { c: { percent_off: 20, duration: forever } }
promotion_codes: { w: { code: WELCOME, promotion: { coupon: c } } }
tax_rates: { t: { display_name: VAT, percentage: 19, inclusive: false }, gone: { display_name: Old, percentage: 5, inclusive: true } }
webhook_endpoints: { h: { url: "https://x.test/h", enabled_events: ["*"], secret_to: { file: s } } }`
const now = before
  .replace('4900', '5900')
  .replace('percent_off: 20', 'percent_off: 25')
  .replace('percentage: 19', 'percentage: 20')
  .replace(', gone: { display_name: Old, percentage: 5, inclusive: true }', '')
  .replace('["*"]', '["*"], connect: true')

/** The existing objects without ids and times: the number of each kind, in use or not. */
async function census(target: Target): Promise<readonly string[]> {
  const live = await target.live()
  return kinds
    .flatMap((kind) =>
      (live.get(kind.name) ?? []).map((one) => `${kind.name} ${kind.retired(one) ? 'retired' : 'in use'}`),
    )
    .sort()
}

describe('stopped after any step, with or without its store, the next run ends as a clean run does', () => {
  test.each([
    ['making everything', '', before, 2],
    ['changing everything', before, now, 1],
    ['removing everything', now, '', 2],
  ])('%s', { timeout: 60_000 }, async (_name, from, to, every) => {
    const clean = await Target.open()
    if (from !== '') await clean.apply(await clean.plan(catalogOf(from)))
    const whole = await clean.plan(catalogOf(to))
    await clean.apply(whole)
    const expected = await census(clean)
    const steps = whole.changes.reduce((sum, { steps: one }) => sum + one.length, 0)
    expect(steps).toBeGreaterThan(5)
    for (let stop = 0; stop < steps; stop++)
      for (const lost of every === 1 ? [false, true] : [stop % 2 === 0]) {
        const target = await Target.open()
        if (from !== '') await target.apply(await target.plan(catalogOf(from)))
        await target.apply(await target.plan(catalogOf(to)), stop)
        if (lost) target.known = []
        await target.apply(await target.plan(catalogOf(to)))
        expect([stop, lost, ...lines(await target.plan(catalogOf(to)))]).toEqual([stop, lost])
        expect([stop, lost, await census(target)]).toEqual([stop, lost, expected])
      }
  })
})

describe('secrets', () => {
  test('reach their sink once, and nothing else', async () => {
    const target = await Target.open()
    const plan = await target.plan(catalogOf(before))
    await target.apply(plan)
    expect(target.secrets).toHaveLength(1)
    expect(JSON.stringify([plan, await target.plan(catalogOf(now))])).not.toContain('whsec_')
  })

  test('need a sink before an endpoint is created or replaced', async () => {
    const target = await Target.open()
    const silent = catalogOf('webhook_endpoints: { h: { url: "https://x.test/h", enabled_events: ["*"] } }')
    expect(lines(await target.plan(silent))).toEqual(['blocked webhook_endpoint.h (secret_to_missing)'])
  })
})

describe('plans are values', () => {
  test('equal input in any order gives equal bytes', async () => {
    const target = await Target.open()
    await target.apply(await target.plan(catalogOf(before)))
    const catalog = catalogOf(now)
    const one = await target.plan(catalog)
    const live = await target.live()
    target.seen = new Map([...live].toReversed().map(([kind, objects]) => [kind, objects.toReversed()]))
    const other = await target.plan({ ...catalog, resources: catalog.resources.toReversed() })
    expect(JSON.stringify([other.changes, [...other.touched]])).toBe(JSON.stringify([one.changes, [...one.touched]]))
  })

  test('every id that a step needs is known, or made by an earlier step', async () => {
    const target = await Target.open()
    const plan = await target.plan(catalogOf(before))
    const made = new Set<string>()
    for (const { address, steps } of plan.changes) {
      for (const { id, path, params } of steps) {
        const needs = [...JSON.stringify([path, params]).matchAll(/"\$ref":"([^"]+)"|\{([a-z_]+\.[\w-]+)\}/g)].map(
          (match) => match[1] ?? match[2],
        )
        for (const need of needs) expect(made).toContain(need)
        if (id === 'create') made.add(address)
      }
    }
    expect(made.size).toBe(7)
  })
})
