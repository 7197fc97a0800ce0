import { type JsonObject, isJsonObject } from '../../core/json.ts'
import { type GrantTerms, grant, revoke } from './access.ts'
import { type Answer, document, refuse } from './answers.ts'
import { contactFor, customerFor } from './contacts.ts'
import { announceTag } from './hooks.ts'
import type { Offer, Tag } from './model.ts'
import { type SiteRequest, identifiersOf, jsonBody } from './requests.ts'
import { identifiers } from './resources.ts'
import type { Site } from './site.ts'

/** Offers and tags of a contact: POST adds, DELETE with a body removes, PATCH replaces all. */
type Change = 'GET' | 'POST' | 'DELETE' | 'PATCH'

export function contactOffers(site: Site, request: SiteRequest, id: string): Answer {
  contactFor(site, id)
  // Only the contacts route documents `send_customer_welcome_email`; without it the mail goes out.
  if (request.method !== 'GET') changeOffers(site, request, id, welcome(request) ? 'welcome' : undefined)
  return offersOf(site, id, `/v1/contacts/${id}/relationships/offers`)
}

export function customerOffers(site: Site, request: SiteRequest, id: string): Answer {
  const customer = customerFor(site, id)
  if (request.method !== 'GET') changeOffers(site, request, customer.contact, 'welcome')
  return offersOf(site, customer.contact, `/v1/customers/${id}/relationships/offers`)
}

function offersOf(site: Site, contactId: string, path: string): Answer {
  const offers = site.grantsOf(contactId).map((row) => row.offer)
  return document({ data: identifiers('offers', offers), links: { self: `https://app.kajabi.com/api${path}` } })
}

function changeOffers(site: Site, request: SiteRequest, contactId: string, mail: GrantTerms['mail']): void {
  const offers = identifiersOf(request, 'offers').map((offerId) => offerFor(site, offerId))
  const change = request.method as Change
  if (change === 'PATCH')
    for (const row of site.grantsOf(contactId))
      if (!offers.some((offer) => offer.id === row.offer)) revoke(site, contactId, row.offer, 'Revoked')
  for (const offer of offers)
    if (change === 'DELETE') revoke(site, contactId, offer.id, 'Revoked')
    else grant(site, contactId, offer, { by: 'api', mail })
}

function welcome(request: SiteRequest): boolean {
  const meta: JsonObject[string] = jsonBody(request)['meta']
  return !(isJsonObject(meta) && meta['send_customer_welcome_email'] === false)
}

export function offerFor(site: Site, id: string): Offer {
  const row = site.offers.get(id)
  if (row === undefined) throw refuse(404, 'The requested resource could not be found.')
  return row
}

export function contactTags(site: Site, request: SiteRequest, id: string): Answer {
  contactFor(site, id)
  if (request.method !== 'GET') changeTags(site, request, id)
  const { tags } = contactFor(site, id)
  const self = `https://app.kajabi.com/api/v1/contacts/${id}/relationships/tags`
  return document({ data: identifiers('contact_tags', tags), links: { self } })
}

function changeTags(site: Site, request: SiteRequest, contactId: string): void {
  const tags = identifiersOf(request, 'contact_tags').map((tagId) => {
    const tag = site.tags.get(tagId)
    if (tag === undefined) throw refuse(404, 'The requested resource could not be found.')
    return tag
  })
  const change = request.method as Change
  if (change === 'DELETE') {
    for (const tag of tags) removeTag(site, contactId, tag)
    return
  }
  if (change === 'PATCH')
    for (const held of contactFor(site, contactId).tags) {
      const tag = site.tags.get(held)
      if (tag !== undefined && !tags.some((kept) => kept.id === held)) removeTag(site, contactId, tag)
    }
  for (const tag of tags) addTag(site, contactId, tag)
}

/**
 * Adding a tag that the contact already has is no event. `quietly`: an automation adds it, on a
 * site whose automations send no hooks.
 */
export function addTag(site: Site, contactId: string, tag: Tag, quietly = false): void {
  const row = contactFor(site, contactId)
  if (row.tags.includes(tag.id)) return
  const tagged = { ...row, tags: [...row.tags, tag.id], updated: site.now() }
  site.contacts.put(tagged)
  if (!quietly) announceTag(site, 'tag_added', tagged, tag)
}

export function removeTag(site: Site, contactId: string, tag: Tag): void {
  const row = contactFor(site, contactId)
  if (!row.tags.includes(tag.id)) return
  const untagged = { ...row, tags: row.tags.filter((held) => held !== tag.id), updated: site.now() }
  site.contacts.put(untagged)
  announceTag(site, 'tag_removed', untagged, tag)
}
