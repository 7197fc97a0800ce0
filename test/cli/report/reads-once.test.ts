import { expect, test } from 'vitest'
import { gather } from '../../../src/cli/report/gather.ts'
import { survey } from '../../../src/engine/plan/survey.ts'
import { createSandbox } from '../../../src/sandbox/sandbox.ts'
import { openPulled } from '../../engine/school.ts'
import { at } from '../../engine/rig.ts'

test('a report reads the lists of subscriptions, customers and invoices once', async () => {
  const clock = at('2026-12-01T12:00:00Z')
  const sandbox = createSandbox({ clock, seed: 1, population: { name: 'school', subscribers: 12 } })
  const asked: string[] = []
  const fetch: typeof globalThis.fetch = (input, init) => {
    const { pathname, searchParams } = new URL(input instanceof Request ? input.url : String(input))
    // With one row, doctor asks whether the key may read a list.
    if (searchParams.get('limit') !== '1') asked.push(`${init?.method ?? 'GET'} ${pathname}`)
    return sandbox.fetch(input, init)
  }
  await using school = await openPulled({ ...sandbox, fetch })
  const context = school.stage('source')
  async function listsOf(work: () => Promise<unknown>): Promise<Readonly<Record<string, number>>> {
    const before = asked.length
    await work()
    const some = asked.slice(before)
    const lists = ['subscriptions', 'customers', 'invoices', 'subscription_schedules']
    return Object.fromEntries(lists.map((name) => [name, some.filter((one) => one === `GET /v1/${name}`).length]))
  }
  const once = await listsOf(() => survey(context))
  expect(once['subscriptions']).toBeGreaterThan(0)
  expect(await listsOf(() => gather(context, []))).toEqual(once)
})
