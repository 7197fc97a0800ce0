import type { Instant } from '../../core/instant.ts'
// Test payment methods by token and number. https://docs.stripe.com/testing

export interface Plastic {
  readonly brand: string
  readonly last4: string
  readonly country: string
  readonly funding: 'credit' | 'debit' | 'prepaid'
  readonly temper: Temper
  /** The card is refused when it is attached to a customer. */
  readonly refusesAttach?: boolean
}

/** The decline code of a payment that Radar blocks (https://docs.stripe.com/testing#fraud). */
export const blockedByRadar = 'fraudulent'

export const calm: Temper = { declines: null, settles_after: 0, then_fails: null }

const declining = (code: string, decline_code?: string): Temper => ({
  declines: { code, decline_code: decline_code ?? null, from: null, times: null },
  settles_after: 0,
  then_fails: null,
})

const good = (brand: string, last4: string, country = 'US', funding: Plastic['funding'] = 'credit'): Plastic => ({
  brand,
  last4,
  country,
  funding,
  temper: calm,
})
const bad = (last4: string, code: string, decline_code?: string): Plastic => ({
  ...good('visa', last4),
  temper: declining(code, decline_code),
  refusesAttach: true,
})

/** By the part of the token after `pm_card_` or `tok_`. */
const plastics: Readonly<Record<string, Plastic>> = {
  visa: good('visa', '4242'),
  visa_debit: good('visa', '5556', 'US', 'debit'),
  mastercard: good('mastercard', '4444'),
  mastercard_debit: good('mastercard', '3222', 'US', 'debit'),
  mastercard_prepaid: good('mastercard', '5100', 'US', 'prepaid'),
  amex: good('amex', '8431'),
  discover: good('discover', '1117'),
  diners: good('diners', '0004'),
  jcb: good('jcb', '0505', 'JP'),
  unionpay: good('unionpay', '0005', 'CN'),
  us: good('visa', '4242'),
  gb: good('visa', '0007', 'GB'),
  de: good('visa', '0016', 'DE'),
  fr: good('visa', '0003', 'FR'),
  au: good('visa', '0006', 'AU'),
  ca: good('visa', '0000', 'CA'),
  jp: good('visa', '0003', 'JP'),
  /**
   * An Indian card: a payment without the cardholder needs a registered mandate, and is executed 26
   * hours after a notice.
   */
  in: { ...good('visa', '0008', 'IN'), temper: { declines: null, settles_after: 26 * 3_600, then_fails: null } },
  chargeDeclined: bad('0002', 'card_declined', 'generic_decline'),
  chargeDeclinedInsufficientFunds: bad('9995', 'card_declined', 'insufficient_funds'),
  chargeDeclinedLostCard: bad('9987', 'card_declined', 'lost_card'),
  chargeDeclinedStolenCard: bad('9979', 'card_declined', 'stolen_card'),
  chargeDeclinedExpiredCard: bad('0069', 'expired_card'),
  chargeDeclinedIncorrectCvc: bad('0127', 'incorrect_cvc'),
  chargeDeclinedProcessingError: bad('0119', 'processing_error'),
  /** Attaches; Radar blocks every charge before a bank sees it. */
  radarBlock: { ...bad('0019', 'card_declined', blockedByRadar), refusesAttach: false },
  /** Attaches, and declines every charge. */
  chargeCustomerFail: { ...bad('0341', 'card_declined', 'generic_decline'), refusesAttach: false },
  /** Requires the cardholder once: set up on Stripe's page, later charges go through. */
  authenticationRequiredOnSetup: {
    ...good('visa', '3155'),
    temper: declining('authentication_required', 'authentication_required'),
  },
  /** Attaches, and requires the cardholder at every charge. */
  authenticationRequired: {
    ...good('visa', '3184'),
    temper: declining('authentication_required', 'authentication_required'),
  },
}

const numbers: Readonly<Record<string, string>> = {
  '4242424242424242': 'visa',
  '4000056655665556': 'visa_debit',
  '5555555555554444': 'mastercard',
  '378282246310005': 'amex',
  '6011111111111117': 'discover',
  '4000000000000002': 'chargeDeclined',
  '4000000000009995': 'chargeDeclinedInsufficientFunds',
  '4000000000009987': 'chargeDeclinedLostCard',
  '4000000000009979': 'chargeDeclinedStolenCard',
  '4000000000000069': 'chargeDeclinedExpiredCard',
  '4000000000000127': 'chargeDeclinedIncorrectCvc',
  '4000000000000119': 'chargeDeclinedProcessingError',
  '4000000000000341': 'chargeCustomerFail',
  '4000002500003155': 'authenticationRequiredOnSetup',
  '4000002760003184': 'authenticationRequired',
  '4100000000000019': 'radarBlock',
  '4000008260000000': 'gb',
  '4000002760000016': 'de',
  '4000003560000008': 'in',
}

/** `pm_card_visa`, `tok_visa`; undefined for all that is not a test card. */
export function cardByToken(token: string): Plastic | undefined {
  const match = /^(?:pm_card_|tok_)(\w+)$/.exec(token)
  return match?.[1] === undefined || !Object.hasOwn(plastics, match[1]) ? undefined : plastics[match[1]]
}

export function cardByNumber(number: string): Plastic | undefined {
  return cardByToken(`tok_${numbers[number.replaceAll(' ', '')] ?? ''}`)
}

const messages: Readonly<Record<string, string>> = {
  generic_decline: 'Your card was declined.',
  insufficient_funds: 'Your card has insufficient funds.',
  lost_card: 'Your card was declined.',
  stolen_card: 'Your card was declined.',
  expired_card: 'Your card has expired.',
  incorrect_cvc: "Your card's security code is incorrect.",
  processing_error: 'An error occurred while processing your card. Try again in a little bit.',
  authentication_required: 'Your card was declined. This transaction requires authentication.',
}

/** Cards that are attached and set up like good ones, and fail when they are charged. */
export function failsOnlyCharges(last4: string | undefined): boolean {
  return last4 === '0341' || last4 === '0019'
}

export function declineMessage(code: string): string {
  return messages[code] ?? 'Your card was declined.'
}

/** The behaviour of a card when it is charged. */
export interface Temper {
  readonly declines: {
    readonly code: string
    readonly decline_code: string | null
    /** From this instant; null: always. */
    readonly from: Instant | null
    /** How many more times; null: without limit. */
    readonly times: number | null
  } | null
  /** Seconds a payment stays `processing` (bank debits). */
  readonly settles_after: number
  /** The failure code a processing payment ends with; null: it succeeds. */
  readonly then_fails: string | null
}
