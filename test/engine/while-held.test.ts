import type { OverrideCode } from '../../src/catalog/override-codes.ts'
import { describe, expect, test, vi } from 'vitest'
import type { Catalog } from '../../src/catalog/types.ts'
import type { Context } from '../../src/engine/context.ts'
import { apply } from '../../src/engine/apply/apply.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { drift } from '../../src/engine/verify/drift.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { idOf } from '../../src/core/reference.ts'
import { type Member, type Members, members } from './members.ts'
import { planAndApply } from './rig.ts'

/*
 * Promise 12, nothing silent: everything that can happen to a held subscription or its customer in
 * the old account is named before the renewal at which money would be lost, and stops settling
 * until a person has dealt with it.
 */

vi.setConfig({ testTimeout: 90_000 })

const now = '2026-10-05T12:00:00Z'
const one: Member = { since: '2026-09-20T09:15:00Z' }

interface It {
  readonly school: Members
  readonly old: string
  readonly customer: string
  readonly successor: string
}

async function moved(member: Member = one, policies = ''): Promise<It> {
  const school = await members([member], now)
  const { result } = await planAndApply(school.stage('target', policies))
  if (!result.ok) throw new Error(JSON.stringify(result))
  const [old = ''] = school.subscriptions
  const [successor] = (await school.target.subscriptions.list({})).data
  return {
    school,
    old,
    customer: idOf((await school.us.subscriptions.retrieve(old)).customer),
    successor: successor?.id ?? '',
  }
}

async function codes(context: Context): Promise<readonly string[]> {
  return (await verify(context)).violations.map(({ code }) => code)
}

function overridden(context: Context, ...override: OverrideCode[]): Context {
  const subscribers = context.catalog.subscribers.map((each) => ({ ...each, override }))
  const catalog: Catalog = { ...context.catalog, subscribers, digest: override.join() }
  return { ...context, catalog }
}

function seconds(iso: string): number {
  return Date.parse(iso) / 1_000
}

const events: Readonly<Record<string, { readonly code: string; readonly act: (it: It) => Promise<unknown> }>> = {
  'an item for the subscription': {
    code: 'money_on_held_source',
    act: ({ school, customer, old }) =>
      school.us.invoiceItems.create({ customer, subscription: old, amount: 2_500, currency: 'usd' }),
  },
  'an item of the customer': {
    code: 'money_on_held_source',
    act: ({ school, customer }) => school.us.invoiceItems.create({ customer, amount: -900, currency: 'usd' }),
  },
  'a credit on the balance': {
    code: 'money_on_held_source',
    act: ({ school, customer }) =>
      school.us.customers.createBalanceTransaction(customer, { amount: -700, currency: 'usd' }),
  },
  'a change with prorations': {
    code: 'money_on_held_source',
    act: async ({ school, old }) => {
      const { items } = await school.us.subscriptions.retrieve(old)
      return school.us.subscriptions.update(old, { items: [{ id: items.data[0]?.id ?? '', quantity: 2 }] })
    },
  },
  'another quantity': {
    code: 'drift_on_held_source',
    act: async ({ school, old }) => {
      const { items } = await school.us.subscriptions.retrieve(old)
      const changed = [{ id: items.data[0]?.id ?? '', quantity: 2 }]
      return school.us.subscriptions.update(old, { items: changed, proration_behavior: 'none' })
    },
  },
  'a free month': {
    code: 'drift_on_held_source',
    act: ({ school, old }) =>
      school.us.subscriptions.update(old, { trial_end: seconds('2026-11-20T09:15:00Z'), proration_behavior: 'none' }),
  },
  'another renewal date': {
    code: 'drift_on_held_source',
    act: ({ school, old }) =>
      school.us.subscriptions.update(old, { billing_cycle_anchor: { type: 'now' }, proration_behavior: 'none' }),
  },
  'sent invoices': {
    code: 'drift_on_held_source',
    act: ({ school, old }) =>
      school.us.subscriptions.update(old, { collection_method: 'send_invoice', days_until_due: 14 }),
  },
  'another address': {
    code: 'drift_on_held_source',
    act: ({ school, customer }) => school.us.customers.update(customer, { address: { country: 'DE', line1: 'Weg 1' } }),
  },
  'a tax id': {
    code: 'drift_on_held_source',
    act: ({ school, customer }) => school.us.customers.createTaxId(customer, { type: 'eu_vat', value: 'DE123456789' }),
  },
  'a coupon of the subscription': {
    code: 'drift_on_held_source',
    act: async ({ school, old }) => {
      await school.advance('2026-10-06T12:00:00Z')
      const { id: coupon } = await school.us.coupons.create({ percent_off: 50, duration: 'forever' })
      return school.us.subscriptions.update(old, { discounts: [{ coupon }] })
    },
  },
  'another card': {
    code: 'drift_on_held_source',
    act: async ({ school, customer }) => {
      const card = await school.us.paymentMethods.attach('pm_card_mastercard', { customer })
      return school.us.customers.update(customer, { invoice_settings: { default_payment_method: card.id } })
    },
  },
  'a cancel at the end of the period': {
    code: 'cancelled_in_source',
    act: ({ school, old }) => school.us.subscriptions.update(old, { cancel_at_period_end: true }),
  },
  'a cancel on a date': {
    code: 'cancelled_in_source',
    act: ({ school, old }) =>
      school.us.subscriptions.update(old, { cancel_at: 1_798_000_000, proration_behavior: 'none' }),
  },
  'a cancel at once': {
    code: 'cancelled_in_source',
    act: ({ school, old }) => school.us.subscriptions.cancel(old),
  },
}

describe('promise 12: events in the old account during a hold', () => {
  test.each(Object.entries(events))('%s is reported at once and stops the settle', async (_, { code, act }) => {
    const it = await moved()
    await using school = it.school
    await act(it)
    const named = await codes(school.stage('target'))
    expect(named).toContain(code)
    // A cancel by an old door does not change the new subscription.
    const ofTheNewOne = ['terms_differ', 'next_charge_differs', 'payment_method_differs', 'entry_differs']
    expect(named.filter((each) => ofTheNewOne.includes(each))).toEqual([])
    expect((await drift(school.stage('target'))).drift.map((each) => each.code)).toContain(code)
    // Its renewal in the old account has passed, the new subscription has paid, and the wave is
    // settled.
    await school.advance('2026-10-22T00:00:00Z')
    const { plan, result } = await planAndApply(school.stage('settled'))
    expect([plan.summary.settle, plan.blocked.map((each) => each.code)]).toEqual([0, expect.arrayContaining([code])])
    expect(result.changes).toEqual([])
    expect(await codes(school.stage('settled'))).toContain(code)
    // A person has handled it and says so by its name; only the right name counts.
    const other = overridden(school.stage('settled'), 'changed_since_move')
    expect((await makePlan(other)).blocked.map((each) => each.code)).toContain(code)
    const known = overridden(
      school.stage('settled'),
      'money_on_held_source',
      'drift_on_held_source',
      'cancelled_in_source',
    )
    const after = await planAndApply(known)
    expect([after.plan.blocked, after.result.ok]).toEqual([[], true])
    expect((await school.us.subscriptions.retrieve(it.old)).status).toBe('canceled')
    expect((await codes(known)).filter((each) => each === code)).toEqual([])
  })

  test('a change between the plan and its settle stops the settle', async () => {
    const it = await moved()
    await using school = it.school
    await school.advance('2026-10-22T00:00:00Z')
    const context = school.stage('settled')
    const plan = await makePlan(context)
    const { account, ...rest } = { account: 'us', customer: it.customer, amount: 2_500, currency: 'usd' }
    let added = false
    const source = context.accounts.sources.get(account)
    if (source === undefined) throw new Error('no account')
    const sources = new Map(context.accounts.sources).set(account, {
      ...source,
      async send(request) {
        // Right before the first request of the hand-over itself.
        if (!added && request.method === 'GET' && request.path === `/v1/subscriptions/${it.old}`) {
          added = true
          await school.us.invoiceItems.create({ ...rest, subscription: it.old })
        }
        return source.send(request)
      },
    })
    const result = await apply({ ...context, accounts: { ...context.accounts, sources } }, plan)
    expect([added, result.ok]).toEqual([true, false])
    expect(result.changes).toMatchObject([{ action: 'settle', outcome: 'skipped', code: 'money_on_held_source' }])
    expect((await school.us.subscriptions.retrieve(it.old)).status).toBe('active')
  })

  test('an item on a voided renewal is named afterwards, and billed after a revert', async () => {
    const it = await moved()
    await using school = it.school
    await school.us.invoiceItems.create({ customer: it.customer, subscription: it.old, amount: 2_500, currency: 'usd' })
    await school.advance('2026-10-22T00:00:00Z')
    const { violations } = await verify(school.stage('target'))
    expect(violations).toMatchObject([
      { code: 'money_on_held_source', detail: expect.stringContaining('25.00') as string },
    ])
    const { result } = await planAndApply(school.stage('source'))
    expect(result.changes).toMatchObject([
      {
        outcome: 'done',
        periods: [{ amount: 2_500, outcome: 'billed', at: expect.stringMatching(/^2026-10-20/) as string }],
      },
    ])
    await school.advance('2026-10-24T00:00:00Z')
    const charges = (await school.charges()).flat().map((charge) =>
      charge
        .split(' ')
        .filter((_, i) => i !== 1)
        .join(' '),
    )
    expect(charges.toSorted()).toEqual(['target 4900 usd', 'us 2500 usd', 'us 4900 usd'])
  })

  test('a coupon taken off the held subscription is named and stops the settle; a deleted or expired one is no change', async () => {
    const it = await moved({ ...one, coupon: 'forever' })
    await using school = it.school
    const { us, target } = school
    for (const { id } of (await us.coupons.list()).data) await us.coupons.del(id)
    expect(await codes(school.stage('target'))).toEqual([])
    // A discount that the member got in the target was never carried.
    const { id: coupon } = await target.coupons.create({ percent_off: 5, duration: 'forever' })
    const { discounts } = await target.subscriptions.retrieve(it.successor)
    await school.advance('2026-10-22T00:00:00Z')
    const kept = discounts.map((discount) => ({ discount: idOf(discount) }))
    await target.subscriptions.update(it.successor, { discounts: [...kept, { coupon }] })
    expect(await codes(school.stage('target'))).toEqual(['terms_differ'])
    await us.subscriptions.deleteDiscount(it.old)
    const { violations } = await verify(school.stage('target'))
    expect(violations).toMatchObject([
      { code: 'drift_on_held_source', detail: expect.stringContaining('a discount was removed') as string },
    ])
    const settles = await makePlan(school.stage('settled'))
    expect([settles.changes, settles.blocked.map(({ code }) => code)]).toEqual([[], ['drift_on_held_source']])
    expect((await planAndApply(overridden(school.stage('settled'), 'drift_on_held_source'))).result.ok).toBe(true)
  })

  test.each([one, { ...one, coupon: 'forever' }] as const)(
    'a coupon given in the target seconds after the creation is the member’s, not a change in the old account',
    async (member) => {
      const it = await moved(member)
      await using school = it.school
      const { target } = school
      const { id: coupon } = await target.coupons.create({ percent_off: 5, duration: 'forever' })
      const { discounts } = await target.subscriptions.retrieve(it.successor)
      const kept = discounts.map((discount) => ({ discount: idOf(discount) }))
      await target.subscriptions.update(it.successor, { discounts: [...kept, { coupon }] })
      expect(await codes(school.stage('target'))).toEqual(['terms_differ'])
      await school.advance('2026-10-08T12:00:00Z')
      const reverts = await makePlan(school.stage('source'))
      expect(reverts.blocked.map(({ code }) => code)).toEqual(['changed_since_move'])
    },
  )

  test('a coupon taken off between the plan and its settle stops the settle', async () => {
    const it = await moved({ ...one, coupon: 'forever' })
    await using school = it.school
    await school.advance('2026-10-22T00:00:00Z')
    const plan = await makePlan(school.stage('settled'))
    expect(plan.summary.settle).toBe(1)
    const context = school.stage('settled')
    const source = context.accounts.sources.get('us')
    if (source === undefined) throw new Error('no account')
    let removed = false
    const sources = new Map(context.accounts.sources).set('us', {
      ...source,
      async send(request) {
        if (!removed && request.method === 'GET' && request.path === `/v1/subscriptions/${it.old}`) {
          removed = true
          await school.us.subscriptions.deleteDiscount(it.old)
        }
        return source.send(request)
      },
    })
    const { changes } = await apply({ ...context, accounts: { ...context.accounts, sources } }, plan)
    expect(changes).toMatchObject([{ action: 'settle', outcome: 'skipped', code: 'drift_on_held_source' }])
    expect((await school.us.subscriptions.retrieve(it.old)).status).toBe('active')
  })

  test('an item on a draft that the hold kept back is named, and stops the settle', async () => {
    const it = await moved()
    await using school = it.school
    const { us } = school
    await us.invoiceItems.create({ customer: it.customer, subscription: it.old, amount: 2_500, currency: 'usd' })
    // As between the hold and its last form, when a run dies over the renewal.
    await us.subscriptions.update(it.old, { pause_collection: { behavior: 'keep_as_draft' } })
    await school.advance('2026-10-22T00:00:00Z')
    await us.subscriptions.update(it.old, { pause_collection: { behavior: 'void' } })
    const told = {
      code: 'money_on_held_source',
      detail: expect.stringContaining('25.00 usd are on the draft') as string,
    }
    expect((await verify(school.stage('target'))).violations).toMatchObject([told])
    // The renewal after it is voided, and hides nothing.
    await school.advance('2026-11-22T00:00:00Z')
    expect((await verify(school.stage('target'))).violations).toMatchObject([told])
    const settles = await makePlan(school.stage('settled'))
    expect([settles.changes, settles.blocked.map(({ code }) => code)]).toEqual([[], ['money_on_held_source']])
  })

  test.each([
    ['at once', {}],
    ['with its period', { cancel_at_period_end: true }],
  ] as const)('an item stays named when the old subscription ends %s and the new one follows', async (_, end) => {
    const it = await moved()
    await using school = it.school
    const { us, target } = school
    await us.invoiceItems.create({ customer: it.customer, subscription: it.old, amount: 2_500, currency: 'usd' })
    if ('cancel_at_period_end' in end) {
      await us.subscriptions.update(it.old, { ...end, pause_collection: { behavior: 'keep_as_draft' } })
      await target.subscriptions.update(it.successor, end)
      await school.advance('2026-10-20T09:20:00Z')
      // In a Stripe whose pause holds the last invoice back as well.
      const [draft] = (await us.invoices.list({ status: 'draft' })).data
      await us.invoices.update(draft?.id ?? '', { auto_advance: false })
    } else {
      await us.subscriptions.cancel(it.old)
      await target.subscriptions.cancel(it.successor)
    }
    await school.advance('2026-10-22T00:00:00Z')
    expect(await codes(school.stage('target'))).toEqual(['money_on_held_source'])
    expect(await codes(overridden(school.stage('target'), 'money_on_held_source'))).toEqual([])
  })

  test('an item that the other subscription of the customer bills first causes no alarm', async () => {
    const people: Member[] = [one, { since: '2026-09-12T09:15:00Z', customerOf: 0 }]
    await using school = await members(
      [people[1] ?? one, { ...one, customerOf: 0 }].map((each, i) => (i === 0 ? { since: each.since } : each)),
      now,
    )
    const stage = school.stage((index) => (index === 1 ? 'target' : 'source'))
    await planAndApply(stage)
    const customer = idOf((await school.us.subscriptions.retrieve(school.subscriptions[0] ?? '')).customer)
    await school.us.invoiceItems.create({ customer, amount: 900, currency: 'usd' })
    expect(await codes(stage)).toEqual([])
    await school.us.invoiceItems.create({
      customer,
      subscription: school.subscriptions[1] ?? '',
      amount: 900,
      currency: 'usd',
    })
    expect(await codes(stage)).toEqual(['money_on_held_source'])
  })

  test('a cancel of both subscriptions causes no alarm, before its end or after it', async () => {
    const it = await moved()
    await using school = it.school
    await school.us.subscriptions.update(it.old, { cancel_at_period_end: true })
    await school.target.subscriptions.update(it.successor, { cancel_at_period_end: true })
    expect(await codes(school.stage('target'))).not.toContain('cancelled_in_source')
    await school.advance('2026-10-22T00:00:00Z')
    expect(await codes(school.stage('target'))).toEqual([])
  })

  test('a renewal, the end of a trial and the end of a discount are not changes', async () => {
    const people: Member[] = [
      { since: '2026-09-20T09:15:00Z', coupon: 'welcome' },
      { since: '2026-09-30T09:15:00Z', create: { trial_period_days: 14 } },
    ]
    await using school = await members(people, now)
    await planAndApply(school.stage('target'))
    for (const day of ['2026-10-22', '2026-12-22', '2027-01-22']) {
      await school.advance(`${day}T00:00:00Z`)
      expect([day, await codes(school.stage('target'))]).toEqual([day, []])
    }
  })
})

describe('promise 12: money added to the new subscription before a revert', () => {
  test.each([
    ['of the new subscription', true],
    ['of its customer alone', false],
  ])('a pending item %s stops the revert until it is billed or removed', async (_, isOwn) => {
    const it = await moved()
    await using school = it.school
    const { customer } = await school.target.subscriptions.retrieve(it.successor)
    const item = { customer: idOf(customer), amount: 2_500, currency: 'usd' }
    await school.target.invoiceItems.create(isOwn ? { ...item, subscription: it.successor } : item)
    expect((await makePlan(school.stage('source'))).blocked).toMatchObject([{ code: 'pending_invoice_items' }])
    // Deleted there and added to the old subscription, it is billed in the member's account.
    for (const { id } of (await school.target.invoiceItems.list({ pending: true })).data)
      await school.target.invoiceItems.del(id)
    await school.us.invoiceItems.create({ ...item, customer: it.customer, subscription: it.old })
    expect((await planAndApply(school.stage('source'))).result.ok).toBe(true)
    await school.advance('2026-10-22T00:00:00Z')
    expect((await school.charges()).flat().at(-1)).toMatch(/^us 2026-10-20\S* 7400 usd$/)
  })
})

test('the advice for a changed held subscription works: back to the source, then the old account bills the change', async () => {
  const { school, old, successor } = await moved()
  await using _ = school
  const { items } = await school.us.subscriptions.retrieve(old)
  const changed = { items: [{ id: items.data[0]?.id ?? '', quantity: 2 }], proration_behavior: 'none' as const }
  await school.us.subscriptions.update(old, changed)
  expect(await codes(school.stage('target'))).toEqual(['drift_on_held_source'])
  // The new subscription is as it was created; a change there is still asked about.
  const { data } = (await school.target.subscriptions.retrieve(successor)).items
  const there = { items: [{ id: data[0]?.id ?? '', quantity: 3 }], proration_behavior: 'none' as const }
  await school.target.subscriptions.update(successor, there)
  expect((await makePlan(school.stage('source'))).blocked.map(({ code }) => code)).toEqual(['changed_since_move'])
  await school.target.subscriptions.update(successor, {
    items: [{ id: data[0]?.id ?? '', quantity: 1 }],
    proration_behavior: 'none',
  })
  const { plan, result } = await planAndApply(school.stage('source'))
  expect([plan.blocked, result.changes.map(({ outcome }) => outcome)]).toEqual([[], ['done']])
  await school.advance('2026-10-25T00:00:00Z')
  expect((await school.charges())[0]?.map((charge) => charge.replace(/T\S+/, ''))).toEqual([
    'us 2026-09-20 4900 usd',
    'us 2026-10-20 9800 usd',
  ])
})
