import { unchargeableAmounts } from '../../kinds/smallest-unit.ts'
import type { Difference } from '../../kinds/form.ts'
import type { ResourceBlockedCode } from './codes.ts'
import type { JsonObject, StripeObject } from '../../core/json.ts'
import { markProject, markProtect } from '../../live/marks.ts'
import { type LiveObject, markOf, ownMark } from './live-index.ts'
import type { Lifecycle } from '../../catalog/types.ts'
import type { Kind } from '../../kinds/kind.ts'
import type { Holder } from './people.ts'
import type { Judged, Verdict, Blocked } from './judged.ts'

export function idTaken(
  { kind, resource, index }: Judged,
  { newId, reuse }: Pick<Verdict, 'newId' | 'reuse'>,
): readonly Blocked[] {
  if (kind.ownId === undefined) return []
  const written = resource.value['id']
  const id = typeof written === 'string' ? written : newId
  if (id === undefined || reuse !== undefined || !index.byId.has(id)) return []
  const message = `the change needs a new object, but the id ${id} is in use and cannot be used twice`
  return [{ address: resource.address, code: 'id_taken', message, fix: 'set another id, or delete id' }]
}

/** No account can charge this amount, so a price with it would be useless. */
export function unchargeable({ kind, resource }: Judged): readonly Blocked[] {
  const [wrong] = kind.name === 'price' ? unchargeableAmounts(resource.value) : []
  if (wrong === undefined) return []
  const message = `${wrong.amount} in ${wrong.currency} cannot be charged: Stripe charges this currency in multiples of 10 of its smallest unit`
  const fix = 'map its subscribers to a price whose amount ends in 0, or exclude them with a reason'
  return [{ address: resource.address, code: 'amount_not_chargeable', message, fix }]
}

export function isProtected(live: StripeObject): boolean {
  return markOf(live, markProtect) === 'true'
}

/**
 * Whether the object is marked as its entry wants it. An entry that does not mention the protection
 * leaves it as it is, so that a lost line does not end it.
 */
export function isProtectedAsSaid(live: StripeObject, lifecycle: Lifecycle | undefined): boolean {
  return lifecycle?.protect === undefined || isProtected(live) === lifecycle.protect
}

/** An object whose entry protects it, or protected it last, is neither retired nor replaced. */
export function protectedFromRetiring(address: string, live: LiveObject): Blocked {
  const message = `${live.id} would be retired, but it is protected`
  const fix = 'restore its entry with protect: false, apply, then retire it'
  return { address, code: 'protected', message, fix }
}

export function protectedFromReplacing(
  { resource }: Judged,
  live: LiveObject,
  replaced: readonly Difference[],
): readonly Blocked[] {
  const said = resource.lifecycle?.protect
  if (said !== true && !isProtected(live)) return []
  const fields = replaced.map(({ field }) => field).join(', ')
  const marked = said === true ? '' : ` (${markProtect} in its metadata)`
  const message = `${fields} can only change by replacing ${live.id}, which is protected${marked}`
  const first = said === false ? 'restore the earlier values' : 'restore the earlier values, write protect: false'
  return [{ address: resource.address, code: 'protected', message, fix: `${first}, apply, then make this change` }]
}

/** An object that another program manages must exist before anything can refer to it. */
export function observedMissing(address: string): Blocked {
  const message = 'it is only observed, and the account has no such object'
  const fix = 'map its id in mappings/target.yaml, or delete observe: true so that Crossbill creates it'
  return { address, code: 'observed_missing', message, fix }
}

/** A line of the mappings whose object the target does not have proves nothing about the entry. */
export function mappedMissing({ resource: { address }, index, input }: Judged): readonly Blocked[] {
  const ids = [...input.mapped].filter(([id, to]) => to === address && !index.byId.has(id)).map(([id]) => id)
  return ids.map((id) => ({
    address,
    code: 'mapped_missing',
    message: `mappings/target.yaml names ${id}, which the target does not have`,
    fix: `correct the line ${id} in catalog/mappings/target.yaml, or delete it so that Crossbill creates the object`,
  }))
}

/** Stripe returns a signing secret once; without a place to store it, it is lost. */
export function secretLost({ kind, resource }: Judged): readonly Blocked[] {
  if (kind.secretTo === undefined || resource.value[kind.secretTo] !== undefined) return []
  if (kind.hasSecret?.(resource.value) === false) return []
  const message = 'Stripe returns its signing secret only at creation, and the entry does not say where to store it'
  const fix = `write ${kind.secretTo}: { env_file: .env, name: NAME }, { file: PATH } or { command: [...] }`
  return [{ address: resource.address, code: 'secret_to_missing', message, fix }]
}

/** What Stripe is known to refuse is refused before the first request, not after the old is off. */
export function refusedCreation({ kind, resource, references }: Judged, form: JsonObject): readonly Blocked[] {
  const why = kind.refusal?.(form, references)
  if (why === undefined) return []
  const message = `this needs a new object, and Stripe would refuse it: ${why}`
  const fix = 'write a later time or delete it; to keep an object that exists, restore its earlier values'
  return [{ address: resource.address, code: 'time_passed', message, fix }]
}

export function cannotChange({ kind, resource }: Judged, refused: readonly Difference[]): Blocked {
  const message = `Stripe cannot reverse this change of ${refused.map(({ field }) => field).join(', ')}`
  const fix = `declare another object under a new key${kind.naturalKey === undefined ? '' : ` and ${kind.naturalKey.name}`} (${kind.docs})`
  return { address: resource.address, code: 'cannot_change', message, fix }
}

/** An account always has a default in use, so Stripe refuses to deactivate it. */
export function staysActive(
  { kind, resource, index, input }: Judged,
  live: LiveObject | undefined,
  form: JsonObject,
): readonly Blocked[] {
  const { standard } = kind
  if (standard === undefined || form['active'] !== false) return []
  const isOther = (one: Judged['resource']): boolean => one.kind === kind.name && one.value['active'] !== false
  const holds = [...index.byId.values()].some((one) => standard.is(one)) || input.desired.some(isOther)
  const becomes = live === undefined && standard.firstBecomes && !holds
  if (!becomes && (live === undefined || !standard.is(live))) return []
  const what = becomes ? 'it would become the default of its account' : `${live?.id} is the default of its account`
  const message = `${what}, and Stripe never deactivates a default`
  return [{ address: resource.address, code: 'cannot_change', message, fix: 'delete active: false' }]
}

/** Why an object cannot be retired: it is protected, or the default of its account. */
export function keptInUse(kind: Kind, address: string, live: LiveObject): readonly Blocked[] {
  if (isProtected(live)) return [protectedFromRetiring(address, live)]
  if (kind.standard?.is(live) !== true) return []
  const message = `${live.id} would be retired, but it is the default of its account, and Stripe never deactivates a default`
  const fix = `make another one the default in the Dashboard first; to keep this one in use without an entry, write removed: { ${address}: keep }`
  return [{ address, code: 'cannot_change', message, fix }]
}

/** A price or tax rate with subscriptions changes only if its entry says what happens to them. */
export function heldChange(judged: Judged, live: LiveObject, replaced: readonly Difference[]): readonly Blocked[] {
  const { resource, kind } = judged
  const holders = [...new Map(holdersOf(judged, live).map((one) => [one.subscription, one])).values()]
  const block = (code: ResourceBlockedCode, message: string, fix: string): readonly Blocked[] => [
    { address: resource.address, code, message, fix },
  ]
  if (holders.length === 0) return []
  const intent = resource.value['on_change'] ?? 'refuse'
  const fields = replaced.map(({ field }) => field).join(', ')
  const what = kind.held === 'item' ? 'price' : 'tax rate'
  if (intent === 'refuse') {
    const message = `${holders.length} subscription(s) use this ${what}, and ${fields} would change`
    return block(
      kind.held === 'item' ? 'price_change_unsaid' : 'tax_change_unsaid',
      message,
      `write on_change: new_only (they keep the old ${what}) or on_change: at_renewal (they get the new ${what})`,
    )
  }
  if (intent !== 'at_renewal') return []
  const cadence = replaced.filter(({ field }) => ['recurring', 'currency', 'billing_scheme', 'product'].includes(field))
  if (cadence.length > 0) {
    const message = `subscriptions cannot change to the new price at their renewal, because ${cadence.map(({ field }) => field).join(', ')} would change`
    return block('price_change_not_at_renewal', message, 'write on_change: new_only, or declare a separate price')
  }
  const waiting = holders.filter(({ untouchable }) => untouchable !== undefined)
  if (waiting.length === 0) return []
  const message = `${waiting.length} subscription(s) on this ${what} cannot be changed yet: ${waiting
    .slice(0, 3)
    .map(({ subscription }) => subscription)
    .join(', ')}`
  return block(
    kind.held === 'item' ? 'price_change_not_yet' : 'tax_change_not_yet',
    message,
    'wait for their first renewal in the target or the end of their schedule, or write on_change: new_only',
  )
}

/**
 * A lookup key, code or url is not taken from another object. An object without marks is known as
 * this project's by the records alone.
 */
export function keyOfOthers({ kind, resource, index, input }: Judged, live: LiveObject): readonly Blocked[] {
  const { naturalKey } = kind
  const wanted = naturalKey?.desired(resource.key, resource.value)
  // A key that only an object in use has is also missing from an object that a person took out of
  // use.
  if (naturalKey?.unique !== true || wanted === undefined || naturalKey.live(live) === wanted) return []
  const [holder] = index.byNaturalKey.get(wanted) ?? []
  if (holder === undefined || holder.id === live.id || ownMark(holder, input.project) !== undefined) return []
  if (naturalKey.freeAfter === 'retired' && kind.retired(holder)) return []
  if (input.known.some(({ id }) => id === holder.id)) return []
  const owner = markOf(holder, markProject)
  if (owner !== undefined) return [taken(resource.address, holder, `project ${owner}`)]
  return [madeByOthers({ kind, resource }, holder, live)]
}

/** An object that Crossbill did not make has the key that an object of this project needs. */
function madeByOthers(
  { kind, resource: { address, key } }: Pick<Judged, 'kind' | 'resource'>,
  holder: LiveObject,
  live: LiveObject,
): Blocked {
  const name = kind.naturalKey?.name ?? 'id'
  const isOff = kind.retired(live)
  const message = `${holder.id}, which Crossbill did not create, has this ${name}, and only one object in use can have it${isOff ? `; ${live.id}, the object of this entry, was taken out of use` : ''}`
  const fix = isOff
    ? `take ${holder.id} out of use in the Dashboard; or write active: false in this entry; or write the values of ${holder.id} into the entry and \`${kind.section}: { ${holder.id}: ${key} }\` in mappings/target.yaml to manage that object instead`
    : `choose another ${name}, or take ${holder.id} out of use in the Dashboard`
  return { address, code: 'natural_key_taken', message, fix }
}

export function taken(address: string, live: LiveObject, by: string): Blocked {
  const message = `${live.id} already has this id, lookup key, code or url; it belongs to ${by}`
  const isProject = by.startsWith('project ')
  const fix = `change it in one of the two ${isProject ? 'objects' : 'entries'}`
  const renamed = 'if `project:` in project.yaml was renamed, write the earlier name again; otherwise '
  return { address, code: 'natural_key_taken', message, fix: isProject ? `${renamed}${fix}` : fix }
}

export function inTheWay({ kind, resource }: Judged, live: LiveObject, found: readonly Difference[]): Blocked {
  const name = kind.naturalKey?.name ?? 'id'
  const fields = found.map(({ field }) => field).join(', ')
  // A key may be a part of the field that differs: the place and the tax of a registration.
  const part = found.some(({ field }) => field === name)
    ? ` (${kind.naturalKey?.desired(resource.key, resource.value) ?? ''})`
    : ''
  const message = `${live.id}, which Crossbill did not create, has the same ${part === '' ? name : `key${part}`} and differs in ${fields}`
  const fix = `to adopt it, write \`${kind.section}: { ${live.id}: ${resource.key} }\` in mappings/target.yaml; or choose another ${name}`
  return { address: resource.address, code: 'foreign_object', message, fix }
}

export function adoptedDiffers(address: string, live: LiveObject, replaced: readonly Difference[]): Blocked {
  const fields = replaced.map(({ field }) => field).join(', ')
  const message = `${live.id} cannot be adopted: it differs in ${fields}, which Stripe never changes`
  return { address, code: 'adopted_differs', message, fix: 'write its values into the YAML, or delete the mapping' }
}

export function holdersOf(
  { kind, people }: Pick<Judged, 'kind' | 'people'>,
  object: LiveObject | undefined,
): readonly Holder[] {
  if (kind.held === undefined || object === undefined) return []
  return (kind.held === 'item' ? people.onPrice : people.onRate).get(object.id) ?? []
}
