import { expect, test } from 'vitest'
import { makePlan } from '../../../src/engine/plan/make-plan.ts'
import { planAndApply } from '../rig.ts'
import { meanwhile, member, prices, story, violationsOf, type Story } from './world.ts'

const carry = 'policies: { customer_balance: carry, pending_invoice_items: carry }\n'

interface Two {
  readonly world: Story
  readonly customer: string
  /** 49.00 usd, renews on the 31st. */
  readonly later: string
  /** 9.00 usd, renews on the 20th. */
  readonly first: string
}

/** One customer with two subscriptions, on 19 or 10 March, and what `more` adds. */
async function two(now: string, more: (us: Story['us'], customer: string) => Promise<unknown>): Promise<Two> {
  const ids: string[] = []
  let customer = ''
  const world = await story({ clock: '2027-01-31T10:00:00Z', now, policies: carry }, async ({ us, until }) => {
    const { monthly, addon } = await prices(us)
    customer = await member(us)
    ids.push((await us.subscriptions.create({ customer, items: [{ price: monthly }] })).id)
    await until('2027-02-20T10:00:00Z')
    ids.push((await us.subscriptions.create({ customer, items: [{ price: addon }] })).id)
    await until(now)
    await more(us, customer)
  })
  const [later = '', first = ''] = ids
  return { world, customer, later, first }
}

const credit = (us: Story['us'], customer: string): Promise<unknown> =>
  us.customers.createBalanceTransaction(customer, { amount: -6_000, currency: 'usd' })

test('promise 2: a sibling about to renew defers the other one, because both share a credit', async () => {
  const { world, first, later } = await two('2027-03-19T10:00:00Z', credit)
  await using _ = world
  const { plan, result } = await planAndApply(world.stage('target'))
  expect(plan.deferred).toMatchObject([
    { address: `subscriber.us/${later}`, code: 'sibling_waits', until: '2027-03-20T11:00:00Z' },
    { address: `subscriber.us/${first}`, code: 'renews_soon' },
  ])
  expect(result.ok).toBe(true)
  await world.advance('2027-03-21T10:00:00Z')
  const second = await planAndApply(world.stage('target'))
  expect(second.result.summary).toMatchObject({ moved: 2 })
  await world.advance('2027-06-05T10:00:00Z')
  expect(world.differences()).toEqual([])
})

test('promise 2: a pending item without subscription is billed once when both leave, and keeps one that would leave alone', async () => {
  const { world, first, later } = await two('2027-03-10T10:00:00Z', (us, customer) =>
    us.invoiceItems.create({ customer, amount: 800, currency: 'usd' }),
  )
  await using _ = world
  const alone = await makePlan(world.stage(({ subscription }) => (subscription === first ? 'target' : 'source')))
  expect(alone.blocked).toMatchObject([{ address: `subscriber.us/${first}`, code: 'customer_split' }])
  expect(alone.notices).toMatchObject([{ code: 'item_without_subscription', fix: expect.stringMatching(/^nothing: /) }])
  // A target names one of them: the other one comes along.
  const narrowed = await makePlan(world.stage('target'), { targets: [`subscriber.us/${first}`] })
  expect(narrowed.changes.flatMap(({ action, address }) => (action === 'move' ? [address] : [])).toSorted()).toEqual(
    [`subscriber.us/${first}`, `subscriber.us/${later}`].toSorted(),
  )
  expect((await planAndApply(world.stage('target'))).result.ok).toBe(true)
  await world.advance('2027-06-05T10:00:00Z')
  expect(world.differences()).toEqual([])
})

test('one of two stops in the middle of an apply: the other one is not started', async () => {
  const { world, first, later } = await two('2027-03-10T10:00:00Z', credit)
  await using _ = world
  const plan = await makePlan(world.stage('target'))
  const [one, other] = plan.changes.flatMap(({ action, address }) =>
    action === 'move' ? [address.replace('subscriber.us/', '')] : [],
  )
  expect(new Set([one, other])).toEqual(new Set([first, later]))
  let refusing = true
  const failing = meanwhile(world.stage('target'), {
    account: 'target',
    before: async ({ path, params }) => {
      if (
        refusing &&
        path === '/v1/invoices/create_preview' &&
        JSON.stringify(params ?? {}).includes('subscription_details')
      )
        Object.assign(params ?? {}, { customer: 'cus_unknown' })
    },
  })
  const { result } = await planAndApply(failing)
  refusing = false
  expect(result.changes.filter(({ action }) => action === 'move')).toMatchObject([
    { outcome: 'skipped', code: 'preview_failed' },
    { outcome: 'skipped', code: 'sibling_stopped' },
  ])
  expect(await violationsOf(world.stage('target'))).toEqual([])
  expect((await planAndApply(world.stage('target'))).result.summary).toMatchObject({ moved: 2 })
  await world.advance('2027-06-05T10:00:00Z')
  expect(world.differences()).toEqual([])
})

test('the second of two fails after the first has moved: apply and verify name the credit that it is charged without', async () => {
  const { world, customer } = await two('2027-03-10T10:00:00Z', credit)
  await using _ = world
  let creations = 0
  const failing = meanwhile(world.stage('target'), {
    account: 'target',
    before: async ({ method, path, params }) => {
      if (method === 'POST' && path === '/v1/subscriptions' && ++creations > 1)
        Object.assign(params ?? {}, { customer: 'cus_unknown' })
    },
  })
  const { result } = await planAndApply(failing)
  expect(result.ok).toBe(false)
  expect(result.violations).toMatchObject([{ code: 'customer_split', detail: expect.stringContaining(customer) }])
  expect((await planAndApply(world.stage('target'))).result.ok).toBe(true)
  await world.advance('2027-06-05T10:00:00Z')
  expect(world.differences()).toEqual([])
})
