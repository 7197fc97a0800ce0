import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { present } from '../../src/core/assert.ts'
import type { LiveAccount } from '../../src/live/accounts.ts'
import { leaveCodes, type LeaveCode } from '../../src/catalog/leave-codes.ts'
import { blockedCodes, type BlockedCode } from '../../src/handover/codes.ts'
import type { Classification } from '../../src/handover/types.ts'
import { billsOf, drive } from './drive.ts'
import { copyOf, memberOf, stageAt, subscribe, type Stage } from './stage.ts'

/** Every blocked subscriber has a way besides `excluded` in the entry. */

async function member(params?: Parameters<typeof subscribe>[2]): Promise<{ stage: Stage; id: string }> {
  const stage = await stageAt('2026-01-15T08:00:00Z')
  const id = await subscribe(stage, await memberOf(stage), params)
  await stage.advance('2026-02-20T00:00:00Z')
  await stage.copy()
  return { stage, id }
}

async function only(stage: Stage): Promise<Classification> {
  return present((await stage.classify('target'))[0], 'subscriber')
}

function patched(stage: Stage, fields: Partial<Stripe.Subscription>): void {
  const changed = (one: LiveAccount): LiveAccount => ({
    ...one,
    subscriptions: one.subscriptions.map((sub) => ({ ...sub, ...fields })),
  })
  stage.tampers.push((live) => ({
    ...live,
    sources: new Map([...live.sources].map(([name, one]) => [name, changed(one)])),
  }))
}

describe('policies.leave', () => {
  test('leaves who is blocked by its code alone, with the reason', async () => {
    const { stage } = await member()
    patched(stage, { pending_update: { expires_at: 1 } as Stripe.Subscription.PendingUpdate })
    expect(await only(stage)).toMatchObject({ outcome: 'blocked', reasons: [{ code: 'field_not_carried' }] })
    stage.policies['leave'] = { field_not_carried: 'sold by hand' }
    expect(await only(stage)).toMatchObject({
      outcome: 'excluded',
      reason: 'sold by hand',
      code: 'field_not_carried',
      standing: 'source',
    })
  })

  test('does not leave who has another code as well', async () => {
    const { stage, id } = await member()
    patched(stage, { pending_update: { expires_at: 1 } as Stripe.Subscription.PendingUpdate })
    await stage.us.customers.createBalanceTransaction(
      present((await stage.us.subscriptions.retrieve(id)).customer, 'customer') as string,
      { amount: -500, currency: 'usd' },
    )
    stage.policies['leave'] = { field_not_carried: 'sold by hand' }
    expect(await only(stage)).toMatchObject({ outcome: 'blocked' })
  })

  test('changes nothing for who can move, and for who has moved', async () => {
    const { stage, id } = await member()
    stage.policies['leave'] = Object.fromEntries(leaveCodes.map((code) => [code, 'no']))
    const found = await only(stage)
    if (found.outcome !== 'move') throw new Error(JSON.stringify(found))
    await drive(stage, found.plan)
    await stage.us.subscriptions.cancel(id)
    expect(await only(stage)).toMatchObject({ outcome: 'blocked', reasons: [{ code: 'cancelled_in_source' }] })
  })

  test('names every code whose way is not a correction of the YAML, of the copy or of a run', () => {
    const corrected: readonly BlockedCode[] = [
      'not_in_source',
      'entry_invalid',
      'entry_differs',
      'excluded_after_move',
      'resource_blocked',
      'copy_mismatch',
      'price_unmapped',
      'price_differs',
      'coupon_unmapped',
      'tax_rate_unmapped',
      'changed_since_pull',
      'stage_unwritten',
      'other_project',
    ]
    const afterTheMove: readonly BlockedCode[] = [
      'unfinished',
      'duplicate_target',
      'hold_missing',
      'cancelled_in_source',
      'lapsed_in_source',
      'money_on_held_source',
      'drift_on_held_source',
      'schedule_lost',
      'erased_in_target',
      'successor_missing',
      'unmarked_successor',
      'already_settled',
      'resumed_in_source',
      'changed_since_move',
      'refunded_in_target',
      'disputed_in_target',
      'no_method_in_source',
      'waived_in_target',
    ]
    const left: readonly LeaveCode[] = leaveCodes
    expect([...left, ...corrected, ...afterTheMove].toSorted()).toEqual(Object.keys(blockedCodes).toSorted())
  })

  test('no code has the exclusion of single subscribers as its only way', () => {
    const only = Object.entries(blockedCodes).filter(([, { fix }]) =>
      /^Exclude|, or exclude (it|the subscriber) with a reason\.$/.test(fix),
    )
    expect(only).toEqual([])
  })
})

test('one line of project.yaml answers for all subscriptions of an application', async () => {
  const { stage } = await member()
  patched(stage, { application: 'ca_checkout' })
  expect(await only(stage)).toMatchObject({
    outcome: 'blocked',
    reasons: [{ code: 'managed_by_application', message: expect.stringContaining('ca_checkout') as string }],
  })
  stage.policies['applications'] = { ca_other: 'open_ended' }
  expect(await only(stage)).toMatchObject({ outcome: 'blocked' })
  stage.policies['applications'] = { ca_checkout: 'open_ended' }
  expect(await only(stage)).toMatchObject({ outcome: 'move', plan: { expect: { proof: { cancel_at: null } } } })
})

test('a billing threshold moves, and is proven', async () => {
  const { stage, id } = await member()
  await stage.us.subscriptions.update(id, { billing_thresholds: { amount_gte: 90_000 } })
  const controlRun = await copyOf(stage)
  const found = await only(stage)
  if (found.outcome !== 'move') throw new Error(JSON.stringify(found))
  const { state } = await drive(stage, found.plan)
  expect(state).toMatchObject({ phase: 'moved', reason: null })
  const made = await stage.target.subscriptions.retrieve(present(state.successor, 'successor'))
  expect(made.billing_thresholds).toEqual({ amount_gte: 90_000, reset_billing_cycle_anchor: false })
  for (const world of [stage, controlRun]) await world.advance('2026-09-20T00:00:00Z')
  expect(await billsOf(stage)).toEqual(await billsOf(controlRun))
})

test('a subscription that Stripe paused after its trial has one reason, which says that nothing is charged', async () => {
  const { stage } = await member()
  patched(stage, { status: 'paused', default_payment_method: null })
  const found = await only(stage)
  expect(found).toMatchObject({
    outcome: 'blocked',
    reasons: [{ code: 'collection_paused', message: expect.stringContaining('nothing is charged') as string }],
  })
  stage.policies['leave'] = { collection_paused: 'they pay nothing' }
  expect(await only(stage)).toMatchObject({ outcome: 'excluded', code: 'collection_paused' })
})

describe('items with different intervals', () => {
  async function mixed(born = '2026-01-15T08:00:00Z'): Promise<Stage> {
    const stage = await stageAt(born)
    const prices = ['monthly', 'yearly'].map((key) => present(stage.ids.get(`us price.${key}`), key))
    await subscribe(stage, await memberOf(stage), { items: prices.map((price) => ({ price })) })
    await stage.copy()
    return stage
  }

  test('wait until the last period before they renew together, and then bill on the old dates for years', async () => {
    const stage = await mixed()
    await stage.advance('2026-02-20T00:00:00Z')
    expect(await only(stage)).toMatchObject({
      outcome: 'deferred',
      code: 'anchor_not_yet_allowed',
      until: Date.parse('2026-12-15T09:00:00Z') / 1_000,
    })
    await stage.advance('2026-12-20T00:00:00Z')
    const controlRun = await copyOf(stage)
    const found = await only(stage)
    if (found.outcome !== 'move') throw new Error(JSON.stringify(found))
    expect(found.plan.charge).toMatchObject({ at: Date.parse('2027-01-15T08:00:00Z') / 1_000 })
    expect((await drive(stage, found.plan)).state).toMatchObject({ phase: 'moved', reason: null })
    for (const world of [stage, controlRun]) await world.advance('2029-03-20T00:00:00Z')
    expect(await billsOf(stage)).toEqual(await billsOf(controlRun))
    expect(await only(stage)).toMatchObject({ outcome: 'unchanged', standing: 'target' })
  })

  test('are not moved where they renew together in a month without the day', async () => {
    const stage = await mixed('2024-02-29T08:00:00Z')
    await stage.advance('2027-02-10T00:00:00Z')
    expect(await only(stage)).toMatchObject({ outcome: 'blocked', reasons: [{ code: 'mixed_intervals' }] })
  })
})
