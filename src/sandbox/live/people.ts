// Customers and their payment methods.
import { secondsPerDay } from '../../core/instant.ts'
import type { Context } from '../kernel/context.ts'
import { newCustomer } from '../stripe/customer-row.ts'
import {
  type Address,
  type PaymentMethodRow,
  cardOf,
  newPaymentMethod,
  noBillingDetails,
  paymentMethods,
} from '../stripe/payment-method-row.ts'
import { createTaxId } from '../stripe/tax-ids.ts'
import { cardByToken } from '../stripe/test-cards.ts'
import { present } from '../../core/assert.ts'
import { keepDiscount } from './catalog.ts'
import type { Live } from './reading.ts'

function addressFrom(live: Live | null): Address | null {
  if (live === null) return null
  return {
    city: live.textOrNull('city'),
    country: live.textOrNull('country'),
    line1: live.textOrNull('line1'),
    line2: live.textOrNull('line2'),
    postal_code: live.textOrNull('postal_code'),
    state: live.textOrNull('state'),
  }
}

export function keepCustomer(context: Context, live: Live): void {
  if (live.flag('deleted')) return
  const settings = live.inside('invoice_settings')
  const discount = live.inside('discount')
  const currency = live.textOrNull('currency')
  const balance = live.numberOrNull('balance') ?? 0
  const shipping = live.inside('shipping')
  const row = newCustomer(context, {
    id: live.id,
    created: live.number('created'),
    address: addressFrom(live.inside('address')),
    balances: balance === 0 ? {} : { [currency ?? context.account.settings.default_currency]: balance },
    currency,
    default_source: live.ref('default_source'),
    delinquent: live.flag('delinquent'),
    description: live.textOrNull('description'),
    discount: discount === null ? null : keepDiscount(context, discount),
    email: live.textOrNull('email'),
    invoice_prefix: live.textOrNull('invoice_prefix') ?? live.id.slice(4, 12).toUpperCase(),
    invoice_settings: {
      custom_fields:
        settings === null || settings.any('custom_fields') === null
          ? null
          : settings
              .objects('custom_fields')
              .map((field) => ({ name: field.text('name'), value: field.text('value') })),
      default_payment_method: settings?.ref('default_payment_method') ?? null,
      footer: settings?.textOrNull('footer') ?? null,
      rendering_options: null,
    },
    metadata: live.metadata(),
    name: live.textOrNull('name'),
    next_invoice_sequence: live.numberOrNull('next_invoice_sequence') ?? 1,
    phone: live.textOrNull('phone'),
    preferred_locales: live.refs('preferred_locales'),
    shipping:
      shipping === null
        ? null
        : {
            address: addressFrom(shipping.inside('address')) ?? noBillingDetails.address,
            name: shipping.textOrNull('name') ?? '',
            phone: shipping.textOrNull('phone'),
          },
    tax_exempt: live.word('tax_exempt', ['none', 'exempt', 'reverse']),
  })
  for (const taxId of live.objects('tax_ids'))
    createTaxId(context, row.id, { type: taxId.text('type'), value: taxId.text('value') })
  for (const source of live.objects('sources')) keepMethod(context, source, row.id)
  const whole = settings?.inside('default_payment_method') ?? null
  if (whole !== null) keepMethod(context, whole, row.id)
  for (const name of [row.default_source, row.invoice_settings.default_payment_method])
    if (name !== null) ensureMethod(context, name, row.id)
}

const forms: Readonly<Record<string, PaymentMethodRow['form']>> = {
  pm: 'payment_method',
  card: 'card',
  src: 'source',
  ba: 'bank_account',
}

export function keepMethod(context: Context, live: Live, owner?: string): void {
  const customer = owner ?? live.ref('customer')
  const type = live.any('type') === null ? null : live.text('type')
  if (customer !== null) makeMethod(context, { id: live.id, customer, type, card: live.inside('card') ?? live })
}

/** A method of which only the id is known: of the type of its prefix, else a card. */
export function ensureMethod(context: Context, id: string, customer: string): void {
  if (!context.table(paymentMethods).has(id)) makeMethod(context, { id, customer, type: null, card: null })
}

/** Every live method pays; bank debits take their days to settle. */
function makeMethod(
  context: Context,
  about: { id: string; customer: string; type: string | null; card: Live | null },
): void {
  const form = forms[about.id.split('_')[0] ?? ''] ?? 'payment_method'
  const type = about.type ?? (form === 'bank_account' ? 'us_bank_account' : 'card')
  // What was read replaces what the id suggested.
  if (about.type === null && context.table(paymentMethods).has(about.id)) return
  const year = new Date(context.now * 1_000).getUTCFullYear() + 6
  const plain = cardOf(context, present(cardByToken('pm_card_visa'), 'a plain card'), { month: 12, year })
  const card = type !== 'card' ? null : { ...plain, last4: lastFour(about.card) ?? plain.last4 }
  const settles_after = type === 'card' || type === 'link' ? 0 : 4 * secondsPerDay
  newPaymentMethod(context, {
    id: about.id,
    form,
    type,
    customer: about.customer,
    card,
    temper: { declines: null, settles_after, then_fails: null },
  })
}

function lastFour(live: Live | null): string | null {
  const value = live?.any('last4')
  return typeof value === 'string' ? value : null
}
