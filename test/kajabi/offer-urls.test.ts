import nock from 'nock'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Outcome } from '../../src/core/outcome.ts'
import { offerUrls } from '../../src/kajabi/offer-urls.ts'

const host = 'https://checkout.kajabi.test'
const urls = offerUrls(
  (offer, which) =>
    Promise.resolve(
      { '11': `${host}/webhooks/offers/hush/11/${which}`, '13': 'no URL at all: hush' }[offer] ?? undefined,
    ),
  { fetch: globalThis.fetch, spacing: 0, timeout: 2_000, clock: () => 0 },
)
const person = { email: 'ann@school.test', name: 'Ann', externalId: 'cus_Ann1' }

function code(outcome: Outcome<unknown>): string {
  return outcome.ok ? 'ok' : `${outcome.failure.kind} ${outcome.failure.code}`
}

const activation = () => nock(host).post('/webhooks/offers/hush/11/activate')
const deactivation = () => nock(host).post('/webhooks/offers/hush/11/deactivate')
const text = { 'content-type': 'text/plain' }

beforeEach(() => nock.disableNetConnect())
afterEach(() => {
  const pending = nock.pendingMocks()
  nock.cleanAll()
  nock.enableNetConnect()
  if (pending.length > 0) throw new Error(`requests that were expected and not sent: ${pending.join(', ')}`)
})

describe('offer URLs', () => {
  it('receive JSON with name, address and the exact customer id, and no request for a mail', async () => {
    nock(host, { reqheaders: { 'content-type': 'application/json' } })
      .post('/webhooks/offers/hush/11/activate', {
        name: 'Ann',
        email: 'ann@school.test',
        external_user_id: 'cus_Ann1',
      })
      .reply(200)
    expect(code(await urls.activate('11', person))).toBe('ok')
  })

  it('accept no blank name, so the start of the address replaces it', async () => {
    nock(host)
      .post('/webhooks/offers/hush/11/activate', {
        name: 'ann',
        email: 'ann@school.test',
        external_user_id: 'cus_Ann1',
      })
      .reply(200)
    expect(code(await urls.activate('11', { ...person, name: ' ' }))).toBe('ok')
  })

  it.each([
    ['nothing', ''],
    ['a word', 'OK'],
    ['JSON', '{"status":"ok"}'],
  ])('have undocumented answers: %s is a success', async (_, body) => {
    activation().reply(200, body, text)
    expect(code(await urls.activate('11', person))).toBe('ok')
  })

  it('that answer with a page have an unknown outcome', async () => {
    activation().reply(200, '<html>maintenance</html>', { 'content-type': 'text/html' })
    expect(code(await urls.activate('11', person))).toBe('unknown not_an_answer')
  })

  it('accept a repeated grant or revoke, in JSON and in plain text', async () => {
    activation().reply(422, { error: 'The offer has already been granted to this member' })
    activation().reply(422, 'The offer has already been granted to this member', text)
    deactivation().reply(404, 'Offer grant not found for offer on member', text)
    expect(code(await urls.activate('11', person))).toBe('ok')
    expect(code(await urls.activate('11', person))).toBe('ok')
    expect(code(await urls.deactivate('11', person))).toBe('ok')
  })

  it('a member known by another id still has the offer: not found does not mean gone', async () => {
    deactivation().reply(404, 'Base: not found', text)
    deactivation().reply(404, '<html>', { 'content-type': 'text/html' })
    expect(code(await urls.deactivate('11', person))).toBe('rejected offer_not_deactivated')
    expect(code(await urls.deactivate('11', person))).toBe('rejected offer_not_deactivated')
  })

  it('contain a key that no message shows, and messages name no person', async () => {
    deactivation().reply(500, '<html>')
    deactivation().reply(422, 'Email ann@school.test is invalid', text)
    const outcomes = [
      await urls.deactivate('11', person),
      await urls.deactivate('11', person),
      await urls.activate('12', person),
      await urls.activate('13', person),
    ]
    expect(outcomes.map(code)).toEqual([
      'unknown http_500',
      'conflict unprocessable',
      'rejected offer_url_missing',
      'rejected offer_url_malformed',
    ])
    expect(JSON.stringify(outcomes)).not.toMatch(/hush|@/)
  })

  it('of several offers share the spacing of requests', async () => {
    nock(host)
      .post(/activate$/)
      .times(2)
      .reply(200)
    const started: number[] = []
    const fetch: typeof globalThis.fetch = (input, init) => {
      started.push(performance.now())
      return globalThis.fetch(input, init)
    }
    const clock = (): number => performance.now()
    const spaced = offerUrls((offer) => Promise.resolve(`${host}/${offer}/activate`), {
      fetch,
      spacing: 40,
      timeout: 2_000,
      clock,
    })
    await Promise.all([spaced.activate('1', person), spaced.activate('2', person)])
    expect((started[1] ?? 0) - (started[0] ?? 0)).toBeGreaterThan(20)
  })
})
