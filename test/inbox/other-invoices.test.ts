import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { formatInstant, instant } from '../../src/core/instant.ts'
import type { SubscriberKey } from '../../src/core/address.ts'
import { acceptSignal } from '../../src/engine/inbox/accept.ts'
import { moneyLeftBy } from '../../src/engine/inbox/left-money.ts'
import { reconcile } from '../../src/engine/inbox/reconcile.ts'
import { workInbox } from '../../src/engine/inbox/worker.ts'
import { Killed, mortal } from '../../src/engine/rehearse/mortal.ts'
import { openStore } from '../../src/store/open.ts'
import { openRig, type Member, type Rig } from './rig.ts'

let rig: Rig
let ada: Member
let owed: string
beforeEach(async () => {
  rig = await openRig()
  ada = await rig.member('ada', 'held')
  owed = await collecting()
})
afterEach(() => rig.close())

/**
 * An invoice of the same customer for something else, whose payment has failed and is tried again
 * in some days.
 */
async function collecting(): Promise<string> {
  const stripe = rig.stripe('target')
  const { customer } = ada
  const { id: card } = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer })
  await stripe.invoiceItems.create({ customer, amount: 9_900, currency: 'usd', description: 'a workshop' })
  const made = await stripe.invoices.create({
    customer,
    auto_advance: true,
    default_payment_method: card,
    pending_invoice_items_behavior: 'include',
  })
  const to = formatInstant(instant(rig.sandbox.clock() + 10_000))
  await rig.sandbox.fetch('http://sandbox/_sandbox/clock', { method: 'POST', body: JSON.stringify({ to }) })
  return made.id ?? ''
}
const collects = async (): Promise<boolean> => {
  const { status, auto_advance: advances, attempt_count: tries } = await rig.stripe('target').invoices.retrieve(owed)
  return status === 'open' && advances === true && tries > 0
}
const cancelRequest = async (): Promise<string> => {
  const signal = { source: 'operator', event: 'cancel', subscriber: ada.subscriber, receivedAt: rig.now() } as const
  return (await acceptSignal(rig.context, { ...signal, message: 'x' })).id
}

async function killedAt(request: number, side: 'before' | 'after'): Promise<void> {
  const { access: _, ...context } = rig.context
  const sink = { write: () => Promise.resolve() }
  const life = mortal({ ...context, sink, tool: 'test' }, (at) => at.request === request && at.side === side)
  const inbox = new Proxy(rig.store.inbox, {
    get(all, name) {
      if (life.dead()) throw new Killed('killed')
      return Reflect.get(all, name) as unknown
    },
  })
  const { accounts, store } = life.context
  await expect(workInbox({ ...rig.context, accounts, store, inbox }, 10)).rejects.toThrow(Killed)
}

describe('what the customer owes for something else', () => {
  test('stops being collected when any subscription is cancelled, unless the service intervenes', async () => {
    expect(await collects()).toBe(true)
    await rig.stripe('target').subscriptions.cancel(ada.successor ?? '')
    expect(await collects()).toBe(false)
  })

  test('is collected after the cancel as before', async () => {
    await cancelRequest()
    await workInbox(rig.context, 10)
    expect([await rig.status('target', ada.successor), await collects()]).toEqual(['canceled', true])
  })

  test.each([0, 1, 2, 3].flatMap((request) => [[request, 'before'] as const, [request, 'after'] as const]))(
    'is collected although the service was killed at request %i, %s it',
    async (request, side) => {
      const id = await cancelRequest()
      await killedAt(request, side)
      rig.pass(600)
      await workInbox({ ...rig.context, run: 'worker-2' }, 10)
      expect((await rig.store.inbox.get(id))?.row.now.state).toBe('done')
      expect([await rig.status('target', ada.successor), await rig.status('us', ada.old)]).toEqual([
        'canceled',
        'canceled',
      ])
      expect(await collects()).toBe(true)
    },
  )

  test('promise 8: is collected again by a service with an empty store, after the one that cancelled was killed', async () => {
    await cancelRequest()
    await killedAt(1, 'after')
    expect([await rig.status('target', ada.successor), await collects()]).toEqual(['canceled', false])
    const store = await openStore({ file: ':memory:' })
    const elsewhere = { ...rig.context, store, inbox: store.inbox, run: 'elsewhere' }
    expect((await reconcile(elsewhere)).ok).toBe(true)
    expect(await collects()).toBe(true)
    const { metadata } = await rig.stripe('target').invoices.retrieve(owed)
    expect(metadata).toEqual({})
    await store.close()
  })
})

describe('a debt that was carried to the target for the member who leaves', () => {
  test.each(['customer', 'subscription'] as const)(
    'is not collected any more, as in the old account, and is named (a cancel stops the collection of the %s)',
    async (whose) => {
      Object.assign(rig.sandbox.world.unsure, { cancel_stops_collection_of: whose })
      const metadata = { crossbill_carried: `${ada.subscriber} in_old` }
      await rig.stripe('target').invoices.update(owed, { metadata })
      await cancelRequest()
      await workInbox(rig.context, 10)
      expect([await rig.status('target', ada.successor), await collects()]).toEqual(['canceled', false])
      const left = await moneyLeftBy(rig.context, ada.subscriber as SubscriberKey)
      const what = `invoice ${owed} of 99.00 usd, carried from the other account and no longer collected`
      expect(left).toMatchObject({ ok: true, value: [{ account: 'target', what: [what] }] })
    },
  )

  test('of another member with the same customer is still collected', async () => {
    await rig.stripe('target').invoices.update(owed, { metadata: { crossbill_carried: 'us/sub_other in_old' } })
    await cancelRequest()
    await workInbox(rig.context, 10)
    expect([await rig.status('target', ada.successor), await collects()]).toEqual(['canceled', true])
  })
})
