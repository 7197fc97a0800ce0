import type Stripe from 'stripe'
import { formatInstant, instant, type Instant } from '../core/instant.ts'
import { mandateCountries, needsMandate, renewalFailure } from '../live/setup.ts'
import type { CardCode } from './card-codes.ts'

/** One payment method that a renewal in the target would charge, as the accounts show it. */
export interface ChargedMethod {
  readonly id: string
  /** As the target shows it; undefined when the target does not have it. */
  readonly shown: Stripe.PaymentMethod | undefined
  /** The method that the old account charges, where the lists of that account show it. */
  readonly old: Stripe.PaymentMethod | undefined
  /** The subscription in the target, once the member has moved. */
  readonly successor: Stripe.Subscription | undefined
  /** The member entered it in the target, with whatever their bank asks. */
  readonly isEntered?: boolean
  /** The target bills the member; implied by `successor`. */
  readonly isMoved?: boolean
  /** The next renewal. */
  readonly next: Instant
}

export interface CardFinding {
  readonly code: CardCode
  readonly message: string
}

/**
 * Why the renewal will probably fail, most certain first; empty when nothing speaks against it.
 * Only what the accounts show is judged: no amount is charged and no bank is asked.
 */
export function findingsOf(method: ChargedMethod, now: Instant): readonly CardFinding[] {
  const { id, shown, successor } = method
  if (shown === undefined) return [{ code: 'method_missing', message: `the target does not have ${id}` }]
  const failure = successor === undefined ? undefined : renewalFailure(successor, id)
  if (failure !== undefined)
    return [{ code: needsMandate(failure) ? 'mandate_missing' : 'setup_failed', message: failure.message }]
  return [...expiry(method, now), ...mandate(method), ...difference(method)]
}

/** A card is valid until the end of its month. */
function expiresAt({ exp_month: month, exp_year: year }: Stripe.PaymentMethod.Card): Instant {
  return instant(Date.UTC(year, month, 1) / 1_000)
}

function expiry({ id, shown, next }: ChargedMethod, now: Instant): CardFinding[] {
  const card = shown?.card
  if (card === undefined || card === null) return []
  const end = expiresAt(card)
  const when = `${card.exp_month}/${card.exp_year}`
  if (end <= now) return [{ code: 'card_expired', message: `${id} expired in ${when}` }]
  return end <= next
    ? [{ code: 'card_expires', message: `${id} expires in ${when}, before the renewal on ${formatInstant(next)}` }]
    : []
}

/** A mandate that the member gave to the target shows as a set-up that succeeded after the move. */
function mandate({ id, shown, old, successor, isEntered }: ChargedMethod): CardFinding[] {
  const country = shown?.card?.country ?? null
  if (country === null || !mandateCountries.has(country)) return []
  // After the move, a card that still needs its member shows as a failed set-up. Another card than
  // the old one was entered by the member in the target.
  if (isEntered === true || successor !== undefined || (old !== undefined && isOther(shown, old))) return []
  return [{ code: 'mandate_missing', message: `${id} was issued in ${country}, and no copy brings its mandate` }]
}

/**
 * After the move, each account may get a new expiry from the card network by itself. Another number
 * with a later expiry in the old account is a card that replaced the copied one.
 */
function difference({ id, shown, old, successor, isMoved = successor !== undefined }: ChargedMethod): CardFinding[] {
  if (old === undefined || !isOther(shown, old)) return []
  if (isMoved && !isReplacedBy(shown?.card, old.card)) return []
  return [{ code: 'card_differs', message: `${id} is ${told(shown)}, and the old account charges ${told(old)}` }]
}

function isOther(shown: Stripe.PaymentMethod | undefined, old: Stripe.PaymentMethod): boolean {
  return shown?.card != null && old.card != null && told(shown) !== told(old)
}

function isReplacedBy(
  copy: Stripe.PaymentMethod.Card | null | undefined,
  old: Stripe.PaymentMethod.Card | null | undefined,
): boolean {
  if (copy == null || old == null || (copy.brand === old.brand && copy.last4 === old.last4)) return false
  return expiresAt(old) > expiresAt(copy)
}

function told(method: Stripe.PaymentMethod | undefined): string {
  const card = method?.card
  return card == null ? (method?.type ?? '') : `${card.brand} …${card.last4} ${card.exp_month}/${card.exp_year}`
}
