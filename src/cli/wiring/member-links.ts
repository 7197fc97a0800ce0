import { randomUUID } from 'node:crypto'
import { signLink } from '../../cancel/link.ts'
import { signCardLink } from '../../cards/link.ts'
import type { ServeConfig } from '../../catalog/service-schema.ts'
import { instant, secondsPerDay, type Instant } from '../../core/instant.ts'
import { CommandError } from '../../core/outcome.ts'
import type { CardOwner } from '../../engine/cards/context.ts'
import { linkKey } from '../../server/secrets.ts'
import { publicUrl, serviceSecrets } from './service-secrets.ts'
import type { Shell } from '../shell.ts'

const daysByDefault = 14

export interface LinkMaker {
  readonly expires: Instant
  /**
   * A link to the member's own cancel page. It is signed, expires and works once. `offer` is empty
   * when the subscription gives no offer.
   */
  readonly link: (subscriber: string, offer: string) => string
}

/**
 * @param days for which links are valid; `serve.link_days` when absent
 * @throws CommandError `no_public_url`, `no_link_secret`
 */
export async function openLinkMaker(
  serve: ServeConfig | undefined,
  days: number | undefined,
  shell: Shell,
  clock: () => Instant,
): Promise<LinkMaker> {
  const { base, key, expires } = await signer(serve, days, shell, clock)
  return {
    expires,
    link: (subscriber, offer) => `${base}/cancel/${signLink({ subscriber, offer, expires, id: randomUUID() }, key)}`,
  }
}

export interface CardLinkMaker {
  readonly expires: Instant
  /** A link to the page on which a member enters a card. It is signed and expires. */
  readonly link: (owner: CardOwner) => string
}

/**
 * @param days for which links are valid; `serve.link_days` when absent
 * @throws CommandError `no_public_url`, `no_link_secret`
 */
export async function openCardLinkMaker(
  serve: ServeConfig | undefined,
  days: number | undefined,
  shell: Shell,
  clock: () => Instant,
): Promise<CardLinkMaker> {
  const { base, key, expires } = await signer(serve, days, shell, clock)
  return { expires, link: (owner) => `${base}/card/${signCardLink({ ...owner, expires }, key)}` }
}

async function signer(
  serve: ServeConfig | undefined,
  days: number | undefined,
  shell: Shell,
  clock: () => Instant,
): Promise<{ readonly base: string; readonly key: Buffer; readonly expires: Instant }> {
  const base = publicUrl(serve)
  const [current] = await serviceSecrets(serve, 'link_secrets', shell)
  const key = current === undefined ? undefined : linkKey(current)
  if (key === undefined)
    throw new CommandError('no_link_secret', 'no key for members’ links is configured, or the first one is too weak', {
      notDone: 'no link was made',
      fix: 'Make one with "openssl rand -base64 32" and name it in catalog/project.yaml: serve: { link_secrets: [{ env: NAME }] }',
    })
  const held = days ?? serve?.link_days ?? daysByDefault
  // The service checks the expiry by Stripe's clock, which a sandbox simulates.
  return { base, key, expires: instant(clock() + Math.round(held * secondsPerDay)) }
}
