import { instant, secondsPerDay } from '../../core/instant.ts'
import type { JsonObject } from '../../core/json.ts'
import { newContact } from './access.ts'
import { type Answer, Refusal, document, noContent, page, refuse } from './answers.ts'
import { type ListRoute, list, sparse } from './lists.ts'
import type { Contact, Customer } from './model.ts'
import { type SiteRequest, deliverable, resourceBody, siteNamed, text } from './requests.ts'
import { contactResource, customerResource, offerResource, tagResource } from './resources.ts'
import { search } from './search.ts'
import type { Site } from './site.ts'
import type { Json } from '../../core/json.ts'

/**
 * Filters of the API description that depend on parts of Kajabi (mailings, events, assessments)
 * which this site does not model.
 */
const unmodelled = [
  'is_hidden',
  'joined_in_last',
  'active_in_last',
  'inactive_in_last',
  'used_coupon_code',
  'registered_event_id',
  'not_registered_event_id',
  'net_revenue_equal_to',
  'net_revenue_greater_than',
  'net_revenue_less_than',
  'opened_email_in_last',
  'bounced_in_last',
  'is_hard_bouncing',
]

/** With `include`, the real site times out on large lists. */
const largestIncludingPage = 50

export function listContacts(site: Site, request: SiteRequest): Answer {
  const query = request.query.get('filter[search]')
  if (request.query.has('include') && Number(request.query.get('page[size]') ?? 25) > largestIncludingPage)
    throw new Refusal(page(504, 'Gateway Time-out'))
  const rows = query === null ? site.contacts.all() : search(site, query)
  const visible = [...rows].filter((row) => indexed(site, row))
  const route: ListRoute<Contact> = {
    path: '/v1/contacts',
    type: 'contacts',
    sorts: { created_at: newest, name: (row) => row.name, email: (row) => row.email },
    filters: contactFilters(site),
    unmodelled,
    render: (row) => contactResource(site, row),
    meta: 'pages',
  }
  return list(route, visible, request.query)
}

/** A new contact becomes visible to lists only after some list requests. */
function indexed(site: Site, row: Contact): boolean {
  if (row.unindexed_for === 0) return true
  site.contacts.put({ ...row, unindexed_for: row.unindexed_for - 1 })
  return false
}

/** Newest first. Ids decide ties, since many contacts arrive within one second. */
const newest = (row: { created: number; id: string }): number => row.created * 1e6 + (Number(row.id) % 1e6)

type Accepts<Row> = (row: Row, value: string) => boolean

function contactFilters(site: Site): Record<string, Accepts<Contact>> {
  const has = (row: Contact, offer: string): boolean => site.grants.get(`${row.id}/${offer}`) !== undefined
  const products = (row: Contact, active: boolean): Set<string> =>
    new Set(
      site
        .grantsOf(row.id)
        .filter((grant) => !active || grant.products_active)
        .flatMap((grant) => site.offers.get(grant.offer)?.products ?? []),
    )
  const within = (row: Contact, days: string): boolean =>
    row.created >= instant(site.now() - Number(days) * secondsPerDay)
  return {
    site_id: (_, value) => value === site.id,
    // The index above answers it; the entry exists so that the filter is known.
    search: () => true,
    email_contains: (row, value) => row.email.includes(value.toLowerCase()),
    name_contains: (row, value) => row.name.toLowerCase().includes(value.toLowerCase()),
    has_tag_id: (row, value) => row.tags.includes(value),
    has_all_tag_id: (row, value) => value.split(',').every((tag) => row.tags.includes(tag)),
    has_no_tag_id: (row, value) => !row.tags.includes(value),
    has_offer_id: has,
    has_no_offer_id: (row, value) => !has(row, value),
    has_product_id: (row, value) => products(row, false).has(value),
    has_active_product_id: (row, value) => products(row, true).has(value),
    has_no_product_id: (row, value) => !products(row, false).has(value),
    previously_owned_product_id: (row, value) =>
      !products(row, false).has(value) &&
      site
        .purchasesOf(row.id)
        .some((bought) => bought.deactivated !== null && site.offers.get(bought.offer)?.products.includes(value)),
    subscribed: (row, value) => row.subscribed === (value === 'true'),
    created_in_last: within,
    not_created_in_last: (row, value) => !within(row, value),
  }
}

export function createContact(site: Site, request: SiteRequest): Answer {
  const { data, attributes } = resourceBody(request, 'contacts')
  if (siteNamed(data) !== site.id) throw refuse(403, 'Insufficient permission to access the site.')
  const name = text(attributes, 'name') ?? ''
  const email = text(attributes, 'email') ?? ''
  if ('external_user_id' in attributes)
    throw refuse(422, 'External user is not supported for a new contact', '/data/attributes/external_user_id')
  checkEmail(site, email)
  const row = newContact(site, { name, email, subscribed: attributes['subscribed'] === true })
  return document({ data: contactResource(site, row) as unknown as Json }, 201)
}

function checkEmail(site: Site, email: string, own?: string): void {
  if (!deliverable(email)) throw refuse(422, 'Email is invalid', '/data/attributes/email')
  const taken = site.contactOf(email)
  if (taken !== undefined && taken.id !== own)
    throw refuse(422, 'Email has already been taken', '/data/attributes/email')
}

export function contactFor(site: Site, id: string): Contact {
  const row = site.contacts.get(id)
  if (row === undefined) throw refuse(404, 'The requested resource could not be found.')
  return row
}

export function showContact(site: Site, request: SiteRequest, id: string): Answer {
  const row = contactFor(site, id)
  const include = (request.query.get('include') ?? '').split(',')
  const included: Json[] = []
  if (include.includes('tags'))
    for (const tag of row.tags.flatMap((tagId) => site.tags.get(tagId) ?? []))
      included.push(tagResource(site, tag) as unknown as Json)
  if (include.includes('offers'))
    for (const offer of site.grantsOf(id).flatMap((grant) => site.offers.get(grant.offer) ?? []))
      included.push(offerResource(site, offer) as unknown as Json)
  const customer = row.customer === null ? undefined : site.customers.get(row.customer)
  if (include.includes('customer') && customer !== undefined)
    included.push(customerResource(site, customer) as unknown as Json)
  const data = sparse(contactResource(site, row), request.query.get('fields[contacts]')) as unknown as Json
  return document(request.query.has('include') ? { data, included } : { data })
}

export function updateContact(site: Site, request: SiteRequest, id: string): Answer {
  let row = contactFor(site, id)
  const { attributes } = resourceBody(request, 'contacts')
  const now = site.now()
  const email = text(attributes, 'email')
  if (email !== undefined) checkEmail(site, email, id)
  const external = attributes['external_user_id']
  if (external !== undefined) setExternalId(site, row, external)
  row = { ...contactFor(site, id), updated: now }
  if (email !== undefined) row.email = email.trim().toLowerCase()
  row.name = text(attributes, 'name') ?? row.name
  row.phone_number = text(attributes, 'phone_number') ?? row.phone_number
  if (typeof attributes['subscribed'] === 'boolean') row.subscribed = attributes['subscribed']
  site.contacts.put(row)
  return document({ data: contactResource(site, row) as unknown as Json })
}

/** Accepted only after the contact has a customer; unique within the site. */
function setExternalId(site: Site, row: Contact, value: JsonObject[string]): void {
  const pointer = '/data/attributes/external_user_id'
  const customer = row.customer === null ? undefined : site.customers.get(row.customer)
  if (customer === undefined)
    throw refuse(422, 'External user is only supported once the contact is a customer', pointer)
  if (value !== null && typeof value !== 'string') throw refuse(422, 'External user is invalid', pointer)
  const holder = value === null ? undefined : site.customerWith(value)
  if (holder !== undefined && holder.id !== customer.id)
    throw refuse(422, 'External user has already been taken', pointer)
  site.customers.put({ ...customer, external_user_id: value, updated: site.now() })
}

export function deleteContact(site: Site, id: string): Answer {
  const row = contactFor(site, id)
  for (const grant of site.grantsOf(id)) site.grants.delete(grant.id)
  for (const bought of site.purchasesOf(id)) site.purchases.delete(bought.id)
  if (row.customer !== null) site.customers.delete(row.customer)
  site.contacts.delete(id)
  return noContent()
}

export function listCustomers(site: Site, request: SiteRequest): Answer {
  const contact = (row: Customer): Contact => contactFor(site, row.contact)
  const query = request.query.get('filter[search]')
  const rows =
    query === null
      ? [...site.customers.all()]
      : search(site, query).flatMap((row) => (row.customer === null ? [] : (site.customers.get(row.customer) ?? [])))
  const filters = contactFilters(site)
  const route: ListRoute<Customer> = {
    path: '/v1/customers',
    type: 'customers',
    sorts: { created_at: newest, name: (row) => contact(row).name, email: (row) => contact(row).email },
    filters: Object.fromEntries(
      Object.entries(filters).map(([name, accepts]) => [name, (row: Customer, v: string) => accepts(contact(row), v)]),
    ),
    unmodelled,
    render: (row) => customerResource(site, row),
    meta: 'pages',
  }
  return list(route, rows, request.query)
}

export function customerFor(site: Site, id: string): Customer {
  const row = site.customers.get(id)
  if (row === undefined) throw refuse(404, 'The requested resource could not be found.')
  return row
}
