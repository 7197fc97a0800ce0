import { expect, test, vi } from 'vitest'
import { apply } from '../../src/engine/apply/apply.ts'
import type { Context } from '../../src/engine/context.ts'
import type { StripeAccount } from '../../src/engine/ports.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { claimsOf } from '../../src/engine/access/claims.ts'
import { refresh } from '../../src/engine/read/refresh.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { billsOf, type Members, members, payersPerPeriod } from './members.ts'
import { boundaries, dieAt, planAndApply, told } from './rig.ts'

// Many worlds in sequence: slow on a busy machine, but never waiting.
vi.setConfig({ testTimeout: 90_000 })

const people = [
  { since: '2026-08-15T09:15:00Z' },
  { since: '2026-08-31T10:00:00Z', coupon: 'welcome' },
  { since: '2026-09-20T11:30:00Z', price: 'yearly' },
] as const
const now = '2026-10-05T12:00:00Z'
const later = '2027-02-01T00:00:00Z'

/** The bills of the control run. */
async function unmoved(): Promise<readonly (readonly string[])[]> {
  await using school = await members(people, now)
  await school.advance(later)
  return billsOf(await school.charges())
}

test('same bill, one payer: a wave is moved, verify holds, a second plan is empty, renewals are charged once, by the target', async () => {
  await using school = await members(people, now)
  const { plan, result } = await planAndApply(school.stage('target'))
  expect([plan.blocked, plan.deferred]).toEqual([[], []])
  expect(plan.summary).toMatchObject({ move: 3 })
  expect(result).toMatchObject({ ok: true, remaining: [] })
  const context = school.stage('target')
  expect((await makePlan(context)).changes).toEqual([])
  expect(await verify(context)).toMatchObject({ ok: true, violations: [] })
  await school.advance(later)
  const charges = await school.charges()
  expect(billsOf(charges)).toEqual(await unmoved())
  expect(charges.map((one) => one.map((charge) => charge.split(' ')[0]))).toEqual([
    ['us', 'us', 'target', 'target', 'target', 'target'],
    ['us', 'us', 'target', 'target', 'target', 'target'],
    ['us'],
  ])
  expect(await verify(context)).toMatchObject({ ok: true, violations: [] })
})

test('the plan names the next charge of every moved member, the same on both sides', async () => {
  await using school = await members(people, now)
  const { money } = await makePlan(school.stage('target'))
  expect(money.subscribers).toBe(3)
  expect(money.mrr).toEqual({ usd: { before: 4900 + 4900 + 4083, after: 4900 + 4900 + 4083 } })
  const [first] = money.next_charges
  expect(first).toEqual({
    subscriber: school.keys[0],
    at: '2026-10-15T09:15:00Z',
    amount: 4900,
    currency: 'usd',
    before: { at: '2026-10-15T09:15:00Z', amount: 4900, currency: 'usd', account: 'us' },
  })
})

test('crash anywhere, run again: killed at every boundary of a move, the same plan ends as a clean run does', async () => {
  const clean = await oneMove(async (context) => void (await planAndApply(context)))
  for (const boundary of boundaries(clean.requests)) {
    const killed = await oneMove(async (context) => {
      const plan = await makePlan(context)
      await dieAt(context, boundary, (living) => apply(living, plan))
      await apply(context, plan)
    })
    expect({ at: told(boundary), ...killed.end }).toEqual({ at: told(boundary), ...clean.end })
  }
})

test('crash anywhere, plan again: killed at every boundary of a move, a new plan ends as a clean run does', async () => {
  const clean = await oneMove(async (context) => void (await planAndApply(context)))
  for (const boundary of boundaries(clean.requests)) {
    const killed = await oneMove(async (context) => {
      await dieAt(context, boundary, planAndApply)
      await planAndApply(context)
      // A kill before the hold leaves the subscriber at the source: recovery undoes it, the next
      // plan moves it.
      await planAndApply(context)
    })
    expect({ at: told(boundary), ...killed.end }).toEqual({ at: told(boundary), ...clean.end })
  }
})

/** One member whose prices exist already, so that every request belongs to the hand-over. */
async function oneMove(work: (context: Context) => Promise<void>) {
  await using school = await members([{ since: '2026-09-20T09:15:00Z', coupon: 'welcome' }], now)
  await planAndApply(school.stage('source'))
  const before = school.rig.sent.length
  await work(school.stage('target'))
  return { requests: school.rig.sent.length - before, end: await endOf(school) }
}

/**
 * The state at the end: subscriptions by status, nothing twice, nothing open, and the report of
 * `verify`.
 */
async function endOf(school: Members) {
  const old: string[] = []
  for await (const one of school.us.subscriptions.list({ status: 'all' }))
    old.push(`${one.status} ${one.pause_collection?.behavior}`)
  const live: string[] = []
  for await (const one of school.target.subscriptions.list({})) live.push(one.status)
  const { violations } = await verify(school.stage('target'))
  return {
    old,
    live,
    violations,
    payers: await payersPerPeriod(school),
    open: await school.rig.context.store.journalOpen(),
  }
}

test.each([
  ['mapped', {}, {}],
  [
    'found by its lookup key, with the mark of the project that manages it',
    { lookup_key: 'theirs' },
    { crossbill_project: 'other', crossbill_address: 'price.gold' },
  ],
])(
  'same bill, one payer: members move onto a price of another program, which an entry only observes (%s)',
  async (_, named, metadata) => {
    await using school = await members(people, now)
    const product = await school.target.products.create({ name: 'Membership' })
    const made = { product: product.id, currency: 'usd', tax_behavior: 'exclusive' } as const
    const price = await school.target.prices.create({
      ...made,
      unit_amount: 4900,
      recurring: { interval: 'month' },
      ...named,
      metadata,
    })
    const { resources, mappings, ...catalog } = school.at('target')
    const observe = { retire: false, protect: false, observe: true, ignored: [] }
    const others = {
      products: { [product.id]: 'membership' },
      prices: 'lookup_key' in named ? {} : { [price.id]: 'monthly' },
      tax_rates: {},
      coupons: {},
    }
    const observed = new Set(['product.membership', 'price.monthly'])
    const context = school.rig.with({
      ...catalog,
      mappings: new Map([...mappings, ['target', others]]),
      resources: resources.map((one) => {
        const value = one.address === 'price.monthly' ? { ...one.value, ...named } : one.value
        return observed.has(one.address) ? { ...one, value, lifecycle: observe } : one
      }),
    })
    const { plan, result } = await planAndApply(context)
    expect([plan.blocked, result.remaining]).toEqual([[], []])
    const moved = await school.target.subscriptions.list({ price: price.id })
    expect([moved.data.length, (await school.target.prices.retrieve(price.id)).metadata]).toEqual([2, metadata])
    // What they pay for gives them what the entry's key gives.
    const claims = claimsOf(context.catalog, await refresh(context))
    expect(claims.filter(({ prices }) => prices.includes('monthly')).map(({ keepsAll }) => keepsAll)).toEqual([
      undefined,
      undefined,
    ])
    await school.advance(later)
    expect(billsOf(await school.charges())).toEqual(await unmoved())
  },
)

test('a move reads the old subscription before its hold and for its proof, and no third time', async () => {
  await using school = await members(people, now)
  const plan = await makePlan(school.stage('target'))
  const { context, reads } = readsOfOne(school.stage('target'))
  expect(await apply(context, plan)).toMatchObject({ ok: true, remaining: [] })
  expect([reads.filter((one) => one === 'us').length, reads.filter((one) => one === 'target').length]).toEqual([
    2 * people.length,
    people.length,
  ])
})

/** The names of the accounts, once for each read of one subscription. */
function readsOfOne(context: Context) {
  const reads: string[] = []
  const watched = (account: StripeAccount): StripeAccount => ({
    ...account,
    send(request) {
      if (request.method === 'GET' && request.path.startsWith('/v1/subscriptions/')) reads.push(account.name)
      return account.send(request)
    },
  })
  const { target, sources } = context.accounts
  const accounts = {
    target: watched(target),
    sources: new Map([...sources].map(([name, account]) => [name, watched(account)])),
  }
  return { context: { ...context, accounts }, reads }
}
