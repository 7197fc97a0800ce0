import { signWebhook, webhookKey } from '../cancel/standard-webhooks.ts'
import type { Instant } from '../core/instant.ts'
import { failed, success, type Outcome } from '../core/outcome.ts'

export interface MailerOptions {
  /** The URL of a relay that sends the mail. It is a secret. */
  readonly url: string
  /** Signs the request as Standard Webhooks does, when it is set. */
  readonly relaySecret: string | undefined
  readonly clock: () => Instant
  readonly fetch?: typeof globalThis.fetch
}

export interface Confirmation {
  readonly email: string
  readonly link: string
  /** What a cancel link is about; absent of a card link. */
  readonly offer?: string
  /** `card`: the link leads to the member's card page. Absent of a cancel link. */
  readonly about?: 'card'
  /** The same for every attempt, so that the relay can send the mail once. */
  readonly id: string
}

/**
 * Sends a member's link to the relay that mails it: `{ "email", "link", "offer" }`, or `{ "email",
 * "link", "about": "card" }`. The address is not stored.
 */
export function mailConfirmation(options: MailerOptions): (confirmation: Confirmation) => Promise<Outcome<true>> {
  const send = options.fetch ?? globalThis.fetch
  const key = options.relaySecret === undefined ? undefined : webhookKey(options.relaySecret)
  return async ({ id, ...message }) => {
    const body = JSON.stringify(message)
    const now = options.clock()
    const signed: Record<string, string> =
      key === undefined
        ? {}
        : { 'webhook-id': id, 'webhook-timestamp': String(now), 'webhook-signature': signWebhook(id, now, body, key) }
    try {
      const answer = await send(options.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...signed },
        body,
        redirect: 'error',
        signal: AbortSignal.timeout(10_000),
      })
      await answer.arrayBuffer()
      if (answer.ok) return success(true)
      const kind = answer.status === 429 || answer.status >= 500 ? 'retryable' : 'rejected'
      return failed({
        kind,
        code: 'mailer_refused',
        message: `the mailer answered ${answer.status}`,
        status: answer.status,
      })
    } catch {
      return failed({
        kind: 'retryable',
        code: 'mailer_unreachable',
        message: 'the mailer did not answer',
        status: 0,
      })
    }
  }
}
