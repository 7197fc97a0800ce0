import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Instant } from '../core/instant.ts'

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

/** `<claims>.<mac>` in base64url: fits on one line of an e-mail and needs no escaping. */
export function signLink(claims: LinkClaims, key: Buffer): string {
  const body = Buffer.from(JSON.stringify([claims.subscriber, claims.offer, claims.expires, claims.id])).toString(
    'base64url',
  )
  return `${body}.${mac(body, key)}`
}

export function readLink(token: string, keys: readonly Buffer[], now: Instant): LinkVerdict {
  const match = /^([\w-]{1,512})\.([\w-]{43})$/.exec(token)
  if (match === null) return { ok: false, reason: 'malformed' }
  const [, body = '', given = ''] = match
  let genuine = false
  for (const key of keys) if (timingSafeEqual(Buffer.from(mac(body, key)), Buffer.from(given))) genuine = true
  if (!genuine) return { ok: false, reason: 'forged' }
  const claims = parse(Buffer.from(body, 'base64url').toString())
  if (claims === undefined) return { ok: false, reason: 'malformed' }
  return claims.expires > now ? { ok: true, claims } : { ok: false, reason: 'expired' }
}

function mac(body: string, key: Buffer): string {
  return createHmac('sha256', key).update(`crossbill cancel link ${body}`).digest('base64url')
}

function parse(text: string): LinkClaims | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!Array.isArray(value) || value.length !== 4) return undefined
  const [subscriber, offer, expires, id] = value as unknown[]
  return typeof subscriber === 'string' &&
    typeof offer === 'string' &&
    Number.isSafeInteger(expires) &&
    typeof id === 'string'
    ? { subscriber, offer, expires: expires as Instant, id }
    : undefined
}
