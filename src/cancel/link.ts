import type { Instant } from '../core/instant.ts'
import { readToken, signToken } from '../core/signed-token.ts'

/**
 * The claims of a member's cancel link. They hold ids only, so a leaked link reveals no name or
 * address.
 */
export interface LinkClaims {
  /** `us/sub_…` */
  readonly subscriber: string
  /** Key in access.yaml, or empty when the subscription gives no offer. */
  readonly offer: string
  readonly expires: Instant
  /** Unique, because a link works once. */
  readonly id: string
}

export type LinkVerdict =
  | { readonly ok: true; readonly claims: LinkClaims }
  | { readonly ok: false; readonly reason: 'malformed' | 'forged' | 'expired' }

/** The service does not start with a shorter key. */
export const linkKeyBytesMin = 32

const purpose = 'crossbill cancel link'

export function signLink({ subscriber, offer, expires, id }: LinkClaims, key: Buffer): string {
  return signToken(purpose, [subscriber, offer, expires, id], key)
}

export function readLink(token: string, keys: readonly Buffer[], now: Instant): LinkVerdict {
  const verdict = readToken(purpose, token, keys)
  if (!verdict.ok) return verdict
  const claims = parse(verdict.claims)
  if (claims === undefined) return { ok: false, reason: 'malformed' }
  return claims.expires > now ? { ok: true, claims } : { ok: false, reason: 'expired' }
}

function parse(value: unknown): LinkClaims | undefined {
  if (!Array.isArray(value) || value.length !== 4) return undefined
  const [subscriber, offer, expires, id] = value as unknown[]
  return typeof subscriber === 'string' &&
    typeof offer === 'string' &&
    Number.isSafeInteger(expires) &&
    typeof id === 'string'
    ? { subscriber, offer, expires: expires as Instant, id }
    : undefined
}
