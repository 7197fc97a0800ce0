import { afterEach, beforeEach, expect, test } from 'vitest'
import { workInbox } from '../../src/engine/inbox/worker.ts'
import { openRig, signalsTo, type Rig } from './rig.ts'

let rig: Rig
beforeEach(async () => {
  rig = await openRig()
})
afterEach(() => rig.close())
const { signal, state } = signalsTo(() => rig)

test('a cancel at once bills the usage that no invoice has billed, and nothing of a member without usage or with pending items', async () => {
  const [ada, bo, cy] = [
    await rig.member('ada', 'source'),
    await rig.member('bo', 'source'),
    await rig.member('cy', 'source'),
  ]
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
  for (const { old: subscription } of [ada, cy]) await us.subscriptionItems.create({ subscription, price })
  // Stripe adds the customer's pending items to an invoice that the cancel asks for.
  const item = await us.invoiceItems.create({ customer: cy.customer, amount: 4_200, currency: 'usd' })
  await rig.advance(3_600)
  for (const { customer } of [ada, cy]) {
    const payload = { stripe_customer_id: customer, value: '3' }
    await us.billing.meterEvents.create({ event_name: 'calls', payload })
  }
  await rig.advance(3_600)
  const totals = async (subscription: string): Promise<number[]> =>
    (await us.invoices.list({ subscription })).data.map(({ total }) => total)
  const all = [ada, bo, cy]
  const totalsOfAll = async () => Promise.all(all.map(async ({ old }) => totals(old)))
  expect(await totalsOfAll()).toEqual([[4_900], [4_900], [4_900]])

  const ids = await Promise.all(all.map(async ({ subscriber }) => signal({ subscriber })))
  await workInbox(rig.context, 10)
  expect(await Promise.all(ids.map(async ({ id }) => state(id)))).toEqual(['done', 'done', 'done'])
  expect(await Promise.all(all.map(async ({ old }) => rig.status('us', old)))).toEqual(all.map(() => 'canceled'))
  expect(await totalsOfAll()).toEqual([[600, 4_900], [4_900], [4_900]])
  const told = rig.alerts.filter(({ key }) => key.startsWith('usage_not_billed'))
  expect(told.map(({ key, summary }) => `${key}: ${summary}`)).toEqual([
    expect.stringMatching(new RegExp(`^usage_not_billed ${cy.old}: .*${item.id}`)),
  ])
})
