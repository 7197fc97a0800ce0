import { createHash, timingSafeEqual } from 'node:crypto'
import { linkKeyBytesMin } from '../cancel/link.ts'
import { webhookKey } from '../cancel/standard-webhooks.ts'
import { CommandError } from '../core/outcome.ts'
import type { ServerSecrets } from './context.ts'

/** 22 characters of base64url are 128 bits (https://www.w3.org/2001/tag/doc/capability-urls/). */
const hookSecret = /^[\w-]{22,128}$/

/**
 * Refuses to start with a secret that is missing or weak, because a service that accepts everything
 * is worse than no service. The message names every wrong secret and never quotes one. Throws
 * `CommandError` `weak_secret`.
 */
export function checkSecrets(secrets: ServerSecrets, accounts: readonly string[]): void {
  const wrong: string[] = []
  const each = (name: string, list: readonly string[], strong: (secret: string) => boolean): void =>
    list.forEach((secret, index) => {
      if (!strong(secret)) wrong.push(`serve.${name}[${index}] is too weak`)
    })
  if (secrets.hooks.length + secrets.relays.length + secrets.links.length + secrets.stripe.size === 0)
    wrong.push('no secret is configured, so no sender could be accepted')
  each('hook_secrets', secrets.hooks, (secret) => hookSecret.test(secret))
  each('relay_secrets', secrets.relays, (secret) => webhookKey(secret) !== undefined)
  each('link_secrets', secrets.links, (secret) => linkKey(secret) !== undefined)
  for (const [account, list] of secrets.stripe) {
    if (!accounts.includes(account))
      wrong.push(`serve.stripe_webhook_secrets.${account} is not an account of the project`)
    if (!list.every((secret) => /^whsec_\w{24,}$/.test(secret)))
      wrong.push(`serve.stripe_webhook_secrets.${account} is not a signing secret of Stripe`)
  }
  const all = [...secrets.hooks, ...secrets.relays, ...secrets.links, ...[...secrets.stripe.values()].flat()]
  if (new Set(all).size < all.length) wrong.push('one secret is used twice')
  if (wrong.length === 0) return
  throw new CommandError('weak_secret', wrong.join('; '), {
    notDone: 'the service was not started',
    fix: 'make each with "openssl rand -base64 32" (hook_secrets: "openssl rand -hex 32") and name it in catalog/project.yaml',
  })
}

/** The key behind a link secret: 32 bytes or more, written in base64 or hex. */
export function linkKey(secret: string): Buffer | undefined {
  const bytes = /^[0-9a-f]+$/i.test(secret) ? Buffer.from(secret, 'hex') : Buffer.from(secret, 'base64')
  const plain = /^[A-Za-z0-9+/_-]+={0,2}$/.test(secret)
  return plain && bytes.length >= linkKeyBytesMin ? bytes : undefined
}

/**
 * Whether the given text equals one of the secrets. It compares all of them over digests of equal
 * length, so that the time it takes reveals nothing.
 */
export function isOneOf(given: string, secrets: readonly string[]): boolean {
  const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()
  const mine = sha256(given)
  let found = false
  for (const secret of secrets) if (timingSafeEqual(mine, sha256(secret))) found = true
  return found
}
