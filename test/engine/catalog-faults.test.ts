import fc from 'fast-check'
import { expect, test } from 'vitest'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { catalogOf } from '../kinds/target.ts'
import { openRig, planAndApply } from './rig.ts'

/** `CROSSBILL_RUNS=8` plays so many scripts on 500 objects. */
const { CROSSBILL_RUNS: runs } = process.env
const objects = runs === undefined ? 20 : 82

const many = <T>(make: (n: number) => T): Record<string, T> =>
  Object.fromEntries(Array.from({ length: objects }, (_, n) => [`k${n}`, make(n)]))

const catalog = catalogOf(
  JSON.stringify({
    products: Object.fromEntries(Array.from({ length: objects }, (_, n) => [`c${n}`, { name: `Course ${n}` }])),
    prices: Object.fromEntries(
      Array.from({ length: objects * 2 }, (_, n) => [
        `p${n}`,
        { product: `c${n % objects}`, currency: 'usd', unit_amount: 100 + n, lookup_key: `k${n}` },
      ]),
    ),
    tax_rates: many((n) => ({ display_name: `Tax ${n}`, percentage: (n % 90) + 1, inclusive: false })),
    payment_links: many((n) => ({ line_items: [{ price: `p${n}`, quantity: 1 }] })),
    payment_method_domains: many((n) => ({ domain_name: `shop${n}.example.com` })),
    event_destinations: Object.fromEntries(
      Array.from({ length: 10 }, (_, n) => [
        `d${n}`,
        {
          name: `D ${n}`,
          type: 'webhook_endpoint',
          event_payload: 'thin',
          enabled_events: ['*'],
          webhook_endpoint: { url: `https://x.test/${n}` },
          secret_to: { file: `s${n}` },
        },
      ]),
    ),
  }),
)

const error = (status: number, code: string): Response =>
  Response.json({ error: { type: 'api_error', code, message: code } }, { status })

test(
  'objects created in parallel under every fault exist exactly once',
  { timeout: runs === undefined ? 120_000 : 3_600_000 },
  async () => {
    const faults = fc.array(fc.constantFrom('none', 'none', 'none', 'limit', 'lock', 'broken', 'lost', 'late'), {
      minLength: 30,
      maxLength: 30,
    })
    await fc.assert(
      fc.asyncProperty(faults, async (script) => {
        const sandbox = createSandbox()
        let at = 0
        const late: { readonly due: number; readonly execute: () => Promise<unknown> }[] = []
        const fetch: typeof sandbox.fetch = async (input, init) => {
          if ((init?.method ?? 'GET') !== 'POST') return sandbox.fetch(input, init)
          const fault = script[at++ % script.length]
          while ((late[0]?.due ?? Infinity) <= at) await late.shift()?.execute()
          if (fault === 'late') {
            late.push({ due: at + 3, execute: () => sandbox.fetch(input, init) })
            return error(504, 'api_error')
          }
          if (fault === 'limit') return error(429, 'rate_limit')
          if (fault === 'lock') return error(429, 'lock_timeout')
          if (fault === 'broken') return error(500, 'api_error')
          const answer = await sandbox.fetch(input, init)
          // Executed, but the answer never arrives.
          if (fault === 'lost') throw new TypeError('the connection was cut')
          return answer
        }
        await using rig = await openRig(catalog, { ...sandbox, fetch })
        // The next run finishes what a run could not.
        for (let run = 0; run < 8 && (await makePlan(rig.context)).changes.length > 0; run++)
          await planAndApply({ ...rig.context, run: `run-${run}` })
        expect((await makePlan(rig.context)).changes).toEqual([])
        const count = async (path: string): Promise<number> => {
          let seen = 0
          for await (const _ of rig.context.accounts.target.list(path)) seen++
          return seen
        }
        for (const { execute } of late) await execute()
        const seen = await Promise.all(
          ['products', 'prices', 'tax_rates', 'payment_links', 'payment_method_domains'].map((name) =>
            count(`/v1/${name}`),
          ),
        )
        expect(seen).toEqual([objects, objects * 2, objects, objects, objects])
        expect(await count('/v2/core/event_destinations')).toBe(10)
      }),
      { numRuns: Number(runs ?? 3), seed: Number(process.env['CROSSBILL_SEED'] ?? 1) },
    )
  },
)

test('the proof of a change of the catalog reads again what was changed, and the people twice for plan and apply', async () => {
  const sandbox = createSandbox()
  const asked: string[] = []
  const fetch: typeof sandbox.fetch = async (input, init) => {
    const { method, url, headers } = new Request(input, init)
    if (headers.get('authorization')?.endsWith('target') === true) asked.push(`${method} ${new URL(url).pathname}`)
    return sandbox.fetch(input, init)
  }
  const priced = (amount: number) =>
    catalogOf(`products: { c: { name: C } }\nprices: { p: { product: c, currency: usd, unit_amount: ${amount} } }`)
  await using rig = await openRig(priced(100), { ...sandbox, fetch })
  await planAndApply(rig.context)
  asked.length = 0
  const { result: applied } = await planAndApply({ ...rig.context, run: 'second', catalog: priced(200) })
  expect(applied.ok).toBe(true)
  const times = (path: string): number => asked.filter((one) => one === `GET ${path}`).length
  expect({ people: times('/v1/customers'), rates: times('/v1/tax_rates'), prices: times('/v1/prices') }).toEqual({
    people: 2,
    rates: 2,
    // Active ones and archived ones, three times.
    prices: 6,
  })
  // A change outside between the requests and the proof is still found.
  const outside: typeof sandbox.fetch = async (input, init) => {
    const answer = await fetch(input, init)
    if (init?.method === 'POST' && new Request(input).url.endsWith('/v1/prices')) {
      const { id } = (await answer.clone().json()) as { id: string }
      await sandbox.fetch(`http://x/v1/prices/${id}`, {
        method: 'POST',
        headers: { authorization: 'Bearer sk_test_sandbox_target', 'idempotency-key': 'outside' },
        body: 'active=false',
      })
    }
    return answer
  }
  await using other = await openRig(priced(300), { ...sandbox, fetch: outside })
  const { result: disturbed } = await planAndApply({ ...other.context, run: 'disturbed' })
  expect([disturbed.ok, disturbed.remaining.map(({ address }) => address)]).toEqual([false, ['price.p']])
})
