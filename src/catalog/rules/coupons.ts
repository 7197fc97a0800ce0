import type { Diagnostic } from '../../core/diagnostic.ts'
import { formatInstant, type Instant, parseInstant } from '../../core/instant.ts'
import { objectIn, textIn } from '../../core/json.ts'
import { type Draft, placeIn } from '../draft.ts'
import { error } from '../rule-names.ts'

/**
 * A coupon takes off a percentage, or an amount with its currency; a repeating coupon has its
 * months.
 */
export function couponTerms(draft: Draft): readonly Diagnostic[] {
  return draft.resources
    .filter(({ kind }) => kind === 'coupon')
    .flatMap((coupon) => {
      const { percent_off: percent, amount_off: amount, currency, currency_options: options } = coupon.value
      const { duration, duration_in_months: months } = coupon.value
      const found: Diagnostic[] = []
      const wrong = (message: string, fix: string, name: string): void =>
        void found.push(error('coupon-terms', `${coupon.address} ${message}`, fix, placeIn(coupon, [name], 'key')))
      if ((percent === undefined) === (amount === undefined))
        wrong(
          percent === undefined ? 'takes nothing off' : 'takes off a percentage and an amount',
          'write percent_off or amount_off',
          'amount_off',
        )
      if (amount !== undefined && currency === undefined)
        wrong('has an amount without a currency', 'add currency', 'amount_off')
      if (amount === undefined && (currency !== undefined || options !== undefined))
        wrong(
          'has a currency without an amount',
          'a percentage is the same in every currency',
          currency === undefined ? 'currency_options' : 'currency',
        )
      if ((duration === 'repeating') !== (months !== undefined))
        wrong(
          duration === 'repeating' ? 'repeats but has no number of months' : 'has months but does not repeat',
          'write duration: repeating and duration_in_months together',
          duration === 'repeating' ? 'duration' : 'duration_in_months',
        )
      return found
    })
}

/** Stripe refuses a code that would outlive the time until which its coupon can be redeemed. */
export function promotionExpiry(draft: Draft): readonly Diagnostic[] {
  const coupons = new Map(draft.resources.map(({ address, value }) => [address, value]))
  return draft.resources
    .filter(({ kind }) => kind === 'promotion_code')
    .flatMap((code) => {
      const key = textIn(objectIn(code.value['promotion'])['coupon'])
      const by = instantIn(coupons.get(`coupon.${key}`)?.['redeem_by'])
      const ends = instantIn(code.value['expires_at'])
      if (by === undefined || ends === undefined || ends <= by) return []
      const message = `${code.address} expires after its coupon ${key} can be redeemed (${formatInstant(by)})`
      return [
        error(
          'promotion-expiry',
          message,
          'write an earlier expires_at, or a later redeem_by',
          placeIn(code, ['expires_at']),
        ),
      ]
    })
}

function instantIn(value: unknown): Instant | undefined {
  return parseInstant(textIn(value))
}

/** A minimum amount and its currency come together. */
export function promotionMinimum(draft: Draft): readonly Diagnostic[] {
  return draft.resources
    .filter(({ kind }) => kind === 'promotion_code')
    .flatMap((code) => {
      const restrictions = objectIn(code.value['restrictions'])
      if ((restrictions['minimum_amount'] === undefined) === (restrictions['minimum_amount_currency'] === undefined))
        return []
      const fix = 'write minimum_amount and minimum_amount_currency together'
      return [
        error(
          'promotion-minimum',
          `${code.address} has only one of minimum_amount and minimum_amount_currency`,
          fix,
          placeIn(code, ['restrictions'], 'key'),
        ),
      ]
    })
}
