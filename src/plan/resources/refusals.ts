import { unchargeableAmounts } from '../../kinds/smallest-unit.ts'
import type { Difference } from '../../kinds/form.ts'
import type { ResourceBlockedCode } from './codes.ts'
import type { StripeObject } from '../../core/json.ts'
import { markProtect } from '../../live/marks.ts'
import { type LiveObject, markOf, ownMark } from './identity.ts'
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
  const message = `Stripe never changes these fields of ${id}, and its id cannot be used twice`
  return [{ address: resource.address, code: 'id_taken', message, fix: 'write another id, or none' }]
}

/** No account can charge this amount, so nothing can be made of it. */
export function unchargeable({ kind, resource }: Judged): readonly Blocked[] {
  const [wrong] = kind.name === 'price' ? unchargeableAmounts(resource.value) : []
  if (wrong === undefined) return []
  const message = `${wrong.amount} in ${wrong.currency} cannot be charged: Stripe takes this currency in tens of its smallest unit`
  const fix = 'map its people to a price whose amount ends in 0, or exclude them with a reason'
  return [{ address: resource.address, code: 'amount_not_chargeable', message, fix }]
}

export function isProtected(live: StripeObject): boolean {
  return markOf(live, markProtect) === 'true'
}

/** What an entry protects, or protected while there was one, is neither retired nor replaced. */
export function protectedFromRetiring(address: string, live: LiveObject): Blocked {
  const message = `${live.id} is protected and would be taken out of use`
  const fix = 'write its entry again with protect: false, apply, and then retire it'
  return { address, code: 'protected', message, fix }
}

export function protectedFromReplacing(
  { resource }: Judged,
  live: LiveObject,
  replaced: readonly Difference[],
): readonly Blocked[] {
  if (resource.lifecycle?.protect !== true) return []
  const fields = replaced.map(({ field }) => field).join(', ')
  const message = `${live.id} is protected, and ${fields} can only change with another object`
  return [{ address: resource.address, code: 'protected', message, fix: 'take protect: true away first' }]
}

/** What other programs look after has to be there before anything can refer to it. */
export function observedMissing(address: string): Blocked {
  const message = 'it is only observed, and the account has no such object'
  const fix = 'map its id in mappings/target.yaml, or take observe: true away to have it made'
  return { address, code: 'observed_missing', message, fix }
}

/** Stripe tells a signing secret once: without a place for it, it would be lost. */
export function secretLost({ kind, resource }: Judged): readonly Blocked[] {
  if (kind.secretTo === undefined || resource.value[kind.secretTo] !== undefined) return []
  const message = 'its signing secret is told once, when it is made, and has nowhere to go'
  const fix = `write ${kind.secretTo}: { env_file: .env, name: NAME }, { file: PATH } or { command: [...] }`
  return [{ address: resource.address, code: 'secret_to_missing', message, fix }]
}

export function cannotChange({ kind, resource }: Judged, refused: readonly Difference[]): Blocked {
  const message = `Stripe offers no way back for ${refused.map(({ field }) => field).join(', ')}`
  const fix = `declare another one under a new key${kind.naturalKey === undefined ? '' : ` and ${kind.naturalKey.name}`} (${kind.docs})`
  return { address: resource.address, code: 'cannot_change', message, fix }
}

/** A price that people are on changes only with a word about them. */
export function priceChange(judged: Judged, live: LiveObject, replaced: readonly Difference[]): readonly Blocked[] {
  const { resource } = judged
  const holders = holdersOf(judged, live)
  const block = (code: ResourceBlockedCode, message: string, fix: string): readonly Blocked[] => [
    { address: resource.address, code, message, fix },
  ]
  if (holders.length === 0) return []
  const intent = resource.value['on_change'] ?? 'refuse'
  const fields = replaced.map(({ field }) => field).join(', ')
  if (intent === 'refuse') {
    const message = `${holders.length} subscription(s) are on this price, and ${fields} would change`
    return block(
      'price_change_unsaid',
      message,
      'write on_change: new_only (they keep the old price) or at_renewal (they get the new one)',
    )
  }
  if (intent !== 'at_renewal') return []
  const cadence = replaced.filter(({ field }) => ['recurring', 'currency', 'billing_scheme', 'product'].includes(field))
  if (cadence.length > 0) {
    const message = `people cannot be put onto the new price at their renewal, since ${cadence.map(({ field }) => field).join(', ')} would change too`
    return block('price_change_not_at_renewal', message, 'write on_change: new_only, or make a price of its own')
  }
  const waiting = holders.filter(({ untouchable }) => untouchable !== undefined)
  if (waiting.length === 0) return []
  const message = `${waiting.length} subscription(s) on this price cannot be touched yet: ${waiting
    .slice(0, 3)
    .map(({ subscription }) => subscription)
    .join(', ')}`
  return block(
    'price_change_not_yet',
    message,
    'wait for their first renewal in the target, or the end of their schedule; or write on_change: new_only',
  )
}

/** A lookup key, code or url that our object is to get is not taken from somebody else's. */
export function keyOfOthers(
  { kind, resource, index, input }: Judged,
  live: LiveObject,
  found: readonly Difference[],
): readonly Blocked[] {
  const { naturalKey } = kind
  if (naturalKey?.unique !== true || !found.some(({ field }) => field === naturalKey.name)) return []
  const wanted = naturalKey.desired(resource.key, resource.value)
  const [holder] = wanted === undefined ? [] : (index.byNaturalKey.get(wanted) ?? [])
  if (holder === undefined || holder.id === live.id || ownMark(holder, input.project) !== undefined) return []
  return [taken(resource.address, holder, 'somebody else')]
}

export function taken(address: string, live: LiveObject, by: string): Blocked {
  const message = `${live.id} has its id, lookup key, code or url, and belongs to ${by}`
  return { address, code: 'natural_key_taken', message, fix: 'give one of the two another one' }
}

export function inTheWay({ kind, resource }: Judged, live: LiveObject, found: readonly Difference[]): Blocked {
  const name = kind.naturalKey?.name ?? 'id'
  const fields = found.map(({ field }) => field).join(', ')
  const message = `${live.id} was made by somebody else, has the same ${name}, and differs in ${fields}`
  const fix = `to take it over, write \`${kind.section}: { ${live.id}: ${resource.key} }\` in mappings/target.yaml; or choose another ${name}`
  return { address: resource.address, code: 'foreign_object', message, fix }
}

export function adoptedDiffers(address: string, live: LiveObject, replaced: readonly Difference[]): Blocked {
  const fields = replaced.map(({ field }) => field).join(', ')
  const message = `${live.id} is to be adopted, but differs in ${fields}, which Stripe never changes`
  return { address, code: 'adopted_differs', message, fix: 'write its values into the YAML, or take the mapping away' }
}

export function holdersOf(
  { kind, people }: Pick<Judged, 'kind' | 'people'>,
  object: LiveObject | undefined,
): readonly Holder[] {
  return kind.name === 'price' && object !== undefined ? (people.onPrice.get(object.id) ?? []) : []
}
