import { expect, test } from 'vitest'
import { makePlan } from '../../../src/engine/plan/make-plan.ts'
import { verify } from '../../../src/engine/verify/verify.ts'
import { planAndApply } from '../rig.ts'
import { member, prices, story, successorOf, violationsOf, type Story } from './world.ts'

/** A moved member whose old invoice the old account still collects, and gives up on 15 March. */
async function overdue(how: 'cancel' | 'unpaid'): Promise<{ world: Story; id: string }> {
  let id = ''
  const past = {
    clock: '2027-01-31T10:00:00Z',
    now: '2027-03-04T10:00:00Z',
    policies: 'policies: { past_due: leave }\n',
    settings: { dunning: { retry_days: [3, 5, 7], finally: how } },
  }
  const world = await story(past, async ({ us, until }) => {
    const { monthly } = await prices(us)
    const customer = await member(us)
    id = (await us.subscriptions.create({ customer, items: [{ price: monthly }] })).id
    await until('2027-02-27T10:00:00Z')
    await us.customers.update(customer, {
      invoice_settings: {
        default_payment_method: (await us.paymentMethods.attach('pm_card_chargeCustomerFail', { customer })).id,
      },
    })
  })
  expect((await planAndApply(world.stage('target'))).result.summary.moved).toBe(1)
  return { world, id }
}

test.each(['cancel', 'unpaid'] as const)(
  'promise 12: the old account gives up on the held subscription (%s): verify and plan ask for a decision, whatever the stage',
  async (how) => {
    const { world, id } = await overdue(how)
    await using _ = world
    await world.advance('2027-03-18T10:00:00Z')
    const old = await world.us.subscriptions.retrieve(id)
    expect(old.status).toBe(how === 'cancel' ? 'canceled' : 'unpaid')
    const { violations } = await verify(world.stage('target'))
    expect(violations).toMatchObject([{ code: 'lapsed_in_source', detail: expect.stringContaining('49.00 usd') }])
    for (const stage of ['target', 'settled'] as const)
      expect((await makePlan(world.stage(stage))).blocked).toMatchObject([{ code: 'lapsed_in_source' }])
    const { notices } = await verify(world.stage('target'))
    // Nothing goes back to a subscription that has ended.
    const back = notices.filter(({ code, fix }) => code === 'setup_failed' && fix.includes('source'))
    expect(how === 'cancel' ? back : []).toEqual([])
    // The member ends, as in the old account.
    await world.target.subscriptions.cancel((await successorOf(world, id)).id)
    expect((await violationsOf(world.stage('target'))).filter((one) => one.startsWith('lapsed'))).toEqual([])
  },
)

test('the member stays: the override ends the question', async () => {
  const { world, id } = await overdue('cancel')
  await using _ = world
  await world.advance('2027-03-18T10:00:00Z')
  const stays = world.stage('target')
  const catalog = {
    ...stays.catalog,
    subscribers: stays.catalog.subscribers.map((one) => ({ ...one, override: ['lapsed_in_source' as const] })),
  }
  expect(await violationsOf({ ...stays, catalog })).toEqual([])
  expect((await successorOf(world, id)).status).toBe('active')
})
