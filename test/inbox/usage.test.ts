import { afterEach, beforeEach, expect, test } from 'vitest'
import { workInbox } from '../../src/engine/inbox/worker.ts'
import { openRig, signalsTo, type Rig } from './rig.ts'

let rig: Rig
beforeEach(async () => {
  rig = await openRig()
})
afterEach(() => rig.close())
const { signal, state } = signalsTo(() => rig)

test('a cancel at once bills the usage that no invoice has billed, and nothing of a member without usage', async () => {
  const [ada, bo] = [await rig.member('ada', 'source'), await rig.member('bo', 'source')]
  const us = rig.stripe('us')
  const meter = await us.billing.meters.create({
    display_name: 'Calls',
    event_name: 'calls',
    default_aggregation: { formula: 'sum' },
  })
  const { id: product } = await us.products.create({ name: 'Calls' })
  const { id: price } = await us.prices.create({
    product,
    currency: 'usd',
    unit_amount: 200,
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
  })
  await us.subscriptionItems.create({ subscription: ada.old, price })
  await rig.advance(3_600)
  const payload = { stripe_customer_id: ada.customer, value: '3' }
  await us.billing.meterEvents.create({ event_name: 'calls', payload })
  await rig.advance(3_600)
  const totals = async (subscription: string): Promise<number[]> =>
    (await us.invoices.list({ subscription })).data.map(({ total }) => total)
  expect([await totals(ada.old), await totals(bo.old)]).toEqual([[4_900], [4_900]])

  const ids = [await signal({ subscriber: ada.subscriber }), await signal({ subscriber: bo.subscriber })]
  await workInbox(rig.context, 10)
  expect(await Promise.all(ids.map(async ({ id }) => state(id)))).toEqual(['done', 'done'])
  expect([await rig.status('us', ada.old), await rig.status('us', bo.old)]).toEqual(['canceled', 'canceled'])
  expect([await totals(ada.old), await totals(bo.old)]).toEqual([[600, 4_900], [4_900]])
})
