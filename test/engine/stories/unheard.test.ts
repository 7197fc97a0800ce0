import { expect, test } from 'vitest'
import { apply } from '../../../src/engine/apply/apply.ts'
import { makePlan } from '../../../src/engine/plan/make-plan.ts'
import { planAndApply } from '../rig.ts'
import { billsOf, meanwhile, member, prices, story, successorOf, violationsOf, type Story } from './world.ts'

/** One member; T is 15 March 08:00. */
async function oneMember(now: string): Promise<{ readonly world: Story; readonly id: string }> {
  let id = ''
  const world = await story({ clock: '2026-01-15T08:00:00Z', now }, async ({ us }) => {
    const { monthly } = await prices(us)
    id = (await us.subscriptions.create({ customer: await member(us), items: [{ price: monthly }] })).id
  })
  return { world, id }
}

const creates = ({ method, path }: { readonly method: string; readonly path: string }): boolean =>
  method === 'POST' && path === '/v1/subscriptions'

test('a lost answer to a creation, followed by a cancel in the target', async () => {
  const { world, id } = await oneMember('2026-02-25T12:00:00Z')
  await using _ = world
  const context = meanwhile(world.stage('target'), {
    account: 'target',
    after: async (request) => {
      if (!creates(request)) return undefined
      await world.target.subscriptions.cancel((await successorOf(world, id)).id)
      return 'lost'
    },
  })
  await world.unmoved.subscriptions.cancel(id)
  const { result } = await planAndApply(context)
  expect(result.changes.filter(({ address }) => address.endsWith(id))).toMatchObject([{ code: 'ended_in_target' }])
  await planAndApply(world.stage('target'))
  // The member left: nothing is created again or released.
  expect((await world.target.subscriptions.list({ status: 'all' })).data).toHaveLength(1)
  expect((await world.us.subscriptions.retrieve(id)).status).toBe('canceled')
  expect(await violationsOf(world.stage('target'))).toEqual([])
  for (const stage of ['target', 'source'] as const)
    expect((await makePlan(world.stage(stage))).changes.filter(({ address }) => address.includes(id))).toEqual([])
  await world.advance('2026-09-01T00:00:00Z')
  expect(billsOf(world, id)).toEqual([])
  expect(world.differences()).toEqual([])
})

test.each([
  ['and it was created', true],
  ['and it was not created', false],
])('the target unreachable near T with the outcome unknown: %s', async (_, arrives) => {
  const { world, id } = await oneMember('2026-03-13T07:00:00Z')
  await using __ = world
  await planAndApply(world.stage('source'))
  let gone = false
  const context = meanwhile(world.stage('target'), {
    account: 'target',
    unreachable: () => gone,
    before: async (request) => (creates(request) && !arrives ? await cutOff() : undefined),
    after: async (request) => {
      if (!creates(request)) return undefined
      gone = true
      return 'lost'
    },
  })
  async function cutOff(): Promise<void> {
    gone = true
    // The request itself is lost with the connection.
    await world.rig.sandbox.fetch('https://sandbox/_sandbox/faults', {
      method: 'POST',
      body: JSON.stringify({ exact: [{ fault: 'cut_before', match: 'POST /v1/subscriptions', nth: 1 }] }),
    })
  }
  const plan = await makePlan(context)
  await expect(apply(context, plan)).rejects.toThrow('target cannot be reached')
  expect(await world.rig.context.store.subscriber(`us/${id}`)).toMatchObject({
    phase: 'doubtful',
    facts: { alarm: 'target_unreachable' },
  })
  // It stays on hold while its end is unknown, also over T.
  expect((await world.us.subscriptions.retrieve(id)).pause_collection).toMatchObject({ behavior: 'keep_as_draft' })
  await world.advance('2026-03-15T12:00:00Z')
  await expect(planAndApply(context)).rejects.toThrow('target cannot be reached')
  expect((await world.us.subscriptions.retrieve(id)).pause_collection).toMatchObject({ behavior: 'keep_as_draft' })
  expect(billsOf(world, id)).toHaveLength(arrives ? 1 : 0)
  gone = false
  const { result } = await planAndApply(context)
  expect(result.recovered).toMatchObject([{ outcome: arrives ? 'done' : 'undone' }])
  expect(await violationsOf(world.stage('target'))).toEqual([])
  await world.advance('2026-09-01T00:00:00Z')
  const late = billsOf(world, id).map((bill) => bill.split(' ').slice(1).join(' '))
  const differences = world.differences().map((one) => one.split(' ').slice(0, 3).join(' '))
  expect(differences).toEqual(arrives ? [] : [`date_differs us/${id} 2026-03-15T09:00:00Z`])
  expect(late).toHaveLength(6)
})
