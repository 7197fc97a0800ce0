import nock from 'nock'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Outcome } from '../../src/core/outcome.ts'
import { kajabiSite } from '../../src/kajabi/site.ts'

const host = 'https://api.kajabi.test'
const json = { 'content-type': 'application/vnd.api+json' }

let now = 0
const http = { fetch: globalThis.fetch, spacing: 0, timeout: 2_000, clock: () => now }

const credentials = { clientId: 'client', clientSecret: 'hush' }

function site(pause?: (seconds: number) => void) {
  return kajabiSite({
    ...http,
    ...(pause === undefined ? {} : { pause: (seconds: number) => Promise.resolve(pause(seconds)) }),
    base: new URL(host),
    site: '7',
    credentials,
  })
}

function token(value = 't1', expires = 604_800) {
  return nock(host)
    .post('/v1/oauth/token', 'grant_type=client_credentials&client_id=client&client_secret=hush')
    .reply(200, { access_token: value, refresh_token: 'r', token_type: 'Bearer', expires_in: expires }, json)
}

function contact(id: string, email: string) {
  return { id, type: 'contacts', attributes: { name: 'n', email } }
}

function value<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(`${outcome.failure.code}: ${outcome.failure.message}`)
  return outcome.value
}

function code(outcome: Outcome<unknown>): string {
  return outcome.ok ? 'ok' : `${outcome.failure.kind} ${outcome.failure.code}`
}

beforeEach(() => {
  now = 0
  nock.disableNetConnect()
})

afterEach(() => {
  const pending = nock.pendingMocks()
  nock.cleanAll()
  nock.enableNetConnect()
  if (pending.length > 0) throw new Error(`requests that were expected and not sent: ${pending.join(', ')}`)
})

describe('token', () => {
  it('is requested once, sent as a form, and used until a tenth of its lifetime is left', async () => {
    token('t1', 1_000)
    const listed = nock(host, { reqheaders: { authorization: 'Bearer t1' } })
      .get('/v1/hooks')
      .twice()
      .reply(200, { data: [] }, json)
    const kajabi = site()
    await kajabi.hooks()
    now = 899_000
    await kajabi.hooks()
    expect(listed.isDone()).toBe(true)
    now = 901_000
    token('t2', 1_000)
    nock(host, { reqheaders: { authorization: 'Bearer t2' } })
      .get('/v1/hooks')
      .reply(200, { data: [] }, json)
    expect(code(await kajabi.hooks())).toBe('ok')
  })

  it('is renewed once when Kajabi answers 401, and not more than once', async () => {
    token('t1')
    token('t2')
    nock(host, { reqheaders: { authorization: 'Bearer t1' } })
      .get('/v1/hooks')
      .reply(401, { errors: [{ status: '401', title: 'Unauthorized', detail: 'expired' }] }, json)
    nock(host, { reqheaders: { authorization: 'Bearer t2' } })
      .get('/v1/hooks')
      .reply(401, { errors: [{ status: '401', title: 'Unauthorized', detail: 'expired' }] }, json)
    expect(code(await site().hooks())).toBe('rejected credentials_refused')
  })

  it('is requested once for many concurrent callers', async () => {
    token()
    nock(host).get('/v1/hooks').twice().reply(200, { data: [] }, json)
    const kajabi = site()
    expect((await Promise.all([kajabi.hooks(), kajabi.hooks()])).map(code)).toEqual(['ok', 'ok'])
  })

  it('that arrives as a page may be requested again, even with a 401', async () => {
    const page = { 'content-type': 'text/html' }
    nock(host).post('/v1/oauth/token').reply(200, '<html>', page)
    nock(host).post('/v1/oauth/token').reply(401, '<html>', page)
    const kajabi = site()
    expect(code(await kajabi.hooks())).toBe('retryable not_an_answer')
    expect(code(await kajabi.hooks())).toBe('retryable not_an_answer')
  })

  it('reads the flat error of refused credentials', async () => {
    nock(host).post('/v1/oauth/token').reply(401, { error: 'Invalid client credentials' }, json)
    const answer = await site().hooks()
    expect(code(answer)).toBe('rejected credentials_refused')
    expect(answer.ok ? '' : answer.failure.message).toBe('Invalid client credentials')
  })
})

describe('requests', () => {
  it('keep their spacing, whichever part sends them', async () => {
    token()
    nock(host).get('/v1/hooks').times(3).reply(200, { data: [] }, json)
    const started: number[] = []
    const fetch: typeof globalThis.fetch = (input, init) => {
      started.push(performance.now())
      return globalThis.fetch(input, init)
    }
    const clock = (): number => performance.now()
    const spaced = kajabiSite({ ...http, fetch, clock, spacing: 40, base: new URL(host), site: '7', credentials })
    await Promise.all([spaced.hooks(), spaced.hooks(), spaced.hooks()])
    // The token request comes first. Timers are sometimes late, so only the total is measured.
    expect(started).toHaveLength(4)
    expect((started[3] ?? 0) - (started[0] ?? 0)).toBeGreaterThan(80)
  })

  it('never follow a redirect to another host, which would receive the token', async () => {
    token()
    nock(host).get('/v1/hooks').reply(302, '', { location: 'https://elsewhere.test/v1/hooks' })
    const elsewhere = nock('https://elsewhere.test').get('/v1/hooks').reply(200, { data: [] }, json)
    expect(code(await site().hooks())).toBe('retryable connection_cut')
    expect(elsewhere.isDone()).toBe(false)
    nock.cleanAll()
  })

  it('without an answer in time are aborted', async () => {
    const fetch: typeof globalThis.fetch = (_, init) =>
      new Promise((_resolve, reject) =>
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error)),
      )
    const hasty = kajabiSite({ ...http, fetch, timeout: 20, base: new URL(host), site: '7', credentials })
    expect(code(await hasty.hooks())).toBe('retryable timeout')
  })

  it('read the version without a token, to see whether Kajabi answers', async () => {
    nock(host, { badheaders: ['authorization'] })
      .get('/v1/version')
      .reply(200, { version: '1.1.0' }, json)
    expect(value(await site().reachable())).toBe(true)
  })
})

describe('contacts', () => {
  const search = (term: string, data: unknown[], links: object = {}) =>
    nock(host)
      .get('/v1/contacts')
      .query({ 'filter[site_id]': '7', 'filter[search]': term, 'page[size]': '100' })
      .reply(200, { data, links }, json)

  it('match only an exact lower-cased address, because the search is fuzzy', async () => {
    token()
    search('ann@school.test', [contact('1', 'joann@school.test'), contact('2', 'Ann@School.test')])
    expect(value(await site().findContact(' Ann@school.test '))).toBe('2')
  })

  it('do not match when only similar addresses are found', async () => {
    token()
    search('ann@school.test', [contact('1', 'ann@school.test.example')])
    expect(value(await site().findContact('ann@school.test'))).toBeUndefined()
  })

  it('with a + are searched again without the part after it', async () => {
    token()
    search('ann+x@school.test', [])
    search('ann', [contact('3', 'ann@school.test'), contact('4', 'ann+x@school.test')])
    expect(value(await site().findContact('ann+x@school.test'))).toBe('4')
  })

  it('who hold an offer are read by offer, a hundred a page', async () => {
    token()
    nock(host)
      .get('/v1/contacts')
      .query({ 'filter[site_id]': '7', 'filter[has_offer_id]': '11', 'page[size]': '100' })
      .reply(200, { data: [contact('1', 'Ann@School.test')], links: { next: '/v1/contacts?page%5Bnumber%5D=2' } }, json)
    nock(host)
      .get('/v1/contacts')
      .query({ 'page[number]': '2' })
      .reply(200, { data: [contact('2', 'bob@school.test')] }, json)
    expect([...value(await site().holders('11'))]).toEqual([
      ['ann@school.test', '1'],
      ['bob@school.test', '2'],
    ])
  })

  it('with a duplicate address are refused', async () => {
    token()
    search('ann@school.test', [contact('1', 'ann@school.test'), contact('2', 'ann@school.test')])
    expect(code(await site().findContact('ann@school.test'))).toBe('conflict contact_ambiguous')
  })

  it('are looked up again when Kajabi says that the address is taken', async () => {
    token()
    search('ann@school.test', [])
    nock(host)
      .post('/v1/contacts', {
        data: {
          type: 'contacts',
          attributes: { name: 'Ann', email: 'ann@school.test' },
          relationships: { site: { data: { type: 'sites', id: '7' } } },
        },
      })
      .reply(422, { errors: [{ status: '422', detail: 'ann@school.test has already been taken' }] }, json)
    search('ann@school.test', [contact('9', 'ann@school.test')])
    expect(value(await site().ensureContact({ email: 'ann@school.test', name: 'Ann' }))).toBe('9')
  })

  it('just created are known by the id of the answer, because the search lags', async () => {
    token()
    search('ann@school.test', [])
    nock(host)
      .post('/v1/contacts', (body: { data: { attributes: object } }) => 'name' in body.data.attributes)
      .reply(201, { data: contact('9', 'ann@school.test') }, json)
    expect(value(await site().ensureContact({ email: 'ann@school.test', name: '' }))).toBe('9')
  })

  it('whose address Kajabi cannot deliver to are refused for good', async () => {
    token()
    search('ann@school.test', [])
    nock(host)
      .post('/v1/contacts')
      .reply(422, { errors: [{ status: '422', detail: 'Email must be a valid and deliverable address' }] }, json)
    search('ann@school.test', [])
    const answer = await site().ensureContact({ email: 'ann@school.test', name: 'Ann' })
    expect(code(answer)).toBe('conflict unprocessable')
    expect(answer.ok ? '' : answer.failure.message).toBe('Email must be a valid and deliverable address')
  })

  it('without an address still hold their offer', async () => {
    token()
    nock(host)
      .get('/v1/contacts')
      .query(true)
      .reply(200, { data: [contact('1', ''), contact('2', '')] }, json)
    expect([...value(await site().holders('11')).values()]).toEqual(['1', '2'])
  })

  it('carry tags, which are found by tag, read by contact, and removed with a body', async () => {
    token()
    nock(host)
      .get('/v1/contacts')
      .query({ 'filter[site_id]': '7', 'filter[has_tag_id]': '3', 'page[size]': '100' })
      .reply(200, { data: [contact('5', 'ann@school.test')] }, json)
    nock(host)
      .get('/v1/contacts/5/relationships/tags')
      .reply(200, { data: [{ id: 3, type: 'contact_tags' }] }, json)
    nock(host)
      .delete('/v1/contacts/5/relationships/tags', { data: [{ type: 'contact_tags', id: '3' }] })
      .reply(200, { data: [] }, json)
    const kajabi = site()
    expect(value(await kajabi.tagged('3'))).toEqual(['5'])
    expect(value(await kajabi.tagsOf('5'))).toEqual(['3'])
    expect(value(await kajabi.removeTag('5', '3'))).toBe(true)
  })

  it('just created and not searchable yet are tried again later, and the message has no address', async () => {
    token()
    search('ann@school.test', [])
    nock(host)
      .post('/v1/contacts')
      .reply(422, { errors: [{ status: '422', detail: 'ann@school.test has already been taken' }] }, json)
    search('ann@school.test', [])
    const answer = await site().ensureContact({ email: 'ann@school.test', name: 'Ann' })
    expect(code(answer)).toBe('retryable contact_not_searchable_yet')
    expect(JSON.stringify(answer)).not.toContain('@')
  })
})

describe('grants', () => {
  const path = '/v1/contacts/5/relationships/offers'

  it('carry the welcome-mail setting, because Kajabi sends mails by default', async () => {
    token()
    nock(host)
      .post(path, { data: [{ type: 'offers', id: '11' }], meta: { send_customer_welcome_email: false } })
      .reply(200, { data: [{ id: '11', type: 'offers' }] }, json)
    expect(value(await site().grant('5', '11', { welcome: false }))).toBe(true)
  })

  it('and revokes may be answered with an empty body', async () => {
    token()
    nock(host)
      .delete(path, { data: [{ type: 'offers', id: '11' }] })
      .reply(204)
    expect(value(await site().revoke('5', '11'))).toBe(true)
  })

  it('are read to the last page by the query of links.next, whatever host it names', async () => {
    token()
    nock(host)
      .get(path)
      .reply(200, { data: [{ id: '1' }], links: { next: 'https://elsewhere.test/api/v1/x?page%5Bnumber%5D=2' } }, json)
    nock(host)
      .get(path)
      .query({ 'page[number]': '2' })
      .reply(200, { data: [{ id: 2 }], links: {} }, json)
    expect(value(await site().offersOf('5'))).toEqual(['1', '2'])
  })

  it('an HTML page or a body without a list is not an empty list', async () => {
    token()
    const page = { 'content-type': 'text/html' }
    nock(host).get(path).reply(200, '<html>maintenance</html>', page)
    nock(host).get(path).reply(200, {}, json)
    nock(host).get(path).reply(503, '<html>maintenance</html>', page)
    const kajabi = site()
    expect(code(await kajabi.offersOf('5'))).toBe('retryable not_an_answer')
    expect(code(await kajabi.offersOf('5'))).toBe('retryable not_an_answer')
    expect(code(await kajabi.offersOf('5'))).toBe('retryable http_503')
  })

  it('only the API’s own error proves that an object is gone, never the page of a proxy', async () => {
    token()
    const page = { 'content-type': 'text/html' }
    nock(host)
      .get(path)
      .reply(404, { errors: [{ status: '404', title: 'Not Found', detail: 'could not be found' }] }, json)
    nock(host).get(path).reply(404, '<html>not found</html>', page)
    nock(host).delete(path).reply(404, '<html>not found</html>', page)
    nock(host).get(path).reply(403, '<html>Just a moment</html>', page)
    const kajabi = site()
    expect(code(await kajabi.offersOf('5'))).toBe('rejected not_found')
    expect(code(await kajabi.offersOf('5'))).toBe('retryable not_an_answer')
    expect(code(await kajabi.revoke('5', '11'))).toBe('unknown not_an_answer')
    expect(code(await kajabi.offersOf('5'))).toBe('retryable not_an_answer')
  })

  it('the Stripe customer is noted on the contact, by an attribute of the contact itself', async () => {
    token()
    const attributes = { external_user_id: 'cus_1' }
    nock(host)
      .patch('/v1/contacts/5', { data: { type: 'contacts', id: '5', attributes } })
      .reply(200, { data: { id: '5', type: 'contacts', attributes } }, json)
    nock(host)
      .get('/v1/contacts/5')
      .reply(200, { data: { id: '5', type: 'contacts', attributes } }, json)
    const kajabi = site()
    expect(value(await kajabi.setExternalId('5', 'cus_1'))).toBe(true)
    expect(value(await kajabi.externalId('5'))).toBe('cus_1')
  })

  it('the contacts to whom an offer opens products are read by product', async () => {
    token()
    nock(host)
      .get('/v1/offers/11/relationships/products')
      .reply(200, { data: [{ id: 31, type: 'products' }] }, json)
    nock(host)
      .get('/v1/contacts')
      .query({ 'filter[site_id]': '7', 'filter[has_active_product_id]': '31', 'page[size]': '100' })
      .reply(200, { data: [contact('5', 'ann@school.test')] }, json)
    const kajabi = site()
    expect(value(await kajabi.productsOf('11'))).toEqual(['31'])
    expect(value(await kajabi.openFor('31'))).toEqual(['5'])
  })

  it('a broken write has an unknown outcome, a broken read may be repeated', async () => {
    token()
    nock(host).post(path).replyWithError('cut')
    nock(host).get(path).replyWithError('cut')
    const kajabi = site()
    expect(code(await kajabi.grant('5', '11', { welcome: false }))).toBe('unknown connection_cut')
    expect(code(await kajabi.offersOf('5'))).toBe('retryable connection_cut')
  })

  it.each([
    ['seconds', { 'retry-after': '7' }],
    ['a date', { 'retry-after': 'Fri, 27 Nov 2026 10:00:07 GMT', date: 'Fri, 27 Nov 2026 10:00:00 GMT' }],
  ])('Retry-After is passed on, even as %s', async (_, headers) => {
    token()
    nock(host)
      .post(path)
      .reply(429, { errors: [] }, { ...json, ...headers })
    const answer = await site().grant('5', '11', { welcome: false })
    expect(answer.ok ? 0 : answer.failure.retryAfter).toBe(7)
    expect(code(answer)).toBe('retryable rate_limited')
  })

  it('a page that fails is requested again after Kajabi’s wait, the pages before it are not', async () => {
    token()
    const next = 'https://elsewhere.test/x?page%5Bnumber%5D=2'
    nock(host)
      .get(path)
      .reply(200, { data: [{ id: '1' }], links: { next } }, json)
    const second = () => nock(host).get(path).query({ 'page[number]': '2' })
    second().reply(429, '<html>', { 'retry-after': '9' })
    second().reply(502, '<html>')
    second().reply(200, { data: [{ id: '2' }] }, json)
    const pauses: number[] = []
    const patient = site((seconds) => void pauses.push(seconds))
    expect(value(await patient.offersOf('5'))).toEqual(['1', '2'])
    expect(pauses).toEqual([9, 2])
  })

  it('a list that leads back to itself fails', async () => {
    token()
    nock(host)
      .get(path)
      .reply(200, { data: [{ id: '1' }], links: { next: `${host}${path}?page%5Bnumber%5D=1` } }, json)
    nock(host)
      .get(path)
      .query({ 'page[number]': '1' })
      .reply(200, { data: [{ id: '1' }], links: { next: `${host}${path}?page%5Bnumber%5D=1` } }, json)
    expect(code(await site().offersOf('5'))).toBe('rejected endless_list')
  })
})

describe('hooks', () => {
  it('read resource ids as numbers or texts', async () => {
    token()
    const one = (id: string, resource_id: unknown) => ({
      id,
      type: 'hooks',
      attributes: { target_url: 'https://x.test/h', event: 'tag_added', resource_id },
    })
    nock(host)
      .get('/v1/hooks')
      .reply(200, { data: [one('1', 123), one('2', '124'), one('3', null)] }, json)
    expect(value(await site().hooks()).map((hook) => hook.resource)).toEqual(['123', '124', undefined])
  })

  it('are created for one tag of one site, deleted by id, and refused to a key without the permission', async () => {
    token()
    const attributes = { target_url: 'https://x.test/h', event: 'tag_added', resource_id: '123' }
    nock(host)
      .post('/v1/hooks', {
        data: { type: 'hooks', attributes, relationships: { site: { data: { type: 'sites', id: '7' } } } },
      })
      .reply(201, { data: { id: 9, type: 'hooks', attributes: { ...attributes, resource_id: 123 } } }, json)
    nock(host).delete('/v1/hooks/9').reply(204)
    nock(host)
      .get('/v1/hooks')
      .reply(403, { errors: [{ status: '403', title: 'Forbidden', detail: 'Insufficient permission' }] }, json)
    const kajabi = site()
    const made = await kajabi.createHook({ url: 'https://x.test/h', event: 'tag_added', resource: '123' })
    expect(value(made)).toEqual({ id: '9', url: 'https://x.test/h', event: 'tag_added', resource: '123' })
    expect(value(await kajabi.deleteHook('9'))).toBe(true)
    expect(code(await kajabi.hooks())).toBe('rejected permission_missing')
  })
})
