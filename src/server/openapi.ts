import Type, { type TSchema } from 'typebox'
import { relayBody } from '../cancel/relay.ts'

/** One door of the public listener, as OpenAPI describes an operation. */
interface Door {
  readonly summary: string
  readonly parameters?: readonly Parameter[]
  readonly body?: { readonly types: readonly string[]; readonly schema: TSchema }
  /** Status → what it means and what the body is. */
  readonly answers: Readonly<Record<number, readonly [string, TSchema | 'page' | 'nothing']>>
}

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'header'
  readonly description: string
}

const accepted = Type.Object({
  ok: Type.Literal(true),
  id: Type.String({ description: 'The id of the signal in the inbox' }),
  duplicate: Type.Boolean({ description: 'Whether it was stored before' }),
})
const ok = Type.Object({
  ok: Type.Literal(true),
  ignored: Type.Optional(Type.String({ description: 'Why the message has no meaning here' })),
})
const refused = Type.Object({
  error: Type.String({ description: 'A word that stays the same between versions' }),
  message: Type.Optional(Type.String({ description: 'The fault in the body' })),
})

/** What every door may answer, by the limits of app.ts. */
const always: Door['answers'] = {
  413: ['The body is larger than 256 kB', refused],
  429: ['Too many requests from this address without a valid secret', refused],
  503: ['Nothing was stored; send the request again after the seconds in Retry-After', refused],
}

const json = ['application/json', 'application/vnd.api+json']
const anything = Type.Object({}, { additionalProperties: true })
const path = (name: string, description: string): Parameter => ({ name, in: 'path', description })
const header = (name: string, description: string): Parameter => ({ name, in: 'header', description })
const token = path('token', 'The signed link')

const pages: Door['answers'] = {
  200: ['The member’s page', 'page'],
  404: ['The link is not genuine or has expired', 'page'],
  410: ['What the link is about does not exist any more', 'page'],
}

/** Every door, by method and path. */
const doors: Readonly<Record<string, Readonly<Record<string, Door>>>> = {
  '/kajabi/hooks/{secret}': {
    get: {
      summary: 'The probe that Kajabi sends before its first hook',
      parameters: [path('secret', 'The secret part of the address, known only to Kajabi')],
      answers: { 200: ['The address is right', ok], 404: ['The secret is wrong', refused] },
    },
    post: {
      summary: 'A hook of Kajabi: a tag, or a purchase that was cancelled',
      parameters: [path('secret', 'The secret part of the address, known only to Kajabi')],
      body: { types: json, schema: anything },
      answers: {
        200: ['Stored before, or without meaning', Type.Union([accepted, ok])],
        202: ['Stored', accepted],
        400: ['Not JSON', refused],
        404: ['The secret is wrong', refused],
      },
    },
  },
  '/cancel': {
    post: {
      summary: 'A cancel from a relay or from your own pages',
      parameters: [
        header('webhook-id', 'Id of the message, the same when it is sent again; svix-id means the same'),
        header('webhook-timestamp', 'Seconds since 1970, at most five minutes from now; svix-timestamp means the same'),
        header('webhook-signature', 'Standard Webhooks: v1, and the HMAC in base64; svix-signature means the same'),
      ],
      body: { types: json, schema: relayBody },
      answers: {
        200: ['Stored before', accepted],
        202: ['Stored', accepted],
        400: ['Not JSON', refused],
        401: ['The signature is missing, wrong or too old', refused],
        422: ['The body has a fault', refused],
      },
    },
  },
  '/cancel/{token}': {
    get: { summary: 'The page on which a member confirms a cancel', parameters: [token], answers: pages },
    post: {
      summary: 'The member’s confirmation',
      parameters: [token],
      body: { types: ['application/x-www-form-urlencoded'], schema: anything },
      answers: { ...pages, 303: ['Stored; the page shows the result', 'nothing'] },
    },
  },
  '/card/{token}': {
    get: { summary: 'The page on which a member is asked to enter a card again', parameters: [token], answers: pages },
    post: {
      summary: 'The way to Stripe’s page',
      parameters: [token],
      body: { types: ['application/x-www-form-urlencoded'], schema: anything },
      answers: pages,
    },
  },
  '/stripe/webhooks/{account}': {
    post: {
      summary: 'An event of Stripe, payload style "Snapshot"',
      parameters: [
        path('account', 'The account’s name in project.yaml'),
        header('stripe-signature', 'Stripe’s signature, at most five minutes old'),
      ],
      body: { types: json, schema: anything },
      answers: {
        200: ['Stored before, or without meaning', Type.Union([accepted, ok])],
        202: ['Stored', accepted],
        400: ['The signature is wrong, or the body is not JSON', refused],
        404: ['No such account', refused],
      },
    },
  },
  '/livez': { get: { summary: 'Whether the process runs', answers: { 200: ['It runs', ok] } } },
  '/readyz': {
    get: {
      summary: 'Whether signals can be stored',
      answers: { 200: ['They can', ok], 503: ['They cannot', anything] },
    },
  },
}

/** The public listener as an OpenAPI document, https://spec.openapis.org/oas/v3.1.0. */
export function openapi(version: string): object {
  return plain({
    openapi: '3.1.0',
    info: {
      title: 'Crossbill cancel service',
      version,
      description: 'Turns a cancel in Kajabi into a cancelled Stripe subscription.',
    },
    paths: Object.fromEntries(
      Object.entries(doors).map(([at, methods]) => [
        at,
        Object.fromEntries(Object.entries(methods).map(([method, door]) => [method, operation(door)])),
      ]),
    ),
  })
}

function operation({ summary, parameters, body, answers }: Door): object {
  const isHealth = parameters === undefined
  const all = isHealth ? answers : { ...always, ...answers }
  return {
    summary,
    ...(parameters === undefined
      ? {}
      : { parameters: parameters.map((one) => ({ ...one, required: true, schema: { type: 'string' } })) }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: Object.fromEntries(body.types.map((type) => [type, { schema: body.schema }])),
          },
        }),
    responses: Object.fromEntries(
      Object.entries(all).map(([status, [description, shape]]) => [status, { description, ...content(shape) }]),
    ),
  }
}

function content(shape: TSchema | 'page' | 'nothing'): object {
  if (shape === 'nothing') return {}
  if (shape === 'page') return { content: { 'text/html': { schema: { type: 'string' } } } }
  return { content: { 'application/json': { schema: shape } } }
}

/** Without the symbols of the schema library. */
function plain(document: object): object {
  return JSON.parse(JSON.stringify(document)) as object
}
