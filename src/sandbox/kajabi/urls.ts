import { isJsonObject } from '../../core/json.ts'
import { grant, newContact, revoke } from './access.ts'
import { type Answer, page } from './answers.ts'
import { type SiteRequest, deliverable, jsonBody, text } from './requests.ts'
import type { Site } from './site.ts'

/**
 * The activation and deactivation addresses of an offer. They need no API key, since the path holds
 * the secret. Activation finds or creates the contact and sends no mail unless
 * `?send_offer_grant_email=true`. Deactivation must name exactly the `external_user_id` of the
 * activation.
 */
export function offerAddress(site: Site, request: SiteRequest): Answer | undefined {
  const match = /^\/webhooks\/offers\/([^/]+)\/([^/]+)\/(activate|deactivate)$/.exec(request.path)
  if (match === null) return undefined
  const [, key, offerId, what] = match
  const offer = site.offers.get(offerId ?? '')
  if (request.method !== 'POST' || offer === undefined || offer.url_key !== key) return page(404, 'Not Found')
  const body = jsonBody(request)
  const email = text(body, 'email')
  const external = text(body, 'external_user_id') ?? email
  if (!isJsonObject(body) || email === undefined || external === undefined || !deliverable(email))
    return plain(422, 'email is required')
  const name = text(body, 'name') ?? ''
  const known = site.contactOf(email)
  const before = known === undefined ? undefined : site.grants.get(`${known.id}/${offer.id}`)
  if (what === 'activate') {
    if (before !== undefined) return plain(422, 'The offer has already been granted to this member')
    const contact = known ?? newContact(site, { name, email })
    const mail = request.query.get('send_offer_grant_email') === 'true' ? 'offer_grant' : undefined
    grant(site, contact.id, offer, { by: 'url', activatedAs: external, mail })
    return plain(200, '')
  }
  if (before === undefined) return plain(404, 'Offer grant not found for offer on member')
  // The grant exists under another id: the member is not found and keeps the offer.
  if (before.activated_as !== external) return plain(404, 'Base: not found')
  revoke(site, before.contact, offer.id, 'Revoked')
  return plain(200, '')
}

function plain(status: number, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body }
}
