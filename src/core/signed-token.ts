import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Json } from './json.ts'

/** What a token says, or the fault. */
export type TokenVerdict =
  | { readonly ok: true; readonly claims: unknown }
  | { readonly ok: false; readonly reason: 'malformed' | 'forged' }

/**
 * `<claims>.<mac>` in base64url: fits on one line of an e-mail and needs no escaping. A token of
 * one purpose is no token of another, although both are signed with the same key.
 */
export function signToken(purpose: string, claims: readonly Json[], key: Buffer): string {
  const body = Buffer.from(JSON.stringify(claims)).toString('base64url')
  return `${body}.${mac(purpose, body, key)}`
}

/** Compares with every key in constant time. */
export function readToken(purpose: string, token: string, keys: readonly Buffer[]): TokenVerdict {
  const match = /^([\w-]{1,512})\.([\w-]{43})$/.exec(token)
  if (match === null) return { ok: false, reason: 'malformed' }
  const [, body = '', given = ''] = match
  let genuine = false
  for (const key of keys) if (timingSafeEqual(Buffer.from(mac(purpose, body, key)), Buffer.from(given))) genuine = true
  if (!genuine) return { ok: false, reason: 'forged' }
  try {
    return { ok: true, claims: JSON.parse(Buffer.from(body, 'base64url').toString()) as unknown }
  } catch {
    return { ok: false, reason: 'malformed' }
  }
}

function mac(purpose: string, body: string, key: Buffer): string {
  return createHmac('sha256', key).update(`${purpose} ${body}`).digest('base64url')
}
