import nock from 'nock'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Outcome } from '../../src/core/outcome.ts'
import { offerUrls } from '../../src/kajabi/offer-urls.ts'
import { kajabiSite } from '../../src/kajabi/site.ts'

const host = 'https://api.kajabi.test'
const json = { 'content-type': 'application/vnd.api+json' }

let now = 0
const http = { fetch: globalThis.fetch, spacing: 0, timeout: 2_000, clock: () => now }

function site() {
  return kajabiSite({
    ...http,
    base: new URL(host),
    site: '7',
    credentials: { clientId: 'client', clientSecret: 'hush' },
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
  it('is asked for once, sent as a form, and used until a tenth of its life is left', async () => {
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

  it('is minted anew once when Kajabi says 401, and no more than once', async () => {
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

  it('reads the flat error of refused credentials', async () => {
    nock(host).post('/v1/oauth/token').reply(401, { error: 'Invalid client credentials' }, json)
    const answer = await site().hooks()
    expect(code(answer)).toBe('rejected credentials_refused')
    expect(answer.ok ? '' : answer.failure.message).toBe('Invalid client credentials')
  })
})

describe('contacts', () => {
  const search = (term: string, data: unknown[], links: object = {}) =>
    nock(host)
      .get('/v1/contacts')
      .query({ 'filter[site_id]': '7', 'filter[search]': term, 'page[size]': '100' })
      .reply(200, { data, links }, json)

  it('are accepted on an exact lower-cased address only, since the search is fuzzy', async () => {
    token()
    search('ann@school.test', [contact('1', 'joann@school.test'), contact('2', 'Ann@School.test')])
    expect(value(await site().findContact(' Ann@school.test '))).toBe('2')
  })

  it('are not taken for somebody else when only near matches come back', async () => {
    token()
    search('ann@school.test', [contact('1', 'ann@school.test.example')])
    expect(value(await site().findContact('ann@school.test'))).toBeUndefined()
  })

  it('with a + are searched once more without the part behind it', async () => {
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

  it('that exist twice are refused, never guessed', async () => {
    token()
    search('ann@school.test', [contact('1', 'ann@school.test'), contact('2', 'ann@school.test')])
    expect(code(await site().findContact('ann@school.test'))).toBe('conflict contact_ambiguous')
  })

  it('are looked up again when Kajabi says the address is taken', async () => {
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

  it('just created and not searchable yet are tried again later, and no address is in the message', async () => {
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

  it('carry the welcome-mail word, since Kajabi mails by default', async () => {
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

  it('an HTML page or a body without a list is no empty list', async () => {
    token()
    nock(host).get(path).reply(200, '<html>maintenance</html>', { 'content-type': 'text/html' })
    nock(host).get(path).reply(404, '<html>not found</html>', { 'content-type': 'text/html' })
    nock(host).get(path).reply(200, {}, json)
    const kajabi = site()
    expect(code(await kajabi.offersOf('5'))).toBe('retryable not_an_answer')
    expect(code(await kajabi.offersOf('5'))).toBe('rejected not_found')
    expect(code(await kajabi.offersOf('5'))).toBe('retryable not_an_answer')
  })

  it('a cut write is of unknown outcome, a cut read may be repeated', async () => {
    token()
    nock(host).post(path).replyWithError('cut')
    nock(host).get(path).replyWithError('cut')
    const kajabi = site()
    expect(code(await kajabi.grant('5', '11', { welcome: false }))).toBe('unknown connection_cut')
    expect(code(await kajabi.offersOf('5'))).toBe('retryable connection_cut')
  })

  it('Retry-After is handed on', async () => {
    token()
    nock(host)
      .post(path)
      .reply(429, { errors: [] }, { ...json, 'retry-after': '7' })
    const answer = await site().grant('5', '11', { welcome: false })
    expect(answer.ok ? 0 : answer.failure.retryAfter).toBe(7)
    expect(code(answer)).toBe('retryable rate_limited')
  })
})

describe('hooks and purchases', () => {
  it('read resource ids as number or text', async () => {
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

  it('purchases come in pages of 25, newest deactivation first', async () => {
    token()
    nock(host)
      .get('/v1/purchases')
      .query({
        'filter[site_id]': '7',
        'filter[deactivated]': 'true',
        sort: '-deactivated_at',
        'page[size]': '25',
      })
      .reply(
        200,
        {
          data: [
            {
              id: '1',
              type: 'purchases',
              attributes: { deactivated_at: '2026-12-01T00:00:00Z', deactivation_reason: 'cancel' },
              relationships: { offer: { data: { id: '11' } }, customer: { data: { id: '70' } } },
            },
          ],
        },
        json,
      )
    expect(value(await site().deactivatedPurchases())).toEqual([
      { id: '1', customer: '70', offer: '11', deactivatedAt: '2026-12-01T00:00:00Z', reason: 'cancel' },
    ])
  })
})

describe('offer URLs', () => {
  const urls = offerUrls(
    new Map([
      [
        '11',
        { activate: `${host}/webhooks/offers/k/11/activate`, deactivate: `${host}/webhooks/offers/k/11/deactivate` },
      ],
    ]),
    http,
  )
  const person = { email: 'ann@school.test', name: 'Ann', externalId: 'cus_1' }

  it('activate with name, e-mail and external id; a repeated grant is no failure', async () => {
    nock(host)
      .post('/webhooks/offers/k/11/activate', { name: 'Ann', email: 'ann@school.test', external_user_id: 'cus_1' })
      .reply(200)
    expect(value(await urls.activate('11', person))).toBe(true)
    nock(host)
      .post('/webhooks/offers/k/11/activate')
      .reply(422, { error: 'The offer has already been granted to this member' }, json)
    expect(value(await urls.activate('11', person))).toBe(true)
  })

  it('an offer without URLs is said to have none, and the key is in no message', async () => {
    nock(host).post('/webhooks/offers/k/11/deactivate').reply(500, '<html>')
    const answer = await urls.deactivate('11', person)
    expect(code(answer)).toBe('unknown http_500')
    expect(JSON.stringify(answer)).not.toContain('/k/')
    expect(code(await urls.activate('12', person))).toBe('rejected offer_url_missing')
  })
})
