import { describe, expect, test } from 'vitest'
import { present } from '../../src/core/assert.ts'
import type { Classification } from '../../src/handover/types.ts'
import { billsOf, drive, settleDown } from './drive.ts'
import { memberOf, stageAt, subscribe, copyOf, type Stage } from './stage.ts'

/** A member moved on 20 February, whose card or bank behaves as given; T is 15 March 08:00. */
async function moved(
  act?: 'decline_card' | 'slow_payments',
): Promise<{ stage: Stage; controlRun: Stage; id: string; successor: string }> {
  const stage = await stageAt('2026-01-15T08:00:00Z')
  const id = await subscribe(stage, await memberOf(stage))
  await stage.advance('2026-02-20T00:00:00Z')
  await stage.copy()
  const controlRun = await copyOf(stage)
  const found = await only(stage, 'target')
  if (found.outcome !== 'move') throw new Error(JSON.stringify(found))
  const { state } = await drive(stage, found.plan)
  const successor = present(state.successor, 'successor')
  if (act !== undefined) await stage.act(act, { account: 'target', subscription: successor })
  return { stage, controlRun, id, successor }
}

async function only(stage: Stage, wanted: 'source' | 'target' | 'settled'): Promise<Classification> {
  return present((await stage.classify(wanted))[0], 'subscriber')
}

/** Amounts by month: what was charged on any day of the month. */
async function byMonth(stage: Stage): Promise<readonly string[]> {
  return (await billsOf(stage)).map((bill) => `${bill.slice(0, 7)} ${bill.split(' ')[2] ?? ''}`)
}

async function setBack(stage: Stage): Promise<void> {
  expect(await settleDown(stage, 'source')).toMatchObject({ outcome: 'unchanged', standing: 'source' })
}

async function sameMonths(stage: Stage, controlRun: Stage): Promise<void> {
  for (const world of [stage, controlRun]) await world.advance('2026-09-01T00:00:00Z')
  expect(await byMonth(stage)).toEqual(await byMonth(controlRun))
}

describe('a member is reverted', () => {
  test.each([
    ['before the renewal', '2026-03-10T00:00:00Z'],
    ['while the target’s invoice is a draft', '2026-03-15T08:30:00Z'],
    ['after the target was paid', '2026-03-15T12:00:00Z'],
    ['after two renewals in the target', '2026-04-20T00:00:00Z'],
  ])('%s: the old account continues to bill, every month once', async (_, when) => {
    const { stage, controlRun, id } = await moved()
    await stage.advance(when)
    await setBack(stage)
    const old = await stage.us.subscriptions.retrieve(id)
    expect(old).toMatchObject({ status: 'active', pause_collection: null })
    expect(old.metadata).not.toHaveProperty('crossbill_hold')
    await sameMonths(stage, controlRun)
  })

  test('while the target’s invoice is open because the card declined: it is voided, and the old account bills the month', async () => {
    const { stage, controlRun, successor } = await moved('decline_card')
    await stage.advance('2026-03-16T00:00:00Z')
    expect((await stage.target.subscriptions.retrieve(successor)).status).toBe('past_due')
    await setBack(stage)
    const { data } = await stage.target.invoices.list({ subscription: successor })
    expect(data.map(({ status }) => status)).toEqual(['void'])
    await sameMonths(stage, controlRun)
  })

  test('with the policy to leave it, an uncharged period is not billed', async () => {
    const { stage, controlRun } = await moved('decline_card')
    stage.policies['uncharged_period'] = 'leave'
    await stage.advance('2026-03-16T00:00:00Z')
    await setBack(stage)
    for (const world of [stage, controlRun]) await world.advance('2026-09-01T00:00:00Z')
    const missing = (await byMonth(controlRun)).filter((month) => !month.startsWith('2026-03'))
    expect(await byMonth(stage)).toEqual(missing)
  })

  test('while a bank debit in the target is processing: not now, with a message', async () => {
    const { stage, controlRun } = await moved('slow_payments')
    await stage.advance('2026-03-16T00:00:00Z')
    const found = await only(stage, 'source')
    if (found.outcome !== 'revert') throw new Error(JSON.stringify(found))
    const { state } = await drive(stage, found.plan)
    expect(state).toMatchObject({ phase: 'moved', reason: { code: 'payment_in_flight' } })
    await stage.advance('2026-03-25T00:00:00Z')
    await setBack(stage)
    await sameMonths(stage, controlRun)
  })

  test('after the target’s payment was refunded: refused, unless the subscriber’s file says what to do', async () => {
    const { stage, successor, id } = await moved()
    await stage.advance('2026-03-18T00:00:00Z')
    const [charge] = (await stage.target.charges.list()).data
    await stage.target.refunds.create({ charge: present(charge, 'charge').id })
    const found = await only(stage, 'source')
    if (found.outcome !== 'revert') throw new Error(JSON.stringify(found))
    expect((await drive(stage, found.plan)).state).toMatchObject({
      phase: 'moved',
      reason: { code: 'refunded_in_target' },
    })
    expect((await stage.target.subscriptions.retrieve(successor)).status).toBe('active')
    stage.subscribers.set(id, { override: ['leave_refunded_period'] })
    await setBack(stage)
  })

  test('inside the guard window: not now', async () => {
    const { stage } = await moved()
    await stage.advance('2026-03-14T00:00:00Z')
    expect(await only(stage, 'source')).toMatchObject({ outcome: 'deferred', code: 'renews_soon' })
  })

  test.each([
    ['until it is resumed', undefined, { amount: 0, paused: { until: null } }],
    [
      'until a date',
      '2026-05-01T00:00:00Z',
      { amount: 4_900, at: Date.parse('2026-05-15T08:00:00Z') / 1_000, paused: {} },
    ],
    ['until a date before the renewal', '2026-03-10T00:00:00Z', { amount: 4_900 }],
  ])('promise 12: paused in the target %s, and the plan says so', async (_, until, charge) => {
    const { stage, id, successor } = await moved()
    const resumes = until === undefined ? {} : { resumes_at: Date.parse(until) / 1_000 }
    await stage.target.subscriptions.update(successor, { pause_collection: { behavior: 'void', ...resumes } })
    const found = await only(stage, 'source')
    expect(found).toMatchObject({
      outcome: 'revert',
      plan: { charge: { ...charge, before: { amount: charge.amount } } },
      drift: [{ code: 'paused_in_target' }],
    })
    const ends = until === undefined ? 'without an end' : `until ${until}`
    expect(found).toMatchObject({
      plan: { because: ['stage source', `paused_in_target: the old subscription gets the pause (void, ${ends})`] },
    })
    if (found.outcome !== 'revert' || !('paused' in charge)) return
    await setBack(stage)
    expect((await stage.us.subscriptions.retrieve(id)).pause_collection).toMatchObject({ behavior: 'void' })
    await stage.advance('2026-06-01T00:00:00Z')
    const charges = (await stage.charges()).filter(({ at }) => at >= '2026-03')
    expect(charges.map(({ at }) => at.slice(0, 10))).toEqual(until === undefined ? [] : ['2026-05-15'])
  })

  test('a source that was paused until a date is paused until that date again', async () => {
    const stage = await stageAt('2026-01-15T08:00:00Z')
    const id = await subscribe(stage, await memberOf(stage))
    const until = Date.parse('2026-05-01T00:00:00Z') / 1_000
    await stage.us.subscriptions.update(id, { pause_collection: { behavior: 'void', resumes_at: until } })
    stage.policies['collection_paused'] = 'carry'
    await stage.advance('2026-02-20T00:00:00Z')
    await stage.copy()
    const controlRun = await copyOf(stage)
    expect(await settleDown(stage, 'target')).toMatchObject({ standing: 'target', outcome: 'unchanged' })
    const [successor] = (await stage.target.subscriptions.list()).data
    expect(successor?.pause_collection).toEqual({ behavior: 'void', resumes_at: until })
    const moved = await copyOf(stage)
    moved.policies['collection_paused'] = 'carry'
    await sameMonths(moved, await copyOf(controlRun))
    await setBack(stage)
    expect((await stage.us.subscriptions.retrieve(id)).pause_collection).toEqual({
      behavior: 'void',
      resumes_at: until,
    })
    await sameMonths(stage, controlRun)
  })
})

describe('a member is settled', () => {
  test('without a captured payment only after the project’s delay, counted as unproven', async () => {
    const { stage } = await moved('decline_card')
    stage.policies['settle_after_days'] = 5
    await stage.advance('2026-03-19T00:00:00Z')
    expect(await only(stage, 'settled')).toMatchObject({ outcome: 'deferred', code: 'renewal_unproven' })
    await stage.advance('2026-03-21T00:00:00Z')
    expect(await only(stage, 'settled')).toMatchObject({ outcome: 'settle', plan: { unproven: true } })
  })
})
