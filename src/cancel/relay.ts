import type { KnownAccess } from '../catalog/access-read.ts'
import { suggest } from '../core/suggest.ts'
import type { Instant } from '../core/instant.ts'
import { isJsonObject, type Json, textIn } from '../core/json.ts'
import Type from 'typebox'
import type { Signal } from './signal.ts'

const fields = {
  offer: /^[a-z0-9][a-z0-9-]{0,99}$/,
  contact: /^\d{1,20}$/,
  customer: /^cus_\w{1,60}$/,
  subscriber: /^[a-z][a-z0-9_-]{0,31}\/sub_\w{1,60}$/,
} as const

const text = (name: keyof typeof fields, description: string) =>
  Type.String({ pattern: fields[name].source, description })

/** The body of a relay's request as a schema. `readRelay` checks by the same patterns. */
export const relayBody = Type.Object(
  {
    offer: text('offer', 'Key of the offer in access.yaml'),
    contact: Type.Optional(Type.Union([text('contact', 'Id of the contact in Kajabi'), Type.Integer({ minimum: 0 })])),
    customer: Type.Optional(text('customer', 'Id of the customer in Stripe')),
    subscriber: Type.Optional(text('subscriber', 'Source and old subscription')),
  },
  {
    additionalProperties: false,
    description: 'One of contact, customer or subscriber is required; several must mean the same person',
  },
)

/**
 * Reads the body of a relay's signed request: `{ "offer": "membership", "contact": "123" }`, with
 * `customer` or `subscriber` in place of the contact or beside it. The offer is required even where
 * a member has only one: Kajabi also sends "payments cancelled" when a payment plan is fully paid.
 * An e-mail address is refused.
 */
export function readRelay(
  body: Json,
  message: string,
  access: KnownAccess,
  now: Instant,
): { readonly signal: Signal } | { readonly refused: string } {
  if (!isJsonObject(body)) return { refused: 'the body is not a JSON object' }
  for (const [name, value] of Object.entries(body)) {
    const shape: RegExp | undefined = isField(name) ? fields[name] : undefined
    if (shape === undefined) {
      const near = suggest(name, Object.keys(fields))
      return {
        refused: `unknown key${near === undefined ? '' : ` (did you mean ${near}?)`}; known keys: ${Object.keys(fields).join(', ')}`,
      }
    }
    if (!shape.test(wordOf(name, value))) return { refused: `${name} is malformed` }
  }
  const given = (name: string): string | undefined => (Object.hasOwn(body, name) ? wordOf(name, body[name]) : undefined)
  const [offer, contact] = [given('offer'), given('contact')]
  const [customer, subscriber] = [given('customer'), given('subscriber')]
  if (offer === undefined) return { refused: 'offer is missing: name the offer to cancel' }
  // An offer that cannot be read is stored: a refused request would be forgotten.
  if (access.incomplete !== true && !Object.hasOwn(access.offers, offer))
    return { refused: 'offer is not a key of access.yaml' }
  if (contact === undefined && customer === undefined && subscriber === undefined)
    return { refused: 'one of contact, customer or subscriber is required' }
  return {
    signal: {
      source: 'relay',
      event: 'cancel',
      offer,
      ...(contact === undefined ? {} : { contact }),
      ...(customer === undefined ? {} : { customer }),
      ...(subscriber === undefined ? {} : { subscriber }),
      receivedAt: now,
      message,
    },
  }
}

function isField(name: string): name is keyof typeof fields {
  return Object.hasOwn(fields, name)
}

/** Kajabi's ids are digits, which many relays send as a number. */
function wordOf(name: string, value: Json | undefined): string {
  if (name === 'contact' && Number.isSafeInteger(value)) return String(value as number)
  return textIn(value)
}
