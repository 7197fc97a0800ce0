import { describe, expect, test, vi } from 'vitest'
import type Stripe from 'stripe'
import { idOf } from '../../../src/core/reference.ts'
import { makePlan } from '../../../src/engine/plan/make-plan.ts'
import { cardsCheck } from '../../../src/engine/verify/cards.ts'
import { planAndApply } from '../rig.ts'
import { billsOf, member, prices, story, successorOf, violationsOf, type Story } from './world.ts'

/*
 * What people, banks and the card networks do around a move: each is followed, carried or reported,
 * and nothing is charged twice.
 */

vi.setConfig({ testTimeout: 90_000 })

interface Moved {
  readonly world: Story
  readonly id: string
  readonly key: string
}

/** One member, billed on the 15th, moved on 25 February; accounts with these settings. */
async function moved(policies = '', settings: object = {}): Promise<Moved & AsyncDisposable> {
  let id = ''
  const world = await story(
    { clock: '2026-01-15T08:00:00Z', now: '2026-02-25T00:00:00Z', policies },
    async ({ us }) => {
      const { monthly } = await prices(us)
      id = (await us.subscriptions.create({ customer: await member(us), items: [{ price: monthly }] })).id
    },
  )
  for (const account of ['us', 'target']) {
    const body = JSON.stringify({ account, ...settings })
    await world.rig.sandbox.fetch('http://x/_sandbox/settings', { method: 'POST', body })
  }
  await planAndApply(world.stage('source'))
  await planAndApply(world.stage('target'))
  return { world, id, key: `us/${id}`, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() }
}

const newest = async (client: Stripe): Promise<string> => (await client.invoices.list({ limit: 1 })).data[0]?.id ?? ''
const charge = async (client: Stripe): Promise<string> => (await client.charges.list({ limit: 1 })).data[0]?.id ?? ''

/** What a plan blocks, and what it would do. */
async function planned({ world }: Moved, stage: 'source' | 'target' | 'settled'): Promise<readonly string[]> {
  const { blocked, changes } = await makePlan(world.stage(stage))
  return [...blocked.map(({ code }) => `blocked ${code}`), ...changes.map(({ action }) => action)]
}

describe('a dispute, where the account cancels the subscription', () => {
  const settings = { dispute_cancels: true }

  test('of an old payment, while on hold: reported, and no stage ends the new one or bills the old one again', async () => {
    await using one = await moved('', settings)
    const { world, id, key } = one
    await world.act('dispute', { account: 'us', subscription: id }, 'here')
    expect(await violationsOf(world.stage('target'))).toEqual([`cancelled_in_source ${key}`])
    for (const stage of ['target', 'source', 'settled'] as const)
      expect(await planned(one, stage)).toEqual(['blocked cancelled_in_source'])
  })

  test('of a payment in the target: the held one is never released, and a settle ends it', async () => {
    await using one = await moved('', settings)
    const { world, id, key } = one
    await world.advance('2026-04-20T00:00:00Z')
    const { id: successor } = await successorOf(world, id)
    await world.act('dispute', { account: 'target', subscription: successor }, 'here')
    expect(await violationsOf(world.stage('target'))).toEqual([`ended_in_target ${key}`])
    // A revert is no way back to a member who took the payment back.
    expect(await planned(one, 'source')).toEqual(['settle'])
    await planAndApply(world.stage('settled'))
    expect((await world.us.subscriptions.retrieve(id)).status).toBe('canceled')
    const bills = billsOf(world, id)
    await world.advance('2026-08-01T00:00:00Z')
    expect(billsOf(world, id)).toEqual(bills)
  })
})

describe('money that people give back', () => {
  test('a refund of an old payment while on hold changes no later charge, before or after a revert', async () => {
    await using one = await moved()
    const { world } = one
    await world.us.refunds.create({ charge: await charge(world.us) })
    expect(await violationsOf(world.stage('target'))).toEqual([])
    await world.advance('2026-03-20T00:00:00Z')
    await planAndApply(world.stage('source'))
    await world.advance('2026-06-20T00:00:00Z')
    expect(world.differences()).toEqual([])
  })

  test('a credit note onto the balance of the old customer is named while on hold, and stops the settle', async () => {
    await using one = await moved()
    const { world, key } = one
    await world.us.creditNotes.create({ invoice: await newest(world.us), amount: 900, credit_amount: 900 })
    expect(await violationsOf(world.stage('target'))).toEqual([`money_on_held_source ${key}`])
    expect(await planned(one, 'settled')).toEqual(['blocked money_on_held_source'])
  })

  test.each([{ credit_amount: 4_900 }, { refund_amount: 4_900 }, { out_of_band_amount: 4_900 }])(
    'a credit note for a paid renewal in the target (%o): a person decides what a revert bills',
    async (how) => {
      await using one = await moved('policies: { customer_balance: carry }\n')
      await one.world.advance('2026-03-18T00:00:00Z')
      const { target } = one.world
      await target.creditNotes.create({ invoice: await newest(target), amount: 4_900, ...how })
      expect(await planned(one, 'source')).toEqual(['blocked refunded_in_target'])
    },
  )

  test.each([
    [900, ['blocked open_invoice'], []],
    // Given up as a whole, the period is billed by no account; the later ones are billed as usual.
    [4_900, ['revert'], ['us 2026-04-15 4900', 'us 2026-05-15 4900']],
  ])(
    'a credit note of %d for an unpaid renewal in the target is lost by no revert',
    async (amount, expected, later) => {
      await using one = await moved()
      const { world, id } = one
      const { id: successor } = await successorOf(world, id)
      await world.act('decline_card', { account: 'target', subscription: successor }, 'here')
      await world.advance('2026-03-16T00:00:00Z')
      await world.target.creditNotes.create({ invoice: await newest(world.target), amount })
      expect(await planned(one, 'source')).toEqual(expected)
      const { result } = await planAndApply(world.stage('source'))
      expect(result.ok).toBe(true)
      await world.advance('2026-05-16T00:00:00Z')
      expect(billsOf(world, id).map((bill) => bill.replace(/T\S+/, ''))).toEqual(later)
    },
  )
})

describe('a card that the bank replaces', () => {
  const replaced = { last4: '9999', exp_year: 2035 }
  const namedBy = async (world: Story): Promise<readonly string[]> => {
    const { notices } = await makePlan(world.stage('target'))
    const { findings } = await cardsCheck(world.stage('target'))
    const all = [...(notices ?? []).map(({ code }) => `plan ${code}`), ...findings.map(({ code }) => `cards ${code}`)]
    return all.filter((one) => one.includes('card_'))
  }

  test('in the old account alone, after the move: named before the renewal, because the copy is the old card', async () => {
    await using one = await moved()
    const { world, id } = one
    expect(await namedBy(world)).toEqual([])
    await world.act('replace_card', { account: 'us', subscription: id, ...replaced })
    expect(await namedBy(world)).toEqual(['plan card_differs', 'cards card_differs'])
    // A card of the member's own in the target is no copy, and none of the old account's business.
    const { id: successor, customer } = await successorOf(world, id)
    const card = await world.target.paymentMethods.attach('pm_card_mastercard', { customer: idOf(customer) })
    await world.target.subscriptions.update(successor, { default_payment_method: card.id })
    expect(await namedBy(world)).toEqual([])
  })

  test('in the target alone, or by its expiry alone: nothing to do', async () => {
    await using one = await moved()
    const { world, id } = one
    const { id: successor } = await successorOf(world, id)
    await world.act('replace_card', { account: 'us', subscription: id, last4: '4242', exp_year: 2036 })
    expect(await namedBy(world)).toEqual([])
    await world.act(
      'replace_card',
      { account: 'target', subscription: successor, last4: '9999', exp_year: 2040 },
      'here',
    )
    expect(await namedBy(world)).toEqual([])
  })
})

describe('an old invoice that the member pays on its page after the move', () => {
  async function inDebt(policy: 'leave' | 'carry'): Promise<Moved & AsyncDisposable> {
    let id = ''
    const policies = `policies: { past_due: ${policy} }\n`
    const world = await story(
      { clock: '2026-01-15T08:00:00Z', now: '2026-02-16T00:00:00Z', policies },
      async ({ us, until }) => {
        const { monthly } = await prices(us)
        const customer = await member(us)
        id = (await us.subscriptions.create({ customer, items: [{ price: monthly }] })).id
        await us.paymentMethods
          .attach('pm_card_chargeCustomerFail', { customer })
          .then((card) => us.customers.update(customer, { invoice_settings: { default_payment_method: card.id } }))
        await until('2026-02-15T12:00:00Z')
      },
    )
    await planAndApply(world.stage('source'))
    await planAndApply(world.stage('target'))
    return { world, id, key: `us/${id}`, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() }
  }
  const pay = (world: Story, account: string, invoice: string) =>
    world.act('pay_invoice', { account, invoice, card: 'pm_card_mastercard' }, 'here')

  test('left in the old account: it is paid there once, and named until then', async () => {
    await using one = await inDebt('leave')
    const { world, key } = one
    expect(await violationsOf(world.stage('target'))).toContain(`open_invoice_on_source ${key}`)
    await pay(world, 'us', await newest(world.us))
    expect(await violationsOf(world.stage('target'))).toEqual([])
    expect((await world.target.invoices.list({ status: 'open' })).data).toEqual([])
  })

  test('carried: its old page takes no payment, its new one does, and a revert asks for it no more', async () => {
    await using one = await inDebt('carry')
    const { world, id } = one
    await expect(pay(world, 'us', await newest(world.us))).rejects.toThrow('no open invoice')
    await pay(world, 'target', await newest(world.target))
    await planAndApply(world.stage('source'))
    expect((await world.us.invoices.list({ status: 'open' })).data).toEqual([])
    const february = billsOf(world, id).filter((bill) => bill.includes(' 2026-02-'))
    expect(february.length).toBeLessThanOrEqual(1)
  })
})
