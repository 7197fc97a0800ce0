import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Boundary } from '../../src/engine/rehearse/mortal.ts'
import { cloneSandbox, createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import { clientOf } from '../sandbox/client.ts'
import { at, dieAt, elsewhere, planAndApply, told } from './rig.ts'
import { openPulled, type School } from './school.ts'
import { member, prices, violationsOf } from './stories/world.ts'

/*
 * A store with an unfinished move grows old, while another checkout finishes the move and reverts
 * it. What the store remembers of the customer's money is no longer true.
 */

let begun: Sandbox
beforeAll(async () => {
  begun = createSandbox({ clock: at('2026-01-15T08:00:00Z') })
  const us = clientOf(begun)
  const { monthly } = await prices(us)
  const customer = await member(us)
  await us.subscriptions.create({ customer, items: [{ price: monthly ?? '' }] })
  await begun.world.advance(at('2026-02-25T00:00:00Z'))
  await us.invoiceItems.create({ customer, amount: 750, currency: 'usd' })
})
afterAll(() => begun.close())

async function pendingIn({ rig }: School, account: string): Promise<readonly number[]> {
  const { data } = await clientOf(rig.sandbox, account).invoiceItems.list({ pending: true })
  return data.map(({ amount }) => amount)
}

/** The requests of the move: carry, hold, create, note, item out, item in, keep. */
const deaths: readonly Boundary[] = [1, 2, 3, 4, 5].map((request) => ({ request, side: 'after' }))

test.each(deaths.map((one) => [told(one), one] as const))(
  'promise 11: an old store, %s, moves again after another checkout moved and reverted: the pending item comes along',
  async (_, death) => {
    await using school = await openPulled(cloneSandbox(begun), 'policies: { pending_invoice_items: carry }\n')
    await planAndApply(school.stage('source'))
    const own = school.stage('target')
    await dieAt(own, death, planAndApply)
    const other = await elsewhere(own)
    // The first one recovers what was begun, the second one moves.
    await planAndApply(other)
    expect((await planAndApply(other)).result.ok).toBe(true)
    expect(await pendingIn(school, 'target')).toEqual([750])
    expect((await planAndApply({ ...school.stage('source'), store: other.store })).result.ok).toBe(true)
    expect(await pendingIn(school, 'us')).toEqual([750])
    await planAndApply(own)
    expect([await pendingIn(school, 'us'), await pendingIn(school, 'target')]).toEqual([[], [750]])
    expect(await violationsOf(own)).toEqual([])
  },
)
