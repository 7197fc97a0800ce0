import { expect, test } from 'vitest'
import { verify } from '../../src/engine/verify/verify.ts'
import { members } from './members.ts'
import { planAndApply } from './rig.ts'

const now = '2026-10-05T12:00:00Z'
const carried = 'policies: { pending_invoice_items: carry }'

test('promise 12: an end by an old door names the carried item that waits; an end with the period there bills it', async () => {
  await using school = await members([{ since: '2026-09-20T09:15:00Z' }], now)
  const [old = ''] = school.subscriptions
  const { customer } = await school.us.subscriptions.retrieve(old)
  await school.us.invoiceItems.create({
    customer: customer as string,
    subscription: old,
    amount: 4_200,
    currency: 'usd',
  })
  await planAndApply(school.stage('target', carried))
  await school.us.subscriptions.update(old, { cancel_at_period_end: true })
  const [successor] = (await school.target.subscriptions.list({})).data
  const [item] = (await school.target.invoiceItems.list({ pending: true })).data
  const before = await verify(school.stage('target', carried))
  expect(before.violations).toMatchObject([
    {
      code: 'cancelled_in_source',
      detail: expect.stringContaining(`item ${item?.id} of 42.00 usd waits`) as string,
      fix: expect.stringContaining(`set ${successor?.id} to end with its period`) as string,
    },
  ])

  await school.target.subscriptions.update(successor?.id ?? '', { cancel_at_period_end: true })
  expect((await verify(school.stage('target', carried))).violations).toEqual([])
  await school.advance('2026-12-21T00:00:00Z')
  const [[, ...charges] = []] = await school.charges()
  expect(charges).toEqual(['target 2026-10-20T10:15:00Z 4200 usd'])
})
