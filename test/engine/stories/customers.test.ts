import { expect, test } from 'vitest'
import type Stripe from 'stripe'
import { planAndApply } from '../rig.ts'
import { billsOf, member, prices, story, successorOf, violationsOf } from './world.ts'

const balanceOf = async (client: Stripe, id: string): Promise<number> => {
  const customer = await client.customers.retrieve(id)
  return customer.deleted === true ? 0 : customer.balance
}

test('two subscriptions of one customer with a credit balance, one of them blocked', async () => {
  const ids: string[] = []
  let customer = ''
  const past = {
    clock: '2026-01-15T08:00:00Z',
    now: '2026-02-25T00:00:00Z',
    policies: 'policies: { customer_balance: carry }\n',
  }
  await using world = await story(past, async ({ us, until }) => {
    const { monthly, addon } = await prices(us)
    customer = await member(us)
    ids.push((await us.subscriptions.create({ customer, items: [{ price: monthly }] })).id)
    await until('2026-01-20T08:00:00Z')
    const pending_invoice_item_interval = { interval: 'week' } as const
    ids.push((await us.subscriptions.create({ customer, items: [{ price: addon }], pending_invoice_item_interval })).id)
    await until('2026-02-24T08:00:00Z')
    await us.customers.createBalanceTransaction(customer, { amount: -7_000, currency: 'usd' })
  })
  const [free = '', stuck = ''] = ids
  const first = await planAndApply(world.stage('target'))
  expect(first.plan.blocked).toMatchObject([
    { address: `subscriber.us/${free}`, code: 'customer_split' },
    { address: `subscriber.us/${stuck}`, code: 'field_not_carried' },
  ])
  expect(first.result.ok).toBe(true)
  // Both share the credit, so neither leaves without the other.
  expect([await balanceOf(world.us, customer), await balanceOf(world.target, customer)]).toEqual([-7_000, 0])
  await expect(successorOf(world, free)).rejects.toThrow('nothing succeeds')
  await expect(successorOf(world, stuck)).rejects.toThrow('nothing succeeds')
  expect(await violationsOf(world.stage('target'))).toEqual([])
  await world.us.subscriptions.update(stuck, { pending_invoice_item_interval: '' })
  const second = await planAndApply(world.stage('target'))
  expect(second.result.ok).toBe(true)
  expect((await successorOf(world, free)).status).toBe('active')
  expect([await balanceOf(world.us, customer), await balanceOf(world.target, customer)]).toEqual([0, -7_000])
  await world.advance('2026-06-10T00:00:00Z')
  expect(world.differences()).toEqual([])
  // The rest of it returns with them.
  await planAndApply(world.stage('source'))
  const left = await balanceOf(world.us, customer)
  expect(left).toBe(await balanceOf(world.unmoved, customer))
  expect(await balanceOf(world.target, customer)).toBe(0)
  await world.advance('2026-09-10T00:00:00Z')
  expect(world.differences()).toEqual([])
})

test('automatic tax between seller countries', async () => {
  const ids: Record<string, string> = {}
  const past = { clock: '2026-01-15T08:00:00Z', now: '2026-02-25T00:00:00Z' }
  const live: Parameters<typeof story>[1] = async ({ intl }) => {
    const { monthly } = await prices(intl)
    for (const [name, address] of Object.entries({
      german: { country: 'DE' },
      texan: { country: 'US', state: 'TX', postal_code: '73301' },
    })) {
      const customer = await member(intl, { address })
      const params = { customer, items: [{ price: monthly }], automatic_tax: { enabled: true } }
      ids[name] = (await intl.subscriptions.create(params)).id
    }
  }
  const { german = '', texan = '' } = await (async () => {
    await using world = await story(past, live)
    const { result } = await planAndApply(world.stage('target'))
    // The British seller collects no tax in Texas, the American one does: no member pays more
    // without approval.
    expect(result.changes.filter(({ outcome }) => outcome !== 'done')).toMatchObject([
      { address: `subscriber.intl/${ids['texan']}`, outcome: 'skipped', code: 'tax_differs' },
    ])
    expect((await world.intl.subscriptions.retrieve(ids['texan'] ?? '')).pause_collection).toBeNull()
    await world.advance('2026-06-01T00:00:00Z')
    expect(world.differences()).toEqual([])
    expect(billsOf(world, ids['german'] ?? '')[0]).toMatch(/^target .* 5831$/)
    return ids
  })()
  expect([german, texan]).not.toContain('')
  const policies = 'policies: { tax: recompute, tax_accepted: [US] }\n'
  await using accepted = await story({ ...past, policies }, live)
  // After the prices exist, the plan shows the difference: only a shown difference can be accepted.
  await planAndApply(accepted.stage('source'))
  const { result } = await planAndApply(accepted.stage('target'))
  expect(result.ok).toBe(true)
  await accepted.advance('2026-04-01T00:00:00Z')
  expect(billsOf(accepted, ids['texan'] ?? '')).toEqual(['target 2026-03-15T09:00:00Z 5304'])
  expect(billsOf(accepted, ids['german'] ?? '')).toEqual(['target 2026-03-15T09:00:00Z 5831'])
})

test('settle while another subscription of the customer has an open invoice', async () => {
  const ids: string[] = []
  await using world = await story(
    { clock: '2026-01-15T08:00:00Z', now: '2026-02-25T00:00:00Z' },
    async ({ us, until }) => {
      const { monthly, addon } = await prices(us)
      const customer = await member(us)
      ids.push((await us.subscriptions.create({ customer, items: [{ price: monthly }] })).id)
      await until('2026-01-20T08:00:00Z')
      const card = await us.paymentMethods.attach('pm_card_mastercard', { customer })
      const default_payment_method = card.id
      ids.push((await us.subscriptions.create({ customer, items: [{ price: addon }], default_payment_method })).id)
    },
  )
  const [one = '', other = ''] = ids
  const stages = (stage: 'target' | 'settled') =>
    world.stage(({ subscription }) => (subscription === one ? stage : 'source'))
  await planAndApply(stages('target'))
  await world.act('decline_card', { account: 'us', subscription: other })
  await world.advance('2026-03-21T00:00:00Z')
  const open = async (): Promise<readonly unknown[]> =>
    (await world.us.invoices.list({ subscription: other, status: 'open' })).data.map(({ auto_advance: on }) => on)
  expect(await open()).toEqual([true])
  const { result } = await planAndApply(stages('settled'))
  expect(result.ok).toBe(true)
  expect((await world.us.subscriptions.retrieve(one)).status).toBe('canceled')
  expect(await open()).toEqual([true])
  await world.act('accept_card', { account: 'us', subscription: other })
  await world.advance('2026-07-01T00:00:00Z')
  expect(await open()).toEqual([])
  // When collection is enabled again, it tries soon instead of at the next retry: the same bills,
  // this one earlier.
  expect(world.differences().filter((one) => !one.startsWith(`date_differs us/${other} 2026-03-23`))).toEqual([])
  expect(billsOf(world, other).length).toBe(4)
})

test('settle while another subscription of the customer has a sent invoice: reminders continue', async () => {
  const ids: string[] = []
  await using world = await story({ clock: '2026-09-20T09:15:00Z', now: '2026-10-05T12:00:00Z' }, async ({ us }) => {
    const { monthly, addon } = await prices(us)
    const customer = await member(us)
    ids.push((await us.subscriptions.create({ customer, items: [{ price: monthly }] })).id)
    const sent = { collection_method: 'send_invoice', days_until_due: 60 } as const
    ids.push((await us.subscriptions.create({ customer, items: [{ price: addon }], ...sent })).id)
  })
  const [one = '', other = ''] = ids
  const stages = (stage: 'target' | 'settled') =>
    world.stage(({ subscription }) => (subscription === one ? stage : 'source'))
  await planAndApply(stages('target'))
  await world.advance('2026-11-01T00:00:00Z')
  expect((await planAndApply(stages('settled'))).result.ok).toBe(true)
  const { data } = await world.us.invoices.list({ subscription: other, status: 'open' })
  expect(data.map(({ auto_advance: on }) => on)).toEqual([true, true])
})
