import { expect, test } from 'vitest'
import { makePlan } from '../../../src/engine/plan/make-plan.ts'
import { verify } from '../../../src/engine/verify/verify.ts'
import { planAndApply } from '../rig.ts'
import { member, prices, story, type Story } from './world.ts'

/** A member with sent invoices: one overdue since February, and one open since the end of it. */
async function sent(policy: 'stop' | 'leave'): Promise<{ world: Story; id: string }> {
  let id = ''
  const past = {
    clock: '2027-01-31T10:00:00Z',
    now: '2027-03-04T10:00:00Z',
    policies: `policies: { past_due: ${policy} }\n`,
    settings: { dunning: { retry_days: [30, 30], finally: 'cancel' } },
  }
  const world = await story(past, async ({ us }) => {
    const { monthly } = await prices(us)
    const customer = await member(us)
    const sends = { collection_method: 'send_invoice', days_until_due: 14 } as const
    id = (await us.subscriptions.create({ customer, items: [{ price: monthly }], ...sends })).id
  })
  expect((await world.us.subscriptions.retrieve(id)).status).toBe('past_due')
  return { world, id }
}

test('promise 12: an overdue sent invoice stops a move, as an invoice does whose payment failed', async () => {
  const { world, id } = await sent('stop')
  await using _ = world
  expect((await makePlan(world.stage('target'))).blocked).toMatchObject([
    { address: `subscriber.us/${id}`, code: 'past_due' },
  ])
})

test('promise 12: what stays open in the old account is named before and after the move', async () => {
  const { world, id } = await sent('leave')
  await using _ = world
  const open = {
    code: 'invoices_stay_open',
    subscriber: `us/${id}`,
    amount: 9_800,
    message: expect.stringMatching(/^98\.00 usd stays open in us: in_\w+, in_\w+$/),
  }
  expect((await makePlan(world.stage('source'))).notices ?? []).toEqual([])
  const { plan, result } = await planAndApply(world.stage('target'))
  expect(plan.notices).toMatchObject([open])
  expect(result.summary.moved).toBe(1)
  const after = await verify(world.stage('target'))
  expect(after.violations).toEqual([])
  expect(after.notices).toMatchObject([open])
})
