import { present } from '../../core/assert.ts'
import { type Instant, instant, secondsPerDay } from '../../core/instant.ts'
import { announcePurchase } from './hooks.ts'
import type { Contact, Customer, Grant, Offer, Purchase } from './model.ts'
import { paymentType } from './resources.ts'
import type { Site } from './site.ts'

/**
 * How a grant is made. `mail` is the welcome mail of the API (sent unless declined) or the grant
 * mail of the offer addresses (sent only on request).
 */
export interface GrantTerms {
  by: Grant['by']
  mail?: 'welcome' | 'offer_grant' | undefined
  activatedAs?: string
}

/** The customer of a contact; the first grant or purchase creates it. */
export function customerOf(site: Site, contactId: string): Customer {
  const contact = present(site.contacts.get(contactId), `contact ${contactId}`)
  const known = contact.customer === null ? undefined : site.customers.get(contact.customer)
  if (known !== undefined) return known
  const now = site.now()
  const customer: Customer = {
    id: site.newId('customers'),
    contact: contactId,
    external_user_id: null,
    net_revenue_cents: 0,
    created: now,
    updated: now,
  }
  site.customers.put(customer)
  site.contacts.put({ ...contact, customer: customer.id, updated: now })
  return customer
}

/**
 * Grants an offer. A grant that already exists stays as it is, even if its products were switched
 * off: the real API checks "if the contact was already granted the offer" and does no more.
 */
export function grant(site: Site, contactId: string, offer: Offer, terms: GrantTerms): void {
  const id = `${contactId}/${offer.id}`
  const customer = customerOf(site, contactId)
  if (site.grants.get(id) !== undefined) return
  const now = site.now()
  const expires = offer.access_days === null ? null : instant(now + offer.access_days * secondsPerDay)
  site.grants.put({
    id,
    contact: contactId,
    offer: offer.id,
    by: terms.by,
    activated_as: terms.activatedAs ?? null,
    products_active: true,
    expires,
    created: now,
  })
  if (expires !== null) site.schedule(expires, 'kajabi.access_ends', id)
  if (terms.mail !== undefined) {
    const mail = { id: site.newId('mails'), kind: terms.mail, contact: contactId, offer: offer.id, created: now }
    site.mails.put(mail)
  }
  if (terms.by === 'url' || (terms.by === 'api' && site.behaviour.grants_are_purchases))
    recordPurchase(site, customer, offer, now)
}

/**
 * A member buys in Kajabi itself. This creates access, a purchase, and the purchase hook (which
 * grants never send).
 */
export function purchase(site: Site, contactId: string, offer: Offer): Purchase {
  grant(site, contactId, offer, { by: 'purchase', mail: 'welcome' })
  const customer = customerOf(site, contactId)
  const row = recordPurchase(site, customer, offer, site.now())
  announcePurchase(site, row)
  return row
}

function recordPurchase(site: Site, customer: Customer, offer: Offer, now: Instant): Purchase {
  const recurring = offer.kind === 'subscription' || offer.kind === 'payment_plan'
  const row: Purchase = {
    id: site.newId('purchases'),
    contact: customer.contact,
    customer: customer.id,
    offer: offer.id,
    amount_in_cents: offer.kind === 'free' ? 0 : offer.price_in_cents,
    currency: offer.currency,
    payment_type: paymentType(offer),
    payments_made: recurring ? 1 : null,
    status: recurring ? 'active' : 'succeeded',
    deactivated: null,
    deactivation_reason: null,
    coupon_code: null,
    created: now,
    updated: now,
  }
  site.purchases.put(row)
  return row
}

/**
 * Revokes an offer, the grant and the purchase alike. Only active ones change; false when there was
 * none.
 */
export function revoke(site: Site, contactId: string, offerId: string, reason: string): boolean {
  const id = `${contactId}/${offerId}`
  const had = site.grants.get(id) !== undefined
  site.grants.delete(id)
  const now = site.now()
  for (const row of site.purchasesOf(contactId)) {
    if (row.offer !== offerId || row.deactivated !== null) continue
    site.purchases.put({ ...row, deactivated: now, deactivation_reason: reason, updated: now })
  }
  return had
}

/**
 * The access timer of an offer with a day limit. To an API client it looks like any other
 * revocation.
 */
export function accessEnds(site: Site, grantId: string): void {
  const row = site.grants.get(grantId)
  if (row === undefined || row.expires === null || row.expires > site.now()) return
  revoke(site, row.contact, row.offer, 'Access expired')
}

/** A contact as the site stores it: the address is trimmed and in lower case. */
export function newContact(site: Site, terms: { name: string; email: string; subscribed?: boolean }): Contact {
  const now = site.now()
  const row: Contact = {
    id: site.newId('contacts'),
    name: terms.name,
    email: terms.email.trim().toLowerCase(),
    phone_number: null,
    subscribed: terms.subscribed ?? false,
    customer: null,
    tags: [],
    unindexed_for: site.behaviour.index_lag,
    created: now,
    updated: now,
  }
  site.contacts.put(row)
  return row
}
