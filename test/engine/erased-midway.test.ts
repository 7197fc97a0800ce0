import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSandbox, cloneSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import { clientOf } from '../sandbox/client.ts'
import { at, boundaries, dieAt, elsewhere, planAndApply, told } from './rig.ts'
import { openPulled } from './school.ts'
import { member, prices } from './stories/world.ts'

/*
 * A member is erased in the target while a killed move stands still. One rule, whichever store
 * continues: where a successor existed, it ended, and the old subscription is settled. Where none
 * was created, the hold stays and a person decides. Nothing is ever released.
 */

let begun: Sandbox
let customer: string
beforeAll(async () => {
  begun = createSandbox({ clock: at('2026-01-15T08:00:00Z') })
  const us = clientOf(begun)
  const { monthly } = await prices(us)
  customer = await member(us)
  await us.subscriptions.create({ customer, items: [{ price: monthly ?? '' }] })
  await begun.world.advance(at('2026-02-25T00:00:00Z'))
})
afterAll(() => begun.close())

/** By the last request that was executed: where the old subscription ends. */
const ends = {
  'carry to the customer': 'active',
  hold: 'active keep_as_draft erased_in_target',
  create: 'canceled',
  keep: 'canceled',
} as const

test.each(
  Object.entries(ends).flatMap(([request, end], nth) =>
    (['its own store', 'an empty store'] as const).map((store) => [request, store, end, nth] as const),
  ),
)('promise 8: erased in the target after the request “%s”, continued with %s: %s', async (_, store, end, nth) => {
  await using school = await openPulled(cloneSandbox(begun))
  await planAndApply(school.stage('source'))
  const context = school.stage('target')
  const boundary = boundaries(nth + 1).at(-1)
  if (boundary === undefined) throw new Error('no boundary')
  expect({ at: told(boundary), died: await dieAt(context, boundary, planAndApply) }).toMatchObject({ died: true })
  await clientOf(school.rig.sandbox, 'target').customers.del(customer)
  const later = store === 'its own store' ? context : await elsewhere(context)
  const { result } = await planAndApply(later)
  const { plan } = await planAndApply(later)
  const { data } = await clientOf(school.rig.sandbox).subscriptions.list({ status: 'all' })
  const blocked = plan.blocked.map(({ code }) => code).filter((code) => code !== 'customer_not_copied')
  const shown = data.map(({ status, pause_collection: pause }) => [status, status === 'active' ? pause?.behavior : ''])
  expect([...shown.flat(), ...blocked].filter((one) => (one ?? '') !== '').join(' ')).toBe(end)
  expect(result.recovered.flatMap(({ code }) => code ?? [])).toEqual(
    end.endsWith('erased_in_target') && store === 'its own store' ? ['erased_in_target'] : [],
  )
  expect(plan.changes).toEqual([])
})
