import { describe, expect, test, vi } from 'vitest'
import { apply } from '../../src/engine/apply/apply.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { drift } from '../../src/engine/verify/drift.ts'
import { type Member, type Members, members } from './members.ts'
import { planAndApply } from './rig.ts'

/*
 * Alarms that are true: a guard stops what it is about, a proof counts regardless of its time, and
 * drift looks at both sides.
 */

vi.setConfig({ testTimeout: 90_000 })

const now = '2026-10-05T12:00:00Z'
const early: Member = { since: '2026-09-20T09:15:00Z' }

async function moved(people: readonly Member[]): Promise<Members> {
  const school = await members(people, now)
  const { result } = await planAndApply(school.stage('target'))
  if (!result.ok) throw new Error(JSON.stringify(result))
  return school
}

async function act({ rig }: Members, body: object): Promise<void> {
  const answer = await rig.sandbox.fetch('https://sandbox/_sandbox/act', { method: 'POST', body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(await answer.text())
}

async function successors({ target, keys }: Members): Promise<readonly string[]> {
  const all = (await target.subscriptions.list({ limit: 100 })).data
  return keys.map((key) => all.find(({ metadata }) => metadata['crossbill_from'] === key)?.id ?? '')
}

async function statuses({ us, subscriptions }: Members): Promise<readonly string[]> {
  const all = await Promise.all(subscriptions.map((id) => us.subscriptions.retrieve(id)))
  return all.map(({ status }) => status)
}

describe('a captured renewal counts, regardless of the newest invoice', () => {
  const newest: Readonly<Record<string, readonly [string, (school: Members) => Promise<unknown>]>> = {
    'the draft of the next renewal': ['2026-11-20T09:45:00Z', async () => {}],
    'a later renewal that failed': [
      '2026-11-21T12:00:00Z',
      async (school) =>
        act(school, { act: 'decline_card', account: 'target', subscription: (await successors(school))[0] }),
    ],
    'a draft that a person made by hand': [
      '2026-10-22T12:00:00Z',
      async (school) => {
        const [subscription = ''] = await successors(school)
        const { customer } = await school.target.subscriptions.retrieve(subscription)
        const of = typeof customer === 'string' ? customer : customer.id
        await school.target.invoiceItems.create({ customer: of, subscription, amount: 100, currency: 'usd' })
        await school.target.invoices.create({ customer: of, subscription, auto_advance: false })
      },
    ],
  }
  test.each(Object.entries(newest))('%s', async (_, [until, happens]) => {
    await using school = await moved([early])
    await school.advance('2026-10-21T12:00:00Z')
    await happens(school)
    await school.advance(until)
    const { plan, result } = await planAndApply(school.stage('settled'))
    expect([plan.summary.settle, plan.guards.filter(({ tripped }) => tripped), result.ok]).toEqual([1, [], true])
  })

  test('a renewal that failed and was never paid is not a proof', async () => {
    await using school = await moved([early])
    await act(school, { act: 'decline_card', account: 'target', subscription: (await successors(school))[0] })
    await school.advance('2026-10-22T12:00:00Z')
    expect((await makePlan(school.stage('settled'))).deferred).toMatchObject([{ code: 'renewal_unproven' }])
  })
})

describe('complimentary members need no proof', () => {
  test('100 % off for ever, and a price of zero', async () => {
    const people: Member[] = [{ ...early, coupon: 'all' }, { ...early, price: 'free' }, early]
    await using school = await moved(people)
    expect((await makePlan(school.stage('settled'))).deferred).toHaveLength(3)
    await school.advance('2026-10-22T12:00:00Z')
    const { plan, result } = await planAndApply(school.stage('settled'))
    expect([plan.summary.settle, plan.guards.filter(({ tripped }) => tripped), result.ok]).toEqual([3, [], true])
  })
})

describe('a guard stops only the settles that it concerns', () => {
  const people: readonly Member[] = [early, early, { since: '2026-10-02T09:15:00Z' }]

  async function oneIsBroke(): Promise<Members> {
    const school = await members(people, now)
    await planAndApply(school.stage((index) => (index === 2 ? 'source' : 'target')))
    await act(school, { act: 'decline_card', account: 'target', subscription: (await successors(school))[1] })
    await school.advance('2026-10-25T12:00:00Z')
    return school
  }

  test('settle_unproven: payers are settled, moves continue, and members who did not pay are named', async () => {
    await using school = await oneIsBroke()
    const context = school.stage((index) => (index === 2 ? 'target' : 'settled'), 'policies: { settle_after_days: 3 }')
    const plan = await makePlan(context)
    expect(plan.guards.filter(({ tripped }) => tripped)).toMatchObject([
      { id: 'settle_unproven', actual: 1, stops: [`subscriber.${school.keys[1]}`] },
    ])
    const result = await apply(context, plan)
    expect([result.ok, await statuses(school)]).toEqual([false, ['canceled', 'active', 'active']])
    expect(result.changes.map(({ action, outcome, code }) => [action, outcome, code])).toEqual(
      expect.arrayContaining([
        ['settle', 'done', undefined],
        ['settle', 'skipped', 'settle_unproven'],
        ['move', 'done', undefined],
      ]),
    )
    expect(result.changes.find(({ outcome }) => outcome === 'skipped')?.fix).toContain('--allow settle_unproven')
    const allowed = await planAndApply(context, { allow: ['settle_unproven'] })
    expect([allowed.result.ok, await statuses(school)]).toEqual([true, ['canceled', 'canceled', 'active']])
  })

  test('old_webhooks_enabled: the moves continue, and a plan with only such settles is refused', async () => {
    await using school = await oneIsBroke()
    await school.us.webhookEndpoints.create({ url: 'https://old.example/hook', enabled_events: ['*'] })
    const both = school.stage((index) => (index === 2 ? 'target' : index === 0 ? 'settled' : 'target'))
    const { result } = await planAndApply(both)
    expect(result.changes.map(({ action, outcome, code }) => [action, outcome, code])).toEqual([
      ['settle', 'skipped', 'old_webhooks_enabled'],
      ['move', 'done', undefined],
    ])
    expect(await statuses(school)).toEqual(['active', 'active', 'active'])
    await expect(planAndApply(both)).rejects.toMatchObject({ code: 'guard_tripped' })
    // An endpoint of an account without settles does not stop the plan.
    const intl = await moved([early])
    await using _ = intl
    await intl.rig.context.accounts.sources.get('intl')?.send({
      method: 'POST',
      path: '/v1/webhook_endpoints',
      params: { url: 'https://old.example/hook', enabled_events: ['*'] },
      idempotencyKey: 'intl',
    })
    await intl.advance('2026-10-22T12:00:00Z')
    expect((await planAndApply(intl.stage('settled'))).result.ok).toBe(true)
  })
})

describe('drift looks at both accounts', () => {
  const acts: Readonly<Record<string, readonly [string, (school: Members) => Promise<unknown>]>> = {
    'the hold is taken off': [
      'hold_missing',
      ({ us, subscriptions: [old = ''] }) => us.subscriptions.update(old, { pause_collection: '' }),
    ],
    'the mark is taken off': [
      'hold_missing',
      ({ us, subscriptions: [old = ''] }) => us.subscriptions.update(old, { metadata: { crossbill_hold: '' } }),
    ],
    'the hold is to end by itself': [
      'hold_missing',
      ({ us, subscriptions: [old = ''] }) =>
        us.subscriptions.update(old, { pause_collection: { behavior: 'void', resumes_at: 1_800_000_000 } }),
    ],
    'the old one is ended': [
      'cancelled_in_source',
      ({ us, subscriptions: [old = ''] }) => us.subscriptions.cancel(old),
    ],
    'the new one is paused': [
      'paused_in_target',
      async (school) =>
        school.target.subscriptions.update((await successors(school))[0] ?? '', {
          pause_collection: { behavior: 'void' },
        }),
    ],
  }
  test.each(Object.entries(acts))('%s', async (_, [code, happens]) => {
    await using school = await moved([early])
    expect((await drift(school.stage('target'))).drift).toEqual([])
    await happens(school)
    const found = (await drift(school.stage('target'))).drift
    expect(found.map((one) => `${one.code} ${one.address}`)).toEqual([`${code} subscriber.${school.keys[0]}`])
  })
})
