import { expect, test } from 'vitest'
import type { Json, JsonObject } from '../../src/core/json.ts'
import { instant } from '../../src/core/instant.ts'
import { type LiveAccount, fillFromAccounts } from '../../src/sandbox/live/accounts.ts'
import { type Sandbox, createSandbox } from '../../src/sandbox/sandbox.ts'
import { charges, invoices, subscriptions } from '../../src/sandbox/stripe/billing/rows.ts'
import { paymentMethods } from '../../src/sandbox/stripe/payment-method-row.ts'

/** All objects of a list, page by page, as sent. */
async function pages(sandbox: Sandbox, account: string, path: string): Promise<Json[]> {
  const found: Json[] = []
  for (let cursor = ''; ;) {
    const response = await sandbox.fetch(
      `http://sandbox/v1/${path}${path.includes('?') ? '&' : '?'}limit=100${cursor === '' ? '' : `&starting_after=${cursor}`}`,
      { headers: { authorization: `Bearer sk_test_sandbox_${account}` } },
    )
    const page = (await response.json()) as { data: JsonObject[]; has_more: boolean }
    expect(response.status).toBe(200)
    found.push(...page.data)
    if (!page.has_more) return found
    cursor = String(page.data.at(-1)?.['id'] as string)
  }
}

async function pull(sandbox: Sandbox, account: string): Promise<LiveAccount> {
  const get = (path: string) => pages(sandbox, account, path)
  return {
    products: await get('products'),
    prices: [
      ...(await get('prices?active=true&expand[]=data.tiers&expand[]=data.currency_options')),
      ...(await get('prices?active=false&expand[]=data.tiers&expand[]=data.currency_options')),
    ],
    tax_rates: await get('tax_rates'),
    coupons: await get('coupons?expand[]=data.applies_to&expand[]=data.currency_options'),
    promotion_codes: await get('promotion_codes'),
    customers: await get('customers?expand[]=data.tax_ids'),
    subscriptions: await get('subscriptions?status=all&expand[]=data.discounts&expand[]=data.items.data.discounts'),
    schedules: await get('subscription_schedules'),
    invoice_items: await get('invoiceitems?pending=true'),
    invoices: [...(await get('invoices?status=open')), ...(await get('invoices?status=draft'))],
  }
}

function ledger(sandbox: Sandbox, keep: (subscription: string) => boolean): string[] {
  return ['us', 'intl'].flatMap((name) =>
    [...sandbox.world.account(name).table(charges).all()]
      .filter((row) => row.subscription !== null && row.created > begin && keep(row.subscription))
      .map((row) => `${name} ${row.subscription} ${row.created} ${row.amount} ${row.currency} ${row.status}`),
  )
}

let begin = 0

test('a world built from pulled objects has the same charges as the original for half a year', async () => {
  const real = createSandbox({ population: { name: 'school', subscribers: 300 }, keepEvents: false })
  begin = real.clock()
  const copy = createSandbox({ clock: real.clock(), keepEvents: false })
  fillFromAccounts(copy.world, { us: await pull(real, 'us'), intl: await pull(real, 'intl') })
  // Nothing that a list shows: that a bank will decline, how long a debit takes.
  const untold = new Set(
    ['us', 'intl'].flatMap((name) => {
      const account = real.world.account(name)
      const calm = (id: string) =>
        account
          .table(paymentMethods)
          .by('customer', id)
          .every((row) => row.temper.declines === null && row.temper.settles_after === 0)
      return [...account.table(subscriptions).all()]
        .filter((row) => !calm(row.customer) || row.collection_method === 'send_invoice')
        .map((row) => row.id)
    }),
  )
  const later = instant(begin + 183 * 86_400)
  await real.world.advance(later)
  await copy.world.advance(later)
  const expected = ledger(real, (id) => !untold.has(id)).toSorted()
  expect(expected.length).toBeGreaterThan(1_200)
  expect(ledger(copy, (id) => !untold.has(id)).toSorted()).toEqual(expected)
})

test('the objects are read back unchanged', async () => {
  const real = createSandbox({ population: { name: 'school', subscribers: 500 }, keepEvents: false })
  const copy = createSandbox({ clock: real.clock(), keepEvents: false })
  const pulled = await pull(real, 'intl')
  fillFromAccounts(copy.world, { intl: pulled })
  const again = await pull(copy, 'intl')
  for (const kind of ['products', 'prices', 'tax_rates', 'coupons', 'promotion_codes', 'customers'] as const)
    expect({ kind, objects: again[kind] }).toEqual({ kind, objects: pulled[kind] })
  expect(again.subscriptions).toEqual(pulled.subscriptions)
  expect(again.schedules).toEqual(pulled.schedules)
})

test('a world can be built without what lists omit: expanded methods, discounts by id, decimals of the SDK', () => {
  const sandbox = createSandbox()
  const customer = {
    id: 'cus_1',
    object: 'customer',
    created: 1,
    email: null,
    currency: 'usd',
    invoice_settings: { default_payment_method: 'pm_1' },
  }
  const price = {
    id: 'price_1',
    object: 'price',
    created: 1,
    currency: 'usd',
    product: { id: 'prod_1', object: 'product', created: 1, name: 'Membership' },
    recurring: { interval: 'month', interval_count: 1, usage_type: 'licensed' },
    unit_amount: 100,
    unit_amount_decimal: { toString: () => '100' },
  }
  // A decimal is an instance of a class, not a plain object.
  Object.setPrototypeOf(price.unit_amount_decimal, { toString: () => '100' })
  const subscription = {
    id: 'sub_1',
    object: 'subscription',
    created: 1,
    start_date: 1,
    customer,
    status: 'active',
    currency: 'usd',
    billing_cycle_anchor: 1,
    default_payment_method: { id: 'pm_1', object: 'payment_method', type: 'link', customer: 'cus_1' },
    items: {
      data: [
        {
          id: 'si_1',
          created: 1,
          price,
          quantity: 1,
          discounts: ['di_1'],
          current_period_start: 1,
          current_period_end: sandbox.clock() + 100,
        },
      ],
    },
  }
  fillFromAccounts(sandbox.world, { us: { customers: [customer], subscriptions: [subscription] as unknown as Json[] } })
  const us = sandbox.world.account('us')
  expect(us.table(paymentMethods).get('pm_1')).toMatchObject({ type: 'link', customer: 'cus_1' })
  expect(us.table(subscriptions).get('sub_1')?.items).toMatchObject([{ discounts: ['di_1'], price: 'price_1' }])
})

test('a rebuilt world never reuses an id of the world that it was read from', async () => {
  const real = createSandbox({ population: { name: 'school', subscribers: 80 }, keepEvents: false })
  const copy = createSandbox({ clock: real.clock(), keepEvents: false })
  fillFromAccounts(copy.world, { us: await pull(real, 'us') })
  const known = new Set([...real.world.account('us').table(invoices).all()].map((row) => row.id))
  await copy.world.advance(instant(copy.clock() + 40 * 86_400))
  const us = copy.world.account('us')
  const made = [...us.table(invoices).all()].filter((row) => row.created > real.clock())
  expect(made.length).toBeGreaterThan(30)
  expect(made.filter((row) => known.has(row.id))).toEqual([])
})

test('coupons that were not read give no reduction, but are shown', async () => {
  const real = createSandbox({ population: { name: 'school', subscribers: 80 }, keepEvents: false })
  const copy = createSandbox({ clock: real.clock(), keepEvents: false })
  const { coupons: _coupons, ...pulled } = await pull(real, 'us')
  fillFromAccounts(copy.world, { us: pulled })
  const discounted = (sandbox: Sandbox) =>
    [...sandbox.world.account('us').table(subscriptions).all()]
      .filter((row) => row.discounts.length > 0)
      .map((row) => row.id)
  expect(discounted(copy).length).toBeGreaterThan(3)
  expect(discounted(copy).toSorted()).toEqual(discounted(real).toSorted())
  await copy.world.advance(instant(copy.clock() + 40 * 86_400))
})
