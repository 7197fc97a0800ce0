import { expect, test } from 'vitest'
import { at, planAndApply } from '../rig.ts'
import { meanwhile, member, once, prices, story, violationsOf } from './world.ts'

test('a run that is suspended over the renewal and then sets its hold undoes it, and creates nothing', async () => {
  let id = ''
  const policies = 'policies: { renewal_window_hours: 1 }\n'
  const past = { clock: '2026-09-20T09:15:00Z', now: '2026-10-19T14:00:00Z', policies }
  await using world = await story(past, async ({ us }) => {
    const { monthly } = await prices(us)
    id = (await us.subscriptions.create({ customer: await member(us), items: [{ price: monthly }] })).id
  })
  await planAndApply(world.stage('source'))
  const until = at('2026-10-20T09:50:00Z')
  const sleeps = once(() => world.rig.sandbox.world.advance(until))
  const context = meanwhile(world.stage('target'), {
    account: 'us',
    before: async ({ method, path }) => (method === 'POST' && path.endsWith(id) ? sleeps() : undefined),
  })
  const { result } = await planAndApply(context)
  expect(result.changes).toMatchObject([{ outcome: 'undone', code: 'changed_since_pull' }])
  expect(world.rig.sent.filter((one) => one === 'target POST /v1/subscriptions')).toEqual([])
  expect((await world.us.subscriptions.retrieve(id)).pause_collection).toBeNull()
  expect(await violationsOf(world.stage('target'))).toEqual([])
  await world.advance('2027-02-01T00:00:00Z')
  expect(world.differences()).toEqual([])
})

test('a run that is suspended for weeks over the renewal sends nothing more, and the next one moves the member', async () => {
  let id = ''
  await using world = await story({ clock: '2026-09-20T09:15:00Z', now: '2026-10-05T12:00:00Z' }, async ({ us }) => {
    const { monthly } = await prices(us)
    id = (await us.subscriptions.create({ customer: await member(us), items: [{ price: monthly }] })).id
  })
  await planAndApply(world.stage('source'))
  const sleeps = once(() => world.rig.sandbox.world.advance(at('2026-10-21T09:15:00Z')))
  const context = meanwhile(world.stage('target'), {
    account: 'us',
    before: async ({ method, path }) => (method === 'POST' && path.endsWith(id) ? sleeps() : undefined),
  })
  await expect(planAndApply(context)).rejects.toThrow('this run was stopped for too long')
  expect((await world.us.subscriptions.retrieve(id)).pause_collection).toBeNull()
  await planAndApply(world.stage('target'))
  expect(await violationsOf(world.stage('target'))).toEqual([])
  await world.advance('2027-02-01T00:00:00Z')
  expect(world.differences()).toEqual([])
})
