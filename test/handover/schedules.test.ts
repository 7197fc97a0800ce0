import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { present } from '../../src/core/assert.ts'
import { idOf } from '../../src/core/reference.ts'
import type { Classification } from '../../src/handover/types.ts'
import { billsOf, drive, settleDown } from './drive.ts'
import { memberOf, stageAt, subscribe, copyOf, type Stage } from './stage.ts'

async function only(stage: Stage): Promise<Classification> {
  return present((await stage.classify('target'))[0], 'subscriber')
}

/** Three months at the monthly price, then three addons a month without an end. */
async function scheduled(
  with_: {
    readonly params?: Parameters<typeof subscribe>[2]
    readonly phase?: (made: Stripe.Subscription) => Partial<Stripe.SubscriptionScheduleUpdateParams.Phase>
  } = {},
): Promise<{ stage: Stage; id: string }> {
  const stage = await stageAt('2026-01-15T08:00:00Z')
  const id = await subscribe(stage, await memberOf(stage), with_.params)
  const schedule = await stage.us.subscriptionSchedules.create({ from_subscription: id })
  const [first] = schedule.phases
  const more = with_.phase?.(await stage.us.subscriptions.retrieve(id)) ?? {}
  const april = Date.parse('2026-04-15T08:00:00Z') / 1_000
  const july = Date.parse('2026-07-15T08:00:00Z') / 1_000
  await stage.us.subscriptionSchedules.update(schedule.id, {
    end_behavior: 'release',
    phases: [
      {
        items: [{ price: present(stage.ids.get('us price.monthly'), 'monthly') }],
        start_date: present(first, 'phase').start_date,
        end_date: april,
        proration_behavior: 'none',
        ...more,
      },
      {
        items: [{ price: present(stage.ids.get('us price.addon'), 'addon'), quantity: 3 }],
        start_date: april,
        end_date: july,
        proration_behavior: 'none',
        ...more,
      },
    ],
  })
  await stage.advance('2026-02-20T00:00:00Z')
  await stage.copy()
  stage.policies['schedules'] = 'carry'
  return { stage, id }
}

test('the remaining phases of a schedule move, and bill the same amounts', async () => {
  const { stage } = await scheduled()
  const controlRun = await copyOf(stage)
  const found = await only(stage)
  if (found.outcome !== 'move') throw new Error(JSON.stringify(found))
  expect(found.plan.steps.map(({ id }) => id)).toEqual([
    'carry-customer',
    'hold',
    'create',
    'schedule',
    'schedule-phases',
    'keep',
  ])
  const { state, trail } = await drive(stage, found.plan)
  expect({ reason: state.reason, trail }).toMatchObject({
    reason: null,
    trail: expect.arrayContaining(['scheduling', 'moved']) as unknown,
  })
  for (const world of [stage, controlRun]) await world.advance('2026-09-20T00:00:00Z')
  expect(await billsOf(stage)).toEqual(await billsOf(controlRun))
  expect((await billsOf(stage)).at(-1)).toContain(' 2700 usd')
  expect(await only(stage)).toMatchObject({ outcome: 'unchanged', standing: 'target' })
})

test('after a revert, the schedule of the new subscription is released and the old one continues with its own', async () => {
  const { stage } = await scheduled()
  const controlRun = await copyOf(stage)
  expect(await settleDown(stage, 'target')).toMatchObject({ standing: 'target' })
  expect(await settleDown(stage, 'source')).toMatchObject({ standing: 'source', outcome: 'unchanged' })
  for (const world of [stage, controlRun]) await world.advance('2026-09-20T00:00:00Z')
  expect(await billsOf(stage)).toEqual(await billsOf(controlRun))
})

test('at a settle, the old schedule is released first and never bills again', async () => {
  const { stage, id } = await scheduled()
  await settleDown(stage, 'target')
  await stage.advance('2026-03-20T00:00:00Z')
  expect(await settleDown(stage, 'settled')).toMatchObject({ standing: 'settled' })
  expect((await stage.us.subscriptions.retrieve(id)).status).toBe('canceled')
})

test('a phase that does more than change items is not carried in part', async () => {
  const { stage } = await scheduled()
  stage.tampers.push((live) => ({
    ...live,
    sources: new Map(
      [...live.sources].map(([name, account]) => [
        name,
        {
          ...account,
          schedules: new Map(
            [...account.schedules].map(([id, one]) => [
              id,
              { ...one, phases: one.phases.map((phase) => ({ ...phase, application_fee_percent: 2 })) },
            ]),
          ),
        },
      ]),
    ),
  }))
  expect(await only(stage)).toMatchObject({
    outcome: 'blocked',
    // Once for all phases, with the field to remove.
    reasons: [{ code: 'schedule_managed', message: expect.stringContaining('sets application_fee_percent') as string }],
  })
})

test('metadata of a later phase moves, and no plan contains it', async () => {
  const { stage } = await scheduled({ phase: () => ({ metadata: { tier: 'gold' } }) })
  const found = await only(stage)
  if (found.outcome !== 'move') throw new Error(JSON.stringify(found))
  expect(JSON.stringify(found.plan)).not.toContain('gold')
  const { state } = await drive(stage, found.plan)
  expect(state).toMatchObject({ phase: 'moved', reason: null })
  const made = await stage.target.subscriptionSchedules.retrieve(present(state.schedule, 'schedule'))
  expect(made.phases.map(({ metadata }) => metadata)).toEqual([{ tier: 'gold' }, { tier: 'gold' }])
  await stage.advance('2026-05-01T00:00:00Z')
  const moved = await stage.target.subscriptions.retrieve(present(state.successor, 'successor'))
  expect(moved.metadata).toMatchObject({ tier: 'gold', crossbill_from: found.key })
})

test('a phase that repeats the discounts of the subscription moves with those of the new one', async () => {
  const { stage } = await scheduled({
    params: { discounts: [{ coupon: 'friends' }] },
    phase: ({ discounts }) => ({ discounts: discounts.map((one) => ({ discount: idOf(one) })) }),
  })
  const controlRun = await copyOf(stage)
  const found = await only(stage)
  if (found.outcome !== 'move') throw new Error(JSON.stringify(found))
  expect((await drive(stage, found.plan)).state).toMatchObject({ phase: 'moved', reason: null })
  for (const world of [stage, controlRun]) await world.advance('2026-09-20T00:00:00Z')
  expect(await billsOf(stage)).toEqual(await billsOf(controlRun))
})

test('a phase that ends between pull and plan is no change by a person, and the new items move', async () => {
  const { stage, id } = await scheduled()
  // The entry as it was pulled in the first phase.
  stage.subscribers.set(id, { items: [{ price: 'monthly', quantity: 1 }] })
  await stage.advance('2026-04-20T00:00:00Z')
  const controlRun = await copyOf(stage)
  const found = await only(stage)
  if (found.outcome !== 'move') throw new Error(JSON.stringify(found))
  expect((await drive(stage, found.plan)).state).toMatchObject({ phase: 'moved', reason: null })
  expect(await only(stage)).toMatchObject({ outcome: 'unchanged', standing: 'target' })
  for (const world of [stage, controlRun]) await world.advance('2026-09-20T00:00:00Z')
  expect(await billsOf(stage)).toEqual(await billsOf(controlRun))
  // Items that no phase had are a change.
  stage.subscribers.set(id, { items: [{ price: 'monthly', quantity: 7 }] })
  expect(await only(stage)).toMatchObject({ outcome: 'blocked', reasons: [{ code: 'entry_differs' }] })
})

test('a discount that the subscription got during a phase moves, although the phase does not name it', async () => {
  const { stage, id } = await scheduled()
  await stage.us.subscriptions.update(id, { discounts: [{ coupon: 'friends' }] })
  const controlRun = await copyOf(stage)
  const found = await only(stage)
  if (found.outcome !== 'move') throw new Error(JSON.stringify(found))
  expect((await drive(stage, found.plan)).state).toMatchObject({ phase: 'moved', reason: null })
  for (const world of [stage, controlRun]) await world.advance('2026-09-20T00:00:00Z')
  expect(await billsOf(stage)).toEqual(await billsOf(controlRun))
})

test('a coupon that a person gives to a new subscription with a schedule is a change of theirs', async () => {
  const { stage } = await scheduled({
    params: { discounts: [{ coupon: 'friends' }] },
    phase: ({ discounts }) => ({ discounts: discounts.map((one) => ({ discount: idOf(one) })) }),
  })
  const found = await only(stage)
  if (found.outcome !== 'move') throw new Error(JSON.stringify(found))
  const { state } = await drive(stage, found.plan)
  expect(await only(stage)).toMatchObject({ outcome: 'unchanged', drift: [] })
  const id = present(state.successor, 'successor')
  const { discounts } = await stage.target.subscriptions.retrieve(id)
  const given = await stage.target.coupons.create({ percent_off: 5, duration: 'forever' })
  const kept = discounts.map((one) => ({ discount: idOf(one) }))
  await stage.target.subscriptions.update(id, { discounts: [...kept, { coupon: given.id }] })
  expect(await only(stage)).toMatchObject({ outcome: 'unchanged', drift: [{ code: 'changed_in_target' }] })
})
