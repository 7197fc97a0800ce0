import { expect, test } from 'vitest'
import type Stripe from 'stripe'
import { CommandError } from '../../../src/core/outcome.ts'
import type { Context } from '../../../src/engine/context.ts'
import type { Plan } from '../../../src/plan/types.ts'
import { makePlan } from '../../../src/engine/plan/make-plan.ts'
import { apply } from '../../../src/engine/apply/apply.ts'
import { recover } from '../../../src/engine/apply/recover.ts'
import { planAndApply } from '../rig.ts'
import { billsOf, meanwhile, member, once, prices, story, successorOf, violationsOf, type Story } from './world.ts'

/**
 * Two monthly members; T of the first is 15 March, of the second 20 March. Today is 25 February.
 */
async function twoMembers(): Promise<{ readonly world: Story; readonly one: string; readonly other: string }> {
  const ids: string[] = []
  const world = await story({ clock: '2026-01-15T08:00:00Z', now: '2026-02-25T12:00:00Z' }, async ({ us, until }) => {
    const { monthly } = await prices(us)
    const join = async (): Promise<unknown> =>
      ids.push((await us.subscriptions.create({ customer: await member(us), items: [{ price: monthly }] })).id)
    await join()
    await until('2026-01-20T08:00:00Z')
    await join()
  })
  const [one = '', other = ''] = ids
  return { world, one, other }
}

const statusOf = async (client: Stripe, id: string): Promise<string> => (await client.subscriptions.retrieve(id)).status

test('the member cancels the new subscription while the old is held, then recovery runs, then the wave is reverted', async () => {
  const { world, one, other } = await twoMembers()
  await using _ = world
  await planAndApply(world.stage('target'))
  // The portal asks for a reason.
  const why = { cancellation_details: { feedback: 'unused' } } as const
  await world.target.subscriptions.cancel((await successorOf(world, one)).id, why)
  await world.unmoved.subscriptions.cancel(one)
  expect(await violationsOf(world.stage('target'))).toEqual([`ended_in_target us/${one}`])
  await recover(world.stage('target'))
  const { plan, result } = await planAndApply(world.stage('source'))
  expect(plan.changes.map(({ action, address }) => `${action} ${address}`).toSorted()).toEqual([
    `revert subscriber.us/${other}`,
    `settle subscriber.us/${one}`,
  ])
  expect(result.ok).toBe(true)
  expect([await statusOf(world.us, one), await statusOf(world.us, other)]).toEqual(['canceled', 'active'])
  expect(await violationsOf(world.stage('source'))).toEqual([])
  expect((await makePlan(world.stage('source'))).changes).toEqual([])
  await world.advance('2026-09-01T00:00:00Z')
  expect(billsOf(world, one)).toEqual([])
  expect(world.differences()).toEqual([])
})

test('the member cancels the old subscription through an old portal link while it is held', async () => {
  const { world, one } = await twoMembers()
  await using _ = world
  await planAndApply(world.stage('target'))
  await world.act('cancel', { account: 'us', subscription: one, when: 'now' })
  const context = world.stage('target')
  expect(await violationsOf(context)).toEqual([`cancelled_in_source us/${one}`])
  const { plan } = await planAndApply(context)
  expect(plan.changes).toEqual([])
  expect(plan.blocked).toMatchObject([{ code: 'cancelled_in_source' }])
  expect(plan.blocked[0]?.fix).toContain('crossbill cancel')
  expect(await statusOf(world.target, (await successorOf(world, one)).id)).toBe('active')
  // A revert never restarts a subscription that its owner ended.
  await planAndApply(world.stage('source'))
  expect(await statusOf(world.us, one)).toBe('canceled')
  await world.target.subscriptions.cancel((await successorOf(world, one)).id)
  expect(await violationsOf(world.stage('source'))).toEqual([])
  await world.advance('2026-09-01T00:00:00Z')
  expect(world.differences()).toEqual([])
})

test('the source subscription changes between re-read and hold', async () => {
  const { world, one, other } = await twoMembers()
  await using _ = world
  const change = once(() => world.act('change_quantity', { account: 'us', subscription: one, quantity: 3 }))
  const context = meanwhile(world.stage('target'), {
    account: 'us',
    before: async ({ method, path }) => (method === 'POST' && path.endsWith(one) ? change() : undefined),
  })
  const { result } = await planAndApply(context)
  expect(result.changes.filter(({ address }) => address.endsWith(one))).toMatchObject([
    { outcome: 'undone', code: 'changed_since_pull' },
  ])
  expect((await world.target.subscriptions.list({ status: 'all' })).data.map(({ metadata }) => metadata)).toMatchObject(
    [{ crossbill_from: `us/${other}` }],
  )
  expect(await world.us.subscriptions.retrieve(one)).toMatchObject({ pause_collection: null, metadata: {} })
  expect(await violationsOf(world.stage('target'))).toEqual([])
  await world.advance('2026-09-01T00:00:00Z')
  expect(billsOf(world, one)[0]).toBe('us 2026-03-15T09:00:00Z 14700')
  expect(world.differences()).toEqual([])
})

/** What a subscriber may do, and what a later plan says. */
const acts = [
  ['card', 'change_card', 'blocked payment_method_unmapped'],
  ['plan', 'change_plan', 'blocked changed_since_pull'],
  ['cancel', 'cancel', 'ending'],
] as const

/** When they do it, and how the apply ends. */
const moments = {
  'between pull and plan': async (context: Context, _id: string, change: () => Promise<void>) => {
    await change()
    return told(await makePlan(context), context)
  },
  'between plan and apply': async (context: Context, _id: string, change: () => Promise<void>) => {
    const plan = await makePlan(context)
    await change()
    return told(plan, context)
  },
  'while apply re-reads': async (context: Context, id: string, change: () => Promise<void>) =>
    told(
      await makePlan(context),
      meanwhile(context, { account: 'us', before: async ({ path }) => (path.endsWith(id) ? change() : undefined) }),
    ),
}
const ends = {
  'between pull and plan': ['done'],
  'between plan and apply': ['plan_stale'],
  'while apply re-reads': ['done', 'skipped changed_since_pull'],
}

/** The outcomes of the plan's subscribers, or the reason for refusing the plan. */
async function told(plan: Plan, context: Context): Promise<readonly string[]> {
  try {
    const { changes } = await apply(context, plan)
    const people = changes.filter(({ address }) => address.startsWith('subscriber.'))
    return people.map(({ outcome, code }) => (code === undefined ? outcome : `${outcome} ${code}`)).toSorted()
  } catch (error) {
    if (error instanceof CommandError) return [error.code]
    throw error
  }
}

test.each(
  acts.flatMap(([what, act, now]) =>
    (Object.keys(moments) as (keyof typeof moments)[]).map((when) => [what, when, act, now] as const),
  ),
)(
  'a subscriber who changes card or plan, or cancels, between pull, plan and apply: %s %s',
  async (_, when, act, now) => {
    const { world, one, other } = await twoMembers()
    await using __ = world
    const yearly = (await world.us.prices.list()).data.find(({ unit_amount: amount }) => amount === 49_000)?.id
    const change = once(() => world.act(act, { account: 'us', subscription: one, price: yearly ?? '' }))
    expect(await moments[when](world.stage('target'), one, change)).toEqual(ends[when])
    const { blocked, people } = await makePlan(world.stage('target'))
    const reasons = blocked.filter(({ address }) => address.endsWith(one)).map(({ code }) => `blocked ${code}`)
    expect([...reasons, ...Object.keys(people)]).toContain(now)
    await planAndApply(world.stage('target'))
    expect((await successorOf(world, other)).status).toBe('active')
    await expect(successorOf(world, one)).rejects.toThrow('nothing succeeds')
    expect(await violationsOf(world.stage('target'))).toEqual([])
    await world.advance('2026-06-01T00:00:00Z')
    expect(world.differences()).toEqual([])
  },
)
