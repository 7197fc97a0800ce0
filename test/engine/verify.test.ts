import { expect, test, vi } from 'vitest'
import type Stripe from 'stripe'
import { instant } from '../../src/core/instant.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { readGuard } from '../../src/plan/guards.ts'
import type { Plan } from '../../src/plan/types.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { Context as SandboxContext } from '../../src/sandbox/kernel/context.ts'
import { charges } from '../../src/sandbox/stripe/billing/rows.ts'
import { importCopy, type Member, type Members, members } from './members.ts'
import { dieAt, planAndApply } from './rig.ts'

// Many worlds in sequence: slow on a busy machine, but never waiting.
vi.setConfig({ testTimeout: 90_000 })

const now = '2026-10-05T12:00:00Z'
const one: readonly Member[] = [{ since: '2026-09-20T09:15:00Z' }]

async function moved(people: readonly Member[] = one): Promise<Members> {
  const school = await members(people, now)
  const { result } = await planAndApply(school.stage('target'))
  if (!result.ok) throw new Error(JSON.stringify(result))
  return school
}

/** The codes, each with its subscriber. */
async function codes(school: Members, stage: 'source' | 'target' | 'settled' = 'target'): Promise<string[]> {
  const { violations } = await verify(school.stage(stage))
  for (const { detail, fix } of violations)
    if (detail === '' || fix === '') throw new Error('a violation without words')
  return violations.map(({ code, subscriber }) => `${code} ${subscriber.replace(school.subscriptions[0] ?? '', 'sub')}`)
}

async function successor({ target, keys }: Members): Promise<string> {
  for await (const subscription of target.subscriptions.list({}))
    if (subscription.metadata['crossbill_from'] === keys[0]) return subscription.id
  throw new Error('no successor')
}

test('no violation before, during and after the hold', async () => {
  await using school = await members(one, now)
  expect(await codes(school, 'source')).toEqual([])
  await planAndApply(school.stage('target'))
  expect(await codes(school)).toEqual([])
})

test('the old subscription is resumed: both would charge, and the next apply restores the hold', async () => {
  await using school = await moved()
  await school.us.subscriptions.update(school.subscriptions[0] ?? '', { pause_collection: '' })
  expect(await codes(school)).toEqual(['double_payer us/sub', 'hold_missing us/sub'])
  expect((await makePlan(school.stage('target'))).blocked).toMatchObject([{ code: 'hold_missing' }])
  await planAndApply(school.stage('target'))
  expect(await codes(school)).toEqual([])
})

test('a hold with an end date counts as missing, and the next apply removes the date', async () => {
  await using school = await moved()
  const resumes = { behavior: 'void', resumes_at: Date.parse(now) / 1_000 + 86_400 * 90 } as const
  await school.us.subscriptions.update(school.subscriptions[0] ?? '', { pause_collection: resumes })
  expect(await codes(school)).toEqual(['hold_missing us/sub'])
  await planAndApply(school.stage('target'))
  expect(await codes(school)).toEqual([])
})

test('a second live successor', async () => {
  await using school = await moved()
  const first = await school.target.subscriptions.retrieve(await successor(school))
  await school.target.subscriptions.create({
    customer: typeof first.customer === 'string' ? first.customer : first.customer.id,
    items: [{ price: first.items.data[0]?.price.id ?? '' }],
    metadata: first.metadata,
  })
  expect(await codes(school)).toEqual(['duplicate_target us/sub'])
})

test('a run died after the hold: no account would charge until the next apply', async () => {
  await using school = await members(one, now)
  await planAndApply(school.stage('source'))
  const died = await dieAt(school.stage('target'), { request: 1, side: 'after' }, planAndApply)
  expect(died).toBe(true)
  expect(await codes(school)).toEqual(['held_without_successor us/sub'])
})

test('the new subscription’s collection is paused: no account collects', async () => {
  await using school = await moved()
  await school.target.subscriptions.update(await successor(school), { pause_collection: { behavior: 'void' } })
  expect(await codes(school)).toContain('no_payer us/sub')
})

test('the member cancelled in the target', async () => {
  await using school = await moved()
  await school.target.subscriptions.cancel(await successor(school))
  expect(await codes(school)).toEqual(['ended_in_target us/sub'])
  // Nobody knows who cancelled it: the plan says so, and many at once are stopped.
  const settled = school.stage('settled')
  const plan = await makePlan(settled)
  expect(plan.guards.find(({ id }) => id === 'ended_unexplained')).toMatchObject({
    actual: 1,
    limit: 5,
    tripped: false,
  })
  expect(JSON.stringify(plan.changes)).toContain(
    `was cancelled at once, and nothing says that the member asked; who it is: crossbill explain ${school.keys[0]}`,
  )
  const portal = async (reason: boolean): Promise<Plan> => {
    const cancel = { enabled: true, mode: 'immediately', cancellation_reason: { enabled: reason, options: ['other'] } }
    const features = { subscription_cancel: cancel } as Stripe.BillingPortal.ConfigurationCreateParams.Features
    await school.target.billingPortal.configurations.create({ features })
    return makePlan(settled)
  }
  const counted = ({ guards }: Plan): unknown => guards.find(({ id }) => id === 'ended_unexplained')?.actual
  expect(counted(await portal(true))).toBe(1)
  // A member's own end in such a portal looks the same: it is no question.
  const honest = await portal(false)
  expect(counted(honest)).toBe(0)
  expect(JSON.stringify(honest.changes)).toContain('which asks for no reason')
  expect(readGuard('ended_unexplained', 6, {}, ['subscriber.a']).message).toContain('6 member(s)')
  await planAndApply(settled)
  expect(await codes(school, 'settled')).toEqual([])
})

test.each([
  ['in the portal, with a reason', { cancellation_details: { feedback: 'too_expensive' } }],
  ['at a desk that wrote down why', { cancellation_details: { comment: 'asked by phone' } }],
] as const)('the member cancelled in the target %s: the old subscription ends without a question', async (_, why) => {
  await using school = await moved()
  await school.target.subscriptions.cancel(await successor(school), why)
  await planAndApply(school.stage('target'))
  expect(await codes(school)).toEqual([])
})

test('the member cancelled the held subscription through an old link', async () => {
  await using school = await moved()
  await school.us.subscriptions.cancel(school.subscriptions[0] ?? '')
  expect(await codes(school)).toEqual(['cancelled_in_source us/sub'])
})

test('a price in the target that the catalog lacks: the advice pulls the target first', async () => {
  await using school = await moved()
  const { target } = school
  const id = await successor(school)
  const [item] = (await target.subscriptions.retrieve(id)).items.data
  const recurring = { interval: 'month' } as const
  const made = await target.prices.create({
    currency: 'usd',
    unit_amount: 5_900,
    recurring,
    product_data: { name: 'By hand' },
  })
  const items = [{ id: item?.id ?? '', price: made.id }]
  await target.subscriptions.update(id, { items, proration_behavior: 'none' })
  expect((await verify(school.stage('target'))).violations).toMatchObject([
    { code: 'terms_differ', fix: expect.stringContaining('crossbill pull --source target') as string },
  ])
})

test('an undeclared subscription', async () => {
  await using school = await moved()
  const { customer, items } = await school.us.subscriptions.retrieve(school.subscriptions[0] ?? '')
  const born = await school.us.subscriptions.create({
    customer: typeof customer === 'string' ? customer : customer.id,
    items: [{ price: items.data[0]?.price.id ?? '' }],
  })
  expect(await codes(school)).toContain(`undeclared_subscription us/${born.id}`)
})

test('another quantity in the target, and another billing date', async () => {
  await using school = await moved()
  const id = await successor(school)
  const { items } = await school.target.subscriptions.retrieve(id)
  await school.target.subscriptions.update(id, {
    items: [{ id: items.data[0]?.id ?? '', quantity: 3 }],
    proration_behavior: 'none',
  })
  expect(await codes(school)).toEqual(['terms_differ us/sub'])
})

test('the billing date moved in the target', async () => {
  await using school = await moved()
  const id = await successor(school)
  await school.target.subscriptions.update(id, { trial_end: 1_795_000_000, proration_behavior: 'none' })
  expect(await codes(school)).toContain('next_charge_differs us/sub')
})

test('a running discount is missing in the target', async () => {
  await using school = await moved([{ since: '2026-09-20T09:15:00Z', coupon: 'forever' }])
  await school.target.subscriptions.deleteDiscount(await successor(school))
  expect(await codes(school)).toEqual(['discount_lost us/sub'])
  // It was taken away on purpose, and the entry says so.
  const { catalog, ...context } = school.stage('target')
  const subscribers = catalog.subscribers.map((one) => ({ ...one, override: ['discount_lost'] as const }))
  expect((await verify({ ...context, catalog: { ...catalog, subscribers } })).violations).toEqual([])
})

test('the held subscription was changed in the old account', async () => {
  await using school = await moved()
  const id = school.subscriptions[0] ?? ''
  const { items } = await school.us.subscriptions.retrieve(id)
  await school.us.subscriptions.update(id, {
    items: [{ id: items.data[0]?.id ?? '', quantity: 2 }],
    proration_behavior: 'none',
  })
  expect(await codes(school)).toContain('drift_on_held_source us/sub')
})

test('a lost discount is reported beside a change of the held one', async () => {
  await using school = await moved([{ since: '2026-09-20T09:15:00Z', coupon: 'forever' }])
  await school.target.subscriptions.deleteDiscount(await successor(school))
  await school.us.subscriptions.update(school.subscriptions[0] ?? '', {
    collection_method: 'send_invoice',
    days_until_due: 9,
  })
  expect(await codes(school)).toEqual(['discount_lost us/sub', 'drift_on_held_source us/sub'])
})

test('a member who pays outside Stripe Billing is reported until that is declared', async () => {
  await using school = await moved()
  const { customer } = await school.us.subscriptions.retrieve(school.subscriptions[0] ?? '')
  const id = typeof customer === 'string' ? customer : customer.id
  const { world } = school.rig.sandbox
  const account = new SandboxContext(world, world.account('us'))
  for (const days of [40, 10])
    account.table(charges).put({
      id: account.newId('ch'),
      created: instant(account.now - days * 86_400),
      customer: id,
      invoice: null,
      subscription: null,
      payment_intent: null,
      payment_method: null,
      amount: 9700,
      amount_refunded: 0,
      currency: 'usd',
      status: 'succeeded',
      failure: null,
      description: null,
      disputed: false,
      metadata: {},
    })
  expect(await codes(school)).toEqual([`external_biller us/${id}`])
  const context = school.stage('target')
  const declared = { ...context.catalog, externals: [{ source: 'us', customer: id, reason: 'old plan' }] }
  expect(await verify({ ...context, catalog: declared })).toMatchObject({ violations: [] })
})

test('the wrong one of two copied cards pays, or no card does', async () => {
  await using school = await members(one, now)
  const { customer } = await school.us.subscriptions.retrieve(school.subscriptions[0] ?? '')
  const id = typeof customer === 'string' ? customer : customer.id
  await school.us.paymentMethods.attach('pm_card_mastercard', { customer: id })
  await importCopy(school.rig)
  await planAndApply(school.stage('target'))
  expect(await codes(school)).toEqual([])
  const cards = (await school.target.paymentMethods.list({ customer: id })).data
  const other = cards.find(({ card }) => card?.brand === 'mastercard')?.id ?? ''
  await school.target.customers.update(id, { invoice_settings: { default_payment_method: other } })
  expect(await codes(school)).toEqual(['payment_method_differs us/sub'])
  for (const card of cards) await school.target.paymentMethods.detach(card.id)
  expect(await codes(school)).toEqual(['payment_method_differs us/sub'])
  const own = await school.target.paymentMethods.attach('pm_card_visa', { customer: id })
  await school.target.customers.update(id, { invoice_settings: { default_payment_method: own.id } })
  expect(await codes(school)).toEqual([])
})

test('one person, two customers, the same product', async () => {
  await using school = await members([one[0] ?? { since: now }, { since: '2026-09-21T09:15:00Z' }], now)
  for (const id of school.subscriptions) {
    const { customer } = await school.us.subscriptions.retrieve(id)
    await school.us.customers.update(typeof customer === 'string' ? customer : customer.id, {
      email: 'Same@Example.com',
    })
  }
  const { violations } = await verify(school.stage('source'))
  expect(violations.map(({ code }) => code)).toEqual(['same_person_pays_twice'])
  expect(JSON.stringify(violations).toLowerCase()).not.toContain('example.com')
  // Declared with a reason for either of them, it is known; a third payer would be found besides.
  const context = school.stage('source')
  for (const known of school.subscriptions) {
    const subscribers = context.catalog.subscribers.map((member) =>
      member.subscription === known ? { ...member, pays_twice: 'a seat for a colleague' } : member,
    )
    expect((await verify({ ...context, catalog: { ...context.catalog, subscribers } })).violations).toEqual([])
  }
})

test('verify reads only lists, and writes nothing', async () => {
  await using school = await moved()
  const asked: string[] = []
  const { accounts, ...context } = school.stage('target')
  const target = { ...accounts.target, send: async () => Promise.reject(new Error('a single read')) }
  const watched = { ...context, accounts: { ...accounts, target } }
  school.rig.sent.length = 0
  expect(await verify(watched)).toMatchObject({ ok: true })
  expect([asked, school.rig.sent]).toEqual([[], []])
})
