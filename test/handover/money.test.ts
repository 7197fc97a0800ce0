import { describe, expect, test } from 'vitest'
import { present } from '../../src/core/assert.ts'
import type { Classification } from '../../src/handover/types.ts'
import { billsOf, drive } from './drive.ts'
import { memberOf, stageAt, subscribe, copyOf, type Stage } from './stage.ts'

async function found(stage: Stage, wanted: 'source' | 'target', id: string): Promise<Classification> {
  return present(
    (await stage.classify(wanted)).find(({ key }) => key === `us/${id}`),
    id,
  )
}

/** Plans once, then applies subscriber by subscriber, as one apply does. */
async function apply(stage: Stage, wanted: 'source' | 'target'): Promise<readonly string[]> {
  const all = await stage.classify(wanted)
  const outcomes: string[] = []
  for (const one of all) outcomes.push('plan' in one ? (await drive(stage, one.plan)).state.phase : one.outcome)
  return outcomes
}

async function balances(stage: Stage, member: string): Promise<{ us: number; target: number }> {
  const of = async (client: Stage['us']): Promise<number> => {
    const customer = await client.customers.retrieve(member)
    return 'balance' in customer ? customer.balance : 0
  }
  return { us: await of(stage.us), target: await of(stage.target) }
}

async function twoSubscriptions(): Promise<{ stage: Stage; member: string; one: string; other: string }> {
  const stage = await stageAt('2026-01-15T08:00:00Z')
  const member = await memberOf(stage)
  const one = await subscribe(stage, member)
  const other = await subscribe(stage, member, { price: 'quarterly' })
  await stage.advance('2026-02-20T00:00:00Z')
  await stage.us.customers.createBalanceTransaction(member, { amount: -6_000, currency: 'usd' })
  await stage.copy()
  stage.policies['customer_balance'] = 'carry'
  return { stage, member, one, other }
}

test.each([
  ['active', { status: 'active' }, 4_900],
  ['past due', { status: 'past_due' }, 4_900],
  ['unpaid: Stripe has given up', { status: 'unpaid' }, 0],
  ['paused after a trial without a card', { status: 'paused' }, 0],
  ['not begun', { status: 'incomplete' }, 0],
  ['collection paused', { pause_collection: { behavior: 'void', resumes_at: null } }, 0],
] as const)('monthly revenue counts what is collected: %s', async (_, shown, amount) => {
  const stage = await stageAt('2026-01-15T08:00:00Z')
  await subscribe(stage, await memberOf(stage))
  stage.tampers.push((live) => ({
    ...live,
    sources: new Map(
      [...live.sources].map(([name, one]) => [
        name,
        { ...one, subscriptions: one.subscriptions.map((each) => ({ ...each, ...shown })) },
      ]),
    ),
  }))
  expect(await stage.classify('source')).toMatchObject([{ monthly: { amount, currency: 'usd' } }])
})

describe('money of the customer', () => {
  test('promise 2: two subscriptions with a credit, one of them blocked: neither moves, and the credit stays', async () => {
    const { stage, member, one, other } = await twoSubscriptions()
    stage.subscribers.set(other, { items: [{ price: 'monthly' }] })
    expect((await found(stage, 'target', one)) as unknown).toMatchObject({
      outcome: 'blocked',
      reasons: [
        { code: 'customer_split', message: expect.stringContaining(`us/${other} of the same customer is blocked`) },
      ],
    })
    expect(await apply(stage, 'target')).toEqual(['blocked', 'blocked'])
    expect(await balances(stage, member)).toEqual({ us: -6_000, target: 0 })
    stage.subscribers.set(other, {})
    expect((await apply(stage, 'target')).toSorted()).toEqual(['moved', 'moved'])
    expect(await balances(stage, member)).toEqual({ us: 0, target: -6_000 })
  })

  test.each([
    ['in a later wave', { stage: 'source' }, 'stays where it is'],
    ['excluded', { excluded: 'keeps paying there' }, 'is excluded'],
    ['undeclared', undefined, 'is in no subscriber file'],
  ] as const)('promise 2: a sibling that is %s keeps the other one', async (_, entry, why) => {
    const { stage, one, other } = await twoSubscriptions()
    if (entry === undefined) stage.subscribers.delete(other)
    else stage.subscribers.set(other, entry)
    const blocked = await found(stage, 'target', one)
    expect(blocked).toMatchObject({ outcome: 'blocked', reasons: [{ code: 'customer_split' }] })
    expect(JSON.stringify(blocked)).toContain(why)
    expect(JSON.stringify(blocked)).toContain('a balance of -60.00 usd')
  })

  test.each([
    ['a debt', 700],
    ['a credit', -700],
  ] as const)('%s that nobody shares keeps nobody', async (_, amount) => {
    const { stage, member, one, other } = await twoSubscriptions()
    await stage.us.customers.createBalanceTransaction(member, { amount: 6_000 + amount, currency: 'usd' })
    stage.subscribers.set(other, { stage: 'source' })
    expect((await found(stage, 'target', one)).outcome).toBe('blocked')
    await stage.us.customers.createBalanceTransaction(member, { amount: -amount, currency: 'usd' })
    expect((await found(stage, 'target', one)).outcome).toBe('move')
  })

  test('promise 2: an item without subscription keeps the siblings together, and one that names its subscription does not', async () => {
    const { stage, member, one, other } = await twoSubscriptions()
    await stage.us.customers.createBalanceTransaction(member, { amount: 6_000, currency: 'usd' })
    stage.policies['pending_invoice_items'] = 'carry'
    stage.subscribers.set(other, { stage: 'source' })
    await stage.us.invoiceItems.create({ customer: member, subscription: other, amount: 300, currency: 'usd' })
    expect((await found(stage, 'target', one)).outcome).toBe('move')
    const item = await stage.us.invoiceItems.create({ customer: member, amount: 800, currency: 'usd' })
    const blocked = await found(stage, 'target', one)
    expect(blocked).toMatchObject({ outcome: 'blocked', reasons: [{ code: 'customer_split' }] })
    expect(JSON.stringify(blocked)).toContain(`item ${item.id} of 8.00 usd`)
  })

  test('the override lets one leave without the credit, which stays for the other', async () => {
    const { stage, member, one, other } = await twoSubscriptions()
    stage.subscribers.set(one, { override: ['customer_split'] })
    stage.subscribers.set(other, { stage: 'source' })
    // The other one renews in April, so this renewal would have used the credit.
    expect(await found(stage, 'target', one)).toMatchObject({
      plan: { charge: { amount: 4_900, before: { amount: 0 } } },
      split: `the renewal is charged without a balance of -60.00 usd of customer ${member}, which stays in us`,
    })
    expect((await apply(stage, 'target')).toSorted()).toEqual(['moved', 'unchanged'])
    expect(await balances(stage, member)).toEqual({ us: -6_000, target: 0 })
  })

  test('a credit given in the old account after only one of two was moved is reported where it changes a bill', async () => {
    const { stage, member, one, other } = await twoSubscriptions()
    await stage.us.customers.createBalanceTransaction(member, { amount: 6_000, currency: 'usd' })
    stage.subscribers.set(one, { stage: 'target' })
    stage.subscribers.set(other, { stage: 'source' })
    expect((await apply(stage, 'source')).toSorted()).toEqual(['moved', 'unchanged'])
    const drift = async (): Promise<readonly string[]> =>
      (await found(stage, 'source', one)).drift.map(({ code }) => code)
    expect(await drift()).toEqual([])
    // The other one renews in April, this one in March: it would have used the credit.
    await stage.us.customers.createBalanceTransaction(member, { amount: -500, currency: 'usd' })
    expect(await drift()).toEqual(['customer_split'])
    stage.subscribers.set(one, { stage: 'target', override: ['customer_split'] })
    expect(await drift()).toEqual([])
  })

  test('both move in one plan: the credit moves with the last of them, once', async () => {
    const { stage, member } = await twoSubscriptions()
    const controlRun = await copyOf(stage)
    const plans = (await stage.classify('target')).flatMap((one) => ('plan' in one ? [one.plan] : []))
    expect(plans.map(({ expect: { money, money_after: after } }) => [money.length, after.length])).toEqual([
      [0, 0],
      [3, 1],
    ])
    expect(await apply(stage, 'target')).toEqual(['moved', 'moved'])
    expect(await balances(stage, member)).toEqual({ us: 0, target: -6_000 })
    for (const world of [stage, controlRun]) await world.advance('2026-09-01T00:00:00Z')
    expect(await billsOf(stage)).toEqual(await billsOf(controlRun))
  })

  test('a revert before the renewal returns the whole credit, after it the rest', async () => {
    const { stage, member } = await twoSubscriptions()
    await apply(stage, 'target')
    const later = await copyOf(stage)
    later.policies['customer_balance'] = 'carry'
    expect(await apply(stage, 'source')).toEqual(['source', 'source'])
    expect(await balances(stage, member)).toEqual({ us: -6_000, target: 0 })
    await later.advance('2026-03-20T00:00:00Z')
    expect(await apply(later, 'source')).toEqual(['source', 'source'])
    expect(await balances(later, member)).toEqual({ us: -1_100, target: 0 })
  })

  test('pending invoice items move, are billed once, and return with a revert', async () => {
    const stage = await stageAt('2026-01-15T08:00:00Z')
    const member = await memberOf(stage)
    const id = await subscribe(stage, member)
    await stage.advance('2026-02-20T00:00:00Z')
    await stage.us.invoiceItems.create({
      customer: member,
      subscription: id,
      amount: 700,
      currency: 'usd',
      description: 'Workshop',
      tax_rates: [present(stage.ids.get('us tax_rate.vat'), 'vat')],
    })
    await stage.us.invoiceItems.create({ customer: member, amount: 300, currency: 'usd', description: 'Postage' })
    await stage.copy()
    stage.policies['pending_invoice_items'] = 'carry'
    const controlRun = await copyOf(stage)
    expect(await apply(stage, 'target')).toEqual(['moved'])
    const pending = async (client: Stage['us']): Promise<readonly number[]> =>
      (await client.invoiceItems.list({ customer: member, pending: true })).data
        .map(({ amount }) => amount)
        .toSorted((a, b) => a - b)
    expect([await pending(stage.us), await pending(stage.target)]).toEqual([[], [300, 700]])
    const back = await copyOf(stage)
    back.policies['pending_invoice_items'] = 'carry'
    for (const world of [stage, controlRun]) await world.advance('2026-06-01T00:00:00Z')
    expect(await billsOf(stage)).toEqual(await billsOf(controlRun))
    await back.target.taxRates.update(present(back.ids.get('target tax_rate.vat'), 'vat'), {
      metadata: { crossbill_address: 'tax_rate.vat' },
    })
    expect(await apply(back, 'source')).toEqual(['source'])
    expect([await pending(back.us), await pending(back.target)]).toEqual([[300, 700], []])
    await back.advance('2026-06-01T00:00:00Z')
    expect(await billsOf(back)).toEqual(await billsOf(controlRun))
  })

  test('past due, carried: the open invoice is collected in the target, once; after a revert in the source again', async () => {
    const stage = await stageAt('2026-01-15T08:00:00Z')
    const member = await memberOf(stage)
    const id = await subscribe(stage, member, { default_tax_rates: [present(stage.ids.get('us tax_rate.vat'), 'vat')] })
    await stage.act('decline_card', { account: 'us', subscription: id })
    await stage.advance('2026-02-16T00:00:00Z')
    await stage.copy()
    stage.policies['past_due'] = 'carry'
    expect(await apply(stage, 'target')).toEqual(['moved'])
    const invoices = async (client: Stage['us']): Promise<readonly string[]> =>
      (await client.invoices.list({ customer: member })).data.map(({ status, total }) => `${status ?? ''} ${total}`)
    expect(await invoices(stage.us)).toEqual(['void 5831', 'paid 5831'])
    expect(await invoices(stage.target)).toEqual(['open 5831'])
    const rate = present(stage.ids.get('target tax_rate.vat'), 'vat')
    stage.tampers.push((live) => ({
      ...live,
      resources: new Map([
        ['tax_rate', [{ object: 'tax_rate', id: rate, metadata: { crossbill_address: 'tax_rate.vat' } }]],
      ]),
    }))
    expect(await apply(stage, 'source')).toEqual(['source'])
    expect(await invoices(stage.target)).toEqual(['void 5831'])
    expect((await invoices(stage.us))[0]).toBe('open 5831')
  })

  test('past due, left: the old account continues to collect, even after the settle', async () => {
    const stage = await stageAt('2026-01-15T08:00:00Z')
    const member = await memberOf(stage)
    const id = await subscribe(stage, member)
    await stage.act('decline_card', { account: 'us', subscription: id })
    await stage.advance('2026-02-16T00:00:00Z')
    await stage.copy()
    stage.policies['past_due'] = 'leave'
    expect(await apply(stage, 'target')).toEqual(['moved'])
    const open = async (): Promise<unknown> =>
      (await stage.us.invoices.list({ customer: member, status: 'open' })).data.map(
        ({ auto_advance: advances }) => advances,
      )
    expect(await open()).toEqual([true])
  })

  test('promise 2: a discounted debt that moves keeps the discounted amount', async () => {
    const stage = await stageAt('2026-01-15T08:00:00Z')
    const member = await memberOf(stage)
    const id = await subscribe(stage, member, {
      discounts: [{ coupon: present(stage.ids.get('us coupon.welcome-20'), 'welcome-20') }],
    })
    await stage.act('decline_card', { account: 'us', subscription: id })
    await stage.advance('2026-02-16T00:00:00Z')
    await stage.copy()
    stage.policies['past_due'] = 'carry'
    expect(await apply(stage, 'target')).toEqual(['moved'])
    const owed = async (client: Stage['us']): Promise<readonly number[]> =>
      (await client.invoices.list({ customer: member, status: 'open' })).data.map(({ amount_due: due }) => due)
    expect([await owed(stage.us), await owed(stage.target)]).toEqual([[], [3920]])
  })

  test('promise 2: one of two subscriptions reverted: both share a credit in the target, so it stays there', async () => {
    const { stage, member, one, other } = await twoSubscriptions()
    await apply(stage, 'target')
    expect(await balances(stage, member)).toEqual({ us: 0, target: -6_000 })
    stage.subscribers.set(one, { ...stage.subscribers.get(one), stage: 'source' })
    stage.subscribers.set(other, { ...stage.subscribers.get(other), stage: 'target' })
    const all = await stage.classify('target')
    expect(all.map(({ outcome }) => outcome).toSorted()).toEqual(['blocked', 'unchanged'])
    expect(all.find(({ outcome }) => outcome === 'blocked')).toMatchObject({ reasons: [{ code: 'customer_split' }] })
    expect(await balances(stage, member)).toEqual({ us: 0, target: -6_000 })
  })

  test('one of two subscriptions reverted: a pending item of the other one stays with it', async () => {
    const { stage, member, one, other } = await twoSubscriptions()
    await stage.us.customers.createBalanceTransaction(member, { amount: 6_000, currency: 'usd' })
    stage.policies['pending_invoice_items'] = 'carry'
    for (const [subscription, amount] of [
      [one, 700],
      [other, 300],
    ] as const)
      await stage.us.invoiceItems.create({ customer: member, subscription, amount, currency: 'usd' })
    await apply(stage, 'target')
    const pending = async (client: Stage['us']): Promise<readonly number[]> =>
      (await client.invoiceItems.list({ customer: member, pending: true })).data
        .map(({ amount }) => amount)
        .toSorted((a, b) => a - b)
    expect([await pending(stage.us), await pending(stage.target)]).toEqual([[], [300, 700]])
    stage.subscribers.set(one, { ...stage.subscribers.get(one), stage: 'source' })
    stage.subscribers.set(other, { ...stage.subscribers.get(other), stage: 'target' })
    for (const classified of await stage.classify('target'))
      if ('plan' in classified) await drive(stage, classified.plan)
    expect([await pending(stage.us), await pending(stage.target)]).toEqual([[700], [300]])
  })

  test('a balance in another currency than the subscription is not carried in part', async () => {
    const { stage, one } = await twoSubscriptions()
    stage.tampers.push((live) => ({
      ...live,
      sources: new Map(
        [...live.sources].map(([name, account]) => [
          name,
          {
            ...account,
            customers: new Map(
              [...account.customers].map(([id, customer]) => [
                id,
                { ...customer, invoice_credit_balance: { eur: -100 } },
              ]),
            ),
          },
        ]),
      ),
    }))
    const all = await stage.classify('target')
    expect(all.map((each) => (each.outcome === 'blocked' ? each.reasons[0].code : each.outcome))).toEqual([
      'customer_split',
      'customer_balance',
    ])
    expect((await found(stage, 'target', one)).key).toBe(`us/${one}`)
  })
})

describe('the customer is carried as well', () => {
  test('tax ids, exemption, languages, footer and shipping are set before the subscription exists; the plan contains no personal data', async () => {
    const stage = await stageAt('2026-01-15T08:00:00Z')
    const member = await memberOf(stage, {
      tax_exempt: 'reverse',
      preferred_locales: ['de', 'en'],
      shipping: {
        name: 'A Member',
        address: { line1: 'Musterweg 5', city: 'Berlin', country: 'DE', postal_code: '10115' },
      },
      address: { country: 'DE', postal_code: '10115' },
    })
    await stage.us.customers.update(member, {
      invoice_settings: { footer: 'Thank you, A Member', custom_fields: [{ name: 'PO', value: 'order-77' }] },
    })
    await stage.us.customers.createTaxId(member, { type: 'eu_vat', value: 'DE123456789' })
    const id = await subscribe(stage, member)
    await stage.advance('2026-02-20T00:00:00Z')
    await stage.copy()
    const one = await found(stage, 'target', id)
    expect(JSON.stringify(one)).not.toMatch(/Member|Musterweg|DE123456789|order-77/)
    expect(await apply(stage, 'target')).toEqual(['moved'])
    expect(await stage.target.customers.retrieve(member, { expand: ['tax_ids'] })).toMatchObject({
      tax_exempt: 'reverse',
      preferred_locales: ['de', 'en'],
      shipping: { name: 'A Member', address: { line1: 'Musterweg 5' } },
      invoice_settings: { footer: 'Thank you, A Member', custom_fields: [{ name: 'PO', value: 'order-77' }] },
      tax_ids: { data: [{ type: 'eu_vat', value: 'DE123456789' }] },
    })
    expect(await apply(stage, 'target')).toEqual(['unchanged'])
  })
})
