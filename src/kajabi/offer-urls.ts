import { failed, success, type Failure, type Outcome } from '../core/outcome.ts'
import type { OfferUrls } from '../engine/kajabi-port.ts'
import { KajabiTransport, nameOf, type KajabiHttp } from './http.ts'

/**
 * The purpose of an offer URL. Each URL contains a key and is a secret: the catalog names it by
 * reference, and it is never logged.
 */
export type OfferUrlKind = 'activate' | 'deactivate'

/**
 * Access through the offer's activation and deactivation URLs, for sites without the public API
 * (https://help.kajabi.com/hc/en-us/articles/360037245374). Kajabi sends no welcome mail this way
 * by default.
 */
export function offerUrls(
  urlOf: (offer: string, which: OfferUrlKind) => Promise<string | undefined>,
  http: Omit<KajabiHttp, 'base'>,
): OfferUrls {
  const transport = transports(http)
  const call = async (
    which: OfferUrlKind,
    offer: string,
    person: { email: string; name: string; externalId: string },
  ): Promise<Outcome<true>> => {
    const url = await urlOf(offer, which)
    if (url === undefined)
      return failed({
        kind: 'rejected',
        code: 'offer_url_missing',
        message: `no ${which} URL is configured for offer ${offer}`,
        status: 0,
      })
    const where = URL.parse(url)
    if (where === null) return failed(malformed(which, offer))
    const { origin, pathname, search } = where
    const answer = await transport(origin).send({
      method: 'POST',
      plain: true,
      path: `${pathname}${search}`,
      body: { name: nameOf(person), email: person.email, external_user_id: person.externalId },
    })
    if (answer.ok) return success(true)
    return alreadyThere(which, answer.failure.message) ? success(true) : refusal(which, answer.failure)
  }
  return {
    activate: (offer, person) => call('activate', offer, person),
    deactivate: (offer, person) => call('deactivate', offer, person),
  }
}

/** The message does not quote the URL, because it is a secret. */
function malformed(which: OfferUrlKind, offer: string): Failure {
  const message = `the ${which} URL of offer ${offer} is not a URL`
  return { kind: 'rejected', code: 'offer_url_malformed', message, status: 0 }
}

/** One transport for each host, so that all calls to it keep their spacing. */
function transports(http: Omit<KajabiHttp, 'base'>): (origin: string) => KajabiTransport {
  const made = new Map<string, KajabiTransport>()
  return (origin) => {
    const one = made.get(origin) ?? new KajabiTransport({ ...http, base: new URL(origin) })
    made.set(origin, one)
    return one
  }
}

/** Kajabi refuses a repeated grant or revoke with these texts; for us that is success. */
function alreadyThere(which: OfferUrlKind, message: string): boolean {
  return which === 'activate' ? /already been granted/i.test(message) : /grant not found/i.test(message)
}

/**
 * "Not found" does not prove that the offer is gone: Kajabi may know the member by another id, and
 * the member may still have the offer.
 */
function refusal(which: OfferUrlKind, failure: Failure): Outcome<never> {
  return failed(failure.code === 'not_found' ? { ...failure, code: `offer_not_${which}d` } : failure)
}
