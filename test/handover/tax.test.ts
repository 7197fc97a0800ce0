import { describe, expect, test } from 'vitest'
import { present } from '../../src/core/assert.ts'
import { billsOf, drive } from './drive.ts'
import { memberOf, stageAt, subscribe, copyOf, type Stage } from './stage.ts'

/** A member in Germany whose tax Stripe computes; the target has the given registrations. */
async function taxed(registrations?: readonly string[]): Promise<Stage> {
  const stage = await stageAt('2026-01-15T08:00:00Z')
  const member = await memberOf(stage, {
    address: { country: 'DE', postal_code: '10115', city: 'Berlin', line1: 'Musterweg 5' },
  })
  const id = await subscribe(stage, member, { automatic_tax: { enabled: true } })
  stage.subscribers.set(id, { automatic_tax: true })
  const { settings } = present(stage.sandbox.world.accounts.get('target'), 'target')
  if (registrations !== undefined) Object.assign(settings, { tax_registrations: registrations })
  await stage.advance('2026-02-20T00:00:00Z')
  await stage.copy()
  return stage
}

async function moveOf(stage: Stage): Promise<Awaited<ReturnType<typeof drive>>['state']> {
  const found = present((await stage.classify('target'))[0], 'subscriber')
  if (found.outcome !== 'move') throw new Error(JSON.stringify(found))
  return (await drive(stage, found.plan)).state
}

describe('automatic tax between two sellers', () => {
  test('the same registrations: the same tax to the cent', async () => {
    const stage = await taxed()
    const controlRun = await copyOf(stage)
    expect(await moveOf(stage)).toMatchObject({ phase: 'moved' })
    for (const world of [stage, controlRun]) await world.advance('2026-06-01T00:00:00Z')
    expect(await billsOf(stage)).toEqual(await billsOf(controlRun))
    expect((await billsOf(stage)).at(-1)).toContain(' 5831 usd')
  })
  test('another tax in the target stops before any change', async () => {
    const stage = await taxed(['US'])
    const state = await moveOf(stage)
    expect(state).toMatchObject({ phase: 'source', reason: { code: 'tax_differs' } })
    expect((await stage.target.subscriptions.list({ status: 'all' })).data).toEqual([])
    expect((await stage.us.subscriptions.list()).data[0]?.pause_collection).toBeNull()
  })
  test('a difference accepted for the country moves; for another country it does not', async () => {
    const accepted = await taxed(['US'])
    Object.assign(accepted.policies, { tax: 'recompute', tax_accepted: ['DE'] })
    expect(await moveOf(accepted)).toMatchObject({ phase: 'moved' })
    const elsewhere = await taxed(['US'])
    Object.assign(elsewhere.policies, { tax: 'recompute', tax_accepted: ['FR'] })
    expect(await moveOf(elsewhere)).toMatchObject({ reason: { code: 'tax_differs' } })
  })
})
