import { type Instant, secondsPerDay } from '../../core/instant.ts'
import type { Context } from '../kernel/context.ts'
import { type PaymentMethodRow, cardOf, newPaymentMethod } from '../stripe/payment-method-row.ts'
import { type Plastic, calm, cardByToken, type Temper } from '../stripe/test-cards.ts'
import { type Chance } from './chance.ts'
import type { MemberPlan, Oddity } from './members.ts'
import { present } from '../../core/assert.ts'

/**
 * How a member pays. Old accounts hold `card_`, `src_` and `ba_` objects of the Sources API beside
 * `pm_`.
 */
export function newWallet(
  context: Context,
  about: { plan: MemberPlan; customer: string; chance: Chance; clock: Instant },
): PaymentMethodRow {
  const { plan, customer, chance, clock } = about
  const { name, email, country } = plan.person
  const billing_details = { address: { ...noPlace, country }, email, name, phone: null, tax_id: null }
  const shared = { customer, billing_details }
  const bank = (type: string, days: number, details: Record<string, string>): PaymentMethodRow =>
    newPaymentMethod(context, { ...shared, type, details, temper: { ...calm, settles_after: days * secondsPerDay } })
  const odd: Partial<Record<Oddity, () => PaymentMethodRow>> = {
    link: () => newPaymentMethod(context, { ...shared, type: 'link', details: { email } }),
    bacs: () => bank('bacs_debit', 4, { last4: '2345', sort_code: '108800', fingerprint: 'bacs0001' }),
    acss: () => bank('acss_debit', 5, { last4: '6789', institution_number: '000', transit_number: '11000' }),
    sepa_source: () =>
      newPaymentMethod(context, {
        ...shared,
        form: 'source',
        type: 'sepa_debit',
        details: { last4: '3000', country: 'DE', bank_code: '37040044' },
        temper: { ...calm, settles_after: 5 * secondsPerDay },
      }),
    bank_debit() {
      const form = chance.happens(0.4) ? 'bank_account' : 'payment_method'
      const details = { last4: '6789', bank_name: 'STRIPE TEST BANK', routing_number: '110000000' }
      const temper = { ...calm, settles_after: 4 * secondsPerDay }
      return newPaymentMethod(context, { ...shared, form, type: 'us_bank_account', details, temper })
    },
  }
  const made = plan.oddity === undefined ? undefined : odd[plan.oddity]
  return made?.() ?? newCard(context, { ...shared, form: formOf(plan), chance, clock, temper: calm })
}

const noPlace = { city: null, line1: null, line2: null, postal_code: null, state: null }

function formOf(plan: MemberPlan): PaymentMethodRow['form'] {
  if (plan.oddity === 'legacy_card') return 'card'
  return plan.oddity === 'legacy_source' ? 'source' : 'payment_method'
}

/** A card that stays valid for all played years, unless it must decline. */
export function newCard(
  context: Context,
  about: Pick<PaymentMethodRow, 'form' | 'billing_details' | 'temper'> & {
    customer: string
    chance: Chance
    clock: Instant
  },
): PaymentMethodRow {
  const { chance, clock, ...shared } = about
  const kind = chance.weighted({ visa: 60, mastercard: 26, amex: 6, visa_debit: 8 })
  const plastic: Plastic = present(cardByToken(`pm_card_${kind}`), kind)
  const year = new Date(clock * 1_000).getUTCFullYear() + chance.whole(4, 7)
  const card = cardOf(context, plastic, { month: chance.whole(1, 12), year })
  const wallet =
    about.form === 'payment_method' && chance.happens(0.1) ? chance.pick(['apple_pay', 'google_pay']) : null
  return newPaymentMethod(context, { ...shared, type: 'card', card: { ...card, wallet } })
}

/** Declines from an instant on: once, or until the member changes the card. */
export function decliningFrom(from: Instant | null, times: number | null): Temper {
  return { ...calm, declines: { code: 'card_declined', decline_code: 'insufficient_funds', from, times } }
}
