import { describe, expect, test } from 'vitest'
import { instant, secondsPerDay } from '../../../src/core/instant.ts'
import { contactBody, idOf, ids, offers, openCaller } from './site.ts'

const overview = async (caller: Awaited<ReturnType<typeof openCaller>>) => {
  const response = await caller.sandbox.fetch('http://sandbox/_sandbox/kajabi')
  return (await response.json()) as {
    mails: { kind: string; offer: string }[]
    offers: { activate: string; deactivate: string }[]
  }
}

describe('granting', () => {
  test('sends the welcome mail unless it is declined, and creates the customer', async () => {
    const caller = await openCaller()
    const [first, second] = [
      await caller.act({ act: 'make_offer', title: 'A' }),
      await caller.act({ act: 'make_offer', title: 'B' }),
    ]
    const created = await caller.call('POST', '/v1/contacts', contactBody(caller.site, ' Ada@Example.com '))
    expect(created.status).toBe(201)
    const id = idOf(created.body)
    expect(created.body['data']).toMatchObject({ attributes: { email: 'ada@example.com', external_user_id: null } })
    const path = `/v1/contacts/${id}/relationships/offers`
    const quiet = { ...offers(first['offer'] ?? ''), meta: { send_customer_welcome_email: false } }
    expect((await caller.call('POST', path, quiet)).status).toBe(200)
    expect((await overview(caller)).mails).toEqual([])
    await caller.call('POST', path, offers(second['offer'] ?? ''))
    expect((await overview(caller)).mails).toMatchObject([{ kind: 'welcome', offer: second['offer'] }])
    expect(ids((await caller.call('GET', path)).body)).toEqual([first['offer'], second['offer']])
    const shown = await caller.call('GET', `/v1/contacts/${id}?include=customer`)
    expect(shown.body['included']).toMatchObject([{ type: 'customers', attributes: { email: 'ada@example.com' } }])
    expect(shown.body['data']).not.toHaveProperty('relationships.offers.data')
  })

  test('external_user_id: refused before the contact has a customer, then unique within the site', async () => {
    const caller = await openCaller()
    const { offer } = await caller.act({ act: 'make_offer', title: 'A' })
    const people = []
    for (const email of ['a@example.com', 'b@example.com'])
      people.push(idOf((await caller.call('POST', '/v1/contacts', contactBody(caller.site, email))).body))
    const [a, b] = people
    const external = (id: string | undefined, value: string) => ({
      data: { type: 'contacts', id, attributes: { external_user_id: value } },
    })
    expect((await caller.call('PATCH', `/v1/contacts/${a}`, external(a, 'cus_1'))).status).toBe(422)
    for (const id of people) await caller.call('POST', `/v1/contacts/${id}/relationships/offers`, offers(offer ?? ''))
    expect((await caller.call('PATCH', `/v1/contacts/${a}`, external(a, 'cus_1'))).status).toBe(200)
    const taken = await caller.call('PATCH', `/v1/contacts/${b}`, external(b, 'cus_1'))
    expect(taken.status).toBe(422)
    expect(taken.body).toMatchObject({ errors: [{ source: { pointer: '/data/attributes/external_user_id' } }] })
    // A refused change has no effect.
    expect((await caller.call('GET', `/v1/contacts/${b}`)).body['data']).toMatchObject({
      attributes: { external_user_id: null },
    })
  })

  test('a second grant does not switch products on again; a revocation and a grant do', async () => {
    const caller = await openCaller()
    const { offer } = await caller.act({ act: 'make_offer', title: 'A' })
    const id = idOf((await caller.call('POST', '/v1/contacts', contactBody(caller.site, 'a@example.com'))).body)
    const path = `/v1/contacts/${id}/relationships/offers`
    await caller.call('POST', path, offers(offer ?? ''))
    await caller.act({ act: 'switch_off_products', contact: id, offer: offer ?? '' })
    const products = async () => {
      const contact = await caller.call('GET', `/v1/contacts/${id}?include=customer`)
      return (contact.body['included'] as { relationships: { products: { data: unknown[] } } }[])[0]?.relationships
        .products.data
    }
    await caller.call('POST', path, offers(offer ?? ''))
    expect(await products()).toEqual([])
    await caller.call('DELETE', path, offers(offer ?? ''))
    expect(ids((await caller.call('GET', path)).body)).toEqual([])
    await caller.call('POST', path, offers(offer ?? ''))
    expect(await products()).toHaveLength(1)
  })

  test('PATCH replaces everything, an empty list removes everything', async () => {
    const caller = await openCaller()
    const made = [
      await caller.act({ act: 'make_offer', title: 'A' }),
      await caller.act({ act: 'make_offer', title: 'B' }),
    ]
    const [a, b] = made.map((one) => one['offer'] ?? '')
    const id = idOf((await caller.call('POST', '/v1/contacts', contactBody(caller.site, 'a@example.com'))).body)
    const path = `/v1/contacts/${id}/relationships/offers`
    await caller.call('POST', path, offers(a ?? ''))
    await caller.call('PATCH', path, offers(b ?? ''))
    expect(ids((await caller.call('GET', path)).body)).toEqual([b])
    await caller.call('PATCH', path, { data: [] })
    expect(ids((await caller.call('GET', path)).body)).toEqual([])
  })

  test('an API grant is a purchase only with the site’s switch; the end of an access timer looks like any revocation', async () => {
    const caller = await openCaller()
    const { offer } = await caller.act({ act: 'make_offer', title: 'Course', access_days: 30 })
    await caller.act({ act: 'make_contact', email: 'a@example.com' })
    const search = await caller.call('GET', '/v1/contacts?filter[search]=a@example.com')
    expect(ids(search.body)).toEqual([])
    const id = ids((await caller.call('GET', '/v1/contacts?filter[search]=a@example.com')).body)[0]
    const path = `/v1/contacts/${id}/relationships/offers`
    await caller.call('POST', path, offers(offer ?? ''))
    expect(ids((await caller.call('GET', '/v1/purchases')).body)).toEqual([])
    await caller.call('DELETE', path, offers(offer ?? ''))
    await caller.sandbox.fetch('http://sandbox/_sandbox/kajabi_behaviour', {
      method: 'POST',
      body: JSON.stringify({ grants_are_purchases: true }),
    })
    await caller.call('POST', path, offers(offer ?? ''))
    expect(ids((await caller.call('GET', '/v1/purchases?filter[active]=true')).body)).toHaveLength(1)
    await caller.sandbox.world.advance(instant(caller.sandbox.clock() + 6 * secondsPerDay))
    expect(ids((await caller.call('GET', path)).body)).toHaveLength(1)
    await caller.sandbox.world.advance(instant(caller.sandbox.clock() + 24 * secondsPerDay))
    // The token lived seven days.
    expect((await caller.call('GET', path)).status).toBe(401)
    const rows = [...(await overview(caller)).offers]
    expect(rows).toHaveLength(1)
    expect(caller.sandbox.world.space('kajabi').table({ name: 'grants' }).size).toBe(0)
  })

  test('offer addresses: no mail unless requested, the deactivation needs the same external id', async () => {
    const caller = await openCaller()
    await caller.act({ act: 'make_offer', title: 'A' })
    const [address] = (await overview(caller)).offers
    const post = (path: string, external: string) =>
      caller.sandbox.fetch(`http://sandbox${path}`, {
        method: 'POST',
        body: JSON.stringify({ name: 'Bo', email: 'BO@example.com', external_user_id: external }),
      })
    expect((await post(address?.activate ?? '', 'cus_A')).status).toBe(200)
    expect((await overview(caller)).mails).toEqual([])
    expect((await post(address?.deactivate ?? '', 'CUS_a')).status).toBe(404)
    expect((await post(address?.deactivate ?? '', 'cus_A')).status).toBe(200)
    expect((await post((address?.activate ?? '').replace(/offers\/./, 'offers/~'), 'cus_A')).status).toBe(404)
    const gone = await caller.call('GET', '/v1/purchases?filter[deactivated]=true&sort=-deactivated_at')
    expect(gone.body['data']).toMatchObject([{ attributes: { payment_type: 'free', deactivation_reason: 'Revoked' } }])
  })
})

describe('finding people', () => {
  test('the search is fuzzy and does not put the exact match first; `+` addresses are found without their suffix', async () => {
    const caller = await openCaller()
    for (const email of [
      'ada.lind@example.com',
      'ada.lind7@example.com',
      'adalind+school@example.com',
      'bo@example.com',
    ])
      await caller.call('POST', '/v1/contacts', contactBody(caller.site, email))
    const search = async (query: string) => {
      const answer = await caller.call('GET', `/v1/contacts?filter[search]=${encodeURIComponent(query)}`)
      return (answer.body['data'] as { attributes: { email: string } }[]).map((row) => row.attributes.email)
    }
    await search('ada.lind@example.com')
    expect(await search('ada.lind@example.com')).toEqual([
      'adalind+school@example.com',
      'ada.lind7@example.com',
      'ada.lind@example.com',
    ])
    expect(await search('adalind+school@example.com')).toEqual([])
    expect(await search('adalind@example.com')).toContain('adalind+school@example.com')
  })

  test('an unknown filter is ignored, so the client gets another contact; the query of links.next leads to the next page', async () => {
    const caller = await openCaller()
    for (let n = 0; n < 5; n++) await caller.call('POST', '/v1/contacts', contactBody(caller.site, `p${n}@example.com`))
    await caller.call('GET', '/v1/contacts')
    const byEmail = await caller.call('GET', '/v1/contacts?filter[email]=p0@example.com&page[size]=1')
    expect(byEmail.body['data']).toMatchObject([{ attributes: { email: 'p4@example.com' } }])
    const seen: string[] = []
    for (let query = '?page[size]=2'; query !== '';) {
      const page = await caller.call('GET', `/v1/contacts${query}`)
      seen.push(...ids(page.body))
      const { next } = page.body['links'] as { next?: string }
      expect(next ?? 'https://app.kajabi.com').toMatch(/^https:\/\/app\.kajabi\.com/)
      query = next === undefined ? '' : new URL(next).search
    }
    expect(new Set(seen).size).toBe(5)
  })

  test('a taken or undeliverable address is refused with 422, a missing site with 400', async () => {
    const caller = await openCaller()
    await caller.call('POST', '/v1/contacts', contactBody(caller.site, 'a@example.com'))
    const again = await caller.call('POST', '/v1/contacts', contactBody(caller.site, 'A@example.com'))
    expect(again.status).toBe(422)
    expect(JSON.stringify(again.body)).toContain('already been taken')
    expect((await caller.call('POST', '/v1/contacts', contactBody(caller.site, 'nobody'))).status).toBe(422)
    const data = { type: 'contacts', attributes: { name: 'B', email: 'b@example.com' } }
    expect((await caller.call('POST', '/v1/contacts', { data })).status).toBe(400)
  })
})

describe('errors of the API', () => {
  test('unknown paths answer HTML, an expired token JSON:API, wrong credentials a flat error', async () => {
    const caller = await openCaller()
    const unknown = await caller.call('GET', '/v1/subscriptions')
    expect([unknown.status, unknown.type]).toEqual([404, 'text/html; charset=utf-8'])
    await caller.act({ act: 'rotate_key' })
    const refused = await caller.call('GET', '/v1/contacts')
    expect(refused.status).toBe(401)
    expect(refused.body).toMatchObject({ errors: [{ status: '401', source: null, title: 'Unauthorized' }] })
    const wrong = await caller.sandbox.fetch('http://x/kajabi/v1/oauth/token', {
      method: 'POST',
      body: new URLSearchParams({ client_id: 'x', client_secret: 'y', grant_type: 'client_credentials' }),
    })
    expect([wrong.status, await wrong.json()]).toEqual([401, { error: 'Invalid client credentials' }])
  })
})
