import { expect, test } from 'vitest'
import { billsOf, drive } from './drive.ts'
import { memberOf, stageAt, subscribe, copyOf } from './stage.ts'

test('a healthy subscriber is moved, billed by the target as the source would have, and settled', async () => {
  const stage = await stageAt('2026-01-31T09:15:00Z')
  const id = await subscribe(stage, await memberOf(stage), {
    metadata: { plan: 'gold' },
    description: 'For the member',
  })
  await stage.advance('2026-04-10T00:00:00Z')
  await stage.copy()
  const controlRun = await copyOf(stage)
  const [found] = await stage.classify('target')
  if (found?.outcome !== 'move') throw new Error(JSON.stringify(found))
  expect(JSON.stringify(found.plan)).not.toMatch(/gold|For the member|member@/)
  const moved = await drive(stage, found.plan)
  expect(moved.trail).toEqual([
    'reading',
    'carrying',
    'previewing',
    'holding',
    'creating',
    'proving',
    'keeping',
    'moved',
  ])
  const successor = await stage.target.subscriptions.retrieve(moved.state.successor ?? '')
  expect(successor).toMatchObject({
    description: 'For the member',
    metadata: { plan: 'gold', crossbill_from: `us/${id}` },
  })
  const [after] = await stage.classify('target')
  expect(after).toMatchObject({ outcome: 'unchanged', standing: 'target', drift: [] })
  expect((await stage.classify('settled'))[0]).toMatchObject({ outcome: 'deferred', code: 'renewal_unproven' })

  await stage.advance('2026-06-02T00:00:00Z')
  const [paid] = await stage.classify('settled')
  if (paid?.outcome !== 'settle') throw new Error(JSON.stringify(paid))
  expect((await drive(stage, paid.plan)).trail).toEqual(['recovering', 'cancelling_old', 'recovering', 'settled'])
  const old = await stage.us.subscriptions.retrieve(id)
  expect(old.cancellation_details?.comment).toBe(`crossbill settled, continues as ${successor.id}`)
  expect((await stage.classify('settled'))[0]).toMatchObject({ outcome: 'unchanged', standing: 'settled' })
  expect((await stage.classify('source'))[0]).toMatchObject({
    outcome: 'blocked',
    reasons: [{ code: 'already_settled' }],
  })

  for (const world of [stage, controlRun]) await world.advance('2027-07-01T00:00:00Z')
  expect(await billsOf(stage)).toEqual(await billsOf(controlRun))
  expect((await billsOf(stage)).length).toBe(18)
})
