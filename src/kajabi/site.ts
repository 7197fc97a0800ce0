import { addAll } from '../core/lists.ts'
import { backoff } from '../core/backoff.ts'
import { isJsonObject, type Json, type JsonObject, objectIn, textIn } from '../core/json.ts'
import { failed, success, type Outcome } from '../core/outcome.ts'
import type { Directory, KajabiEvent, KajabiHook, KajabiOffer, KajabiSite } from '../engine/kajabi-port.ts'
import { KajabiTransport, nameOf, type KajabiHttp, type KajabiRequest } from './http.ts'
import { KajabiToken, type KajabiCredentials } from './token.ts'

export interface KajabiOptions extends KajabiHttp {
  readonly site: string
  readonly credentials: KajabiCredentials
  /** Waits before a page of a list is requested again. Without it no page is repeated. */
  readonly pause?: (seconds: number) => Promise<void>
}

/**
 * Attempts for one page, and the longest wait between two attempts in seconds.
 */
const pageTries = 4
const pauseMax = 120

/**
 * Largest number of pages in one list. A `links.next` that never ends is a fault of Kajabi; the
 * list fails then, because an incomplete list must not be used.
 */
const pagesMax = 2_000

/** The site's public API v1: https://developers.kajabi.com/api-reference. */
export function kajabiSite(options: KajabiOptions): KajabiSite {
  const transport = new KajabiTransport(options)
  const api = new Api(transport, new KajabiToken(transport, options.credentials, options.clock), options.pause)
  const { site } = options
  return {
    reachable: async () => {
      const answer = await transport.send({ method: 'GET', path: '/v1/version' })
      return answer.ok ? success(true) : answer
    },
    findContact: (email) => findContact(api, site, email),
    ensureContact: (person) => ensureContact(api, site, person),
    directory: (pages) => directory(api, site, pages),
    holders: (offer) => holders(api, site, offer),
    noted: (offer) => noted(api, site, offer),
    offersOf: (contact) => api.ids(`/v1/contacts/${contact}/relationships/offers`),
    productsOf: (offer) => api.ids(`/v1/offers/${offer}/relationships/products`),
    openFor: (product) =>
      api.ids(
        `/v1/contacts?${query({ 'filter[site_id]': site, 'filter[has_active_product_id]': product, 'page[size]': '100' })}`,
      ),
    grant: (contact, offer, { welcome }) =>
      api.done({
        method: 'POST',
        path: `/v1/contacts/${contact}/relationships/offers`,
        body: { data: [{ type: 'offers', id: offer }], meta: { send_customer_welcome_email: welcome } },
      }),
    // Never PATCH: it replaces all of a contact's offers.
    revoke: (contact, offer) =>
      api.done({
        method: 'DELETE',
        path: `/v1/contacts/${contact}/relationships/offers`,
        body: { data: [{ type: 'offers', id: offer }] },
      }),
    externalId: (contact) => externalId(api, contact),
    setExternalId: (contact, customer) =>
      api.done({
        method: 'PATCH',
        path: `/v1/contacts/${contact}`,
        body: { data: { type: 'contacts', id: contact, attributes: { external_user_id: customer } } },
      }),
    tagsOf: (contact) => api.ids(`/v1/contacts/${contact}/relationships/tags`),
    tagged: (tag) =>
      api.ids(`/v1/contacts?${query({ 'filter[site_id]': site, 'filter[has_tag_id]': tag, 'page[size]': '100' })}`),
    removeTag: (contact, tag) =>
      api.done({
        method: 'DELETE',
        path: `/v1/contacts/${contact}/relationships/tags`,
        body: { data: [{ type: 'contact_tags', id: tag }] },
      }),
    submission: (id) => submission(api, id),
    offers: () => offers(api, site),
    tags: () => tags(api, site),
    hooks: () => hooks(api),
    createHook: (hook) => createHook(api, site, hook),
    deleteHook: (id) => api.done({ method: 'DELETE', path: `/v1/hooks/${id}` }),
  }
}

/** One JSON:API resource. */
interface Resource {
  readonly id: string
  readonly type: string
  readonly attributes: JsonObject
}

class Api {
  private readonly transport: KajabiTransport
  private readonly token: KajabiToken
  private readonly pause: KajabiOptions['pause']
  constructor(transport: KajabiTransport, token: KajabiToken, pause: KajabiOptions['pause']) {
    this.transport = transport
    this.token = token
    this.pause = pause
  }

  async send(request: KajabiRequest): Promise<Outcome<JsonObject>> {
    const first = await this.token.get()
    if (!first.ok) return first
    const answer = await this.transport.send({ ...request, token: first.value })
    if (answer.ok || answer.failure.status !== 401) return answer
    this.token.drop(first.value)
    const second = await this.token.get()
    if (!second.ok) return second
    return this.transport.send({ ...request, token: second.value })
  }

  async done(request: KajabiRequest): Promise<Outcome<true>> {
    const answer = await this.send(request)
    return answer.ok ? success(true) : answer
  }

  async ids(path: string): Promise<Outcome<readonly string[]>> {
    const answer = await this.all(path)
    return answer.ok ? success(answer.value.map((one) => one.id)) : answer
  }

  /**
   * Reads one page and repeats it after a failure, so that a long list does not start again for one
   * failed page.
   */
  private async page(path: string): Promise<Outcome<JsonObject>> {
    for (let turn = 1; ; turn++) {
      const answer = await this.send({ method: 'GET', path })
      if (answer.ok || answer.failure.kind !== 'retryable' || this.pause === undefined || turn === pageTries)
        return answer
      await this.pause(Math.min(backoff(turn, answer.failure.retryAfter), pauseMax))
    }
  }

  /**
   * Reads every page. It follows only the query string of `links.next`, because that link may name
   * another host.
   */
  async all(path: string, pages = pagesMax): Promise<Outcome<readonly Resource[]>> {
    const found: Resource[] = []
    const plain = path.split('?')[0] ?? path
    const asked = new Set<string>()
    let next: string | undefined = path
    while (next !== undefined) {
      if (asked.size >= pages || asked.has(next))
        return failed({
          kind: 'rejected',
          code: endlessList,
          message: 'Kajabi’s list has no last page',
          status: 200,
        })
      asked.add(next)
      const answer: Outcome<JsonObject> = await this.page(next)
      if (!answer.ok) return answer
      const { data, links } = answer.value
      if (!Array.isArray(data)) return failed(noList)
      addAll(found, data.flatMap(resource))
      const link: Json | undefined = isJsonObject(links) ? links['next'] : undefined
      const query: string | undefined = typeof link === 'string' ? link.split('?')[1] : undefined
      next = query === undefined || query === '' ? undefined : `${plain}?${query}`
    }
    return success(found)
  }
}

const endlessList = 'endless_list'

const noList = {
  kind: 'retryable',
  code: 'not_an_answer',
  message: 'Kajabi’s answer does not contain the requested list',
  status: 200,
} as const

function resource(value: Json): Resource[] {
  if (!isJsonObject(value)) return []
  const { id, type, attributes } = value
  if (typeof id !== 'string' && typeof id !== 'number') return []
  return [
    {
      id: String(id),
      type: textIn(type),
      attributes: objectIn(attributes),
    },
  ]
}

function query(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&')
}

/**
 * Kajabi's search is fuzzy and fails on `+`, so the whole address is searched first, then the part
 * before the `+`. Only an exact match of the lower-cased address counts; two exact matches are
 * ambiguous and are refused.
 */
async function findContact(api: Api, site: string, email: string): Promise<Outcome<string | undefined>> {
  const wanted = email.trim().toLowerCase()
  const plus = wanted.indexOf('+')
  const searches = plus < 0 ? [wanted] : [wanted, wanted.slice(0, plus)]
  for (const search of searches) {
    const answer = await api.all(
      `/v1/contacts?${query({ 'filter[site_id]': site, 'filter[search]': search, 'page[size]': '100' })}`,
    )
    if (!answer.ok) return answer
    const exact = new Set(
      answer.value.filter((one) => textIn(one.attributes['email']).toLowerCase() === wanted).map((one) => one.id),
    )
    if (exact.size > 1)
      return failed({
        kind: 'conflict',
        code: 'contact_ambiguous',
        message: `${exact.size} contacts of the site have the same e-mail address`,
        status: 200,
      })
    const [only] = exact
    if (only !== undefined) return success(only)
  }
  return success(undefined)
}

async function directory(api: Api, site: string, pages: number): Promise<Outcome<Directory | undefined>> {
  const answer = await api.all(`/v1/contacts?${query({ 'filter[site_id]': site, 'page[size]': '100' })}`, pages)
  if (!answer.ok) return answer.failure.code === endlessList ? success(undefined) : answer
  const byAddress = Map.groupBy(answer.value, (one) => textIn(one.attributes['email']).trim().toLowerCase())
  const single = [...byAddress].flatMap(([email, [one, ...more]]) =>
    one === undefined || email === '' || more.length > 0 ? [] : [[email, one.id] as const],
  )
  const marks = answer.value.map((one) => [one.id, textIn(one.attributes['external_user_id'])] as const)
  return success({ contacts: new Map(single), marks: new Map(marks.filter(([, mark]) => mark !== '')) })
}

async function holders(api: Api, site: string, offer: string): Promise<Outcome<ReadonlyMap<string, string>>> {
  const answer = await holding(api, site, offer)
  if (!answer.ok) return answer
  // A contact without an address matches no subscriber, but it holds the offer.
  const key = (one: Resource): string => textIn(one.attributes['email']).toLowerCase() || `contact ${one.id}`
  return success(new Map(answer.value.map((one) => [key(one), one.id])))
}

async function noted(api: Api, site: string, offer: string): Promise<Outcome<ReadonlyMap<string, string>>> {
  const answer = await holding(api, site, offer)
  if (!answer.ok) return answer
  const ids = answer.value.map((one) => [one.id, textIn(one.attributes['external_user_id'])] as const)
  return success(new Map(ids.filter(([, customer]) => customer.startsWith('cus_'))))
}

function holding(api: Api, site: string, offer: string): Promise<Outcome<readonly Resource[]>> {
  return api.all(
    `/v1/contacts?${query({ 'filter[site_id]': site, 'filter[has_offer_id]': offer, 'page[size]': '100' })}`,
  )
}

async function ensureContact(
  api: Api,
  site: string,
  person: { email: string; name: string; unlisted?: boolean },
): Promise<Outcome<string>> {
  const found = person.unlisted === true ? success(undefined) : await findContact(api, site, person.email)
  if (!found.ok) return found
  if (found.value !== undefined) return success(found.value)
  const made = await api.send({
    method: 'POST',
    path: '/v1/contacts',
    body: {
      data: {
        type: 'contacts',
        attributes: { name: nameOf(person), email: person.email.trim() },
        relationships: { site: { data: { type: 'sites', id: site } } },
      },
    },
  })
  if (made.ok) {
    const id = resource(made.value['data'] ?? null)[0]?.id
    return id === undefined ? failed({ ...noList, kind: 'unknown' }) : success(id)
  }
  // `taken`: another program created the contact in the meantime, or an earlier request of
  // Crossbill did and its answer was lost. Kajabi's search lags by about a second, so the caller
  // may retry.
  const again = await findContact(api, site, person.email)
  if (!again.ok) return again
  if (again.value !== undefined) return success(again.value)
  const lagging = made.failure.code === 'taken' || made.failure.kind === 'unknown'
  return lagging ? failed({ ...made.failure, kind: 'retryable', code: 'contact_not_searchable_yet' }) : made
}

async function externalId(api: Api, contact: string): Promise<Outcome<string | undefined>> {
  const answer = await api.send({ method: 'GET', path: `/v1/contacts/${encodeURIComponent(contact)}` })
  if (!answer.ok) return answer
  const id = textIn(resource(answer.value['data'] ?? null)[0]?.attributes['external_user_id'])
  return success(id === '' ? undefined : id)
}

async function submission(api: Api, id: string): Promise<Outcome<{ readonly email: string }>> {
  const answer = await api.send({ method: 'GET', path: `/v1/form_submissions/${encodeURIComponent(id)}` })
  if (!answer.ok) return answer
  const email = textIn(resource(answer.value['data'] ?? null)[0]?.attributes['email'])
  return email === '' ? failed(noList) : success({ email })
}

async function offers(api: Api, site: string): Promise<Outcome<readonly KajabiOffer[]>> {
  const answer = await api.all(`/v1/offers?${query({ 'filter[site_id]': site, 'page[size]': '100' })}`)
  if (!answer.ok) return answer
  return success(
    answer.value.map((one) => ({
      id: one.id,
      title: textIn(one.attributes['title']),
      free: one.attributes['free'] === true,
    })),
  )
}

async function tags(api: Api, site: string): Promise<Outcome<ReadonlyMap<string, string>>> {
  const answer = await api.all(`/v1/contact_tags?${query({ 'filter[site_id]': site, 'page[size]': '100' })}`)
  if (!answer.ok) return answer
  return success(new Map(answer.value.map((one) => [textIn(one.attributes['name']), one.id])))
}

async function hooks(api: Api): Promise<Outcome<readonly KajabiHook[]>> {
  const answer = await api.all('/v1/hooks')
  return answer.ok ? success(answer.value.map(hook)) : answer
}

/** `resource_id` is a number in Kajabi's schema and a string in its example; both are accepted. */
function hook(one: Resource): KajabiHook {
  const { target_url: url, event, resource_id: id } = one.attributes
  return {
    id: one.id,
    url: textIn(url),
    event: textIn(event) as KajabiEvent,
    ...(typeof id === 'string' || typeof id === 'number' ? { resource: String(id) } : {}),
  }
}

async function createHook(api: Api, site: string, wanted: Omit<KajabiHook, 'id'>): Promise<Outcome<KajabiHook>> {
  const answer = await api.send({
    method: 'POST',
    path: '/v1/hooks',
    body: {
      data: {
        type: 'hooks',
        attributes: {
          target_url: wanted.url,
          event: wanted.event,
          ...(wanted.resource === undefined ? {} : { resource_id: wanted.resource }),
        },
        relationships: { site: { data: { type: 'sites', id: site } } },
      },
    },
  })
  if (!answer.ok) return answer
  const made = resource(answer.value['data'] ?? null)[0]
  return made === undefined ? failed({ ...noList, kind: 'unknown' }) : success(hook(made))
}
