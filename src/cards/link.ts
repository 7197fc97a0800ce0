import type { Instant } from '../core/instant.ts'
import { readToken, signToken } from '../core/signed-token.ts'

/**
 * The claims of a member's card link. They hold ids only, so a leaked link reveals no name or
 * address, and nobody can see or take a card with it.
 */
export interface CardClaims {
  /** `us/sub_…` */
  readonly subscriber: string
  /** The customer of the target who gets the card. */
  readonly customer: string
  readonly expires: Instant
}

export type CardVerdict =
  | { readonly ok: true; readonly claims: CardClaims }
  | { readonly ok: false; readonly reason: 'malformed' | 'forged' | 'expired' }

const purpose = 'crossbill card link'

export function signCardLink({ subscriber, customer, expires }: CardClaims, key: Buffer): string {
  return signToken(purpose, [subscriber, customer, expires], key)
}

export function readCardToken(token: string, keys: readonly Buffer[], now: Instant): CardVerdict {
  const verdict = readToken(purpose, token, keys)
  if (!verdict.ok) return verdict
  const { claims } = verdict
  if (!Array.isArray(claims) || claims.length !== 3) return { ok: false, reason: 'malformed' }
  const [subscriber, customer, expires] = claims as unknown[]
  if (typeof subscriber !== 'string' || typeof customer !== 'string' || !Number.isSafeInteger(expires))
    return { ok: false, reason: 'malformed' }
  const until = expires as Instant
  return until > now ? { ok: true, claims: { subscriber, customer, expires: until } } : { ok: false, reason: 'expired' }
}
