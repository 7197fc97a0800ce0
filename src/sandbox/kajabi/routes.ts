import { type Answer, Refusal, document, page } from './answers.ts'
import * as catalog from './catalog.ts'
import * as contacts from './contacts.ts'
import { type SiteKey, authorize, issueToken, revokeToken } from './oauth.ts'
import * as purchases from './purchases.ts'
import * as relations from './relations.ts'
import type { SiteRequest } from './requests.ts'
import { customerResource } from './resources.ts'
import type { Site } from './site.ts'
import { offerAddress } from './urls.ts'

type Handler = (site: Site, request: SiteRequest, id: string) => Answer

/**
 * `METHOD /v1/path` with `*` for an id. All other addresses are answered with an HTML page, as the
 * real site does.
 */
export const routes: Readonly<Record<string, Handler>> = {
  'GET /v1/me': () => document({ data: { id: '1', type: 'users', attributes: me } }),
  'GET /v1/sites': catalog.listSites,
  'GET /v1/sites/*': (site, _, id) => catalog.showSite(site, id),
  'GET /v1/contacts': contacts.listContacts,
  'POST /v1/contacts': contacts.createContact,
  'GET /v1/contacts/*': contacts.showContact,
  'PATCH /v1/contacts/*': contacts.updateContact,
  'DELETE /v1/contacts/*': (site, _, id) => contacts.deleteContact(site, id),
  'GET /v1/contacts/*/relationships/offers': relations.contactOffers,
  'POST /v1/contacts/*/relationships/offers': relations.contactOffers,
  'DELETE /v1/contacts/*/relationships/offers': relations.contactOffers,
  'PATCH /v1/contacts/*/relationships/offers': relations.contactOffers,
  'GET /v1/contacts/*/relationships/tags': relations.contactTags,
  'POST /v1/contacts/*/relationships/tags': relations.contactTags,
  'DELETE /v1/contacts/*/relationships/tags': relations.contactTags,
  'PATCH /v1/contacts/*/relationships/tags': relations.contactTags,
  'GET /v1/customers': contacts.listCustomers,
  'GET /v1/customers/*': (site, _, id) => catalog.show(customerResource(site, contacts.customerFor(site, id))),
  'GET /v1/customers/*/relationships/offers': relations.customerOffers,
  'POST /v1/customers/*/relationships/offers': relations.customerOffers,
  'DELETE /v1/customers/*/relationships/offers': relations.customerOffers,
  'PATCH /v1/customers/*/relationships/offers': relations.customerOffers,
  'GET /v1/contact_tags': catalog.listTags,
  'GET /v1/contact_tags/*': (site, _, id) => catalog.showTag(site, id),
  'GET /v1/offers': catalog.listOffers,
  'GET /v1/offers/*': (site, _, id) => catalog.showOffer(site, id),
  'GET /v1/offers/*/relationships/products': (site, _, id) => catalog.offerProducts(site, id),
  'GET /v1/products': catalog.listProducts,
  'GET /v1/products/*': (site, _, id) => catalog.showProduct(site, id),
  'GET /v1/purchases': purchases.listPurchases,
  'GET /v1/purchases/*': (site, _, id) => purchases.showPurchase(site, id),
  'POST /v1/purchases/*/deactivate': (site, _, id) => purchases.deactivatePurchase(site, id),
  'POST /v1/purchases/*/reactivate': (site, _, id) => purchases.reactivatePurchase(site, id),
  'POST /v1/purchases/*/cancel_subscription': (site, _, id) => purchases.cancelPurchase(site, id),
  'GET /v1/forms': catalog.listForms,
  'GET /v1/forms/*': (site, _, id) => catalog.showForm(site, id),
  'POST /v1/forms/*/submit': catalog.postSubmission,
  'GET /v1/form_submissions': catalog.listSubmissions,
  'GET /v1/form_submissions/*': (site, _, id) => catalog.showSubmission(site, id),
  'GET /v1/hooks': catalog.listHooks,
  'POST /v1/hooks': catalog.createHook,
  'GET /v1/hooks/*': (site, _, id) => catalog.showHook(site, id),
  'DELETE /v1/hooks/*': (site, _, id) => catalog.deleteHook(site, id),
}

const me = { initials: 'FS', name: 'Formulation School', email: 'owner@school.example', role_level: 'OWNER' }

const version = {
  meta: { title: 'Kajabi API', version: '1.1.0' },
  links: { documentation: 'https://developers.kajabi.com' },
  jsonapi: { version: '1.0', specficiation: 'https://jsonapi.org/format/1.0/' },
}

/** Answers one request to the site. */
export function answer(site: Site, key: SiteKey, request: SiteRequest): Answer {
  try {
    return routed(site, key, request)
  } catch (error) {
    if (error instanceof Refusal) return error.answer
    throw error
  }
}

function routed(site: Site, key: SiteKey, request: SiteRequest): Answer {
  const { method, path } = request
  if (method === 'GET' && path === '/v1/version') return document(version)
  if (method === 'POST' && path === '/v1/oauth/token') return issueToken(site, key, request)
  const address = offerAddress(site, request)
  if (address !== undefined) return address
  const [handler, id] = handlerFor(method, path)
  const revoking = method === 'POST' && path === '/v1/oauth/revoke'
  if (handler === undefined && !revoking) return page(404, 'The page you were looking for does not exist (404)')
  authorize(site, request)
  if (handler === undefined) return revokeToken(site, request)
  return handler(site, request, id)
}

function handlerFor(method: string, path: string): [Handler | undefined, string] {
  const parts = path.split('/')
  const id = parts[3] ?? ''
  const exact = routes[`${method} ${path}`]
  if (exact !== undefined) return [exact, '']
  if (!/^\d+$/.test(id)) return [undefined, '']
  parts[3] = '*'
  return [routes[`${method} ${parts.join('/')}`], id]
}
