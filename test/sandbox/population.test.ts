import { describe, expect, test } from 'vitest'
import { instant } from '../../src/core/instant.ts'
import { type Sandbox, cloneSandbox, createSandbox } from '../../src/sandbox/sandbox.ts'
import { prices } from '../../src/sandbox/stripe/prices.ts'
import {
  type SubscriptionRow,
  charges,
  invoiceItems,
  invoices,
  subscriptions,
} from '../../src/sandbox/stripe/billing/rows.ts'
import { copyCustomers } from '../../src/sandbox/copy.ts'
import { siteOf } from '../../src/sandbox/kajabi/module.ts'
import type { Row, TableDefinition } from '../../src/sandbox/kernel/tables.ts'
import { customers } from '../../src/sandbox/stripe/customer-row.ts'
import { discounts } from '../../src/sandbox/stripe/discounts.ts'
import { paymentLinks } from '../../src/sandbox/stripe/payment-links.ts'
import { paymentMethods } from '../../src/sandbox/stripe/payment-method-row.ts'
import { taxIds } from '../../src/sandbox/stripe/tax-ids.ts'
import { endpoints } from '../../src/sandbox/stripe/webhook-endpoints.ts'

const school = (subscribers: number, seed = 1) =>
  createSandbox({ seed, population: { name: 'school', subscribers }, keepEvents: false })

function all(sandbox: Sandbox): SubscriptionRow[] {
  return ['us', 'intl'].flatMap((name) => [...sandbox.world.account(name).table(subscriptions).all()])
}

const ledger = (sandbox: Sandbox) =>
  ['us', 'intl'].flatMap((name) =>
    [...sandbox.world.account(name).table(charges).all()].map((row) => JSON.stringify({ name, ...row, id: '' })),
  )

test('the same seed builds the same school, another seed another one', () => {
  const rows = (sandbox: Sandbox) =>
    [...sandbox.world.dump()].map(({ table, key, value }) => `${table} ${key} ${value}`).toSorted()
  const first = rows(school(60, 4))
  expect(rows(school(60, 4))).toEqual(first)
  expect(rows(school(60, 5))).not.toEqual(first)
})

test('the world is at the requested instant, with a past and without overdue work', () => {
  const clock = instant(Date.UTC(2026, 11, 1, 12) / 1_000)
  const sandbox = school(200)
  expect(sandbox.clock()).toBe(clock)
  expect(sandbox.world.queue.peek()?.at).toBeGreaterThan(clock)
  expect(Math.max(...all(sandbox).map((row) => row.created))).toBeLessThanOrEqual(clock)
  const running = all(sandbox).filter((row) => ['active', 'past_due', 'trialing'].includes(row.status))
  const ends = running.flatMap((row) => row.items.map((item) => item.current_period_end))
  expect(Math.min(...ends)).toBeGreaterThan(clock)
  // Nearly every newest invoice is a paid renewal, as in an account with a real past.
  const newest = all(sandbox).flatMap((row) => {
    const account = row.metadata['member'] === undefined ? undefined : row.latest_invoice
    return account === null || account === undefined ? [] : [account]
  })
  const found = ['us', 'intl'].flatMap((name) =>
    newest.flatMap((id) => sandbox.world.account(name).table(invoices).get(id) ?? []),
  )
  expect(found.filter((invoice) => invoice.status === 'paid').length).toBeGreaterThan(170)
})

describe('a school of 2,000 has every oddity that causes trouble in practice', () => {
  const sandbox = school(2_000)
  const rows = all(sandbox)
  const priceOf = (id: string) =>
    sandbox.world.account('us').table(prices).get(id) ?? sandbox.world.account('intl').table(prices).get(id)
  const share = (accepts: (row: SubscriptionRow) => boolean) => rows.filter(accepts).length

  test.each([
    ['active', 1_700],
    ['trialing', 40],
    ['past_due', 15],
    ['canceled', 20],
    ['paused', 3],
    ['unpaid', 4],
    ['incomplete', 1],
  ] as const)('status %s', (status, least) => {
    expect(share((row) => row.status === status)).toBeGreaterThanOrEqual(least)
  })

  test.each<[string, number, (row: SubscriptionRow) => boolean]>([
    ['anchored on the 29th to 31st', 150, (row) => new Date(row.billing_cycle_anchor * 1_000).getUTCDate() > 28],
    [
      'anchored on a 29 February',
      2,
      (row) => new Date(row.billing_cycle_anchor * 1_000).toISOString().includes('-02-29'),
    ],
    ['several items', 60, (row) => row.items.length > 1],
    ['a quantity', 60, (row) => row.items.some((item) => (item.quantity ?? 1) > 1)],
    ['ending with the period', 20, (row) => row.cancel_at_period_end],
    ['ending at a date', 5, (row) => row.cancel_at !== null && row.status !== 'canceled'],
    ['paused collection', 15, (row) => row.pause_collection !== null],
    ['paused until a date', 4, (row) => row.pause_collection?.resumes_at != null],
    ['sent invoices', 15, (row) => row.collection_method === 'send_invoice'],
    ['automatic tax', 20, (row) => row.automatic_tax.enabled],
    ['tax rates on the subscription', 400, (row) => row.default_tax_rates.length > 0],
    ['tax rates on an item', 10, (row) => row.items.some((item) => item.tax_rates.length > 0)],
    ['discounts', 250, (row) => row.discounts.length > 0],
    ['a discount on an item', 5, (row) => row.items.some((item) => item.discounts.length > 0)],
    ['classic billing', 700, (row) => row.billing_mode === 'classic'],
    ['flexible billing', 500, (row) => row.billing_mode === 'flexible'],
    ['its own method', 200, (row) => row.default_payment_method !== null || row.default_source !== null],
    ['created by an application', 5, (row) => row.application !== null],
    ['thresholds', 2, (row) => row.billing_thresholds !== null],
    ['an anchor config', 10, (row) => row.billing_cycle_anchor_config !== null],
    ['a start before its creation', 10, (row) => row.start_date < row.created],
    [
      'an anchor that was moved',
      15,
      (row) => row.billing_cycle_anchor > row.start_date && row.trial_end === null && row.start_date === row.created,
    ],
    ['a schedule', 12, (row) => row.schedule !== null],
    ['a metered price', 8, (row) => row.items.some((item) => priceOf(item.price)?.recurring?.usage_type === 'metered')],
    ['a tiered price', 15, (row) => row.items.some((item) => priceOf(item.price)?.billing_scheme === 'tiered')],
    ['an archived price', 40, (row) => row.items.some((item) => priceOf(item.price)?.active === false)],
    [
      'an ad-hoc price',
      180,
      (row) => row.items.some((item) => priceOf(item.price)?.nickname?.startsWith('SamCart') === true),
    ],
    [
      'a price in several currencies',
      10,
      (row) => row.items.some((item) => Object.keys(priceOf(item.price)?.currency_options ?? {}).length > 0),
    ],
  ])('%s', (_, least, accepts) => {
    expect(share(accepts)).toBeGreaterThanOrEqual(least)
  })

  test('seven currencies, with zero- and three-decimal ones; weekly to three-yearly', () => {
    expect(new Set(rows.map((row) => row.currency))).toEqual(new Set(['usd', 'cad', 'gbp', 'eur', 'aud', 'jpy', 'kwd']))
    const cadences = rows
      .flatMap((row) => row.items.map((item) => priceOf(item.price)?.recurring))
      .map((recurring) => `${recurring?.interval_count} ${recurring?.interval}`)
    expect(new Set(cadences)).toEqual(
      new Set(['1 week', '2 week', '1 month', '3 month', '6 month', '1 year', '2 year', '3 year']),
    )
  })
})

describe('the customers of a school of 2,000', () => {
  const sandbox = school(2_000)
  const count = <R extends Row>(table: TableDefinition<R>, accepts: (row: R) => boolean) =>
    ['us', 'intl'].flatMap((name) => [...sandbox.world.account(name).table(table).all()]).filter(accepts).length

  test('credit and debts, pending items, drafts, own discounts, tax ids', () => {
    const balances = (sign: number) =>
      count(customers, (row) => Object.values(row.balances).some((amount) => amount * sign > 0))
    expect(balances(-1)).toBeGreaterThanOrEqual(8)
    expect(balances(1)).toBeGreaterThanOrEqual(2)
    expect(count(invoiceItems, (row) => row.invoice === null)).toBeGreaterThanOrEqual(8)
    expect(count(invoices, (row) => row.status === 'draft' && row.billing_reason === 'manual')).toBeGreaterThanOrEqual(
      4,
    )
    expect(count(customers, (row) => row.discount !== null)).toBeGreaterThanOrEqual(35)
    const kinds = ['us', 'intl'].flatMap((name) => {
      const account = sandbox.world.account(name)
      return [...account.table(customers).all()].flatMap(
        (row) => account.table(discounts).get(row.discount ?? '') ?? [],
      )
    })
    expect(new Set(kinds.map((row) => row.coupon))).toEqual(new Set(['FOUNDER-20', 'STAY-50', 'WELCOME-6M']))
    expect(count(taxIds, () => true)).toBeGreaterThanOrEqual(2)
  })

  test('payment methods of every form, and those that are not copied', () => {
    const forms = (form: string) => count(paymentMethods, (row) => row.form === form)
    for (const form of ['card', 'source', 'bank_account'])
      expect({ form, some: forms(form) > 3 }).toEqual({ form, some: true })
    for (const type of ['link', 'bacs_debit', 'acss_debit', 'sepa_debit', 'us_bank_account'])
      expect({ type, some: count(paymentMethods, (row) => row.type === type) > 0 }).toEqual({ type, some: true })
    const from = ['us', 'intl'].map((name) => copyCustomers(cloneSandbox(sandbox).world, { from: name, to: 'target' }))
    const copied = from
      .join('\n')
      .split('\n')
      .filter((line) => line.startsWith('cus_')).length
    const all = count(paymentMethods, (row) => !row.detached)
    expect(copied).toBeGreaterThan(all * 0.95)
    expect(copied).toBeLessThan(all)
  })

  test('the same people in both accounts, and two subscriptions of one customer', () => {
    const emails = (name: string) =>
      new Set([...sandbox.world.account(name).table(customers).all()].map((row) => row.email))
    expect([...emails('us')].filter((email) => emails('intl').has(email)).length).toBeGreaterThan(20)
    const owners = [...sandbox.world.account('us').table(subscriptions).all()].map((row) => row.customer)
    expect(owners.length - new Set(owners).size).toBeGreaterThan(10)
  })

  test('the old doors are open', async () => {
    const read = async (path: string) => {
      const response = await sandbox.fetch(`http://x${path}`, {
        headers: { authorization: 'Bearer sk_test_sandbox_us' },
      })
      return ((await response.json()) as { data: object[] }).data
    }
    expect(await read('/v1/billing_portal/configurations?active=true')).toMatchObject([
      { login_page: { enabled: true } },
    ])
    expect(await read('/v1/payment_links?active=true')).toHaveLength(2)
    expect(await read('/v1/webhook_endpoints')).toMatchObject([{ status: 'enabled' }])
    expect(await read('/v1/checkout/sessions?status=open')).toHaveLength(1)
  })
})

test('forgotten links continue to sell until they are closed', async () => {
  const open = () =>
    createSandbox({ population: { name: 'school', subscribers: 120, surprises: true }, keepEvents: false })
  const late = (sandbox: Sandbox) => all(sandbox).filter((row) => row.metadata['payment_link'] !== undefined).length
  const sells = open()
  expect(late(sells)).toBe(0)
  const closed = cloneSandbox(sells)
  for (const name of ['us', 'intl'])
    for (const link of closed.world.account(name).table(paymentLinks).all())
      await closed.fetch(`http://x/v1/payment_links/${link.id}`, {
        method: 'POST',
        headers: { authorization: `Bearer sk_test_sandbox_${name}`, 'idempotency-key': link.id },
        body: new URLSearchParams({ active: 'false' }),
      })
  for (const sandbox of [sells, closed]) await sandbox.world.advance(instant(sandbox.clock() + 70 * 86_400))
  expect([late(sells), late(closed)]).toEqual([2, 0])
})

test('the old integration revokes access after an ended subscription, unless its endpoint is disabled', async () => {
  const left = async (disable: boolean) => {
    const sandbox = school(120)
    const us = sandbox.world.account('us')
    const headers = { authorization: 'Bearer sk_test_sandbox_us' }
    const [endpoint] = [...us.table(endpoints).all()]
    const body = new URLSearchParams({ disabled: String(disable) })
    await sandbox.fetch(`http://x/v1/webhook_endpoints/${endpoint?.id}`, {
      method: 'POST',
      headers: { ...headers, 'idempotency-key': 'disable' },
      body,
    })
    const site = siteOf(sandbox.world)
    const [row] = [...us.table(subscriptions).all()].filter((candidate) => {
      const contact = site.contactOf(us.table(customers).get(candidate.customer)?.email ?? '')
      return (
        candidate.status === 'active' &&
        contact !== undefined &&
        site.grantsOf(contact.id).some((grant) => grant.by !== 'purchase')
      )
    })
    const contact = site.contactOf(us.table(customers).get(row?.customer ?? '')?.email ?? '')?.id ?? ''
    await sandbox.fetch(`http://x/v1/subscriptions/${row?.id}`, { method: 'DELETE', headers })
    const before = site.grantsOf(contact).length
    await sandbox.world.advance(instant(sandbox.clock() + 3 * 86_400))
    return { before, after: site.grantsOf(contact).length }
  }
  expect(await left(false)).toEqual({ before: 1, after: 0 })
  expect(await left(true)).toEqual({ before: 1, after: 1 })
})

test('payment plans outside Stripe’s subscriptions continue: one charge a month without an invoice', async () => {
  const sandbox = school(120)
  const count = () => [...sandbox.world.account('us').table(charges).all()].filter((row) => row.invoice === null).length
  const before = count()
  await sandbox.world.advance(instant(sandbox.clock() + 61 * 86_400))
  expect(before).toBeGreaterThanOrEqual(2)
  expect(count() - before).toBeGreaterThanOrEqual(2)
})

test('members pay sent invoices when they are reminded', async () => {
  const sandbox = school(400)
  await sandbox.world.advance(instant(sandbox.clock() + 120 * 86_400))
  const sent = all(sandbox).filter((row) => row.collection_method === 'send_invoice')
  expect(sent.length).toBeGreaterThan(3)
  expect(new Set(sent.map((row) => row.status))).not.toContain('canceled')
})

test('a project with one old account only gets a school in it', () => {
  const sandbox = createSandbox({ accounts: ['us', 'target'], population: { name: 'school', subscribers: 150 } })
  expect(sandbox.world.account('us').table(subscriptions).size).toBe(150)
})

test('Kajabi has the members as contacts; some are in both accounts, some pay outside Stripe’s subscriptions', async () => {
  const sandbox = school(400)
  const { offers, tags, contacts } = (await (await sandbox.fetch('http://x/_sandbox/kajabi')).json()) as {
    offers: { title: string }[]
    tags: { name: string }[]
    contacts: number
  }
  expect(contacts).toBeGreaterThan(300)
  expect(offers.map((offer) => offer.title)).toContain('Formulation Membership: access')
  expect(tags.map((tag) => tag.name)).toContain('cancel-membership')
  const outside = [...sandbox.world.account('us').table(charges).all()].filter((row) => row.invoice === null)
  expect(outside.length).toBeGreaterThanOrEqual(4)
})

// Like every answer of every sandbox here, they are compared with the SDK's description.
test('bank debits and wallets are shown in full, even with unknown details', async () => {
  const sandbox = school(400)
  const odd = ['us', 'intl'].flatMap((name) =>
    [...sandbox.world.account(name).table(paymentMethods).all()]
      .filter(({ form, type }) => form === 'payment_method' && type !== 'card')
      .map(({ id, type }) => ({ name, id, type })),
  )
  expect(new Set(odd.map(({ type }) => type))).toEqual(new Set(['link', 'bacs_debit', 'acss_debit', 'us_bank_account']))
  for (const { name, id, type } of odd) {
    const headers = { authorization: `Bearer sk_test_sandbox_${name}` }
    const shown = await (await sandbox.fetch(`https://x/v1/payment_methods/${id}`, { headers })).json()
    expect(shown).toMatchObject({ id, type, [type]: {} })
  }
})

test('copies have the same charges for fourteen months, which contain a year of renewals', async () => {
  const sandbox = school(60)
  const copy = cloneSandbox(sandbox)
  const later = instant(Date.UTC(2028, 1, 1) / 1_000)
  await sandbox.world.advance(later)
  await copy.world.advance(later)
  expect(ledger(copy).toSorted()).toEqual(ledger(sandbox).toSorted())
  const since = ledger(sandbox).length - ledger(school(60)).length
  expect(since).toBeGreaterThan(700)
})

test('a reset restores the first day', async () => {
  const sandbox = school(60)
  const before = ledger(sandbox)
  await sandbox.world.advance(instant(sandbox.clock() + 40 * 86_400))
  expect(ledger(sandbox)).not.toEqual(before)
  await sandbox.fetch('http://x/_sandbox/reset', { method: 'POST' })
  expect(ledger(sandbox)).toEqual(before)
})

test('sources in `copied` are copied from the first instant on', async () => {
  const sandbox = createSandbox({
    population: { name: 'school', subscribers: 60 },
    copied: ['us', 'intl'],
    keepEvents: false,
  })
  const response = await sandbox.fetch('http://x/_sandbox/copy', {
    method: 'POST',
    body: JSON.stringify({ from: 'us', to: 'target' }),
  })
  expect((await response.text()).split('\n').length).toBeGreaterThan(30)
  expect(sandbox.world.account('target').table({ name: 'copied_customers' }).size).toBeGreaterThan(50)
})

test('every list of an old account can be read to its end, page by page', async () => {
  const sandbox = school(250)
  const headers = { authorization: 'Bearer sk_test_sandbox_us' }
  const lists =
    'charges coupons customers invoiceitems invoice_payments invoices payment_intents prices products promotion_codes subscription_schedules subscriptions tax_rates webhook_endpoints payment_links'
  for (const list of lists.split(' ')) {
    const seen: string[] = []
    for (let more = true; more;) {
      const cursor = seen.length === 0 ? '' : `&starting_after=${seen.at(-1)}`
      const response = await sandbox.fetch(`http://x/v1/${list}?limit=7${cursor}`, { headers })
      const page = (await response.json()) as { data: { id: string }[]; has_more: boolean }
      expect({ list, status: response.status }).toEqual({ list, status: 200 })
      seen.push(...page.data.map((row) => row.id))
      more = page.has_more
    }
    expect({ list, twice: seen.length - new Set(seen).size }).toEqual({ list, twice: 0 })
  }
})
