import { expect, test } from 'vitest'
import { instant } from '../../../src/core/instant.ts'
import { contactBody, hookBody, idOf, ids, offers, openCaller } from './site.ts'

const target = 'https://listener.example/hooks/secret'

async function listening() {
  const caller = await openCaller()
  const tag = (await caller.act({ act: 'make_tag', name: 'cancel-requested' }))['tag'] ?? ''
  const hook = await caller.call(
    'POST',
    '/v1/hooks',
    hookBody(caller.site, { target_url: target, event: 'tag_added', resource_id: tag }),
  )
  expect(hook.status).toBe(201)
  await caller.settle()
  const contact = idOf((await caller.call('POST', '/v1/contacts', contactBody(caller.site, 'a@example.com'))).body)
  return { caller, tag, contact, hook: idOf(hook.body) }
}

test('a new hook is probed with HEAD and GET, and after a 405 it silently stops', async () => {
  const { caller, tag, contact } = await listening()
  expect(caller.arrivals.map(({ method }) => method)).toEqual(['HEAD', 'GET'])
  caller.listener.status = 405
  await caller.call('POST', '/v1/hooks', hookBody(caller.site, { target_url: `${target}2`, event: 'tag_added' }))
  await caller.settle()
  caller.listener.status = 200
  caller.arrivals.length = 0
  await caller.act({ act: 'add_tag', contact, tag })
  await caller.settle()
  expect(caller.arrivals.map(({ url }) => url)).toEqual([target])
  expect(ids((await caller.call('GET', '/v1/hooks')).body)).toHaveLength(1)
})

test('tag_added arrives unsigned, its id names the tag, and adding the tag again sends no hook', async () => {
  const { caller, tag, contact } = await listening()
  const other = (await caller.act({ act: 'make_tag', name: 'vip' }))['tag'] ?? ''
  caller.arrivals.length = 0
  await caller.act({ act: 'add_tag', contact, tag: other })
  await caller.act({ act: 'add_tag', contact, tag })
  await caller.act({ act: 'add_tag', contact, tag })
  await caller.settle()
  expect(caller.arrivals).toHaveLength(1)
  const [arrival] = caller.arrivals
  const body = JSON.parse(arrival?.body ?? '') as { payload: object[] }
  expect(body).toMatchObject({ id: tag, event: 'tag_added' })
  expect(body.payload).toMatchObject([
    { type: 'contacts', id: contact, attributes: { email: 'a@example.com' } },
    { type: 'contact_tags', id: tag },
  ])
  expect([...(arrival?.headers.keys() ?? [])].filter((name) => /kajabi|signature|timestamp/.test(name))).toEqual([])
})

test('an unanswered delivery is retried for hours, until it is answered', async () => {
  const { caller, tag, contact } = await listening()
  caller.arrivals.length = 0
  caller.listener.status = 503
  await caller.act({ act: 'add_tag', contact, tag })
  await caller.settle()
  await caller.sandbox.world.advance(instant(caller.sandbox.clock() + 3_600))
  const tries = caller.arrivals.length
  expect(tries).toBeGreaterThanOrEqual(3)
  caller.listener.status = 200
  expect(await caller.act({ act: 'redeliver' })).toEqual({ sent: 1 })
  await caller.settle()
  await caller.sandbox.world.advance(instant(caller.sandbox.clock() + 86_400))
  expect(caller.arrivals).toHaveLength(tries + 1)
  expect(new Set(caller.arrivals.map(({ body }) => body)).size).toBe(1)
})

test('revocations, grants and expirations send no hook; a purchase and a form do', async () => {
  const { caller, contact } = await listening()
  for (const event of ['purchase', 'form_submission', 'tag_removed'])
    await caller.call('POST', '/v1/hooks', hookBody(caller.site, { target_url: target, event }))
  await caller.settle()
  caller.arrivals.length = 0
  const offer = (await caller.act({ act: 'make_offer', title: 'A' }))['offer'] ?? ''
  await caller.call('POST', `/v1/contacts/${contact}/relationships/offers`, offers(offer))
  await caller.act({ act: 'revoke', contact, offer })
  await caller.settle()
  expect(caller.arrivals).toEqual([])
  const paid = (await caller.act({ act: 'make_offer', title: 'B', kind: 'subscription', price: 4900 }))['offer'] ?? ''
  await caller.act({ act: 'purchase', contact, offer: paid })
  const tag = (await caller.act({ act: 'make_tag', name: 'leaving' }))['tag'] ?? ''
  await caller.call('POST', '/v1/hooks', hookBody(caller.site, { target_url: target, event: 'tag_added' }))
  await caller.act({ act: 'make_form', title: 'Cancel my membership', adds_tags: [tag] })
  await caller.act({ act: 'submit_form', form: 'Cancel my membership', email: 'a@example.com' })
  await caller.settle()
  const events = caller.arrivals
    .filter(({ body }) => body !== '')
    .map(({ body }) => (JSON.parse(body) as { event: string }).event)
  expect(events).toEqual(['purchase', 'form_submission', 'tag_added'])
  expect(caller.arrivals.find(({ body }) => body.includes('"form_submission"'))?.body).not.toContain('"contacts"')
})

test('a key without the permission cannot manage hooks', async () => {
  const { caller } = await listening()
  await caller.sandbox.fetch('http://sandbox/_sandbox/kajabi_behaviour', {
    method: 'POST',
    body: JSON.stringify({ hooks_permitted: false }),
  })
  expect((await caller.call('GET', '/v1/hooks')).status).toBe(403)
})
