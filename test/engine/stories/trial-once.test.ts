import { expect, test } from 'vitest'
import { planAndApply } from '../rig.ts'
import { member, prices, story } from './world.ts'

test.each([true, false])(
  'promise 13: a trial with a discount for one renewal moves, whether or not the invoice of zero uses the coupon up (%s)',
  async (zero_invoice_consumes_once) => {
    const past = { clock: '2027-01-31T10:00:00Z', now: '2027-03-04T10:00:00Z', unsure: { zero_invoice_consumes_once } }
    await using world = await story(past, async ({ us }) => {
      const { monthly } = await prices(us)
      const { id: coupon } = await us.coupons.create({ percent_off: 50, duration: 'once' })
      await us.subscriptions.create({
        customer: await member(us),
        items: [{ price: monthly }],
        discounts: [{ coupon }],
        trial_end: Date.parse('2027-04-15T10:00:00Z') / 1_000,
      })
    })
    const { result } = await planAndApply(world.stage('target'))
    expect(result.changes.filter(({ action }) => action === 'move')).toMatchObject([{ outcome: 'done' }])
    await world.advance('2027-07-01T00:00:00Z')
    expect(world.differences()).toEqual([])
  },
)
