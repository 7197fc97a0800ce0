import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { setFaults } from '../../../src/sandbox/faults.ts'
import { createSandbox } from '../../../src/sandbox/sandbox.ts'
import { serveSandbox } from '../../../src/sandbox/server.ts'
import { hookBody } from './site.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function listen() {
  const arrivals: { method: string; path: string; body: string }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      arrivals.push({ method: request.method ?? '', path: request.url ?? '', body })
      response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(async () => {
    server.closeAllConnections()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })
  return { arrivals, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

async function serve() {
  const sandbox = createSandbox()
  const served = await serveSandbox(sandbox, { port: 0 })
  closing.push(() => served.close())
  const { client_id, client_secret, site, api_base } = sandbox.ready.kajabi
  const base = `${served.url}${api_base}`
  const minted = await fetch(`${base}/v1/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({ client_id, client_secret, grant_type: 'client_credentials' }),
  })
  const { access_token } = (await minted.json()) as { access_token: string }
  const call = (method: string, path: string, body?: object) =>
    fetch(`${base}${path}`, {
      method,
      headers: { authorization: `Bearer ${access_token}`, 'content-type': 'application/vnd.api+json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  const act = async (order: object) => {
    const response = await fetch(`${served.url}/_sandbox/kajabi`, { method: 'POST', body: JSON.stringify(order) })
    return (await response.json()) as Record<string, string>
  }
  return { sandbox, site, call, act }
}

test('a tag hook reaches a listener on this machine; DELETE has a body; 204 has none', async () => {
  const listener = await listen()
  const { sandbox, site, call, act } = await serve()
  const { tag } = await act({ act: 'make_tag', name: 'cancel' })
  const { offer } = await act({ act: 'make_offer', title: 'A' })
  const { contact } = await act({ act: 'make_contact', email: 'a@example.com' })
  const made = await call(
    'POST',
    '/v1/hooks',
    hookBody(site, { target_url: `${listener.url}/in/s3cret`, event: 'tag_added' }),
  )
  const hook = ((await made.json()) as { data: { id: string } }).data.id
  const offers = { data: [{ type: 'offers', id: offer }] }
  await call('POST', `/v1/contacts/${contact}/relationships/offers`, offers)
  const left = await call('DELETE', `/v1/contacts/${contact}/relationships/offers`, offers)
  expect(await left.json()).toMatchObject({ data: [] })
  await act({ act: 'add_tag', contact, tag })
  await Promise.all(sandbox.world.deliveries)
  expect(listener.arrivals.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'HEAD /in/s3cret',
    'GET /in/s3cret',
    'POST /in/s3cret',
  ])
  const gone = await call('DELETE', `/v1/hooks/${hook}`)
  expect([gone.status, await gone.text()]).toEqual([204, ''])
})

test('a cut connection is a failed fetch, before the commit and after it', async () => {
  const { sandbox, site, call } = await serve()
  setFaults(sandbox.world, {
    exact: [
      { fault: 'cut_before', nth: 1, match: 'POST /kajabi/v1/contacts' },
      { fault: 'cut_after', nth: 2, match: 'POST /kajabi/v1/contacts' },
    ],
  })
  const body = {
    data: {
      type: 'contacts',
      attributes: { name: 'Ada', email: 'a@example.com' },
      relationships: { site: { data: { type: 'sites', id: site } } },
    },
  }
  await expect(call('POST', '/v1/contacts', body)).rejects.toThrow('fetch failed')
  await expect(call('POST', '/v1/contacts', body)).rejects.toThrow('fetch failed')
  expect((await call('POST', '/v1/contacts', body)).status).toBe(422)
})
