import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inDependencyOrder } from '../../src/engine/apply/in-order.ts'
import { referencesIn } from '../../src/plan/references.ts'
import type { ResourceAction, ResourceChange } from '../../src/plan/types.ts'

function change(
  address: string,
  refs: readonly string[] = [],
  action: ResourceAction = 'create',
  path = '/v1/things',
): ResourceChange {
  const params = { of: refs.map((ref) => ({ $ref: ref })) }
  const step = { id: 'create', account: 'target', method: 'POST' as const, path, params, idempotency_key: address }
  return { address, action, because: [], patch: [], people: 0, steps: [step], expect: { seen: '' } }
}

/** What ran at the same time, and in which order work began and ended. */
async function watched(changes: readonly ResourceChange[], fails?: string) {
  let running = 0
  let most = 0
  const ended = new Set<string>()
  const begunBefore = new Map<string, ReadonlySet<string>>()
  const results = await inDependencyOrder(changes, async (one) => {
    begunBefore.set(one.address, new Set(ended))
    most = Math.max(most, ++running)
    await new Promise((resolve) => setTimeout(resolve, 1))
    running--
    if (one.address === fails) throw new Error('stopped')
    ended.add(one.address)
    return one.address
  }).catch((error: unknown) => String(error))
  return { results, most, begunBefore, running: () => running }
}

test('independent creations run in parallel, in a bounded number, and results keep the order of the plan', async () => {
  const changes = Array.from({ length: 60 }, (_, n) => change(`price.p${n}`))
  const { results, most } = await watched(changes)
  expect(results).toEqual(changes.map(({ address }) => address))
  expect(most).toBe(16)
})

test('a referenced object is created before', async () => {
  const plan = fc
    .array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 40 })
    .map((refs) => refs.map((ref, n) => change(`product.a${n}`, ref < n ? [`product.a${ref}`] : [])))
  await fc.assert(
    fc.asyncProperty(plan, async (changes) => {
      const { begunBefore } = await watched(changes)
      for (const one of changes)
        for (const ref of one.steps.flatMap(({ params }) => referencesIn(params)))
          expect(begunBefore.get(one.address)).toContain(ref)
    }),
    { numRuns: 30 },
  )
})

test('two actions never write the same object at once, and a different action waits for everything before it', async () => {
  const same = [1, 2, 3].map((n) => change(`price.p${n}`, [], 'update', '/v1/products/prod_1'))
  expect((await watched(same)).most).toBe(1)
  const mixed = [change('price.a'), change('price.b'), change('price.old', [], 'retire', '/v1/prices/price_1')]
  expect((await watched(mixed)).begunBefore.get('price.old')).toEqual(new Set(['price.a', 'price.b']))
})

test('an error cancels work that has not begun, after work in progress has ended', async () => {
  const { results, running, begunBefore } = await watched(
    Array.from({ length: 60 }, (_, n) => change(`price.p${n}`)),
    'price.p3',
  )
  expect(results).toBe('Error: stopped')
  expect(running()).toBe(0)
  expect(begunBefore.size).toBeLessThan(60)
})
