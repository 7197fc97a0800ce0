import { assert } from '../../core/assert.ts'
import { isJsonObject, type Json, type JsonObject, objectIn, type StripeObject } from '../../core/json.ts'
import type { DesiredResource } from '../../catalog/types.ts'
import { targetAccount } from '../../catalog/types.ts'
import { markAddress, markFormer, markProject, markProtect } from '../../live/marks.ts'
import type { Difference } from '../../kinds/form.ts'
import { type Kind, objectPath, type References } from '../../kinds/kind.ts'
import type { KeylessStep } from './types.ts'
import type { LiveObject } from './live-index.ts'
import type { Holder } from './people.ts'

/** A declared object with everything that its requests need. */
export interface Subject {
  readonly project: string
  readonly kind: Kind
  readonly resource: DesiredResource
  /** The desired form. */
  readonly form: JsonObject
  readonly references: References
}

/** Creates the object with its marks in one request, so that it is never unmarked. */
export function createStep(
  subject: Subject,
  options: { readonly id?: string; readonly takesLookupKey?: boolean } = {},
): KeylessStep {
  const { kind, resource, form } = subject
  const params: Record<string, Json | undefined> = {
    ...(typeof kind.always === 'function' ? kind.always(form) : kind.always),
  }
  for (const [name, value] of Object.entries(form)) {
    const field = kind.fields[name]
    // Set by a later step: the default price of a product needs the product first.
    if (value === undefined || field === undefined || field.afterwards === true || isLater(kind, name)) continue
    if (name !== 'metadata') params[name] = field.write === undefined ? value : field.write(value, subject.references)
  }
  if (options.id !== undefined) params['id'] = options.id
  if (options.takesLookupKey === true && transfers(kind, params)) params['transfer_lookup_key'] = true
  if (kind.marks) params['metadata'] = { ...metadataOf(form), ...marks(subject) }
  const sink = kind.secretTo === undefined ? undefined : resource.value[kind.secretTo]
  return {
    ...post('create', kind.path, params),
    ...(isJsonObject(sink) ? { secret_to: sink } : {}),
  }
}

/**
 * A lookup key moves from the price that has it in the same request
 * (https://docs.stripe.com/products-prices/manage-prices#lookup-keys).
 */
function transfers(kind: Kind, params: Readonly<Record<string, Json | undefined>>): boolean {
  return kind.fields['transfer_lookup_key'] !== undefined && typeof params['lookup_key'] === 'string'
}

/** Sets the fields that Stripe accepts only on an existing object. */
export function afterwardsSteps(subject: Subject): readonly KeylessStep[] {
  const { kind, form, resource } = subject
  const late = Object.entries(form).filter(([name]) => kind.fields[name]?.afterwards === true)
  const found = late.map(([field, desired]): Difference => ({ field, live: undefined, desired, takes: 'update' }))
  return updateSteps(subject, { object: kind.name, id: `{${resource.address}}` }, found, false)
}

/**
 * A product's default price is set after the price exists, and the price needs the product first.
 */
function isLater(kind: Kind, field: string): boolean {
  return kind.name === 'product' && field === 'default_price'
}

/** Updates the live object to its form; also its marks if `mark` is set. */
export function updateSteps(
  subject: Subject,
  live: LiveObject,
  differences: readonly Difference[],
  mark: boolean,
): readonly KeylessStep[] {
  const { kind, references } = subject
  const path = objectPath(kind, live.id)
  const params: Record<string, Json> = {}
  const actions: KeylessStep[] = []
  let metadata: JsonObject = mark && kind.marks ? { ...outdated(live, subject), ...marks(subject) } : {}
  for (const { field: name, live: have, desired: want } of differences) {
    const field = kind.fields[name]
    assert(field !== undefined, `field ${name} of ${kind.name}`)
    if (name === 'metadata') metadata = { ...metadataChanges(have, want), ...metadata }
    else if (field.requests !== undefined)
      for (const { id, method, suffix, params: said } of field.requests(live, want ?? [], references))
        actions.push({ id, account: targetAccount, method, path: `${path}${suffix}`, params: said })
    else if (field.action !== undefined) actions.push(post(name, `${path}${field.action(want)}`, {}))
    else if (field.update !== undefined) Object.assign(params, field.update(want, references))
    else if (field.policy === 'grows') params[name] = additions(have, want)
    else if (want === undefined) params[name] = field.default ?? null
    else params[name] = field.write === undefined ? want : field.write(want, references)
  }
  if (transfers(kind, params)) params['transfer_lookup_key'] = true
  if (Object.keys(metadata).length > 0) params['metadata'] = metadata
  return [...(Object.keys(params).length === 0 ? [] : [post('update', path, params)]), ...actions]
}

/**
 * Retires an object. `unmark`: another object now represents its address, or nothing can show that
 * it is retired.
 */
export function retireSteps(kind: Kind, live: LiveObject, unmark: boolean): readonly KeylessStep[] {
  const unmarked: JsonObject = kind.marks ? { metadata: withoutAddress(live) } : {}
  // Stripe refuses to take some objects out of use twice.
  if (kind.retired(live)) return unmark && kind.marks ? [unmarkStep(kind, live)] : []
  const request = kind.retire(live)
  if (request === undefined) return [post(`unmark:${live.id}`, `${kind.path}/${live.id}`, unmarked)]
  const { method, path, params } = request
  const id = `retire:${live.id}`
  if (method === 'DELETE') return [{ id, account: targetAccount, method, path, params }]
  if (!unmark) return [post(id, path, params)]
  // A request of its own retires it (`/disable`), and takes no other parameters.
  const own = objectPath(kind, live.id)
  if (path !== own && kind.marks) return [post(id, path, params), post(`unmark:${live.id}`, own, unmarked)]
  return [post(id, path, { ...params, ...unmarked })]
}

/** Removes the address from a replaced object that cannot be archived. */
export function unmarkStep(kind: Kind, live: LiveObject): KeylessStep {
  return post(`unmark:${live.id}`, `${kind.path}/${live.id}`, { metadata: withoutAddress(live) })
}

function withoutAddress({ metadata }: LiveObject): JsonObject {
  const former = isJsonObject(metadata) ? metadata[markAddress] : undefined
  return { [markAddress]: null, ...(typeof former === 'string' ? { [markFormer]: former } : {}) }
}

/**
 * Changes subscriptions from an old price or tax rate to the new one. Without proration nothing is
 * billed now, and the next invoice has the new amount
 * (https://docs.stripe.com/billing/subscriptions/change-price).
 */
export function holderSteps(kind: Kind, holders: readonly Holder[], old: string, now: Json): readonly KeylessStep[] {
  const still = { proration_behavior: 'none' } as const
  return holders.map(({ item, subscription, rates = [] }) => {
    const after = rates.map((id) => (id === old ? now : id))
    if (item === undefined)
      return post(`rates:${subscription}`, `/v1/subscriptions/${subscription}`, { default_tax_rates: after, ...still })
    const params = kind.held === 'item' ? { price: now } : { tax_rates: after }
    return post(`item:${item}`, `/v1/subscription_items/${item}`, { ...params, ...still })
  })
}

export function post(id: string, path: string, params: JsonObject): KeylessStep {
  return { id, account: targetAccount, method: 'POST', path, params }
}

function marks({ project, kind, resource, form }: Subject): Readonly<Record<string, string>> {
  const protects = resource.lifecycle?.protect === true ? { [markProtect]: 'true' } : {}
  return { ...kind.extraMarks?.(form), ...protects, [markProject]: project, [markAddress]: resource.address }
}

/** Marks that are no longer true of an object that represents an address (again). */
function outdated({ metadata }: StripeObject, { resource }: Subject): JsonObject {
  const marked = objectIn(metadata)
  const isUnprotected = marked[markProtect] !== undefined && resource.lifecycle?.protect === false
  return {
    ...(isUnprotected ? { [markProtect]: null } : {}),
    ...(marked[markFormer] === undefined ? {} : { [markFormer]: null }),
  }
}

function metadataOf(form: JsonObject): JsonObject {
  return objectIn(form['metadata'])
}

function metadataChanges(have: Json | undefined, want: Json | undefined): JsonObject {
  const [before, after] = [objectIn(have), objectIn(want)]
  const removed = Object.keys(before).filter((key) => after[key] === undefined)
  const changed = Object.entries(after).filter(([key, value]) => before[key] !== value)
  return { ...Object.fromEntries(removed.map((key) => [key, null])), ...Object.fromEntries(changed) }
}

/**
 * The new entries only: existing entries must not change, because subscribers are billed by them.
 */
function additions(have: Json | undefined, want: Json | undefined): JsonObject {
  const before = objectIn(have)
  return Object.fromEntries(Object.entries(objectIn(want)).filter(([key]) => before[key] === undefined))
}
