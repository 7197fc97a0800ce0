import type { KnownAccess } from '../catalog/access-read.ts'
import { createHash } from 'node:crypto'
import type { Instant } from '../core/instant.ts'
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import type { Signal } from './signal.ts'

/** The result of reading a Kajabi hook: a signal to store, or the reason why it is ignored. */
export type HookReading = { readonly signal: Signal } | { readonly ignored: string }

/**
 * Reads the body of an API hook, `{ id, event, payload: [resource, …] }`
 * (https://developers.kajabi.com/api-reference, "Hooks"), or of a hook configured on Kajabi's own
 * pages (other events and shapes, none of which asks for a cancel). Hooks are not signed, so their
 * content is not trusted: only ids are read, to be looked up in Kajabi. Names and addresses in the
 * body are ignored.
 */
export function readKajabiHook(body: string, parsed: Json, access: KnownAccess, now: Instant): HookReading {
  if (!isJsonObject(parsed)) return { ignored: 'not_a_hook' }
  const { event, payload } = parsed
  if (typeof event !== 'string') return { ignored: 'not_a_hook' }
  if (!Array.isArray(payload)) return { ignored: 'event_never_acts' }
  const resources = payload.filter(isJsonObject)
  const message = createHash('sha256').update(body).digest('hex')
  if (event === 'tag_added') return tagAdded(resources, access, { receivedAt: now, message })
  if (event === 'form_submission') return formSubmitted(resources, access, { receivedAt: now, message })
  return { ignored: 'event_never_acts' }
}

type Arrival = Pick<Signal, 'receivedAt' | 'message'>

function tagAdded(resources: readonly JsonObject[], access: KnownAccess, arrival: Arrival): HookReading {
  const contact = kajabiIdOf(resourceOf(resources, 'contacts'))
  const tag = kajabiIdOf(resourceOf(resources, 'contact_tags'))
  if (contact === undefined || tag === undefined) return { ignored: 'names_no_contact_or_tag' }
  const offer = Object.entries(access.offers).find(([, one]) => one.cancel_tags?.includes(tag))?.[0]
  if (offer === undefined) {
    if (access.incomplete !== true) return { ignored: 'tag_means_nothing' }
    // The tag may belong to an offer that cannot be read: a person decides.
    return { signal: { ...arrival, source: 'hook', event: 'tag_added', contact, tag } }
  }
  // The contact's `external_user_id` may name a Stripe customer. It is not trusted here: the
  // customer is read back from Kajabi.
  return { signal: { ...arrival, source: 'hook', event: 'tag_added', contact, tag, offer } }
}

/** Identifies the submission by its id alone: the address typed into the form stays in Kajabi. */
function formSubmitted(resources: readonly JsonObject[], access: KnownAccess, arrival: Arrival): HookReading {
  const submission = kajabiIdOf(resourceOf(resources, 'form_submissions'))
  const form = kajabiIdOf(resourceOf(resources, 'forms'))
  const forms = access.forms ?? {}
  const offer = form === undefined || !Object.hasOwn(forms, form) ? undefined : forms[form]?.offer
  if (submission === undefined || offer === undefined) return { ignored: 'form_means_nothing' }
  return { signal: { ...arrival, source: 'form', event: 'form_submission', offer, message: submission } }
}

function resourceOf(resources: readonly JsonObject[], type: string): JsonObject | undefined {
  return resources.find((one) => one['type'] === type)
}

/** Kajabi's ids are digits: text in the API's hooks, numbers elsewhere. */
function kajabiIdOf(resource: JsonObject | undefined): string | undefined {
  const id = resource?.['id']
  const text = Number.isSafeInteger(id) ? String(id as number) : id
  return typeof text === 'string' && /^\d{1,20}$/.test(text) ? text : undefined
}
