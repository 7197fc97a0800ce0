import type { Access } from '../../catalog/schemas/access.ts'
import type { SecretRef } from '../../catalog/secret-schema.ts'
import type { OfferUrls } from '../../engine/kajabi-port.ts'
import { resolveSecret } from '../../files/secrets.ts'
import { offerUrls, type OfferUrlKind } from '../../kajabi/offer-urls.ts'
import type { Shell } from '../shell.ts'

const timeout = 20_000
const spacing = 1_000

/**
 * The offers that are granted by URL; undefined when there are none. A URL is a secret and is read
 * only when it is needed.
 */
export function connectOfferUrls({ offers = {} }: Partial<Access>, shell: Shell): OfferUrls | undefined {
  const named = Object.entries(offers).filter(([, { urls }]) => urls !== undefined)
  if (named.length === 0) return undefined
  const surroundings = { folder: shell.project, env: shell.surroundings.env }
  const http = { fetch: globalThis.fetch, spacing, timeout, clock: () => performance.now() }
  const urlOf = async (offer: string, which: OfferUrlKind): Promise<string | undefined> => {
    const ref = offers[offer]?.urls?.[which]
    if (ref === undefined) return undefined
    return await resolveSecret(ref as SecretRef, `access.yaml offers.${offer}.urls.${which}`, surroundings)
  }
  return offerUrls(urlOf, http)
}
