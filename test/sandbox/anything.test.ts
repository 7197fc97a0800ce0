import fc from 'fast-check'
import { expect, test } from 'vitest'
import { modules } from '../../src/sandbox/modules.ts'
import type { Schema } from '../../src/sandbox/kernel/params.ts'
import type { Change } from '../../src/sandbox/kernel/tables.ts'
import { createSandbox, type WorldStorage } from '../../src/sandbox/sandbox.ts'

const routes = modules.flatMap((module) => module.routes ?? [])

/** A small world with one or more objects of each kind, and their ids by table. */
function smallSchool() {
  const saved: Change[] = []
  const storage: WorldStorage = { load: () => [], save: (changes) => void saved.push(...changes) }
  const sandbox = createSandbox({ population: { name: 'school', subscribers: 12 }, seed: 5, storage })
  const ids = new Map<string, string[]>()
  for (const { table, key } of sandbox.world.dump()) {
    const [space, name = ''] = table.split('/')
    if (space === 'us' && name !== 'counters') ids.set(name, [...(ids.get(name) ?? []), key])
  }
  return { sandbox, ids, saved }
}

const words = [
  '',
  '0',
  '1',
  '-5',
  '2.5',
  '4900',
  '99999999999',
  'true',
  'false',
  'usd',
  'jpy',
  'now',
  'none',
  'month',
  'inf',
  'x',
  'é☃',
  '1796126400',
  '1830000000',
  'forever',
  '{"a":1}',
]

/** A form with parameters of the schema, at all its levels, with values that may or may not fit. */
function formOf(schema: Schema<unknown>, name: string, value: fc.Arbitrary<string>): fc.Arbitrary<[string, string][]> {
  const { inside } = schema
  if (inside === undefined) return value.map((given) => [[name, given]])
  if (typeof inside['parse'] === 'function') {
    const element = inside as Schema<unknown>
    return fc.oneof(
      formOf(element, `${name}[0]`, value),
      formOf(element, `${name}[eur]`, value),
      value.map((given): [string, string][] => [[name, given]]),
    )
  }
  const keys = Object.entries(inside as Readonly<Record<string, Schema<unknown>>>)
  if (keys.length === 0) return fc.constant([])
  const mandatory = keys.filter(([, key]) => key.mandatory)
  return fc
    .subarray(keys, { maxLength: Math.min(4, keys.length) })
    .map((chosen) => [...new Set([...mandatory, ...chosen])])
    .chain((chosen) =>
      fc.tuple(...chosen.map(([key, deeper]) => formOf(deeper, name === '' ? key : `${name}[${key}]`, value))),
    )
    .map((parts) => parts.flat())
}

/** Each `:step` of a path becomes an id, mostly of the right kind. */
function pathOf(path: string, ids: ReadonlyMap<string, readonly string[]>, any: fc.Arbitrary<string>) {
  const steps = path.split('/').map((step, index, all) => {
    if (!step.startsWith(':')) return fc.constant(step)
    const fitting = ids.get(all[index - 1] ?? '')
    return fitting === undefined ? any : fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...fitting) }, any)
  })
  return fc.tuple(...steps).map((parts) => parts.map(encodeURIComponent).join('/'))
}

test('every request has an answer in Stripe’s form: no crash, and a refusal changes nothing', async () => {
  const { sandbox, ids, saved } = smallSchool()
  const id = fc.constantFrom(...[...ids.values()].flat())
  const value = fc.oneof({ weight: 2, arbitrary: id }, { weight: 3, arbitrary: fc.constantFrom(...words) })
  const request = fc.constantFrom(...routes).chain((route) =>
    fc.record({
      method: fc.constant(route.method),
      path: pathOf(route.path, ids, id),
      // Not every route documents that `''` removes all metadata.
      form: formOf(route.params, '', value).map((form) =>
        form.filter(([name, given]) => given !== '' || !name.includes('metadata')),
      ),
    }),
  )
  const statuses = new Map<number, number>()
  let sent = 0
  await fc.assert(
    fc.asyncProperty(request, async ({ method, path, form }) => {
      const body = new URLSearchParams(form).toString()
      const post = method === 'POST'
      saved.length = 0
      const answer = await sandbox.fetch(`http://sandbox${path}${post || body === '' ? '' : `?${body}`}`, {
        method,
        headers: {
          authorization: 'Bearer sk_test_sandbox_us',
          ...(post ? { 'idempotency-key': `anything-${++sent}` } : {}),
        },
        ...(post ? { body } : {}),
      })
      const said = (await answer.json()) as { object?: unknown; data?: unknown; error?: { message?: unknown } }
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
      expect([200, 400, 402, 403, 404]).toContain(answer.status)
      // A list of the second version of the API has `data` and no `object`.
      const isList = path.startsWith('/v2/') && Array.isArray(said.data)
      expect(answer.ok && isList ? 'string' : typeof (answer.ok ? said.object : said.error?.message)).toBe('string')
      const changed = saved.filter(({ table }) => table !== 'us/idempotency')
      expect(answer.ok || answer.status === 402 ? [] : changed).toEqual([])
    }),
    { numRuns: 2_000, seed: 7, endOnFailure: true },
  )
  // The clock still advances after all these requests.
  const clock = await sandbox.fetch('http://sandbox/_sandbox/clock', {
    method: 'POST',
    body: '{"to":"2028-02-29T12:00:00Z"}',
  })
  expect(await clock.json()).toEqual({ clock: '2028-02-29T12:00:00Z' })
  // Enough of the requests are valid.
  expect(statuses.get(200)).toBeGreaterThan(200)
  expect(statuses.get(400)).toBeGreaterThan(200)
}, 60_000)
