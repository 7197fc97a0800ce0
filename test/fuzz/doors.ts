import { createHmac } from 'node:crypto'
import { connect } from 'node:net'
import fc from 'fast-check'
import { signCardLink } from '../../src/cards/link.ts'
import { signLink } from '../../src/cancel/link.ts'
import { webhookKey } from '../../src/cancel/standard-webhooks.ts'
import { present } from '../../src/core/assert.ts'
import { instant } from '../../src/core/instant.ts'
import { isJsonObject, type Json } from '../../src/core/json.ts'
import { signToken } from '../../src/core/signed-token.ts'
import { linkKey } from '../../src/server/secrets.ts'
import type { Member } from '../inbox/rig.ts'
import { secrets, type Ground } from './ground.ts'
import { edited, edits, scraps } from './mutate.ts'

/** One request as bytes to be; `$NAMES` are filled in when it is sent. */
export interface Attempt {
  readonly listener: 'open' | 'admin'
  readonly method: string
  readonly path: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string
  /** Who signs it; `stale`: correctly, ten minutes ago. */
  readonly signed: 'no' | 'relay' | 'svix' | 'target' | 'us' | 'stale'
  readonly framing: 'length' | 'chunked' | 'short' | 'none' | 'both'
}

const words = (member: string): readonly Json[] => [
  { offer: 'membership', contact: `$CONTACT${member}` },
  { offer: 'membership', customer: `$CUSTOMER${member}` },
  { offer: 'membership', subscriber: `$SUBSCRIBER${member}`, contact: `$CONTACT${member}` },
  { offer: 'membership', contact: `$CONTACT${member}`, customer: '$CUSTOMER9' },
  { offer: 'diploma', contact: `$CONTACT${member}` },
]

const hooks = (member: string): readonly Json[] => [
  {
    event: 'tag_added',
    payload: [
      { id: '$TAG', type: 'contact_tags' },
      { id: `$CONTACT${member}`, type: 'contacts' },
    ],
  },
  {
    event: 'form_submission',
    payload: [
      { id: '1', type: 'form_submissions' },
      { id: '$FORM', type: 'forms' },
    ],
  },
  { id: 1, event: 'purchase', payload: [{ id: `$CONTACT${member}`, type: 'contacts' }] },
]

const event = (type: string, object: Json, previous: Json = {}): Json => ({
  id: 'evt_$N',
  object: 'event',
  type,
  created: 1,
  data: { object, previous_attributes: previous },
})

const events = (member: string): readonly Json[] => {
  const held = {
    id: `$OLD${member}`,
    object: 'subscription',
    customer: `$CUSTOMER${member}`,
    status: 'canceled',
    items: { data: [{ price: { id: 'price_1' }, quantity: 1 }] },
    metadata: { crossbill_hold: '{"before":null}' },
    pause_collection: { behavior: 'void' },
  }
  return [
    event('customer.subscription.deleted', { ...held, metadata: {} }),
    event('customer.subscription.updated', { ...held, status: 'active', metadata: {} }, { metadata: held.metadata }),
    event('customer.subscription.updated', { ...held, status: 'active' }, { items: { data: [] } }),
    event('customer.discount.deleted', { object: 'discount', end: 9e9, subscription: `$NEW${member}` }),
    event('invoice.payment_failed', {
      id: 'in_1',
      parent: { subscription_details: { metadata: { crossbill_from: `$SUBSCRIBER${member}` } } },
    }),
    { id: 'evt_$N', object: 'v2.core.event', type: 'v1.thing', related_object: { id: 'x' } },
    event('customer.subscription.deleted', { ...held, customer: 'cus_other', id: 'sub_other' }),
  ]
}

const member = fc.integer({ min: 0, max: 9 }).map(String)
const json = (templates: (member: string) => readonly Json[]): fc.Arbitrary<string> =>
  fc.oneof(
    {
      weight: 4,
      arbitrary: member.chain((one) => fc.constantFrom(...templates(one))).map((body) => JSON.stringify(body)),
    },
    {
      weight: 8,
      arbitrary: fc
        .tuple(
          member.chain((one) => fc.constantFrom(...templates(one))),
          edits,
        )
        .map(([body, list]) => JSON.stringify(edited(body, list))),
    },
    { weight: 2, arbitrary: scraps.map((body) => JSON.stringify(body)) },
    { weight: 3, arbitrary: heavy },
  )

/** Bodies whose cost may grow faster than their size. */
const heavy: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom(
      '[',
      '{"a":',
      '\\',
      '"',
      'a',
      '-',
      '_',
      'sub_',
      '9',
      '{"id":"1","type":"contacts"},',
      '@ ',
      ' ',
      '\u00e9',
      '%41',
      'a=b&',
    ),
    fc.constantFrom(1, 33, 1_000, 60_000, 255_000, 300_000),
    fc.constantFrom(
      ['', ''],
      ['{"event":"tag_added","payload":[', '{}]}'],
      ['{"offer":"membership","contact":"', '"}'],
      ['{"id":"evt_1","type":"customer.subscription.deleted","data":{"object":{"id":"', '","customer":"cus_1"}}}'],
      ['{"offer":"', '","contact":"5"}'],
      ['{"', '":1}'],
    ),
  )
  .map(([unit, length, [front = '', back = '']]) => front + unit.repeat(Math.ceil(length / unit.length)) + back)

const printable = fc.constantFrom(
  '',
  ' ',
  'x',
  '0',
  '-1',
  '1e9',
  '99999999999999999999',
  'v1,',
  'v1,AAAA',
  't=1,v1=00',
  't=,v1=',
  ',,,,',
  '=;=;',
  'v1,'.repeat(2_000),
  't=1,'.repeat(1_500),
  'a'.repeat(7_000),
  '\u00ff\u00fe',
  '\t',
  '::1',
  '1.2.3.4, 5.6.7.8',
  '::ffff:1.2.3.4',
  '1:2:3:4:5:6:7:8:9',
  'fe80::1%eth0',
  'localhost',
  'evil.example',
  '[::1]:80',
  'text/html; charset=utf-7',
  'application/json; charset=\u00ff',
  'de;q=x,fr;q=9e99,;q=,-,*',
  'de,'.repeat(2_000),
  'gzip',
  'chunked',
  '100-continue',
)
const headerName = fc.constantFrom(
  'content-type',
  'content-type',
  'content-encoding',
  'webhook-id',
  'webhook-timestamp',
  'webhook-signature',
  'svix-id',
  'svix-signature',
  'stripe-signature',
  'x-forwarded-for',
  'x-forwarded-for',
  'x-forwarded-host',
  'host',
  'accept-language',
  'accept',
  'expect',
  'range',
  'if-none-match',
  'cookie',
  'authorization',
  'origin',
  'upgrade',
  '__proto__',
  'constructor',
)
const oddHeaders = fc.array(fc.tuple(headerName, printable), { maxLength: 3 })

const token = fc.oneof(
  member.map((one) => `$LINK${one}`),
  member.map((one) => `$CARD${one}`),
  member.map((one) => `$LINK${one}x`),
  scraps.map((claims) => `$CLAIMS(${Buffer.from(JSON.stringify([claims])).toString('base64url')})`),
  member.map((one) => `$OLDLINK${one}`),
  fc.constantFrom(
    'a.b',
    '.',
    '%',
    '%00',
    '%E0%A4%A',
    '..%2f..',
    '__proto__',
    'x'.repeat(2_000),
    'x'.repeat(5_000),
    'é',
  ),
)

const listenerPaths = fc.constantFrom(
  '/',
  '//',
  '/metrics',
  '/openapi.json',
  '/livez',
  '/readyz',
  '/cancel',
  '/cancel/',
  '/cancel//x',
  '/kajabi/hooks/',
  '/kajabi/hooks/x',
  '/stripe/webhooks/constructor',
  '/stripe/webhooks/__proto__',
  '/stripe/webhooks/%2e%2e',
  '/metrics?%',
  '/?a[b]=c&a=d',
  '*',
  'http://evil.example/',
  '/%',
  '/\u00e9',
  `/${'a/'.repeat(3_000)}`,
)

const method = fc.constantFrom(
  'GET',
  'POST',
  'HEAD',
  'OPTIONS',
  'PUT',
  'DELETE',
  'TRACE',
  'PROPFIND',
  'NOPE',
  'CONNECT',
)
const framing = fc.constantFrom<Attempt['framing']>(
  ...(Array(12).fill('length') as 'length'[]),
  'chunked',
  'short',
  'none',
  'both',
)
const anyType = fc.constantFrom(
  'application/json',
  'application/json',
  'application/json',
  'application/vnd.api+json',
  'application/x-www-form-urlencoded',
  'text/plain',
  'multipart/form-data; boundary=x',
)

/** Requests of every door, most of them nearly right. */
export const attempts: fc.Arbitrary<Attempt> = fc.oneof(
  door('/cancel', json(words), ['relay', 'relay', 'relay', 'svix', 'stale', 'no'], 4),
  door('/kajabi/hooks/$HOOK', json(hooks), ['no'], 3),
  door('/stripe/webhooks/us', json(events), ['us', 'us', 'us', 'target', 'no'], 3),
  door('/stripe/webhooks/target', json(events), ['target', 'target', 'target', 'us', 'no'], 3),
  {
    weight: 4,
    arbitrary: fc.record<Attempt>({
      listener: fc.constant('open'),
      method: fc.constantFrom('GET', 'POST', 'POST', 'HEAD'),
      path: fc.tuple(fc.constantFrom('/cancel/', '/cancel/', '/card/'), token).map(([front, one]) => front + one),
      headers: oddHeaders,
      body: fc.constantFrom('', 'a=b', '&'.repeat(10_000)),
      signed: fc.constant('no'),
      framing,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record<Attempt>({
      listener: fc.constantFrom('open', 'admin'),
      method,
      path: listenerPaths,
      headers: oddHeaders,
      body: fc.oneof(fc.constant(''), heavy),
      signed: fc.constant('no'),
      framing,
    }),
  },
)

function door(path: string, body: fc.Arbitrary<string>, signed: readonly Attempt['signed'][], weight: number) {
  const arbitrary = fc
    .tuple(
      fc.record<Attempt>({
        listener: fc.constant('open'),
        method: fc.constantFrom('POST', 'POST', 'POST', 'POST', 'GET', 'HEAD'),
        path: fc.constant(path),
        headers: fc.oneof(fc.constant([]), fc.constant([]), oddHeaders),
        body,
        signed: fc.constantFrom(...signed),
        framing,
      }),
      anyType,
    )
    .map(([attempt, type]): Attempt => ({ ...attempt, headers: [['content-type', type], ...attempt.headers] }))
  return { weight, arbitrary }
}

/** The answer's status; undefined when the service closed the connection without one. */
export interface Answer {
  readonly status: number | undefined
  readonly text: string
  /** Milliseconds of processor time of this process while it was answered. */
  readonly cost: number
}

interface Filled {
  readonly head: string
  /** As it is sent, and as it was meant. */
  readonly sent: string
  readonly body: string
}

/** How an attempt looks when it leaves: names filled in, signed by the present clock. */
function filled(ground: Ground, attempt: Attempt): Filled {
  const { rig, members } = ground
  const of = (index: string): Member => present(members[Number(index) % members.length], 'member')
  const later = instant(rig.now() + 86_400)
  const key = present(linkKey(present(secrets.links[0], 'link secret')), 'link key')
  const fill = (text: string): string =>
    text
      .replaceAll(/\$CONTACT(\d)/g, (_, n: string) => of(n).contact)
      .replaceAll(/\$CUSTOMER(\d)/g, (_, n: string) => of(n).customer)
      .replaceAll(/\$SUBSCRIBER(\d)/g, (_, n: string) => of(n).subscriber)
      .replaceAll(/\$OLDLINK(\d)/g, (_, n: string) =>
        signLink({ subscriber: of(n).subscriber, offer: 'membership', expires: instant(1), id: `x${n}` }, key),
      )
      .replaceAll(/\$OLD(\d)/g, (_, n: string) => of(n).old)
      .replaceAll(/\$NEW(\d)/g, (_, n: string) => of(n).successor ?? 'sub_none')
      .replaceAll(/\$LINK(\d)/g, (_, n: string) =>
        signLink({ subscriber: of(n).subscriber, offer: 'membership', expires: later, id: `l${n}` }, key),
      )
      .replaceAll(/\$CARD(\d)/g, (_, n: string) =>
        signCardLink({ subscriber: of(n).subscriber, customer: of(n).customer, expires: later }, key),
      )
      .replaceAll(/\$CLAIMS\(([\w-]*)\)/g, (_, claims: string) =>
        signToken(
          'crossbill cancel link',
          JSON.parse(Buffer.from(claims, 'base64url').toString()) as readonly Json[],
          key,
        ),
      )
      .replaceAll('$HOOK', present(secrets.hooks[0], 'hook secret'))
      .replaceAll('$TAG', rig.tag)
      .replaceAll('$FORM', rig.form)
      .replaceAll('$N', String(rig.lines.length))
  const body = fill(attempt.body)
  const path = fill(attempt.path)
  const headers = [...attempt.headers, ...signature(attempt, body, rig.now())]
  const length = Buffer.byteLength(body)
  const frame: Record<Attempt['framing'], readonly (readonly [string, string])[]> = {
    length: [['content-length', String(length)]],
    short: [['content-length', String(length + 10)]],
    none: [],
    chunked: [['transfer-encoding', 'chunked']],
    both: [
      ['content-length', String(length)],
      ['transfer-encoding', 'chunked'],
    ],
  }
  const all = [...headers, ...frame[attempt.framing], ['connection', 'close'] as const]
  const named = all.some(([name]) => name === 'host') ? all : [['host', '127.0.0.1'] as const, ...all]
  const head = `${attempt.method} ${path} HTTP/1.1\r\n${named.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
  const chunked = attempt.framing === 'chunked' || attempt.framing === 'both'
  const sent = chunked ? (length === 0 ? '0\r\n\r\n' : `${length.toString(16)}\r\n${body}\r\n0\r\n\r\n`) : body
  return { head, sent, body }
}

let messages = 0

function signature({ signed }: Attempt, body: string, now: number): readonly (readonly [string, string])[] {
  if (signed === 'no') return []
  if (signed === 'target' || signed === 'us') {
    const secret = present(secrets.stripe.get(signed)?.[0], 'secret')
    const mac = createHmac('sha256', secret).update(`${now}.${body}`).digest('hex')
    return [['stripe-signature', `t=${now},v1=${mac}`]]
  }
  const key = present(webhookKey(present(secrets.relays[0], 'relay secret')), 'relay key')
  const id = `m${++messages}`
  const at = signed === 'stale' ? now - 600 : now
  const mac = createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64')
  const name = signed === 'svix' ? 'svix' : 'webhook'
  return [
    [`${name}-id`, id],
    [`${name}-timestamp`, String(at)],
    [`${name}-signature`, `v1,${mac}`],
  ]
}

/** Sends the bytes over a connection of their own. */
export async function send(ground: Ground, attempt: Attempt): Promise<Answer> {
  const { head, sent, body } = filled(ground, attempt)
  noteAsked(ground, attempt, body)
  const url = new URL(attempt.listener === 'open' ? ground.service.url : ground.service.adminUrl)
  const began = process.cpuUsage()
  const text = await new Promise<string>((resolve) => {
    let answer = ''
    const socket = connect(Number(url.port), url.hostname, () => {
      socket.write(Buffer.from(head, 'latin1'))
      socket.write(sent)
    })
    socket.setTimeout(5_000, () => socket.destroy())
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')))
    // The service may close the connection while the rest of a body is still being written.
    socket.on('error', () => resolve(answer))
    socket.on('close', () => resolve(answer))
  })
  const { user, system } = process.cpuUsage(began)
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1]
  return { status: status === undefined ? undefined : Number(status), text, cost: (user + system) / 1_000 }
}

/**
 * Notes who asked to leave by this attempt, read as the documents of the doors say and not by the
 * code of the product. It may name too many, never too few.
 */
function noteAsked({ members, asked }: Ground, { path, method, signed }: Attempt, body: string): void {
  const pressed = /^\/cancel\/\$LINK(\d)$/.exec(path)?.[1]
  const leaver = pressed === undefined || method !== 'POST' ? undefined : members[Number(pressed) % members.length]
  if (leaver !== undefined) asked.add(leaver)
  if (path !== '/cancel' || (signed !== 'relay' && signed !== 'svix')) return
  const said = parsed(body)
  if (!isJsonObject(said) || said['offer'] !== 'membership') return
  const ids = ['contact', 'customer', 'subscriber'] as const
  const named = ids.flatMap((name) => (Object.hasOwn(said, name) ? [[name, said[name]] as const] : []))
  for (const one of members)
    if (
      named.length > 0 &&
      named.every(([name, value]) => one[name] === (typeof value === 'number' ? String(value) : value))
    )
      asked.add(one)
}

function parsed(body: string): Json {
  try {
    return JSON.parse(body) as Json
  } catch {
    return null
  }
}
