import { describe, expect, test, vi } from 'vitest'
import type Stripe from 'stripe'
import type { Context } from '../../src/engine/context.ts'
import type { OverrideCode } from '../../src/catalog/override-codes.ts'
import { idOf } from '../../src/core/reference.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { survey } from '../../src/engine/plan/survey.ts'
import { paidElsewhere } from '../../src/plan/paid-elsewhere.ts'
import { verify, type Violation } from '../../src/engine/verify/verify.ts'
import { type Member, type Members, members } from './members.ts'
import { planAndApply } from './rig.ts'

/*
 * Promise 1, nobody pays twice: in flexible billing mode, Stripe credits only what the subscription
 * itself has debited. A change with a proration in a period that the other account was paid for is
 * named with the amount that the member is owed.
 */

vi.setConfig({ testTimeout: 60_000 })

const now = '2026-10-05T12:00:00Z'
const since = '2026-09-20T09:15:00Z'

type Behavior = NonNullable<Stripe.SubscriptionUpdateParams['proration_behavior']>

async function seats(client: Stripe, id: string, quantity: number, behavior: Behavior = 'always_invoice') {
  const [item] = (await client.subscriptions.retrieve(id)).items.data
  await client.subscriptions.update(id, {
    items: [{ id: item?.id ?? '', quantity }],
    proration_behavior: behavior,
  })
}

async function moved(member: Partial<Member> = {}): Promise<{ school: Members; old: string; successor: string }> {
  const school = await members([{ since, ...member }], now)
  await planAndApply(school.stage('target'))
  const [successor] = (await school.target.subscriptions.list({})).data
  return { school, old: school.subscriptions[0] ?? '', successor: successor?.id ?? '' }
}

async function named(context: Context, ...override: OverrideCode[]): Promise<readonly Violation[]> {
  const subscribers = context.catalog.subscribers.map((one) => ({ ...one, override }))
  const { violations } = await verify({ ...context, catalog: { ...context.catalog, subscribers } })
  return violations.filter(({ code }) => code === 'proration_uncredited')
}

/** The credit that the old account gives when nobody was moved. */
async function creditWithoutMove(quantity: number): Promise<number> {
  const { us, subscriptions } = await members([{ since }], now)
  await seats(us, subscriptions[0] ?? '', quantity)
  const [invoice] = (await us.invoices.list({ subscription: subscriptions[0] ?? '' })).data
  return Math.min(...(invoice?.lines.data ?? []).map(({ amount }) => amount))
}

describe('a change in a period that the other account was paid for', () => {
  test.each(['always_invoice', 'create_prorations'] as const)(
    'is named with the credit that is owed (%s), until it is given',
    async (behavior) => {
      const { school, successor } = await moved()
      await using here = school
      const { target } = here
      expect(await named(here.stage('target'))).toEqual([])
      await seats(target, successor, 2, behavior)
      const amount = await creditWithoutMove(2)
      const [found, ...more] = await named(here.stage('target'))
      const owed = `${(-amount / 100).toFixed(2)} usd of it are owed to the member`
      expect([found?.detail, more]).toEqual([expect.stringContaining(owed), []])
      expect(await named(here.stage('target'), 'proration_uncredited')).toEqual([])
      // The renewal hides the invoice of the change, and the member is still owed.
      await here.advance('2026-10-22T00:00:00Z')
      expect((await named(here.stage('target')))[0]?.detail).toContain(owed)
      const customer = idOf((await target.subscriptions.retrieve(successor)).customer)
      const description = `time paid in the old account, ${successor}`
      await target.customers.createBalanceTransaction(customer, { amount: amount + 100, currency: 'usd', description })
      expect((await named(here.stage('target')))[0]?.detail).toContain('so 1.00 usd of it')
      await target.customers.createBalanceTransaction(customer, { amount: -100, currency: 'usd', description })
      expect(await named(here.stage('target'))).toEqual([])
    },
  )

  test('is named after a revert, for the period that the target was paid for', async () => {
    const { school, old } = await moved()
    await using here = school
    await here.advance('2026-10-25T00:00:00Z')
    expect((await planAndApply(here.stage('source'))).result.ok).toBe(true)
    await here.advance('2026-10-28T00:00:00Z')
    await seats(here.us, old, 3)
    const [found] = await named(here.stage('source'))
    expect(found?.detail).toMatch(/had paid in the target until 2026-11-20.* so 36\.\d\d usd of it are owed/)
  })

  test('is no change from before the move, in a period that its own account billed', async () => {
    const school = await members([{ since }], now)
    await using here = school
    const old = here.subscriptions[0] ?? ''
    for (const quantity of [2, 1]) await seats(here.us, old, quantity)
    await planAndApply(here.stage('target'))
    await here.advance('2026-10-25T00:00:00Z')
    expect((await planAndApply(here.stage('source'))).result.ok).toBe(true)
    await here.advance('2026-10-28T00:00:00Z')
    await seats(here.us, old, 3, 'none')
    expect(await named(here.stage('source'))).toEqual([])
  })

  test('needs nothing in classic mode, without a proration, or in a period that the target billed', async () => {
    const classic = await moved({ create: { billing_mode: { type: 'classic' } } })
    await seats(classic.school.target, classic.successor, 2)
    expect(await named(classic.school.stage('target'))).toEqual([])
    await classic.school[Symbol.asyncDispose]()
    const { school, successor } = await moved()
    await using here = school
    await seats(here.target, successor, 2, 'none')
    expect(await named(here.stage('target'))).toEqual([])
    await here.advance('2026-10-28T00:00:00Z')
    await seats(here.target, successor, 5)
    expect(await named(here.stage('target'))).toEqual([])
  })
})

test('a plan says once for all members what they have paid, and until when; verify says it where a portal is open', async () => {
  await using school = await members(
    [{ since }, { since }, { since, create: { billing_mode: { type: 'classic' } } }],
    now,
  )
  const { notices = [] } = await makePlan(school.stage('target'))
  expect(notices.filter(({ code }) => code === 'paid_in_old_account')).toMatchObject([
    { subscriber: 'us', at: '2026-10-20T09:15:00Z', amount: 9_800, currency: 'usd' },
  ])
  await planAndApply(school.stage('target'))
  expect((await verify(school.stage('target'))).notices).toEqual([])
  const portal = (behavior: string): Map<string, never[]> => {
    const update = { enabled: true, proration_behavior: behavior }
    return new Map([
      ['portal_configuration', [{ id: 'bpc_1', active: true, features: { subscription_update: update } } as never]],
    ])
  }
  const named = async (behavior: string): Promise<readonly string[]> => {
    const context = school.stage('target')
    const { live } = await survey(context)
    return paidElsewhere(context.catalog, { ...live, resources: portal(behavior) }, new Set()).map(
      ({ message }) => message,
    )
  }
  expect(await named('create_prorations')).toEqual([expect.stringContaining('in the portal bpc_1')])
  expect(await named('none')).toEqual([])
  await school.advance('2026-10-22T00:00:00Z')
  expect(await named('create_prorations')).toEqual([])
})
