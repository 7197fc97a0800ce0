import { success, type Outcome } from '../core/outcome.ts'
import type { OfferUrls } from '../engine/kajabi-port.ts'
import { KajabiTransport, type KajabiHttp } from './http.ts'

/** An offer's two URLs. Each contains a key and is a secret: named by reference in the catalog, never logged. */
export interface OfferUrlPair {
  readonly activate: string
  readonly deactivate: string
}

/**
 * Access through the offer's activation and deactivation URLs, for sites without the public API
 * (https://help.kajabi.com/hc/en-us/articles/360037245374). Kajabi sends no welcome mail this way unless asked to.
 */
export function offerUrls(pairs: ReadonlyMap<string, OfferUrlPair>, http: Omit<KajabiHttp, 'base'>): OfferUrls {
  const call = async (
    which: keyof OfferUrlPair,
    offer: string,
    person: { email: string; name: string; externalId: string },
  ): Promise<Outcome<true>> => {
    const url = pairs.get(offer)?.[which]
    if (url === undefined)
      return {
        ok: false,
        failure: {
          kind: 'rejected',
          code: 'offer_url_missing',
          message: `no ${which} URL is configured for offer ${offer}`,
          status: 0,
        },
      }
    const { origin, pathname, search } = new URL(url)
    const answer = await new KajabiTransport({ ...http, base: new URL(origin) }).send({
      method: 'POST',
      path: `${pathname}${search}`,
      body: { name: person.name, email: person.email, external_user_id: person.externalId },
    })
    if (answer.ok) return success(true)
    return alreadyThere(which, answer.failure.message) ? success(true) : answer
  }
  return {
    activate: (offer, person) => call('activate', offer, person),
    deactivate: (offer, person) => call('deactivate', offer, person),
  }
}

/** Kajabi's words for "nothing to do": repeating a grant or a revoke is not a failure. */
function alreadyThere(which: keyof OfferUrlPair, message: string): boolean {
  return which === 'activate' ? /already been granted/i.test(message) : /grant not found/i.test(message)
}
