import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { planAndApply } from '../rig.ts'
import { billsOf, member, prices, story, type Story, violationsOf } from './world.ts'

type Level = 'subscription' | 'item' | 'promotion code'

const welcome = (percent_off: number): Stripe.CouponCreateParams => ({
  id: 'WELCOME',
  percent_off,
  duration: 'forever',
})

/**
 * WELCOME had 20 % off when it was redeemed; it was deleted, and is another coupon with 50 % today.
 */
async function reused(level: Level, shown: 'snapshot' | 'namesake'): Promise<{ world: Story; id: string }> {
  let id = ''
  const past = { clock: '2026-10-01T09:00:00Z', now: '2026-11-10T09:00:00Z', unsure: { reused_coupon_shown: shown } }
  const world = await story(past, async ({ us, until }) => {
    const { monthly } = await prices(us)
    await us.coupons.create(welcome(20))
    const discounts = [{ coupon: 'WELCOME' }]
    const { id: code } = await us.promotionCodes.create({ promotion: { type: 'coupon', coupon: 'WELCOME' } })
    const customer = await member(us)
    const items = [{ price: monthly, ...(level === 'item' ? { discounts } : {}) }]
    id = (await us.subscriptions.create({ customer, items, ...(level === 'subscription' ? { discounts } : {}) })).id
    if (level === 'promotion code')
      await us.subscriptions.update(id, { discounts: [{ promotion_code: code }], proration_behavior: 'none' })
    await until('2026-10-20T09:00:00Z')
    await us.coupons.del('WELCOME')
    await us.coupons.create(welcome(50))
  })
  return { world, id }
}

describe.each(['subscription', 'item', 'promotion code'] as const)(
  'a reused coupon id, redeemed by the %s',
  (level) => {
    test('the discount keeps its own terms through the move', async () => {
      const { world, id } = await reused(level, 'snapshot')
      await using __ = world
      const { plan, result } = await planAndApply(world.stage('target'))
      expect([plan.blocked, plan.deferred, result.ok]).toEqual([[], [], true])
      expect(await violationsOf(world.stage('target'))).toEqual([])
      await world.advance('2027-02-10T00:00:00Z')
      expect(world.differences()).toEqual([])
      expect(billsOf(world, id).map((one) => one.split(' ').at(-1))).toEqual(['3920', '3920', '3920'])
    })

    test('if Stripe shows only the namesake, the member stays, and the charges are the same', async () => {
      const { world, id } = await reused(level, 'namesake')
      await using __ = world
      const { plan } = await planAndApply(world.stage('target'))
      expect(plan.blocked).toMatchObject([{ code: 'coupon_unmapped' }])
      await world.advance('2027-02-10T00:00:00Z')
      expect(world.differences()).toEqual([])
      expect(billsOf(world, id).map((one) => one.split(' ').at(-1))).toEqual(['3920', '3920', '3920'])
    })
  },
)
