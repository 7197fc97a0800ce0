import { describe, expect, test } from 'vitest'
import { present } from '../../src/core/assert.ts'
import type { Classification, HandoverPlan } from '../../src/handover/types.ts'
import { billsOf, drive, settleDown } from './drive.ts'
import { memberOf, stageAt, subscribe, copyOf, type Stage } from './stage.ts'

async function only(stage: Stage, wanted: 'source' | 'target' | 'settled'): Promise<Classification> {
  return present((await stage.classify(wanted))[0], 'subscriber')
}

async function planOf(stage: Stage, wanted: 'source' | 'target' | 'settled', key?: string): Promise<HandoverPlan> {
  const all = await stage.classify(wanted)
  const found = key === undefined ? all[0] : all.find((one) => one.key === `us/${key}`)
  if (found === undefined || !('plan' in found)) throw new Error(`no plan: ${JSON.stringify(found)}`)
  return found.plan
}

async function sameBills(stage: Stage, controlRun: Stage, until: string): Promise<void> {
  for (const world of [stage, controlRun]) await world.advance(until)
  expect(await billsOf(stage)).toEqual(await billsOf(controlRun))
}

async function ready(
  clock: string,
  now: string,
  more: Parameters<typeof subscribe>[2] = {},
): Promise<{ stage: Stage; controlRun: Stage; id: string }> {
  const stage = await stageAt(clock)
  const id = await subscribe(stage, await memberOf(stage), more)
  await stage.advance(now)
  await stage.copy()
  return { stage, controlRun: await copyOf(stage), id }
}

describe('acts of members during a move', () => {
  test('the member cancels the new subscription while the old is held, then recovery runs, then the wave is reverted: no account bills again', async () => {
    const { stage, id } = await ready('2026-01-15T08:00:00Z', '2026-03-20T00:00:00Z')
    const { state } = await drive(stage, await planOf(stage, 'target'))
    await stage.target.subscriptions.cancel(present(state.successor, 'successor'))
    expect(await only(stage, 'source')).toMatchObject({ outcome: 'settle', standing: 'ended_in_target' })
    const end = await settleDown(stage, 'source')
    expect(end).toMatchObject({ outcome: 'ended', standing: 'ended' })
    expect((await stage.us.subscriptions.retrieve(id)).status).toBe('canceled')
    const bills = await billsOf(stage)
    await stage.advance('2026-08-01T00:00:00Z')
    expect(await billsOf(stage)).toEqual(bills)
  })

  test('the member cancels the new subscription before it is kept: recovery settles the old one, never releases it', async () => {
    const { stage, id } = await ready('2026-01-15T08:00:00Z', '2026-03-20T00:00:00Z')
    const { state } = await drive(stage, await planOf(stage, 'target'), {
      story: {
        before: async ({ phase, successor }) => {
          if (phase === 'keeping') await stage.target.subscriptions.cancel(present(successor, 'successor'))
        },
      },
    })
    expect(state.phase).toBe('moved')
    await settleDown(stage, 'target')
    expect((await stage.us.subscriptions.retrieve(id)).status).toBe('canceled')
  })

  test('the member cancels the old one through an old portal link while it is held: the plan reports it and changes nothing', async () => {
    const { stage, id } = await ready('2026-01-15T08:00:00Z', '2026-03-20T00:00:00Z')
    await drive(stage, await planOf(stage, 'target'))
    await stage.us.subscriptions.cancel(id)
    const found = await only(stage, 'target')
    expect(found).toMatchObject({
      standing: 'cancelled_in_source',
      outcome: 'blocked',
      reasons: [{ code: 'cancelled_in_source' }],
    })
    expect(JSON.stringify(found)).toContain('crossbill cancel')
  })

  test('the member cancels the old one between hold and proof: the new one is undone, no account bills', async () => {
    const { stage, id } = await ready('2026-01-15T08:00:00Z', '2026-03-20T00:00:00Z')
    const { state } = await drive(stage, await planOf(stage, 'target'), {
      story: {
        before: async ({ phase }) => {
          if (phase === 'proving') await stage.us.subscriptions.cancel(id)
        },
      },
    })
    expect(state).toMatchObject({ phase: 'ended' })
    expect(await only(stage, 'target')).toMatchObject({ outcome: 'ended' })
    const bills = await billsOf(stage)
    await stage.advance('2026-08-01T00:00:00Z')
    expect(await billsOf(stage)).toEqual(bills)
  })

  test('the source subscription changes between re-read and hold: the hold is undone and nothing is created', async () => {
    const { stage, controlRun, id } = await ready('2026-01-15T08:00:00Z', '2026-03-20T00:00:00Z')
    const changed = async (world: Stage): Promise<unknown> =>
      world.us.subscriptions.update(id, {
        items: [{ id: (await world.us.subscriptions.retrieve(id)).items.data[0]?.id ?? '', quantity: 2 }],
        proration_behavior: 'none',
      })
    const { state, trail } = await drive(stage, await planOf(stage, 'target'), {
      story: {
        before: async ({ phase }) => {
          if (phase === 'holding') await changed(stage)
        },
      },
    })
    await changed(controlRun)
    expect(state).toMatchObject({ phase: 'source', reason: { code: 'changed_since_pull' } })
    expect(trail).not.toContain('creating')
    expect((await stage.us.subscriptions.retrieve(id)).pause_collection).toBeNull()
    await sameBills(stage, controlRun, '2026-06-01T00:00:00Z')
  })

  test.each(['card', 'plan', 'cancel'] as const)(
    'a subscriber who changes %s between pull, plan and apply is not moved on old terms',
    async (what) => {
      const { stage, id } = await ready('2026-01-15T08:00:00Z', '2026-03-20T00:00:00Z')
      const plan = await planOf(stage, 'target')
      const pulled = (await stage.us.subscriptions.retrieve(id)).items.data[0]
      if (what === 'plan')
        await stage.us.subscriptions.update(id, {
          items: [{ id: pulled?.id ?? '', price: stage.ids.get('us price.quarterly') ?? '' }],
          proration_behavior: 'none',
        })
      if (what === 'cancel') await stage.us.subscriptions.update(id, { cancel_at_period_end: true })
      if (what === 'card') await stage.act('change_card', { account: 'us', subscription: id })
      const { state } = await drive(stage, plan)
      expect(state).toMatchObject({ phase: 'source', reason: { code: 'changed_since_pull' } })
      stage.subscribers.set(id, { items: [{ price: 'monthly', quantity: 1 }] })
      const codes = { card: 'payment_method_unmapped', plan: 'changed_since_pull', cancel: 'ending' }
      expect(JSON.stringify(await only(stage, 'target'))).toContain(codes[what])
    },
  )
})

describe('faults of the network', () => {
  test('a lost create answer: the look-up finds the subscription, proves it, and creates no second one', async () => {
    const { stage, controlRun } = await ready('2026-01-15T08:00:00Z', '2026-03-20T00:00:00Z')
    const { state, trail } = await drive(stage, await planOf(stage, 'target'), {
      story: { answered: (phase) => (phase === 'creating' ? 'lost' : undefined) },
    })
    expect(trail.join(' ')).toContain('creating recovering proving keeping moved')
    expect(state.phase).toBe('moved')
    const all = await stage.target.subscriptions.list({ status: 'all' })
    expect(all.data.length).toBe(1)
    await sameBills(stage, controlRun, '2026-09-01T00:00:00Z')
  })

  test('a lost create answer followed by a cancel in the target: the cancel stands, the old one is settled', async () => {
    const { stage, id } = await ready('2026-01-15T08:00:00Z', '2026-03-20T00:00:00Z')
    const { state } = await drive(stage, await planOf(stage, 'target'), {
      story: {
        answered: async (phase) => {
          if (phase !== 'creating') return undefined
          const [made] = (await stage.target.subscriptions.list()).data
          await stage.target.subscriptions.cancel(present(made, 'subscription').id)
          return 'lost'
        },
      },
    })
    expect(state).toMatchObject({ phase: 'ended', reason: { code: 'ended_in_target' } })
    expect((await stage.us.subscriptions.retrieve(id)).status).toBe('canceled')
  })

  test('the target unreachable near the renewal with the outcome unknown: the old one stays on hold, and is charged once, late', async () => {
    const { stage, controlRun } = await ready('2026-01-15T08:00:00Z', '2026-03-20T00:00:00Z')
    const { state } = await drive(stage, await planOf(stage, 'target'), {
      story: {
        answered: (phase) => (phase === 'creating' ? 'lost' : undefined),
        before: ({ phase }) => {
          if (phase === 'recovering') stage.outage.target = true
        },
      },
    })
    expect(state).toMatchObject({ phase: 'doubtful', alarm: 'target_unreachable' })
    await stage.advance('2026-04-16T00:00:00Z')
    stage.outage.target = false
    const end = await settleDown(stage, 'target')
    expect(end).toMatchObject({ outcome: 'unchanged', standing: 'target' })
    await sameBills(stage, controlRun, '2026-09-01T00:00:00Z')
  })

  test('the target unreachable before anything was created there: the held draft is charged when the outcome is known', async () => {
    const { stage, controlRun } = await ready('2026-01-15T08:00:00Z', '2026-03-20T00:00:00Z')
    const { state } = await drive(stage, await planOf(stage, 'target'), {
      story: {
        before: ({ phase }) => {
          if (phase === 'creating') stage.outage.target = true
        },
      },
    })
    expect(state).toMatchObject({ phase: 'doubtful', alarm: 'target_unreachable' })
    await stage.advance('2026-04-16T00:00:00Z')
    stage.outage.target = false
    await settleDown(stage, 'source')
    for (const world of [stage, controlRun]) await world.advance('2026-09-01T00:00:00Z')
    const [late, onTime] = [await billsOf(stage), await billsOf(controlRun)]
    expect(late.length).toBe(onTime.length)
    expect(late.filter((bill) => !onTime.includes(bill))).toEqual([
      expect.stringMatching(/^2026-04-1[67]T.* 4900 usd$/),
    ])
  })
})

describe('what must never happen', () => {
  test('a creation that takes money is undone, refunded, and alarms', async () => {
    const { stage, controlRun } = await ready('2026-01-15T08:00:00Z', '2026-03-20T00:00:00Z')
    const plan = await planOf(stage, 'target')
    // The mistake that charges people twice everywhere: by default, Stripe bills the time until the
    // anchor at once.
    const steps = plan.steps.map((step) =>
      step.id === 'create'
        ? {
            ...step,
            params: {
              ...step.params,
              proration_behavior: 'create_prorations',
              payment_behavior: 'allow_incomplete',
              backdate_start_date: undefined,
            },
          }
        : step,
    )
    const { state, trail } = await drive(stage, { ...plan, steps })
    expect(trail).toEqual(expect.arrayContaining(['reading_invoice', 'refunding', 'cancelling_new', 'restoring_old']))
    expect(state).toMatchObject({
      phase: 'source',
      charged: true,
      alarm: 'unexpected_charge',
      reason: { code: 'proof_failed' },
    })
    const taken = (await stage.charges()).filter(
      ({ account, status }) => account === 'target' && status === 'succeeded',
    )
    expect(taken).toHaveLength(1)
    expect((await stage.target.refunds.list()).data.map(({ amount }) => amount)).toEqual(
      taken.map(({ amount }) => amount),
    )
    for (const world of [stage, controlRun]) await world.advance('2026-06-01T00:00:00Z')
    const fromSource = (await stage.charges()).filter(({ account }) => account === 'us').length
    expect(fromSource).toBe((await controlRun.charges()).length)
  })
})

describe('calendars and coupons', () => {
  test('a three-month price beside a monthly one of the same amount: each keeps its own dates', async () => {
    const stage = await stageAt('2026-01-31T09:15:00Z')
    const member = await memberOf(stage)
    const ids = [await subscribe(stage, member), await subscribe(stage, member, { price: 'quarterly' })]
    await stage.advance('2026-04-10T00:00:00Z')
    await stage.copy()
    const controlRun = await copyOf(stage)
    for (const id of ids) expect((await drive(stage, await planOf(stage, 'target', id))).state.phase).toBe('moved')
    await sameBills(stage, controlRun, '2027-06-01T00:00:00Z')
  })

  test('a mapping that merges the two is refused before anything is sent', async () => {
    const { stage } = await ready('2026-01-31T09:15:00Z', '2026-04-10T00:00:00Z', { price: 'quarterly' })
    const [monthly, quarterly] = ['us price.monthly', 'us price.quarterly'].map((key) => stage.ids.get(key) ?? '')
    stage.ids.set('us price.monthly', quarterly ?? '').set('us price.quarterly', monthly ?? '')
    const found = await only(stage, 'target')
    expect(found).toMatchObject({ outcome: 'blocked' })
    expect(JSON.stringify(found)).toContain('differ in interval_count')
  })

  test.each([
    ['in February', '2026-02-10T00:00:00Z'],
    ['in April', '2026-04-10T00:00:00Z'],
    ['right after a February renewal', '2026-03-01T12:00:00Z'],
  ])('31st-anchored, moved %s: bills on the last day of short months and on the 31st of long ones', async (_, now) => {
    const { stage, controlRun } = await ready('2026-01-31T09:15:00Z', now)
    expect((await drive(stage, await planOf(stage, 'target'))).state.phase).toBe('moved')
    await sameBills(stage, controlRun, '2027-06-01T00:00:00Z')
  })

  test('a leap-day member of a yearly plan: the 28th in common years, the 29th in leap years', async () => {
    const { stage, controlRun } = await ready('2024-02-29T12:00:00Z', '2026-06-01T00:00:00Z', { price: 'yearly' })
    expect((await drive(stage, await planOf(stage, 'target'))).state.phase).toBe('moved')
    await sameBills(stage, controlRun, '2029-03-05T00:00:00Z')
  })

  test('a three-month coupon with one renewal left: one more discounted renewal, then the full price', async () => {
    const { stage, controlRun } = await ready('2026-01-15T08:00:00Z', '2026-02-20T00:00:00Z', {
      discounts: [{ coupon: 'welcome-20' }],
    })
    const plan = await planOf(stage, 'target')
    expect(JSON.stringify(plan)).toContain('coupon.welcome-20-1-month-left')
    expect((await drive(stage, plan)).state.phase).toBe('moved')
    await sameBills(stage, controlRun, '2026-09-01T00:00:00Z')
    expect((await billsOf(stage)).map((bill) => bill.split(' ')[2])).toEqual([
      '3920',
      '3920',
      '3920',
      '4900',
      '4900',
      '4900',
      '4900',
      '4900',
    ])
  })

  test('a discount without end, a second item, tax and a quantity: the same cents', async () => {
    const stage = await stageAt('2026-01-15T08:00:00Z')
    const vat = stage.ids.get('us tax_rate.vat') ?? ''
    const id = await subscribe(stage, await memberOf(stage), {
      items: [
        { price: stage.ids.get('us price.monthly') ?? '', quantity: 3 },
        { price: stage.ids.get('us price.addon') ?? '' },
      ],
      discounts: [{ coupon: 'friends' }],
      default_tax_rates: [vat],
    })
    await stage.advance('2026-02-20T00:00:00Z')
    await stage.copy()
    const controlRun = await copyOf(stage)
    expect((await drive(stage, await planOf(stage, 'target', id))).state.phase).toBe('moved')
    await sameBills(stage, controlRun, '2026-09-01T00:00:00Z')
  })

  test('a discount on one item alone, part-way through, stays on that item and ends when it would have', async () => {
    const stage = await stageAt('2026-01-15T08:00:00Z')
    await subscribe(stage, await memberOf(stage), {
      items: [
        { price: stage.ids.get('us price.monthly') ?? '', discounts: [{ coupon: 'welcome-20' }] },
        { price: stage.ids.get('us price.addon') ?? '' },
      ],
    })
    await stage.advance('2026-02-20T00:00:00Z')
    await stage.copy()
    const controlRun = await copyOf(stage)
    expect((await drive(stage, await planOf(stage, 'target'))).state).toMatchObject({ reason: null, phase: 'moved' })
    await sameBills(stage, controlRun, '2026-09-01T00:00:00Z')
  })

  test('a trial stays a trial and is charged at its end', async () => {
    const { stage, controlRun } = await ready('2026-01-15T08:00:00Z', '2026-01-20T00:00:00Z', {
      trial_end: 1_772_092_800,
    })
    expect((await drive(stage, await planOf(stage, 'target'))).state).toMatchObject({ reason: null, phase: 'moved' })
    expect((await stage.target.subscriptions.list()).data[0]?.status).toBe('trialing')
    await sameBills(stage, controlRun, '2026-09-01T00:00:00Z')
    expect((await billsOf(stage)).length).toBe(7)
  })

  test.each(['weekly', 'quarterly', 'yearly'])('a %s member', async (price) => {
    const { stage, controlRun } = await ready('2026-01-13T22:59:59Z', '2026-02-20T00:00:00Z', { price })
    const found = await only(stage, 'target')
    expect(found.outcome).toBe('move')
    expect((await drive(stage, await planOf(stage, 'target'))).state.phase).toBe('moved')
    await sameBills(stage, controlRun, '2027-03-01T00:00:00Z')
  })
})
