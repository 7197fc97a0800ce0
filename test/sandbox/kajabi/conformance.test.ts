import { expect, test } from 'vitest'
import { cloneSandbox, createSandbox } from '../../../src/sandbox/sandbox.ts'
import { routes } from '../../../src/sandbox/kajabi/routes.ts'
import { official, strangers, trimmed } from './description.ts'
import { contactBody, hookBody, idOf, ids, offers, openCaller } from './site.ts'

test('every list and every object of the site has the attributes of the official description and no others', async () => {
  const caller = await openCaller()
  const { offer } = await caller.act({ act: 'make_offer', title: 'Course', kind: 'subscription', price: 4900 })
  const { tag } = await caller.act({ act: 'make_tag', name: 'x' })
  const { form } = await caller.act({ act: 'make_form', title: 'Leave' })
  const contact = idOf((await caller.call('POST', '/v1/contacts', contactBody(caller.site, 'a@example.com'))).body)
  await caller.call('GET', '/v1/contacts')
  await caller.call('POST', `/v1/contacts/${contact}/relationships/tags`, { data: [{ type: 'contact_tags', id: tag }] })
  const { purchase } = await caller.act({ act: 'purchase', contact, offer: offer ?? '' })
  await caller.call(
    'POST',
    '/v1/hooks',
    hookBody(caller.site, { target_url: 'https://x.example/h', event: 'tag_added' }),
  )
  const attributes = { name: 'Ada', email: 'a@example.com' }
  const submitted = await caller.call('POST', `/v1/forms/${form}/submit`, {
    data: { type: 'form_submissions', attributes },
  })
  expect(submitted.status).toBe(201)
  const lists = [
    'sites',
    'contacts',
    'customers',
    'offers',
    'products',
    'contact_tags',
    'purchases',
    'forms',
    'form_submissions',
    'hooks',
  ]
  for (const list of lists) {
    const answer = await caller.call('GET', `/v1/${list}`)
    expect({ list, found: ids(answer.body).length }).toEqual({ list, found: 1 })
    // `call` compares every answer with the description.
    expect((await caller.call('GET', `/v1/${list}/${ids(answer.body)[0]}`)).status).toBe(200)
  }
  expect((await caller.call('GET', `/v1/contacts/${contact}?include=offers,tags,customer`)).status).toBe(200)
  expect((await caller.call('GET', '/v1/me')).status).toBe(200)
  expect(ids((await caller.call('GET', `/v1/offers/${offer}/relationships/products`)).body)).toHaveLength(1)
  expect((await caller.call('POST', `/v1/purchases/${purchase}/cancel_subscription`)).status).toBe(200)
  expect((await caller.call('POST', `/v1/purchases/${purchase}/cancel_subscription`)).status).toBe(422)
  expect((await caller.call('POST', `/v1/purchases/${purchase}/reactivate`)).status).toBe(200)
  expect((await caller.call('POST', `/v1/purchases/${purchase}/deactivate`)).status).toBe(200)
})

test('every route of the site is described, and the copy in this folder equals the official description', () => {
  for (const route of Object.keys(routes)) expect(Object.keys(trimmed.routes)).toContain(route)
  if (official === undefined) return
  for (const [route, statuses] of Object.entries(trimmed.routes)) expect(official.routes[route]).toEqual(statuses)
  for (const [type, attributes] of Object.entries(trimmed.types)) expect(official.types[type]).toEqual(attributes)
})

test('the comparison finds a seeded fault of each class', () => {
  const answer = (status: number, body: object) => ({ status, type: 'application/vnd.api+json', body: body as never })
  const tags = (attributes: object, about: object = {}) =>
    answer(200, { data: [{ type: 'contact_tags', id: '1', attributes, ...about }] })
  const found = (given: ReturnType<typeof answer>, route = '/v1/contact_tags') => strangers('GET', route, given)
  const tag = { name: 'x' }
  expect(found(tags(tag))).toEqual([])
  expect(found(tags({ ...tag, nickname: 'x' }))).toEqual(['GET /v1/contact_tags: "contact_tags" has no nickname'])
  expect(found(tags({ name: 7 }))).toEqual(['GET /v1/contact_tags: "contact_tags" name should be string, is 7'])
  expect(found(tags({ name: null }))).toHaveLength(1)
  expect(found(tags({}))).toEqual(['GET /v1/contact_tags: "contact_tags" lacks name'])
  expect(found(tags({}), '/v1/contact_tags?fields[contact_tags]=name')).toEqual([])
  expect(found(tags(tag, { id: 1 }))).toEqual(['GET /v1/contact_tags: "contact_tags" without an id of text'])
  expect(found(tags(tag, { type: 'people' }))).toHaveLength(1)
  expect(found(answer(200, { data: { type: 'contact_tags', id: '1', attributes: tag } }))).toHaveLength(1)
  expect(found(tags(tag), '/v1/subscriptions')).toEqual(['GET /v1/subscriptions is not described'])
  expect(found(answer(206, { data: [] }))).toEqual(['GET /v1/contact_tags answered 206'])
  expect(found(answer(401, { error: 'no' }))).toHaveLength(1)
})

test('grants through the route of customers always send the welcome mail', async () => {
  const caller = await openCaller()
  const made = [
    await caller.act({ act: 'make_offer', title: 'A' }),
    await caller.act({ act: 'make_offer', title: 'B' }),
  ]
  const [a, b] = made.map((one) => one['offer'] ?? '')
  const contact = idOf((await caller.call('POST', '/v1/contacts', contactBody(caller.site, 'a@example.com'))).body)
  const meta = { send_customer_welcome_email: false }
  await caller.call('POST', `/v1/contacts/${contact}/relationships/offers`, { ...offers(a ?? ''), meta })
  const customer = ids((await caller.call('GET', '/v1/customers')).body)[0]
  await caller.call('POST', `/v1/customers/${customer}/relationships/offers`, { ...offers(b ?? ''), meta })
  const seen = (await (await caller.sandbox.fetch('http://x/_sandbox/kajabi')).json()) as { mails: { offer: string }[] }
  expect(seen.mails.map((mail) => mail.offer)).toEqual([b])
})

test('behaviour switches, tokens, contacts and waiting deliveries survive a restart and are part of a copy', async () => {
  const rows = new Map<string, string>()
  const storage = {
    load: () =>
      [...rows].map(([path, value]) => ({ table: path.split('|')[0] ?? '', key: path.split('|')[1] ?? '', value })),
    save: (changes: readonly { table: string; key: string; value: string | null }[]) => {
      for (const { table, key, value } of changes)
        if (value === null) rows.delete(`${table}|${key}`)
        else rows.set(`${table}|${key}`, value)
    },
  }
  const first = createSandbox({ storage })
  const control = (sandbox: typeof first, path: string, body: object) =>
    sandbox.fetch(`http://x/_sandbox/${path}`, { method: 'POST', body: JSON.stringify(body) })
  await control(first, 'kajabi', { act: 'make_contact', email: 'a@example.com' })
  await control(first, 'kajabi_behaviour', { token_seconds: 60 })
  const { client_id, client_secret } = first.ready.kajabi
  const mint = async (sandbox: typeof first) => {
    const body = new URLSearchParams({ client_id, client_secret, grant_type: 'client_credentials' })
    const response = await sandbox.fetch('http://x/kajabi/v1/oauth/token', { method: 'POST', body })
    return (await response.json()) as { access_token: string; expires_in: number }
  }
  const token = await mint(first)
  expect(token.expires_in).toBe(60)
  for (const again of [createSandbox({ storage }), cloneSandbox(first)]) {
    const response = await again.fetch('http://x/kajabi/v1/contacts?filter[name_contains]=', {
      headers: { authorization: `Bearer ${token.access_token}` },
    })
    expect(response.status).toBe(200)
    expect((await mint(again)).expires_in).toBe(60)
  }
})
