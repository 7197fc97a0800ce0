import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { PassThrough } from 'node:stream'
import Stripe from 'stripe'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { signWebhook, webhookKey } from '../../src/cancel/standard-webhooks.ts'
import { run } from '../../src/cli/main.ts'
import { instant } from '../../src/core/instant.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import { serveSandbox } from '../../src/sandbox/server.ts'
import { freePort, until } from '../serve/town.ts'

const accounts = ['target', 'us', 'intl']
const sources = ['us', 'intl']

/**
 * A marker in every personal text. The text after it names the place that contains it.
 */
const planted = 'zzprivate'

const relaySecret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`
const env: Record<string, string> = {
  HOOK_SECRET: 'ab'.repeat(16),
  LINK_SECRET: Buffer.alloc(32, 7).toString('base64'),
  RELAY_SECRET: relaySecret,
  STRIPE_TARGET: `whsec_${'t'.repeat(32)}`,
}

let folder = ''
let sandbox: Sandbox
let server: { url: string; close(): Promise<void> }
let pager: Server
let port = 0
/** All output of the program, by destination. */
const said = new Map<string, string>()
const note = (where: string, text: string): void => void said.set(where, `${said.get(where) ?? ''}${text}`)

const stripe = (account: string): Stripe =>
  new Stripe(`sk_test_sandbox_${account}`, {
    httpClient: Stripe.createFetchHttpClient(sandbox.fetch),
    maxNetworkRetries: 0,
  })

async function control(path: string, body: JsonObject): Promise<Response> {
  return sandbox.fetch(`http://sandbox/_sandbox/${path}`, { method: 'POST', body: JSON.stringify(body) })
}

const act = async (order: JsonObject): Promise<Record<string, string>> =>
  (await (await control('kajabi', order)).json()) as Record<string, string>

interface Running {
  readonly stop: () => void
  readonly ended: Promise<number>
}

/** Runs the real command line in this process and keeps its output. */
function start(...words: string[]): Running {
  let ask: (signal: 'SIGTERM') => void = () => {}
  const where = words.slice(0, 2).join(' ')
  const ended = run(words, {
    cwd: folder,
    env,
    stdin: new PassThrough(),
    stdout: { write: (text: string) => note(`stdout of ${where}`, text) },
    stderr: { write: (text: string) => note(`stderr of ${where}`, text) },
    onStop: (asked) => {
      ask = asked
      return () => {}
    },
    abort: (code) => {
      throw new Error(`aborted with ${code}`)
    },
    leave: () => {},
  })
  return { stop: () => ask('SIGTERM'), ended }
}

/** Runs a command to its end: `plan 0`. */
const crossbill = async (...words: string[]): Promise<string> => `${words[0]} ${await start(...words).ended}`

/** A school with personal texts in every field that Stripe allows. */
async function plantEverywhere(account: string): Promise<void> {
  const client = stripe(account)
  const subscriptions = (await client.subscriptions.list({ limit: 100 })).data
  const text = (place: string): string => `${planted}.${account}.${place}@private.example`
  for (const [at, one] of subscriptions.entries()) {
    const customer = one.customer as string
    await client.subscriptions.update(one.id, {
      metadata: { contact: text('subscription-metadata') },
      description: `for ${text('subscription-description')}`,
    })
    await client.subscriptionItems.update(one.items.data[0]?.id ?? '', { metadata: { seat: text('item-metadata') } })
    await client.customers.update(customer, {
      phone: `+49 ${planted} ${at}`,
      address: { country: 'US', line1: `${planted} lane ${at}`, postal_code: '94107', state: 'CA' },
      shipping: { name: `${planted} receiver`, address: { country: 'US', line1: `${planted} shipping ${at}` } },
      invoice_settings: {
        footer: `${planted} footer`,
        custom_fields: [{ name: 'Attn', value: `${planted} field` }],
      },
      metadata: { mail: text('customer-metadata') },
    })
    if (at % 3 === 0)
      await client.invoiceItems.create({
        customer,
        subscription: one.id,
        amount: 500,
        currency: one.currency,
        description: `Book for ${text('invoice-item')}`,
      })
  }
  const prices = (await client.prices.list({ limit: 100 })).data
  for (const price of prices.slice(0, 4))
    await client.prices.update(price.id, {
      nickname: `order of ${text('price-nickname')}`,
      metadata: { order: text('price-metadata') },
    })
}

async function openProject(): Promise<void> {
  const { kajabi, accounts: ready } = sandbox.ready
  for (const name of accounts) env[`KEY_${name.toUpperCase()}`] = ready[name]?.key ?? ''
  Object.assign(env, { KAJABI_ID: kajabi.client_id, KAJABI_SECRET: kajabi.client_secret })
  const pagerUrl = `http://127.0.0.1:${(pager.address() as AddressInfo).port}`
  Object.assign(env, { PAGER: `${pagerUrl}/pager-hush-8812`, MAILER: `${pagerUrl}/mailer` })
  const account = (name: string): string =>
    `  ${name}: { key: { env: KEY_${name.toUpperCase()} }, account: ${ready[name]?.id}, livemode: false, api_base: "${server.url}" }`
  mkdirSync(join(folder, 'catalog/copy-map'), { recursive: true })
  writeFileSync(
    join(folder, 'catalog/project.yaml'),
    `project: school
accounts:
${accounts.map(account).join('\n')}
policies: { tax: same, pending_invoice_items: carry, past_due: carry, customer_balance: carry, collection_paused: carry }
copy_maps: { us: [copy-map/us.csv], intl: [copy-map/intl.csv] }
kajabi: { site: "${kajabi.site}", client_id: { env: KAJABI_ID }, client_secret: { env: KAJABI_SECRET }, api_base: "${server.url}${kajabi.api_base}", requests_per_second: 1000 }
alerts: { webhook: { env: PAGER } }
serve:
  public_url: http://127.0.0.1:${port}
  hook_secrets: [{ env: HOOK_SECRET }]
  link_secrets: [{ env: LINK_SECRET }]
  relay_secrets: [{ env: RELAY_SECRET }]
  mailer: { env: MAILER }
  poll_seconds: 1
  stripe_webhook_secrets: { target: { env: STRIPE_TARGET } }
`,
  )
  for (const from of sources) {
    const copied = await control('copy', { from, to: 'target' })
    writeFileSync(join(folder, `catalog/copy-map/${from}.csv`), await copied.text())
  }
}

/**
 * Moves all subscribers, and declares the access: every price gives the one offer, which has a
 * cancel tag and a form.
 */
async function declareEverybody(offer: string, tag: string, form: string): Promise<void> {
  const { prices } = (await import('yaml')).parse(readFileSync(join(folder, 'catalog/prices.yaml'), 'utf8')) as {
    prices: Record<string, unknown>
  }
  const given = Object.keys(prices).join(', ')
  writeFileSync(
    join(folder, 'catalog/access.yaml'),
    `offers:\n  membership: { kajabi: "${offer}", prices: [${given}], cancel_tags: ["${tag}"] }\nforms:\n  "${form}": { offer: membership }\n`,
  )
  for (const source of sources)
    for (const name of readdirSync(join(folder, 'catalog/subscribers', source))) {
      const path = join(folder, 'catalog/subscribers', source, name)
      writeFileSync(path, readFileSync(path, 'utf8').replace('stage: source', 'stage: target'))
    }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'crossbill-private-'))
  sandbox = createSandbox({
    accounts,
    population: { name: 'school', subscribers: 12 },
    deliver: globalThis.fetch,
  })
  server = await serveSandbox(sandbox, { port: 0 })
  pager = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => note(request.url === '/mailer' ? 'mailer' : 'alerts', chunk.toString()))
    request.on('end', () => response.end('ok'))
  }).listen(0, '127.0.0.1')
  await once(pager, 'listening')
  port = await freePort()
  for (const source of sources) await plantEverywhere(source)
  await openProject()
}, 120_000)

afterAll(async () => {
  pager.close()
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Calls every route of the service with right and wrong requests, and keeps the answers. */
async function visit(url: string, adminUrl: string, link: string, email: string): Promise<void> {
  const get = async (where: string, address: string, init: RequestInit = {}): Promise<number> => {
    const answer = await fetch(address, init)
    note(where, await answer.text())
    return answer.status
  }
  const post = (path: string, body: string, headers: Record<string, string> = {}): Promise<number> =>
    get('answers', `${url}${path}`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    })
  const path = new URL(link).pathname
  expect(await get('cancel page', `${url}${path}`)).toBe(200)
  expect(await get('cancel page', `${url}${path}`, { method: 'POST' })).toBe(200)
  await get('cancel page', `${url}${path}`)
  await get('cancel page', `${url}${path.slice(0, -3)}`)
  const signed = JSON.stringify({ offer: 'membership', email })
  const at = instant(sandbox.clock())
  const signature = signWebhook('msg_1', at, signed, webhookKey(relaySecret) ?? Buffer.alloc(0))
  const headers = { 'webhook-id': 'msg_1', 'webhook-timestamp': String(at), 'webhook-signature': signature }
  expect(await post('/cancel', signed, headers)).toBe(422)
  await post('/cancel', signed)
  await post(`/kajabi/hooks/${env['HOOK_SECRET']}`, JSON.stringify({ event: 'purchase', payload: [{ email }] }))
  await post(`/kajabi/hooks/wrong-${email}`, signed)
  await post(`/stripe/webhooks/target`, JSON.stringify({ id: 'evt_1', data: { object: { email } } }))
  await get('status page', adminUrl)
  await get('metrics', `${adminUrl}/metrics`)
}

interface Service {
  readonly url: string
  readonly adminUrl: string
  stop(): Promise<number>
}

async function serve(): Promise<Service> {
  const service = start('serve', '--format', 'json', '--port', String(port), '--admin-port', '0')
  const line = (): string => said.get('stdout of serve --format') ?? ''
  await until('the service listens', () => Promise.resolve(line().includes('\n')))
  const { url, admin_url: adminUrl } = JSON.parse(line()) as { url: string; admin_url: string }
  return {
    url,
    adminUrl,
    stop: () => {
      service.stop()
      return service.ended
    },
  }
}

/**
 * Members who cancel in every possible way, a stranger with the tag, and a visitor who enters
 * addresses in the form.
 */
async function leave({ url, adminUrl }: Service): Promise<void> {
  const emailOf = async (customer: string): Promise<string> => {
    const found = await stripe('target').customers.retrieve(customer)
    return 'email' in found ? (found.email ?? '') : ''
  }
  const moved = (await stripe('target').subscriptions.list({ limit: 100 })).data
  const payers = await Promise.all(
    moved.map(async ({ customer, metadata }) => ({
      email: await emailOf(customer as string),
      from: metadata['crossbill_from'] ?? '',
    })),
  )
  // A person decides about a member who pays twice.
  const alone = payers.filter(({ email }) => payers.filter((other) => other.email === email).length === 1)
  const [one, two, three] = alone.toSorted((a, b) => (a.from < b.from ? -1 : 1))
  if (one === undefined || two === undefined || three === undefined) throw new Error('too few were moved')
  await start('cancel-link', one.from).ended
  const link = (said.get(`stdout of cancel-link ${one.from}`) ?? '').trim()
  await visit(url, adminUrl, link, one.email)
  const [tag, form] = [env['TAG'] ?? '', env['FORM'] ?? '']
  await act({ act: 'add_tag', contact: two.email, tag })
  const stranger = `${planted}.stranger@private.example`
  await act({ act: 'make_contact', email: stranger, name: `${planted} Stranger` })
  await act({ act: 'add_tag', contact: stranger, tag })
  await act({ act: 'submit_form', form, email: three.email, name: `${planted} typed` })
  await act({ act: 'submit_form', form, email: `${planted}.typed@private.example`, name: `${planted} typed` })
  await act({ act: 'revoke', contact: three.email, offer: env['OFFER'] ?? '' })
  const shown = async (): Promise<string> => (await fetch(adminUrl)).text()
  await until('two are cancelled, a stranger waits for a person, and a link was mailed', async () => {
    const { data } = await stripe('target').subscriptions.list({ limit: 100, status: 'canceled' })
    return data.length >= 2 && said.has('mailer') && (await shown()).includes('nobody')
  })
  note('status page', await shown())
}

function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

/** The texts that must not appear, by kind. This test itself contains no real name. */
async function whatIsPrivate(): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>([['planted', planted]])
  for (const account of accounts) {
    const customers = await stripe(account).customers.list({ limit: 100 }).autoPagingToArray({ limit: 10_000 })
    for (const { id, email, name } of customers) {
      if (email !== null) found.set(`e-mail of ${id}`, email)
      if (name !== null && name !== undefined && name.includes(' ')) found.set(`name of ${id}`, name)
    }
    const endpoints = await stripe(account).webhookEndpoints.list({ limit: 100 })
    for (const { id, secret } of endpoints.data) if (secret !== undefined) found.set(`secret of ${id}`, secret)
  }
  for (const [name, secret] of Object.entries(env))
    if (/KEY_|SECRET|STRIPE_/.test(name)) found.set(`secret ${name}`, secret)
  found.set('path of the pager', 'pager-hush-8812')
  return found
}

test('no output or file of a full run names a person or a secret', { timeout: 180_000 }, async () => {
  const { offer = '' } = await act({ act: 'make_offer', title: 'Everything' })
  const { tag = '' } = await act({ act: 'make_tag', name: 'cancel-everything' })
  const { form = '' } = await act({ act: 'make_form', title: 'Leave' })
  Object.assign(env, { OFFER: offer, TAG: tag, FORM: form })
  const codes = [await crossbill('pull', '--quiet')]
  await declareEverybody(offer, tag, form)
  codes.push(
    await crossbill('validate'),
    await crossbill('doctor', '--format', 'json'),
    await crossbill('plan', '--out', 'plans/all.plan.json', '--format', 'json'),
    await crossbill('show', 'plans/all.plan.json', '--format', 'markdown'),
  )
  const service = await serve()
  codes.push(
    await crossbill('apply', 'plans/all.plan.json', '--format', 'json', '--quiet'),
    await crossbill('verify', '--format', 'json'),
    await crossbill('drift', '--format', 'json'),
    await crossbill('copy-map', 'check'),
  )
  expect(await crossbill('cards', 'check', '--format', 'json')).toMatch(/ [02]$/)
  await leave(service)
  expect(await service.stop()).toBe(0)
  const [last] = (await stripe('us').customers.list({ limit: 1 })).data
  codes.push(
    await crossbill('cancel', last?.email ?? '', '--yes', '--format', 'json'),
    await crossbill('inbox', 'list', '--format', 'json'),
    await crossbill('pull', '--format', 'json'),
    await crossbill('plan', '--format', 'markdown'),
    await crossbill('state', 'export', '--format', 'json'),
    await crossbill('state', 'rebuild'),
    await crossbill('report', '--out', 'report'),
    await crossbill('rehearse', '--months', '1', '--format', 'json', '--quiet'),
  )
  expect(codes.filter((one) => !one.endsWith(' 0'))).toEqual([])

  const wanted = await whatIsPrivate()
  const texts = new Map([...said].map(([where, text]) => [where, Buffer.from(text)]))
  for (const file of filesIn(folder)) texts.set(relative(folder, file), readFileSync(file))
  const found = [...texts].flatMap(([where, text]) =>
    [...wanted].flatMap(([what, value]) => (text.includes(value) ? [`${where}: ${what}`] : [])),
  )
  // Only the mailer gets an address, because it sends a mail. Finding it there proves that the
  // search works.
  expect(found.filter((one) => one.startsWith('mailer'))).toHaveLength(1)
  expect(found.filter((one) => !one.startsWith('mailer'))).toEqual([])
  expect(texts.get('plans/all.plan.json')?.toString()).toMatch(/"\$live": ?"note\//)
  const arrived = [
    ...(await stripe('target').invoiceItems.list({ limit: 100 })).data.map(({ description }) => description),
    ...(await stripe('target').subscriptions.list({ limit: 100 })).data.map(({ metadata }) => metadata['contact']),
  ]
  expect(arrived.filter((text) => text?.includes(planted) !== true)).toEqual([])
  expect(arrived.length).toBeGreaterThan(10)
  expect([...texts.keys()].filter((where) => /\.(html|md|yaml|json|db)$/.test(where)).length).toBeGreaterThan(20)
})
