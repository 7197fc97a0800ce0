// How invoices are collected (docs.stripe.com/invoicing/integration/workflow-transitions,
// …/billing/subscriptions/overview, SDK).
import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import type { AccountSettings } from '../../../src/sandbox/kernel/account.ts'
import { refusal } from '../client.ts'
import { at, glance, iso, school, type School } from './school.ts'

const day = (entries: readonly { at: string; status: string }[]) =>
  entries.map((charge) => [charge.at.slice(0, 13), charge.status])

/** The Dashboard setting for what follows the last failed attempt. */
function finallyDo(world: School, last: AccountSettings['dunning']['finally']): void {
  const account = world.sandbox.world.account('us')
  Object.assign(account.settings, { dunning: { ...account.settings.dunning, finally: last } })
}

async function failingCard(world: School): Promise<string> {
  const { id } = await world.stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: world.customer })
  await world.stripe.customers.update(world.customer, { invoice_settings: { default_payment_method: id } })
  return id
}

describe('the first payment (payment_behavior, API reference)', () => {
  test('default_incomplete charges nothing during the request: incomplete, with an open invoice; a payment makes it active', async () => {
    const { stripe, customer, monthly, ledger } = await school()
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      payment_behavior: 'default_incomplete',
      expand: ['latest_invoice'],
    })
    expect(made.status).toBe('incomplete')
    expect(ledger()).toEqual([])
    const invoice = made.latest_invoice as Stripe.Invoice
    expect(invoice.status).toBe('open')
    await stripe.invoices.pay(invoice.id)
    expect((await stripe.subscriptions.retrieve(made.id)).status).toBe('active')
  })

  test('allow_incomplete attempts the payment: a declined card leaves it incomplete; unpaid for 23 hours it is incomplete_expired and the invoice void', async () => {
    const world = await school()
    const { stripe, customer, monthly, until, ledger } = world
    await failingCard(world)
    const made = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    expect(made.status).toBe('incomplete')
    expect(ledger().map((charge) => charge.status)).toEqual(['failed'])
    await until('2027-01-11T10:59:59Z')
    expect((await stripe.subscriptions.retrieve(made.id)).status).toBe('incomplete')
    await until('2027-01-11T11:00:00Z')
    const expired = await stripe.subscriptions.retrieve(made.id, { expand: ['latest_invoice'] })
    expect([expired.status, (expired.latest_invoice as Stripe.Invoice).status]).toEqual(['incomplete_expired', 'void'])
    await until('2027-03-11T00:00:00Z')
    expect(ledger()).toHaveLength(1)
  })

  test('error_if_incomplete: 402 card_declined and no object is created', async () => {
    const world = await school()
    const { stripe, customer, monthly } = world
    await failingCard(world)
    const refused = await refusal(
      stripe.subscriptions.create({ customer, items: [{ price: monthly }], payment_behavior: 'error_if_incomplete' }),
    )
    expect(refused).toMatchObject({ status: 402, code: 'card_declined' })
    expect((await stripe.subscriptions.list({ customer, status: 'all' })).data).toEqual([])
    expect((await stripe.invoices.list({ customer })).data).toEqual([])
  })

  test('without any payment method: refused when an amount is due, otherwise accepted', async () => {
    const { stripe, monthly } = await school()
    const { id: customer } = await stripe.customers.create({ email: 'nocard@example.com' })
    expect(await refusal(stripe.subscriptions.create({ customer, items: [{ price: monthly }] }))).toMatchObject({
      status: 400,
      code: 'resource_missing',
    })
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      billing_cycle_anchor: at('2027-01-20T00:00:00Z'),
      proration_behavior: 'none',
    })
    expect(made.status).toBe('active')
  })

  test('pending_if_incomplete is for updates only', async () => {
    const { stripe, customer, monthly } = await school()
    expect(
      (
        await refusal(
          stripe.subscriptions.create({
            customer,
            items: [{ price: monthly }],
            payment_behavior: 'pending_if_incomplete',
          }),
        )
      ).param,
    ).toBe('payment_behavior')
  })
})

describe('who pays (docs payment-methods-setting, priority)', () => {
  test('first the subscription’s method, then its source, then the customer’s default', async () => {
    const { stripe, customer, monthly, until } = await school()
    const own = await stripe.paymentMethods.attach('pm_card_mastercard', { customer })
    const source = (await stripe.customers.createSource(customer, { source: 'tok_amex' })) as Stripe.Card
    await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      default_payment_method: own.id,
      default_source: source.id,
    })
    await until('2027-02-11T00:00:00Z')
    const [charge] = (await stripe.charges.list({ customer, limit: 1 })).data
    expect(charge?.payment_method_details?.card?.brand).toBe('mastercard')
  })

  test('a source pays when the subscription has a source but no method', async () => {
    const { stripe, customer, monthly } = await school()
    const source = (await stripe.customers.createSource(customer, { source: 'tok_amex' })) as Stripe.Card
    await stripe.subscriptions.create({ customer, items: [{ price: monthly }], default_source: source.id })
    const [charge] = (await stripe.charges.list({ customer, limit: 1 })).data
    expect([charge?.payment_method, charge?.payment_method_details?.card?.brand]).toEqual([source.id, 'amex'])
  })

  test('a new card is charged from the next payment on', async () => {
    const { stripe, customer, monthly, until } = await school()
    await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    const other = await stripe.paymentMethods.attach('pm_card_mastercard', { customer })
    await stripe.customers.update(customer, { invoice_settings: { default_payment_method: other.id } })
    await until('2027-02-11T00:00:00Z')
    expect(
      (await stripe.charges.list({ customer })).data.map((charge) => charge.payment_method_details?.card?.brand),
    ).toEqual(['mastercard', 'visa'])
  })

  test('a method of another customer is refused', async () => {
    const { stripe, customer, monthly } = await school()
    const other = await stripe.customers.create({ payment_method: 'pm_card_visa' })
    const [method] = (await stripe.customers.listPaymentMethods(other.id)).data
    const refused = await refusal(
      stripe.subscriptions.create({ customer, items: [{ price: monthly }], default_payment_method: method?.id ?? '' }),
    )
    expect(refused).toMatchObject({ status: 400, param: 'default_payment_method' })
  })
})

describe('an unpaid renewal', () => {
  for (const [last, status] of [
    ['cancel', 'canceled'],
    ['unpaid', 'unpaid'],
    ['past_due', 'past_due'],
  ] as const)
    test(`is retried on the account's days, past due meanwhile; after the last attempt: ${status} (account settings)`, async () => {
      const world = await school()
      finallyDo(world, last)
      const { stripe, customer, monthly, until, ledger } = world
      const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
      await failingCard(world)
      await until('2027-02-12T00:00:00Z')
      expect((await stripe.subscriptions.retrieve(id)).status).toBe('past_due')
      const [open] = (await stripe.invoices.list({ subscription: id, status: 'open' })).data
      expect([open?.attempt_count, iso(open?.next_payment_attempt)]).toEqual([1, '2027-02-13T13:00:00Z'])
      await until('2027-02-26T00:00:00Z')
      expect(day(ledger())).toEqual([
        ['2027-01-10T12', 'succeeded'],
        ['2027-02-10T13', 'failed'],
        ['2027-02-13T13', 'failed'],
        ['2027-02-18T13', 'failed'],
        ['2027-02-25T13', 'failed'],
      ])
      const after = await stripe.subscriptions.retrieve(id)
      expect(after.status).toBe(status)
      expect(after.cancellation_details?.reason).toBe(status === 'canceled' ? 'payment_failed' : null)
    })

  test('unpaid: later invoices stay drafts without attempts (SDK)', async () => {
    const world = await school()
    finallyDo(world, 'unpaid')
    const { stripe, customer, monthly, until, ledger } = world
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await failingCard(world)
    await until('2027-03-20T00:00:00Z')
    const [draft] = (await stripe.invoices.list({ subscription: id, status: 'draft' })).data
    expect([draft?.auto_advance, iso(draft?.created)]).toEqual([false, '2027-03-10T12:00:00Z'])
    expect(ledger()).toHaveLength(5)
  })

  test('a valid card before the last attempt makes it active again', async () => {
    const world = await school()
    const { stripe, customer, monthly, until, ledger } = world
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await failingCard(world)
    await until('2027-02-12T00:00:00Z')
    const good = await stripe.paymentMethods.attach('pm_card_visa', { customer })
    await stripe.customers.update(customer, { invoice_settings: { default_payment_method: good.id } })
    await until('2027-02-14T00:00:00Z')
    expect((await stripe.subscriptions.retrieve(id)).status).toBe('active')
    expect(ledger().at(-1)).toMatchObject({ at: '2027-02-13T13:00:00Z', status: 'succeeded' })
  })

  test('a failed manual attempt is 402 and does not change the retries (SDK attempt_count)', async () => {
    const world = await school()
    const { stripe, customer, monthly, until } = world
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await failingCard(world)
    await until('2027-02-12T00:00:00Z')
    const [open] = (await stripe.invoices.list({ subscription: id, status: 'open' })).data
    expect(await refusal(stripe.invoices.pay(open?.id ?? ''))).toMatchObject({ status: 402, code: 'card_declined' })
    const after = await stripe.invoices.retrieve(open?.id ?? '')
    expect([after.attempt_count, after.next_payment_attempt]).toEqual([open?.attempt_count, open?.next_payment_attempt])
  })

  test('voiding the latest open invoice, or marking it uncollectible, makes it active again', async () => {
    const world = await school()
    const { stripe, customer, monthly, until } = world
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await failingCard(world)
    await until('2027-02-12T00:00:00Z')
    const [open] = (await stripe.invoices.list({ subscription: id, status: 'open' })).data
    expect(await stripe.invoices.voidInvoice(open?.id ?? '')).toMatchObject({
      status: 'void',
      next_payment_attempt: null,
    })
    expect((await stripe.subscriptions.retrieve(id)).status).toBe('active')
  })
})

describe('which invoice decides (docs subscriptions/overview)', () => {
  test('voiding the first invoice of an incomplete subscription ends it', async () => {
    const { stripe, customer, monthly } = await school()
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      payment_behavior: 'default_incomplete',
    })
    await stripe.invoices.voidInvoice(made.latest_invoice as string)
    expect((await stripe.subscriptions.retrieve(made.id)).status).toBe('incomplete_expired')
  })

  test('paying an older invoice leaves it past due, paying the newest makes it active even with others open', async () => {
    const world = await school()
    finallyDo(world, 'past_due')
    const { stripe, customer, monthly, until } = world
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await failingCard(world)
    await until('2027-03-12T00:00:00Z')
    const open = (await stripe.invoices.list({ subscription: id, status: 'open' })).data
    expect(open).toHaveLength(2)
    const good = await stripe.paymentMethods.attach('pm_card_visa', { customer })
    const pay = (invoice: Stripe.Invoice | undefined) =>
      stripe.invoices.pay(invoice?.id ?? '', { payment_method: good.id })
    await pay(open[1])
    expect((await stripe.subscriptions.retrieve(id)).status).toBe('past_due')
    await pay(open[0])
    expect((await stripe.subscriptions.retrieve(id)).status).toBe('active')
  })

  test('voiding the newest: an older unpaid one keeps it past due, a paid one makes it active', async () => {
    const world = await school()
    finallyDo(world, 'past_due')
    const { stripe, customer, monthly, until } = world
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await failingCard(world)
    await until('2027-03-12T00:00:00Z')
    const open = (await stripe.invoices.list({ subscription: id, status: 'open' })).data
    await stripe.invoices.voidInvoice(open[0]?.id ?? '')
    expect((await stripe.subscriptions.retrieve(id)).status).toBe('past_due')
    await stripe.invoices.voidInvoice(open[1]?.id ?? '')
    expect((await stripe.subscriptions.retrieve(id)).status).toBe('active')
  })

  test('a first bank debit that fails later: the invoice is voided and the subscription stays active', async () => {
    const { stripe, customer, monthly, until } = await school({ card: 'pm_usBankAccount_insufficientFunds' })
    const made = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await until('2027-01-20T00:00:00Z')
    expect((await stripe.invoices.retrieve(made.latest_invoice as string)).status).toBe('void')
    expect((await stripe.subscriptions.retrieve(made.id)).status).toBe('active')
  })
})

describe('bank debits', () => {
  test('stay processing for days, active meanwhile, then paid', async () => {
    const { stripe, customer, monthly, until, ledger } = await school({ card: 'pm_usBankAccount_success' })
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      expand: ['latest_invoice.payments'],
    })
    expect(made.status).toBe('active')
    const invoice = made.latest_invoice as Stripe.Invoice
    expect(invoice).toMatchObject({ status: 'open', attempted: true })
    const intent = invoice.payments?.data[0]?.payment.payment_intent as string
    expect((await stripe.paymentIntents.retrieve(intent)).status).toBe('processing')
    // Voiding does not stop a payment in progress.
    expect((await refusal(stripe.invoices.voidInvoice(invoice.id))).status).toBe(400)
    await until('2027-01-20T00:00:00Z')
    expect((await stripe.invoices.retrieve(invoice.id)).status).toBe('paid')
    expect(ledger().map((charge) => charge.status)).toEqual(['succeeded'])
  })

  test('a debit that fails days later makes the subscription past due', async () => {
    const world = await school()
    const { stripe, customer, monthly, until, ledger } = world
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    const bank = await stripe.paymentMethods.attach('pm_usBankAccount_insufficientFunds', { customer })
    await stripe.customers.update(customer, { invoice_settings: { default_payment_method: bank.id } })
    await until('2027-02-11T00:00:00Z')
    expect((await stripe.subscriptions.retrieve(id)).status).toBe('active')
    expect(ledger().at(-1)?.status).toBe('pending')
    await until('2027-02-16T00:00:00Z')
    expect((await stripe.subscriptions.retrieve(id)).status).toBe('past_due')
    expect(ledger().filter((charge) => charge.status === 'failed')).toHaveLength(1)
    const { data } = await stripe.events.list({ created: { gte: at('2027-02-10T00:00:00Z') }, limit: 100 })
    const money = data.map(({ type }) => type).filter((type) => /^(charge|payment_intent)/.test(type))
    expect(money.toReversed()).toEqual([
      'payment_intent.created',
      'charge.pending',
      'payment_intent.processing',
      'charge.failed',
      'payment_intent.payment_failed',
    ])
  })
})

describe('sent invoices', () => {
  test('need days_until_due and an e-mail address; the subscription stays active whether or not the invoice is paid', async () => {
    const { stripe, customer, monthly, until, ledger } = await school()
    const sent = { items: [{ price: monthly }], collection_method: 'send_invoice' as const }
    expect((await refusal(stripe.subscriptions.create({ ...sent, customer }))).param).toBe('days_until_due')
    const nobody = await stripe.customers.create({})
    expect(
      (await refusal(stripe.subscriptions.create({ ...sent, customer: nobody.id, days_until_due: 14 }))).status,
    ).toBe(400)
    expect(
      (await refusal(stripe.subscriptions.create({ customer, items: [{ price: monthly }], days_until_due: 14 }))).param,
    ).toBe('days_until_due')
    const made = await stripe.subscriptions.create({ ...sent, customer, days_until_due: 14 })
    expect(made.status).toBe('active')
    await until('2027-01-10T13:00:00Z')
    const [open] = (await stripe.invoices.list({ subscription: made.id })).data
    expect([open?.status, iso(open?.due_date), open?.next_payment_attempt]).toEqual([
      'open',
      '2027-01-24T13:00:00Z',
      null,
    ])
    await until('2027-01-25T00:00:00Z')
    expect((await stripe.subscriptions.retrieve(made.id)).status).toBe('past_due')
    await stripe.invoices.pay(open?.id ?? '', { paid_out_of_band: true })
    expect((await stripe.subscriptions.retrieve(made.id)).status).toBe('active')
    expect(ledger()).toEqual([])
  })
})

describe('drafts and finalization', () => {
  test('a finalized invoice of zero becomes paid without a charge', async () => {
    const { stripe, customer, price, until, ledger } = await school()
    const free = await price({ unit_amount: 0 })
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: free }] })
    await until('2027-02-11T00:00:00Z')
    expect(
      (await stripe.invoices.list({ subscription: id })).data.map((invoice) => [invoice.status, invoice.total]),
    ).toEqual([
      ['paid', 0],
      ['paid', 0],
    ])
    expect(ledger()).toEqual([])
  })

  test('finalizing assigns a number of the customer’s series and is possible only once', async () => {
    const { stripe, customer } = await school()
    await stripe.invoiceItems.create({ customer, amount: 1500, currency: 'usd' })
    const draft = await stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include' })
    expect([draft.status, draft.number, draft.total, draft.auto_advance]).toEqual(['draft', null, 1500, false])
    const open = await stripe.invoices.finalizeInvoice(draft.id)
    expect([open.status, open.number?.endsWith('-0001')]).toEqual(['open', true])
    expect((await refusal(stripe.invoices.finalizeInvoice(draft.id))).status).toBe(400)
    const paid = await stripe.invoices.pay(draft.id)
    expect(glance(paid)).toEqual({ status: 'paid', total: 1500, amount_due: 1500, billing_reason: 'manual' })
    expect((await refusal(stripe.invoices.voidInvoice(draft.id))).code).toBe('status_transition_invalid')
  })

  test('a draft without a subscription can be deleted with its items', async () => {
    const { stripe, customer } = await school()
    const draft = await stripe.invoices.create({ customer })
    await stripe.invoiceItems.create({ customer, invoice: draft.id, amount: 700, currency: 'usd' })
    expect((await stripe.invoices.retrieve(draft.id)).total).toBe(700)
    expect(await stripe.invoices.del(draft.id)).toEqual({ id: draft.id, object: 'invoice', deleted: true })
    expect((await stripe.invoiceItems.list({ customer })).data).toEqual([])
  })

  test('auto_advance false keeps a draft; true continues', async () => {
    const { stripe, customer, monthly, until } = await school()
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await until('2027-02-10T12:30:00Z')
    const [draft] = (await stripe.invoices.list({ subscription: id, status: 'draft' })).data
    await stripe.invoices.update(draft?.id ?? '', { auto_advance: false })
    await until('2027-02-20T00:00:00Z')
    expect((await stripe.invoices.retrieve(draft?.id ?? '')).status).toBe('draft')
    await stripe.invoices.update(draft?.id ?? '', { auto_advance: true })
    await until('2027-02-20T02:00:00Z')
    expect((await stripe.invoices.retrieve(draft?.id ?? '')).status).toBe('paid')
  })

  test('while an endpoint does not acknowledge invoice.created the draft waits, up to 72 hours (workflow-transitions)', async () => {
    const world = await school({ deliver: () => Promise.resolve(new Response('', { status: 500 })) })
    const { stripe, customer, monthly, until, ledger } = world
    await stripe.webhookEndpoints.create({ url: 'https://dead.example.com/hook', enabled_events: ['invoice.created'] })
    await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await until('2027-02-13T11:59:59Z')
    expect(ledger()).toHaveLength(1)
    await until('2027-02-13T12:00:00Z')
    expect(ledger().map((charge) => charge.at)).toEqual(['2027-01-10T12:00:00Z', '2027-02-13T12:00:00Z'])
  })
})

describe('the customer’s balance (docs.stripe.com/billing/customer/balance)', () => {
  const balance = async ({ stripe, customer }: School) =>
    ((await stripe.customers.retrieve(customer)) as Stripe.Customer).balance

  test('credit is applied to the next finalized invoice; the rest stays', async () => {
    const world = await school()
    const { stripe, customer, monthly, until, ledger } = world
    await stripe.customers.createBalanceTransaction(customer, { amount: -6000, currency: 'usd' })
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      expand: ['latest_invoice'],
    })
    expect(made.latest_invoice).toMatchObject({
      status: 'paid',
      total: 4900,
      amount_due: 0,
      starting_balance: -6000,
      ending_balance: -1100,
    })
    expect(await balance(world)).toBe(-1100)
    await until('2027-02-11T00:00:00Z')
    expect(ledger().map((charge) => charge.amount)).toEqual([3800])
    expect(await balance(world)).toBe(0)
    const { data } = await stripe.customers.listBalanceTransactions(customer)
    expect(data.map((one) => [one.amount, one.type])).toEqual([
      [1100, 'applied_to_invoice'],
      [4900, 'applied_to_invoice'],
      [-6000, 'adjustment'],
    ])
  })

  test('an owed balance is charged with the next invoice; a voided invoice restores credit', async () => {
    const world = await school()
    const { stripe, customer, monthly } = world
    await stripe.customers.createBalanceTransaction(customer, { amount: 1000, currency: 'usd' })
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      payment_behavior: 'default_incomplete',
      expand: ['latest_invoice'],
    })
    const invoice = made.latest_invoice as Stripe.Invoice
    expect(invoice).toMatchObject({ amount_due: 5900, starting_balance: 1000, ending_balance: 0 })
    await stripe.invoices.voidInvoice(invoice.id)
    expect(await balance(world)).toBe(1000)
  })

  test('an amount too small to charge is put on the balance', async () => {
    const world = await school()
    const { stripe, customer, price, ledger } = world
    const tiny = await price({ unit_amount: 20 })
    const made = await stripe.subscriptions.create({ customer, items: [{ price: tiny }], expand: ['latest_invoice'] })
    expect(made.latest_invoice).toMatchObject({ status: 'paid', amount_due: 0 })
    expect([await balance(world), ledger()]).toEqual([20, []])
  })
})

describe('pending invoice items', () => {
  test('wait for the customer’s next invoice, in flexible mode of any subscription', async () => {
    const { stripe, customer, monthly, until, ledger } = await school()
    const one = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await stripe.invoiceItems.create({ customer, amount: 700, currency: 'usd', description: 'Late fee' })
    const preview = await stripe.invoices.createPreview({ subscription: one.id })
    expect(preview.total).toBe(5600)
    await until('2027-02-11T00:00:00Z')
    expect(ledger().map((charge) => charge.amount)).toEqual([4900, 5600])
    expect((await stripe.invoiceItems.list({ customer, pending: true })).data).toEqual([])
  })

  test('prorations of a change are billed at the renewal; always_invoice bills them at once', async () => {
    const { stripe, customer, monthly, until, ledger } = await school()
    const made = await stripe.subscriptions.create({ customer, items: [{ price: monthly, quantity: 1 }] })
    const item = made.items.data[0]?.id ?? ''
    await until('2027-01-20T12:00:00Z')
    await stripe.subscriptions.update(made.id, { items: [{ id: item, quantity: 2 }] })
    expect(ledger()).toHaveLength(1)
    await until('2027-02-11T00:00:00Z')
    const rest = Math.round((9800 * 21) / 31) - Math.round((4900 * 21) / 31)
    expect(ledger().map((charge) => charge.amount)).toEqual([4900, 9800 + rest])
    await until('2027-02-24T12:00:00Z')
    await stripe.subscriptions.update(made.id, {
      items: [{ id: item, quantity: 3 }],
      proration_behavior: 'always_invoice',
    })
    expect(ledger().at(-1)?.amount).toBe(Math.round((14_700 * 14) / 28) - Math.round((9800 * 14) / 28))
    await stripe.subscriptions.update(made.id, { items: [{ id: item, quantity: 1 }], proration_behavior: 'none' })
    expect((await stripe.invoiceItems.list({ customer, pending: true })).data).toEqual([])
  })
})

describe('refunds', () => {
  test('leave the invoice paid and never exceed the charge', async () => {
    const { stripe, customer, monthly } = await school()
    await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    const [charge] = (await stripe.charges.list({ customer })).data
    const part = await stripe.refunds.create({ charge: charge?.id ?? '', amount: 1000 })
    expect(part).toMatchObject({ amount: 1000, status: 'succeeded' })
    await stripe.refunds.create({ payment_intent: charge?.payment_intent as string })
    expect(await stripe.charges.retrieve(charge?.id ?? '')).toMatchObject({ amount_refunded: 4900, refunded: true })
    expect((await refusal(stripe.refunds.create({ charge: charge?.id ?? '' }))).code).toBe('charge_already_refunded')
    expect((await stripe.invoices.list({ customer })).data[0]?.status).toBe('paid')
  })

  test('in a three-decimal currency are multiples of ten (docs.stripe.com/currencies#three-decimal)', async () => {
    const { stripe, customer, price } = await school()
    const dinars = await price({ currency: 'kwd', unit_amount: 12_350 })
    await stripe.subscriptions.create({ customer, items: [{ price: dinars }] })
    const [charge] = (await stripe.charges.list({ customer })).data
    const back = (amount: number) => stripe.refunds.create({ charge: charge?.id ?? '', amount })
    expect(await refusal(back(1_005))).toMatchObject({ status: 400, param: 'amount' })
    expect(await back(1_010)).toMatchObject({ amount: 1_010, currency: 'kwd' })
  })
})
