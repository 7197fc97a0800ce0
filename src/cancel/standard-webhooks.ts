import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Instant } from '../core/instant.ts'

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
const toleranceSeconds = 300

export type Verdict = { readonly ok: true; readonly id: string } | { readonly ok: false; readonly reason: string }

/**
 * Decodes the key in `whsec_<base64>`: 24 to 64 bytes. Undefined when it is shorter or malformed;
 * the caller must then refuse to start.
 */
export function webhookKey(secret: string): Buffer | undefined {
  const text = secret.startsWith('whsec_') ? secret.slice(6) : secret
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined
  const key = Buffer.from(text, 'base64')
  return key.length >= 24 && key.length <= 64 ? key : undefined
}

/**
 * Verifies a signed request over its raw body. Several keys are accepted during a rotation of
 * secrets. Every signature is compared in constant time.
 */
export function verifyWebhook(
  headers: {
    readonly id: string | undefined
    readonly timestamp: string | undefined
    readonly signature: string | undefined
  },
  body: string,
  keys: readonly Buffer[],
  /** One of these clocks has to agree: this machine's, or Stripe's, which a sandbox simulates. */
  clocks: readonly Instant[],
): Verdict {
  const { id, timestamp, signature } = headers
  if (id === undefined || timestamp === undefined || signature === undefined) return { ok: false, reason: 'unsigned' }
  if (!/^[\w.-]{1,128}$/.test(id)) return { ok: false, reason: 'bad_id' }
  if (!/^\d{1,12}$/.test(timestamp)) return { ok: false, reason: 'bad_timestamp' }
  // Signatures come first, so that an unauthenticated sender learns nothing about the clocks.
  const expected = keys.map((key) => createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest())
  const given = signature
    .split(' ')
    .slice(0, 8)
    .filter((part) => part.startsWith('v1,'))
    .map((part) => Buffer.from(part.slice(3), 'base64'))
  let matched = false
  for (const one of expected)
    for (const other of given) if (other.length === one.length && timingSafeEqual(one, other)) matched = true
  if (!matched) return { ok: false, reason: 'bad_signature' }
  const fresh = clocks.some((now) => Math.abs(now - Number(timestamp)) <= toleranceSeconds)
  return fresh ? { ok: true, id } : { ok: false, reason: 'stale' }
}

export function signWebhook(id: string, at: Instant, body: string, key: Buffer): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64')}`
}
