import { describe, expect, test, vi } from 'vitest'
import { verify } from '../../src/engine/verify/verify.ts'
import { type Members, members } from './members.ts'
import { planAndApply } from './rig.ts'

vi.setConfig({ testTimeout: 120_000 })

const now = '2026-10-05T12:00:00Z'
const carried = 'policies: { pending_invoice_items: carry, customer_balance: carry, uncharged_period: invoice }'
const one = [{ since: '2026-09-20T09:15:00Z' }] as const

interface Money {
  readonly amount: number
  readonly currency: 'usd'
}
const book: Money = { amount: 4_200, currency: 'usd' }

async function moved(before: (school: Members, customer: string, old: string) => Promise<unknown>) {
  const school = await members(one, now)
  const [old = ''] = school.subscriptions
  const { customer } = await school.us.subscriptions.retrieve(old)
  await before(school, customer as string, old)
  await planAndApply(school.stage('target', carried))
  const [successor] = (await school.target.subscriptions.list({})).data
  return { school, old, customer: customer as string, successor: successor?.id ?? '' }
}

/** What verify says about money that stayed. */
async function left(school: Members, stage: 'source' | 'target' | 'settled' = 'target'): Promise<readonly string[]> {
  const { violations } = await verify(school.stage(stage, carried))
  return violations
    .filter(({ code }) => code.startsWith('money_left'))
    .map(({ code, subscriber, detail }) => `${code} ${subscriber}: ${detail}`)
}

const nothing = async (): Promise<void> => {}

describe('promise 12: verify names money that stays where no subscription bills it', () => {
  test('a carried item, after its successor was cancelled; and not while it lives', async () => {
    const { school, old, successor } = await moved((it, customer, subscription) =>
      it.us.invoiceItems.create({ customer, subscription, ...book }),
    )
    await using _ = school
    expect(await left(school)).toEqual([])
    const [item] = (await school.target.invoiceItems.list({ pending: true })).data
    await school.target.subscriptions.cancel(successor)
    expect(await left(school)).toEqual([
      expect.stringMatching(`^money_left_behind us/${old}: item ${item?.id} of 42.00 usd .*stayed in the target`),
    ])
    // The old subscription is settled: the item is named as before.
    await planAndApply(school.stage('settled', carried))
    expect(await left(school, 'settled')).toHaveLength(1)
    await school.target.invoiceItems.del(item?.id ?? '')
    expect(await left(school, 'settled')).toEqual([])
  })

  test('an item of the customer alone waits for another live subscription, one of the ended never does', async () => {
    const { school, customer, successor } = await moved(nothing)
    await using _ = school
    const [sold] = (await school.target.subscriptions.retrieve(successor)).items.data
    const other = await school.target.subscriptions.create({ customer, items: [{ price: sold?.price.id ?? '' }] })
    await school.target.invoiceItems.create({ customer, ...book, amount: 100 })
    await school.target.invoiceItems.create({ customer, subscription: successor, ...book, amount: 200 })
    await school.target.subscriptions.cancel(successor)
    expect(await left(school)).toEqual([expect.stringMatching(/: item \S+ of 2\.00 usd of/)])
    await school.target.subscriptions.cancel(other.id)
    expect(await left(school)).toEqual([
      expect.stringMatching(/item \S+ of 1\.00 usd, item \S+ of 2\.00 usd|2\.00 usd, item/),
    ])
  })

  test('a credit that was carried, after the member left', async () => {
    const { school, successor } = await moved((it, customer) =>
      it.us.customers.createBalanceTransaction(customer, { amount: -1_500, currency: 'usd' }),
    )
    await using _ = school
    await school.target.subscriptions.cancel(successor)
    expect(await left(school)).toEqual([expect.stringContaining('a credit of 15.00 usd of')])
  })

  test('a debt that was carried, after the member left; one on its way then has the way by hand', async () => {
    const { school, old, customer, successor } = await moved(nothing)
    await using _ = school
    const { target, us } = school
    const made = await target.invoices.create({
      customer,
      auto_advance: false,
      metadata: { crossbill_carried: `us/${old} in_old` },
    })
    const id = made.id ?? ''
    await target.invoiceItems.create({ customer, invoice: id, ...book })
    await target.invoices.finalizeInvoice(id, { auto_advance: false })
    expect(await left(school)).toEqual([])
    await target.subscriptions.cancel(successor)
    expect(await left(school)).toEqual([
      expect.stringMatching(`^money_left_behind us/${old}: invoice ${id} of 42.00 usd, carried .* no longer collected`),
    ])
    await target.invoices.voidInvoice(id)
    expect(await left(school)).toEqual([])
    // The member left through an old door while a run carried the debt.
    await us.subscriptions.update(old, { metadata: { crossbill_money_0: 'target invoice in_old' } })
    await us.subscriptions.cancel(old)
    const { violations } = await verify(school.stage('target', carried))
    expect(violations.find(({ code }) => code === 'money_in_flight')?.fix).toMatch(
      new RegExp(
        `^no run will finish this: void the invoice that has .*remove crossbill_money_0 from .* ${old} in .* us$`,
      ),
    )
  })

  test('the draft of a renewal, when the cancel came in its first hour', async () => {
    const { school, successor } = await moved(nothing)
    await using _ = school
    await school.advance('2026-10-20T09:45:00Z')
    await school.target.subscriptions.cancel(successor)
    const [draft] = (await school.target.invoices.list({ status: 'draft' })).data
    expect(await left(school)).toEqual([expect.stringContaining(`draft ${draft?.id} of 49.00 usd`)])
    await school.target.invoices.finalizeInvoice(draft?.id ?? '', { auto_advance: false })
    await school.target.invoices.voidInvoice(draft?.id ?? '')
    expect(await left(school)).toEqual([])
  })

  test('an item that came after a revert, until the member is moved again and it is billed', async () => {
    const { school, customer } = await moved(nothing)
    await using _ = school
    await planAndApply(school.stage('source', carried))
    await school.target.invoiceItems.create({ customer, ...book })
    expect(await left(school, 'source')).toEqual([expect.stringContaining('money_left_in_target')])
    await planAndApply(school.stage('target', carried))
    expect(await left(school)).toEqual([])
  })

  test('an item and a credit that came into the old account after the settle', async () => {
    const { school, customer, old } = await moved(nothing)
    await using _ = school
    await school.advance('2026-10-21T12:00:00Z')
    await planAndApply(school.stage('settled', carried))
    expect(await left(school, 'settled')).toEqual([])
    await school.us.invoiceItems.create({ customer, ...book })
    await school.us.customers.createBalanceTransaction(customer, { amount: -700, currency: 'usd' })
    // A balance of its own: `balance` shows the customer's currency alone.
    await school.us.customers.createBalanceTransaction(customer, { amount: -900, currency: 'eur' })
    expect(await left(school, 'settled')).toEqual([expect.stringContaining('9.00 eur')])
    expect(await left(school, 'settled')).toEqual([
      expect.stringMatching(
        `money_left_behind us/${old}: item \\S+ of 42.00 usd, a credit of 7.00 usd .* stayed in us`,
      ),
    ])
  })
})
