import { expect, test } from 'vitest'
import type Stripe from 'stripe'
import { parseInstant } from '../../src/core/instant.ts'
import { present } from '../../src/core/assert.ts'
import { cardsCheck } from '../../src/engine/verify/cards.ts'
import { findingsOf, type ChargedMethod } from '../../src/handover/cards.ts'
import { paymentMethods } from '../../src/sandbox/stripe/payment-method-row.ts'
import { members } from './members.ts'
import { planAndApply } from './rig.ts'

const now = '2026-10-05T12:00:00Z'
const since = '2026-09-20T09:15:00Z'
const at = (text: string) => present(parseInstant(text), text)

const card = (more: Partial<Stripe.PaymentMethod.Card> = {}): Stripe.PaymentMethod =>
  ({
    id: 'pm_1',
    type: 'card',
    card: { brand: 'visa', last4: '4242', exp_month: 12, exp_year: 2030, country: 'US', ...more },
  }) as Stripe.PaymentMethod

test.each<[string, Partial<ChargedMethod>, readonly string[]]>([
  ['a good card', {}, []],
  ['valid until the end of its month', { shown: card({ exp_month: 10, exp_year: 2026 }) }, []],
  ['expires before the renewal', { shown: card({ exp_month: 9, exp_year: 2026 }) }, ['card_expires']],
  ['expired', { shown: card({ exp_month: 8, exp_year: 2026 }) }, ['card_expired']],
  ['missing in the target', { shown: undefined }, ['method_missing']],
  ['issued in India', { shown: card({ country: 'IN' }) }, ['mandate_missing']],
  ['another card than the old account charges', { old: card({ last4: '1111' }) }, ['card_differs']],
  ['the same card', { old: card() }, []],
  ['a bank debit', { shown: { id: 'pm_1', type: 'us_bank_account' } as Stripe.PaymentMethod, old: card() }, []],
])('a renewal that will probably fail is found before it: %s', (_, more, codes) => {
  const method = { id: 'pm_1', shown: card(), old: undefined, successor: undefined, next: at('2026-10-20T00:00:00Z') }
  // August has ended on this day, September has not.
  const found = findingsOf({ ...method, ...more }, at('2026-09-29T12:00:00Z'))
  expect(found.map(({ code }) => code)).toEqual(codes)
})

test('every payer arrives: the cards of all members are checked before and after the move, from lists', async () => {
  await using school = await members([{ since }, { since, card: 'pm_card_in' }, { since }, { since }], now)
  const { rig, us, target } = school
  const customers = await Promise.all(
    school.subscriptions.map(async (id) => (await us.subscriptions.retrieve(id)).customer as string),
  )
  const account = rig.sandbox.world.account('target')
  const [copy] = (await target.paymentMethods.list({ customer: customers[2] ?? '' })).data
  const row = account.table(paymentMethods).get(copy?.id ?? '')
  if (row?.card == null) throw new Error('no copied card')
  account.table(paymentMethods).put({ ...row, card: { ...row.card, exp_month: 9, exp_year: 2026 } })
  // A card of the old account that came after the copy.
  const later = await us.paymentMethods.attach('pm_card_mastercard', { customer: customers[3] ?? '' })
  await us.customers.update(customers[3] ?? '', { invoice_settings: { default_payment_method: later.id } })
  rig.sent.length = 0
  const check = await cardsCheck(school.stage('source'))
  expect(check).toMatchObject({ ok: false, checked: 4 })
  const named = check.findings.map(({ code, subscriber }) => `${code} ${school.keys.indexOf(subscriber)}`)
  expect(named.toSorted()).toEqual(['card_differs 2', 'card_expired 2', 'mandate_missing 1', 'method_not_copied 3'])
  expect(check.findings[0]).toMatchObject({ at: '2026-10-20T09:15:00Z', amount: 4900, currency: 'usd' })
  expect(rig.sent).toEqual([])
  // After the move, what Stripe found at the set-up is known as well.
  await planAndApply(school.stage((index) => (index < 2 ? 'target' : 'source')))
  const after = await cardsCheck(school.stage((index) => (index < 2 ? 'target' : 'source')))
  expect(after.findings.filter(({ code }) => code === 'mandate_missing')).toMatchObject([
    { subscriber: school.keys[1], message: expect.stringContaining('asks the member to confirm') },
  ])
})
