import { expect, test } from 'vitest'
import type Stripe from 'stripe'
import { planAndApply } from '../rig.ts'
import { meanwhile, member, prices, story, violationsOf, type Story } from './world.ts'

/** A member whose February was not paid, since the card that is charged now declines. */
async function inDebt(more: Partial<Stripe.SubscriptionCreateParams> = {}): Promise<Story> {
  const world = await story(
    { clock: '2026-01-15T08:00:00Z', now: '2026-02-25T00:00:00Z', policies: 'policies: { past_due: carry }\n' },
    async ({ us }) => {
      const { monthly } = await prices(us)
      const customer = await member(us, { address: { country: 'DE' } })
      await us.subscriptions.create({ customer, items: [{ price: monthly }], ...more })
      const { id: default_payment_method } = await us.paymentMethods.attach('pm_card_chargeCustomerFail', { customer })
      await us.customers.update(customer, { invoice_settings: { default_payment_method } })
    },
  )
  await planAndApply(world.stage('source'))
  return world
}

/** The member pays the open invoice by hand, with a card that works. */
async function payOpen(client: Stripe): Promise<void> {
  const [open] = (await client.invoices.list({ status: 'open' })).data
  const customer = typeof open?.customer === 'string' ? open.customer : ''
  const { id: payment_method } = await client.paymentMethods.attach('pm_card_visa', { customer })
  await client.invoices.pay(open?.id ?? '', { payment_method })
}

/** Debts of February, wherever they lie. */
async function february(client: Stripe): Promise<readonly string[]> {
  const { data } = await client.invoices.list({ created: { gte: Date.parse('2026-02-01T00:00:00Z') / 1_000 } })
  return data.map(({ status, amount_paid: amount }) => `${status ?? ''} ${amount}`)
}

/** Somebody pays in `account` at the instant in which the invoice was to be voided there. */
function paying(world: Story, stage: 'target' | 'source', account: 'us' | 'target'): ReturnType<Story['stage']> {
  const client = account === 'us' ? world.us : world.target
  const before = async ({ path }: { path: string }): Promise<void> => {
    if (path.endsWith('/void')) await payOpen(client)
  }
  return meanwhile(world.stage(stage), { account, before })
}

test('a debt that is paid between the proof and its move has nothing to carry', async () => {
  await using world = await inDebt()
  const { result } = await planAndApply(paying(world, 'target', 'us'))
  expect(result.ok).toBe(true)
  expect([await february(world.us), await february(world.target)]).toEqual([['paid 4900'], []])
  expect(await violationsOf(world.stage('target'))).toEqual([])
})

test('a debt that is paid in the target while it is set back is paid', async () => {
  await using world = await inDebt()
  expect((await planAndApply(world.stage('target'))).result.ok).toBe(true)
  expect([await february(world.us), await february(world.target)]).toEqual([['void 0'], ['open 0']])
  const { result } = await planAndApply(paying(world, 'source', 'target'))
  expect(result.ok).toBe(true)
  expect([await february(world.us), await february(world.target)]).toEqual([['void 0'], ['paid 4900']])
  expect(await violationsOf(world.stage('source'))).toEqual([])
})

test('a debt whose tax Stripe computed stays with the account that sold: made anew it could be another amount', async () => {
  await using world = await inDebt({ automatic_tax: { enabled: true } })
  const { plan } = await planAndApply(world.stage('target'))
  expect(plan.blocked).toMatchObject([
    { code: 'open_invoice', fix: expect.stringContaining('past_due: leave') as unknown },
  ])
  expect([await february(world.us), await february(world.target)]).toEqual([['open 0'], []])
})
