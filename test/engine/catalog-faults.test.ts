import fc from 'fast-check'
import { expect, test } from 'vitest'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { catalogOf } from '../kinds/target.ts'
import { openRig, planAndApply } from './rig.ts'

const objects = 40

const catalog = catalogOf(
  JSON.stringify({
    products: Object.fromEntries(Array.from({ length: objects }, (_, n) => [`c${n}`, { name: `Course ${n}` }])),
    prices: Object.fromEntries(
      Array.from({ length: objects * 2 }, (_, n) => [
        `p${n}`,
        { product: `c${n % objects}`, currency: 'usd', unit_amount: 100 + n, lookup_key: `k${n}` },
      ]),
    ),
  }),
)

const error = (status: number, code: string): Response =>
  Response.json({ error: { type: 'api_error', code, message: code } }, { status })

test('objects created in parallel under every fault exist exactly once', { timeout: 120_000 }, async () => {
  const faults = fc.array(fc.constantFrom('none', 'none', 'none', 'limit', 'lock', 'broken', 'lost'), {
    minLength: 30,
    maxLength: 30,
  })
  await fc.assert(
    fc.asyncProperty(faults, async (script) => {
      const sandbox = createSandbox()
      let at = 0
      const fetch: typeof sandbox.fetch = async (input, init) => {
        if ((init?.method ?? 'GET') !== 'POST') return sandbox.fetch(input, init)
        const fault = script[at++ % script.length]
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
      for (let run = 0; run < 5 && (await makePlan(rig.context)).changes.length > 0; run++)
        await planAndApply({ ...rig.context, run: `run-${run}` })
      expect((await makePlan(rig.context)).changes).toEqual([])
      const count = async (path: string): Promise<number> => {
        let seen = 0
        for await (const _ of rig.context.accounts.target.list(path)) seen++
        return seen
      }
      expect([await count('/v1/products'), await count('/v1/prices')]).toEqual([objects, objects * 2])
    }),
    { numRuns: 4, seed: 1 },
  )
})
