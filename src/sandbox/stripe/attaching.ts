// Attaches payment methods to a customer, by id or by test token, and detaches them.
import { secondsPerDay } from '../../core/instant.ts'
import type { Context } from '../kernel/context.ts'
import { declined, invalid } from '../kernel/errors.ts'
import { changeCustomer, customers } from './customer-row.ts'
import {
  cardOf,
  fingerprint,
  newPaymentMethod,
  paymentMethod,
  paymentMethods,
  type PaymentMethodRow,
} from './payment-method-row.ts'
import { renderPaymentMethod } from './payment-method-view.ts'
import { calm, cardByToken, declineMessage, failsOnlyCharges } from './test-cards.ts'

/**
 * The payment method that an id or a test token names. A token creates one, and only one within
 * `made`.
 */
export function useToken(context: Context, id: string, made: Map<string, string>): PaymentMethodRow {
  const known = made.get(id)
  if (known !== undefined) return paymentMethod(context, known)
  const plastic = cardByToken(id)
  const bank = /^pm_usBankAccount_(success|insufficientFunds)$/.exec(id)
  if (plastic === undefined && bank === null) return paymentMethod(context, id)
  const row =
    plastic === undefined
      ? newPaymentMethod(context, {
          type: 'us_bank_account',
          details: {
            account_holder_type: 'individual',
            account_type: 'checking',
            bank_name: 'STRIPE TEST BANK',
            last4: '6789',
            routing_number: '110000000',
            fingerprint: fingerprint(context, id),
          },
          temper: {
            ...calm,
            settles_after: 4 * secondsPerDay,
            then_fails: bank?.[1] === 'success' ? null : 'insufficient_funds',
          },
        })
      : newPaymentMethod(context, { type: 'card', card: cardOf(context, plastic), temper: plastic.temper })
  made.set(id, row.id)
  return row
}

export function attach(context: Context, row: PaymentMethodRow, owner: string): PaymentMethodRow {
  if (row.customer === owner) return row
  if (row.customer !== null) throw invalid('The payment method you provided has already been attached to a customer.')
  if (row.detached)
    throw invalid(
      'This PaymentMethod was previously used without being attached to a Customer or was detached from a Customer, and may not be used again.',
    )
  const { declines } = row.temper
  // Only the card for this purpose attaches and declines later; the others are refused at once, as
  // a check with the bank would do.
  const attaches = failsOnlyCharges(row.card?.last4) || declines?.code === 'authentication_required'
  if (declines !== null && declines.from === null && !attaches)
    throw declined(
      declineMessage(declines.decline_code ?? declines.code),
      { code: declines.code, ...(declines.decline_code === null ? {} : { decline_code: declines.decline_code }) },
      { undone: true },
    )
  const attached = context.table(paymentMethods).put({ ...row, customer: owner })
  context.emit('payment_method.attached', renderPaymentMethod(context, attached))
  return attached
}

/**
 * Detaches a payment method from its customer. This is final, and the method is no longer a
 * default.
 */
export function detach(context: Context, row: PaymentMethodRow): PaymentMethodRow {
  const owner = row.customer === null ? undefined : context.table(customers).get(row.customer)
  const detached = context.table(paymentMethods).put({ ...row, customer: null, detached: true })
  if (owner !== undefined && !owner.deleted) {
    const { invoice_settings: settings, default_source } = owner
    if (settings.default_payment_method === row.id || default_source === row.id)
      changeCustomer(context, owner, {
        default_source: default_source === row.id ? nextSource(context, owner.id) : default_source,
        invoice_settings: {
          ...settings,
          default_payment_method: settings.default_payment_method === row.id ? null : settings.default_payment_method,
        },
      })
  }
  context.emit('payment_method.detached', renderPaymentMethod(context, detached), renderPaymentMethod(context, row))
  context.react('payment_method.detached', row.id)
  return detached
}

/** When the default source is removed, the newest of the others replaces it. */
function nextSource(context: Context, owner: string): string | null {
  return (
    context
      .table(paymentMethods)
      .by('customer', owner)
      .filter((row) => row.form !== 'payment_method')
      .at(-1)?.id ?? null
  )
}
