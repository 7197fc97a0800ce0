import { expect, test } from 'vitest'
import type { Context } from '../../../src/engine/context.ts'
import { makePlan } from '../../../src/engine/plan/make-plan.ts'
import { planAndApply } from '../rig.ts'
import { meanwhile, member, once, prices, story, violationsOf } from './world.ts'

test('a pending item that is deleted during the move is not billed, and does not stop the move', async () => {
  let customer = ''
  await using world = await story(
    {
      clock: '2026-09-20T09:15:00Z',
      now: '2026-10-05T12:00:00Z',
      policies: 'policies: { pending_invoice_items: carry }\n',
    },
    async ({ us }) => {
      const { monthly } = await prices(us)
      customer = await member(us)
      await us.subscriptions.create({ customer, items: [{ price: monthly }] })
      for (const amount of [700, 900]) await us.invoiceItems.create({ customer, amount, currency: 'usd' })
    },
  )
  const [first] = (await world.us.invoiceItems.list({ customer, pending: true })).data
  const deleted = once(async () => void (await world.us.invoiceItems.del(first?.id ?? '')))
  const context: Context = meanwhile(world.stage('target'), {
    account: 'us',
    before: async ({ method, path }) =>
      method === 'DELETE' && path.endsWith(first?.id ?? '-') ? deleted() : undefined,
  })
  expect((await planAndApply(context)).result).toMatchObject({ ok: true, remaining: [] })
  const left = (await world.target.invoiceItems.list({ customer, pending: true })).data.map(({ amount }) => amount)
  expect(left).toEqual([first?.amount === 700 ? 900 : 700])
  expect((await makePlan(world.stage('target'))).changes).toEqual([])
  expect(await violationsOf(world.stage('target'))).toEqual([])
})
