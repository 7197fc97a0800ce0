import Stripe from 'stripe'
import { expect, test } from 'vitest'
import { instant } from '../../src/core/instant.ts'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { clientOf } from './client.ts'

// https://docs.stripe.com/api/credit_notes/create: a credit note first reduces what is left to pay;
// the excess is refunded, credited to the balance, or recorded as given back outside of Stripe.

async function school(declines: boolean) {
  const sandbox = createSandbox()
  const stripe = clientOf(sandbox)
  const product = await stripe.products.create({ name: 'Membership' })
  const price = await stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: 4_900,
    recurring: { interval: 'month' },
  })
  const card = 'pm_card_visa'
  const { id: customer } = await stripe.customers.create({
    payment_method: card,
    invoice_settings: { default_payment_method: card },
  })
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price: price.id }] })
  const act = (order: object) =>
    sandbox.fetch('http://x/_sandbox/act', {
      method: 'POST',
      body: JSON.stringify({ account: 'us', subscription: id, ...order }),
    })
  if (declines) await act({ act: 'decline_card' })
  const months = (count: number) => sandbox.world.advance(instant(sandbox.clock() + count * 31 * 86_400 + 7_200))
  await months(1)
  const newest = async (): Promise<Stripe.Invoice> =>
    (await stripe.invoices.list({ subscription: id, expand: ['data.payments'] })).data[0] as Stripe.Invoice
  const status = async () => (await stripe.subscriptions.retrieve(id)).status
  const balance = async () => ((await stripe.customers.retrieve(customer)) as Stripe.Customer).balance
  return { stripe, customer, months, newest, status, balance, act, invoice: await newest() }
}

test('on an open invoice it lowers what is still collected, and the payment takes the rest', async () => {
  const { stripe, invoice, newest, act, months } = await school(true)
  expect([invoice.status, invoice.amount_due]).toEqual(['open', 4_900])
  const note = await stripe.creditNotes.create({ invoice: invoice.id ?? '', amount: 900 })
  expect([note.type, note.pre_payment_amount, note.post_payment_amount]).toEqual(['pre_payment', 900, 0])
  const lowered = await newest()
  expect([lowered.total, lowered.amount_due, lowered.amount_remaining]).toEqual([4_900, 4_000, 4_000])
  expect([lowered.pre_payment_credit_notes_amount, lowered.post_payment_credit_notes_amount]).toEqual([900, 0])
  await act({ act: 'accept_card' })
  await months(1)
  const paid = await stripe.invoices.retrieve(invoice.id ?? '')
  expect([paid.status, paid.amount_paid]).toEqual(['paid', 4_000])
})

test('the whole of an open invoice: it is paid without a payment, and the subscription is active again', async () => {
  const { stripe, invoice, newest, status } = await school(true)
  expect(await status()).toBe('past_due')
  await stripe.creditNotes.create({ invoice: invoice.id ?? '', amount: 4_900 })
  const paid = await newest()
  expect([paid.status, paid.amount_paid, paid.amount_remaining]).toEqual(['paid', 0, 0])
  expect(await status()).toBe('active')
})

test('of a paid invoice: refunded, credited and outside of Stripe together, and not more than was paid', async () => {
  const { stripe, invoice, balance, newest } = await school(false)
  const create = (more: Partial<Stripe.CreditNoteCreateParams>) =>
    stripe.creditNotes.create({ invoice: invoice.id ?? '', amount: 3_000, ...more })
  await expect(create({ refund_amount: 1_000 })).rejects.toThrow('must equal the post-payment amount')
  const note = await create({ refund_amount: 1_000, credit_amount: 1_500, out_of_band_amount: 500 })
  expect([note.type, note.post_payment_amount, note.refunds.length]).toEqual(['post_payment', 3_000, 1])
  expect(await balance()).toBe(-1_500)
  const [charge] = (await stripe.charges.list({ limit: 1 })).data
  expect(charge?.amount_refunded).toBe(1_000)
  // Refunds by people count as well.
  await stripe.refunds.create({ charge: charge?.id ?? '', amount: 500 })
  await expect(create({ amount: 1_500, credit_amount: 1_500 })).rejects.toThrow(
    'creditable amount of the invoice (1400)',
  )
  const after = await newest()
  expect([after.status, after.amount_paid, after.post_payment_credit_notes_amount]).toEqual(['paid', 4_900, 3_000])
  const { data } = await stripe.creditNotes.list({ invoice: invoice.id ?? '' })
  expect(data.map(({ id }) => id)).toEqual([note.id])
})

test('a credit is used by the next invoice; a void takes it back, and what was refunded stays refunded', async () => {
  const { stripe, invoice, balance, customer } = await school(false)
  const note = await stripe.creditNotes.create({ invoice: invoice.id ?? '', amount: 900, credit_amount: 900 })
  const voided = await stripe.creditNotes.voidCreditNote(note.id)
  expect([voided.status, await balance()]).toEqual(['void', 0])
  expect(
    (await stripe.customers.listBalanceTransactions(customer)).data.map(({ type, amount }) => [type, amount]),
  ).toEqual([
    ['credit_note', 900],
    ['credit_note', -900],
  ])
  const refunded = await stripe.creditNotes.create({ invoice: invoice.id ?? '', amount: 900, refund_amount: 900 })
  await expect(stripe.creditNotes.voidCreditNote(refunded.id)).rejects.toThrow('cannot be voided')
})

test('the card network replaces a card in one account, and a copy keeps the old digits', async () => {
  const { stripe, customer, act } = await school(false)
  await act({ act: 'replace_card', last4: '9999', exp_year: 2040 })
  const [card] = (await stripe.customers.listPaymentMethods(customer)).data
  expect([card?.card?.last4, card?.card?.exp_year]).toEqual(['9999', 2040])
  const { data } = await stripe.events.list({ type: 'payment_method.automatically_updated' })
  expect(data).toHaveLength(1)
})
