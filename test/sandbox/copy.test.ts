import Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { Context } from '../../src/sandbox/kernel/context.ts'
import { type Sandbox, createSandbox } from '../../src/sandbox/sandbox.ts'
import { newPaymentMethod } from '../../src/sandbox/stripe/payment-method-row.ts'

const client = (sandbox: Sandbox, account: string) =>
  new Stripe(`sk_test_sandbox_${account}`, { httpClient: Stripe.createFetchHttpClient(sandbox.fetch) })

function open() {
  const sandbox = createSandbox()
  return { sandbox, us: client(sandbox, 'us'), target: client(sandbox, 'target') }
}

async function copy(sandbox: Sandbox, options: object = {}) {
  const response = await sandbox.fetch('http://sandbox/_sandbox/copy', {
    method: 'POST',
    body: JSON.stringify({ from: 'us', to: 'target', ...options }),
  })
  const text = await response.text()
  const [header, ...rows] = text.trimEnd().split('\n')
  return { status: response.status, header, rows: rows.map((row) => row.split(',')) }
}

async function member(us: Stripe, email: string) {
  const customer = await us.customers.create({
    email,
    name: 'Ada',
    phone: '+1',
    address: { country: 'US', postal_code: '94107', state: 'CA' },
    metadata: { level: '3' },
    preferred_locales: ['fr'],
    tax_exempt: 'exempt',
    shipping: { name: 'Ada', address: { country: 'US' } },
  })
  const method = await us.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  await us.customers.update(customer.id, { invoice_settings: { default_payment_method: method.id } })
  return { customer: customer.id, method: method.id }
}

test('customers keep their ids, payment methods get new ones, and the file maps them', async () => {
  const { sandbox, us, target } = open()
  const { customer, method } = await member(us, 'a@example.com')
  const { header, rows } = await copy(sandbox)
  expect(header).toBe('customer_id_old,source_id_old,customer_id_new,source_id_new')
  expect(rows).toEqual([[customer, method, customer, expect.stringMatching(/^pm_/)]])
  const copyId = rows[0]?.[3] ?? ''
  expect(copyId).not.toBe(method)
  const [old, made] = await Promise.all([us.paymentMethods.retrieve(method), target.paymentMethods.retrieve(copyId)])
  expect(made).toMatchObject({ customer, card: { brand: 'visa', last4: old.card?.last4 } })
  expect(made.card?.fingerprint).not.toBe(old.card?.fingerprint)
})

test('a bank account has a different fingerprint in every account, as a card does', async () => {
  const { sandbox, us, target } = open()
  const { customer } = await member(us, 'a@example.com')
  const bank = await us.paymentMethods.attach('pm_usBankAccount_success', { customer })
  const { rows } = await copy(sandbox)
  const copyId = rows.find((row) => row[1] === bank.id)?.[3] ?? ''
  const { us_bank_account: made } = await target.paymentMethods.retrieve(copyId)
  expect(made?.fingerprint).toMatch(/^\w{16}$/)
  expect(made?.fingerprint).not.toBe(bank.us_bank_account?.fingerprint)
})

test('name, e-mail, phone, address and metadata are copied; settings, exemptions, balance and defaults are not', async () => {
  const { sandbox, us, target } = open()
  const { customer } = await member(us, 'a@example.com')
  await us.customers.createBalanceTransaction(customer, { amount: -500, currency: 'usd' })
  await us.customers.createTaxId(customer, { type: 'eu_vat', value: 'DE123456789' })
  await copy(sandbox)
  const there = await target.customers.retrieve(customer, { expand: ['tax_ids'] })
  expect(there).toMatchObject({
    email: 'a@example.com',
    name: 'Ada',
    phone: '+1',
    metadata: { level: '3' },
    address: { state: 'CA' },
  })
  expect(there).toMatchObject({
    balance: 0,
    currency: null,
    tax_exempt: 'none',
    preferred_locales: [],
    shipping: null,
    default_source: null,
    invoice_settings: { default_payment_method: null },
    tax_ids: { data: [] },
  })
})

describe('what is not copied', () => {
  const kinds = [
    ['payment_method', 'card', true],
    ['card', 'card', true],
    ['source', 'card', true],
    ['payment_method', 'us_bank_account', true],
    ['bank_account', 'us_bank_account', true],
    ['payment_method', 'sepa_debit', true],
    ['source', 'sepa_debit', false],
    ['payment_method', 'bacs_debit', false],
    ['payment_method', 'acss_debit', false],
    ['payment_method', 'link', false],
  ] as const
  test.each(kinds)('%s of type %s: %s', async (form, type, copies) => {
    const { sandbox, us } = open()
    const customer = await us.customers.create({ email: 'a@example.com' })
    const context = new Context(sandbox.world, sandbox.world.account('us'))
    const method = newPaymentMethod(context, { form, type, customer: customer.id })
    const { rows } = await copy(sandbox)
    expect(rows.map((row) => row[1])).toEqual(copies ? [method.id] : [])
    // The form of the object stays: a card_ becomes a card_, a pm_ a pm_.
    expect(rows.map((row) => row[3]?.split('_')[0])).toEqual(copies ? [method.id.split('_')[0]] : [])
  })

  test('without confirmed mandates, bank debits are not copied', async () => {
    const { sandbox, us } = open()
    const customer = await us.customers.create({ email: 'a@example.com' })
    const context = new Context(sandbox.world, sandbox.world.account('us'))
    newPaymentMethod(context, { type: 'us_bank_account', customer: customer.id })
    expect((await copy(sandbox, { mandates: false })).rows).toEqual([])
    expect((await copy(sandbox)).rows).toHaveLength(1)
  })

  test('deleted customers and products', async () => {
    const { sandbox, us, target } = open()
    const { customer } = await member(us, 'a@example.com')
    await us.products.create({ name: 'A' })
    await us.customers.del(customer)
    expect((await copy(sandbox)).rows).toEqual([])
    expect((await target.products.list()).data).toEqual([])
    await expect(target.customers.retrieve(customer)).rejects.toMatchObject({ code: 'resource_missing' })
  })
})

test('a second copy brings only new customers and new methods, and restores no deleted customer', async () => {
  const { sandbox, us, target } = open()
  const first = await member(us, 'a@example.com')
  const second = await member(us, 'b@example.com')
  const before = (await copy(sandbox)).rows
  await target.customers.del(second.customer)
  await us.customers.update(first.customer, { name: 'Changed' })
  const another = await us.paymentMethods.attach('pm_card_mastercard', { customer: first.customer })
  const third = await member(us, 'c@example.com')
  const only = await copy(sandbox, { only_new: true })
  expect(new Set(only.rows.map((row) => row[1]))).toEqual(new Set([another.id, third.method]))
  const all = await copy(sandbox)
  expect(all.rows.slice(0, before.length)).toEqual(before)
  expect(all.rows).toHaveLength(4)
  expect((await target.customers.list()).data.map((row) => row.id).toSorted()).toEqual(
    [first.customer, third.customer].toSorted(),
  )
  expect(await target.customers.retrieve(first.customer)).toMatchObject({ name: 'Ada' })
})

test('a copy can be limited to some customers; a customer without methods has no row', async () => {
  const { sandbox, us, target } = open()
  await member(us, 'a@example.com')
  const bare = await us.customers.create({ email: 'b@example.com' })
  const { rows, header } = await copy(sandbox, { customers: [bare.id] })
  expect([header, rows]).toEqual(['customer_id_old,source_id_old,customer_id_new,source_id_new', []])
  expect((await target.customers.list()).data.map((row) => row.id)).toEqual([bare.id])
})

test('unknown accounts and options are refused', async () => {
  const { sandbox } = open()
  for (const options of [{ from: 'nowhere' }, { to: 'us' }, { colour: 'red' }])
    expect((await copy(sandbox, options)).status).toBe(400)
})
