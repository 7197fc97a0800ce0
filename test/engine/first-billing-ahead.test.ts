import { describe, expect, test, vi } from 'vitest'
import { apply } from '../../src/engine/apply/apply.ts'
import { perform } from '../../src/engine/send/perform.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { idOf } from '../../src/core/reference.ts'
import { billsOf, type Member, type Members, members } from './members.ts'
import { at, boundaries, dieAt, planAndApply, told } from './rig.ts'

/*
 * Promise 2, same bill: while the first billing date of a subscription is still ahead, Stripe may
 * unset its discounts with any update that does not send them again. The simulated accounts do so,
 * and every update that Crossbill sends passes `perform`.
 */

vi.setConfig({ testTimeout: 90_000 })

const now = '2026-10-05T12:00:00Z'
const later = '2027-03-01T00:00:00Z'
const ahead: Partial<NonNullable<Member['create']>> = {
  billing_cycle_anchor: at('2026-10-25T09:15:00Z'),
  proration_behavior: 'none',
}
const people: readonly Member[] = [
  { since: '2026-10-01T09:15:00Z', coupon: 'forever', create: ahead },
  { since: '2026-10-01T09:15:00Z', create: ahead },
]

async function unmoved(): Promise<readonly (readonly string[])[]> {
  await using school = await members(people, now)
  await school.advance(later)
  return billsOf(await school.charges())
}

async function discounts({ us, target, subscriptions }: Members): Promise<readonly number[]> {
  const old = await us.subscriptions.retrieve(subscriptions[0] ?? '')
  const all = (await target.subscriptions.list({})).data
  const successor = all.find(({ metadata }) => metadata['crossbill_from'] === `us/${subscriptions[0]}`)
  return [old.discounts.length, ...(successor === undefined ? [] : [successor.discounts.length])]
}

describe('promise 2: no update of Crossbill removes a discount before the first billing date', () => {
  test('hold, keep, restore, and hold again', async () => {
    await using school = await members(people, now)
    const expected = await unmoved()
    await planAndApply(school.stage('target'))
    expect(await discounts(school)).toEqual([1, 1])
    const back = await planAndApply(school.stage('source'))
    expect([back.result.ok, await discounts(school)]).toEqual([true, [1]])
    const again = await planAndApply(school.stage('target'))
    expect([again.result.ok, await discounts(school)]).toEqual([true, [1, 1]])
    expect((await verify(school.stage('target'))).violations).toEqual([])
    await school.advance(later)
    expect(billsOf(await school.charges())).toEqual(expected)
  })

  test('a hold that a person removed is restored', async () => {
    await using school = await members(people, now)
    const expected = await unmoved()
    await planAndApply(school.stage('target'))
    const [old = ''] = school.subscriptions
    const [kept] = (await school.us.subscriptions.retrieve(old)).discounts
    await school.us.subscriptions.update(old, {
      pause_collection: '',
      discounts: [{ discount: kept === undefined ? '' : idOf(kept) }],
    })
    const { result } = await planAndApply(school.stage('target'))
    expect([result.recovered.length, await discounts(school)]).toEqual([1, [1, 1]])
    await school.advance(later)
    expect(billsOf(await school.charges())).toEqual(expected)
  })

  test('killed at every boundary of a move and run again', async () => {
    const clean = await members(people, now)
    await planAndApply(clean.stage('target'))
    const all = boundaries(clean.rig.sent.length)
    await clean[Symbol.asyncDispose]()
    for (const boundary of all) {
      await using school = await members(people, now)
      const plan = await makePlan(school.stage('target'))
      await dieAt(school.stage('target'), boundary, (living) => apply(living, plan))
      await planAndApply(school.stage('target'))
      expect([told(boundary), ...(await discounts(school))]).toEqual([told(boundary), 1, 1])
    }
  })

  test('for every update, `perform` sends the discounts with it where they could be lost, and only there', async () => {
    await using school = await members(people, now)
    const account = school.rig.context.accounts.sources.get('us')
    if (account === undefined) throw new Error('no account')
    const update = (subscription = '', key = '') =>
      perform(school.rig.context, {
        address: 'inbox.x',
        step: key,
        account,
        method: 'POST',
        path: `/v1/subscriptions/${subscription}`,
        params: { cancel_at_period_end: true },
        key,
      })
    const [discounted, plain] = school.subscriptions
    await update(discounted, 'one')
    await update(plain, 'two')
    const [first, second] = await school.rig.context.store.journal({ address: 'inbox.x' })
    expect(first?.params).toMatchObject({ discounts: [{ discount: expect.stringMatching(/^di_/) as string }] })
    expect(second?.params).toEqual({ cancel_at_period_end: true })
    expect((await school.us.subscriptions.retrieve(discounted ?? '')).discounts).toHaveLength(1)
    const [kept] = (await school.us.subscriptions.retrieve(discounted ?? '')).discounts
    await school.us.subscriptions.update(discounted ?? '', {
      cancel_at_period_end: false,
      discounts: [{ discount: kept === undefined ? '' : idOf(kept) }],
    })
    await school.advance('2026-10-27T00:00:00Z')
    await update(discounted, 'three')
    const [, , third] = await school.rig.context.store.journal({ address: 'inbox.x' })
    expect(third?.params).toEqual({ cancel_at_period_end: true })
  })
})
