import { digest } from '../core/canonical.ts'
import type { JsonObject } from '../core/json.ts'
import type { DesiredResource } from '../catalog/types.ts'
import { desiredForm, type Difference, differences, liveForm } from '../kinds/form.ts'
import type { Kind } from '../kinds/kind.ts'
import type { Identity, LiveIndex, LiveObject } from './resource-identity.ts'
import { ownMark } from './resource-identity.ts'
import type { Holder, People } from './resource-people.ts'
import type { ReferenceTable } from './resource-references.ts'
import type { ResourcesInput } from './resources.ts'
import type { ResourceBlockedCode } from './resource-codes.ts'
import type { Blocked as AnyBlocked } from './types.ts'

type Blocked = AnyBlocked & { readonly code: ResourceBlockedCode }

/** What one declared object needs, and why. */
export interface Verdict {
  readonly kind: Kind
  readonly resource: DesiredResource
  readonly identity: Identity
  readonly takes: 'nothing' | 'create' | 'update' | 'replace' | 'adopt' | 'blocked'
  /** What was written, in its normal form. */
  readonly form: JsonObject
  /** What it is to be while people move: the same, but active where they need it. */
  readonly meanwhile: JsonObject
  readonly live: JsonObject
  readonly differences: readonly Difference[]
  /** The id a replacement gets, where ids are ours to choose. */
  readonly newId: string | undefined
  /** Another object of ours that is already what the replacement would be. */
  readonly reuse: LiveObject | undefined
  readonly blocked: readonly Blocked[]
  /** What was seen, for the basis of the plan. */
  readonly observed: JsonObject
}

export interface Judged {
  readonly kind: Kind
  readonly resource: DesiredResource
  readonly index: LiveIndex
  readonly references: ReferenceTable
  readonly people: People
  readonly input: ResourcesInput
  readonly needed: ReadonlySet<string>
}

/** Compares a declared object with the live one. Marks it as renewed where it gets a new id, so that those who use it follow. */
export function judge(judged: Judged): Verdict {
  const { kind, resource, references, needed } = judged
  const identity = references.identity(resource.address)
  const form = desiredForm(kind, resource.value)
  const meanwhile = needed.has(resource.address) ? withoutInactive(form) : form
  const object = identity.is === 'absent' ? undefined : identity.live
  const live = object === undefined ? {} : liveForm(kind, object, references)
  const found = object === undefined ? [] : allDifferences(judged, object, live, meanwhile)
  const observed = { id: object?.id ?? null, form: live, holders: holdersOf(judged, object).map(({ item }) => item) }
  const renewal = renewalOf(judged, object, form)
  const base = { kind, resource, identity, form, meanwhile, live, differences: found, observed, ...renewal }
  const verdict = (takes: Verdict['takes'], blocked: readonly Blocked[] = []): Verdict => {
    if (takes === 'create' || takes === 'replace') references.renew(resource.address)
    return { ...base, takes, blocked }
  }
  const replaced = found.filter(({ takes }) => takes === 'replace')
  const refused = found.filter(({ takes }) => takes === 'refuse')
  switch (identity.is) {
    case 'absent': {
      const blocked = secretLost(judged)
      return verdict(blocked.length > 0 ? 'blocked' : 'create', blocked)
    }
    case 'taken':
      return verdict('blocked', [taken(resource.address, identity.live, identity.by)])
    case 'foreign':
      return foreign(judged, identity, found, verdict)
    case 'ours': {
      if (replaced.length > 0) {
        const blocked = [
          ...idTaken(judged, renewal),
          ...secretLost(judged),
          ...priceChange(judged, identity.live, replaced),
        ]
        return verdict(blocked.length > 0 ? 'blocked' : 'replace', blocked)
      }
      if (refused.length > 0) return verdict('blocked', [cannotChange(judged, refused)])
      const marked = !kind.marks || ownMark(identity.live, judged.input.project) === resource.address
      return verdict(found.length > 0 || !marked ? 'update' : 'nothing')
    }
  }
}

function foreign(
  judged: Judged,
  { live, mapped }: Extract<Identity, { is: 'foreign' }>,
  found: readonly Difference[],
  verdict: (takes: Verdict['takes'], blocked?: readonly Blocked[]) => Verdict,
): Verdict {
  const { kind, resource } = judged
  const lasting = found.filter(({ takes }) => takes !== 'update')
  // Nothing on it can say whose it is: what is equal is taken for ours, what can be made equal is taken over visibly.
  if (!kind.marks && lasting.length === 0) return verdict(found.length === 0 ? 'nothing' : 'adopt')
  if (!mapped && found.length > 0) return verdict('blocked', [inTheWay(judged, live, found)])
  if (lasting.length > 0) return verdict('blocked', [adoptedDiffers(resource.address, live, lasting)])
  return verdict('adopt')
}

function allDifferences(judged: Judged, object: LiveObject, live: JsonObject, form: JsonObject): readonly Difference[] {
  const { kind, resource, references } = judged
  const found = [...differences(kind, live, form)]
  const id = resource.value['id']
  if (kind.ownId !== undefined && typeof id === 'string' && id !== object.id)
    found.unshift({ field: 'id', live: object.id, desired: id, takes: 'replace' })
  // Those who use a replaced object are told its new id; a default price is told so by the price's own steps.
  for (const use of kind.uses(resource.value)) {
    const field = String(use.path[0])
    if (!references.isRenewed(`${use.kind}.${use.key}`) || field === 'default_price') continue
    if (found.some((one) => one.field === field)) continue
    const takes = kind.fields[field]?.policy === 'fixed' ? 'replace' : 'update'
    found.push({ field, live: live[field], desired: form[field], takes })
  }
  return found
}

function renewalOf(
  { kind, resource, index, input, references }: Judged,
  object: LiveObject | undefined,
  form: JsonObject,
): Pick<Verdict, 'newId' | 'reuse'> {
  if (kind.ownId === undefined) return { newId: undefined, reuse: undefined }
  const first = kind.ownId(resource.key, resource.value)
  if (object === undefined || object.id !== first) {
    const explicit = typeof resource.value['id'] === 'string'
    if (object === undefined || explicit) return { newId: first, reuse: undefined }
  }
  // The plain id is spent; the next one follows from what the object says, so that the same words find the same object again.
  const newId = `${resource.key}-${digest(form).slice(0, 8)}`
  const there = index.byId.get(newId)
  const same =
    there !== undefined &&
    ownMark(there, input.project) === '' &&
    differences(kind, liveForm(kind, there, references), form).every(({ takes }) => takes === 'update')
  return { newId, reuse: same ? there : undefined }
}

function idTaken(
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

/** Stripe tells a signing secret once: without a place for it, it would be lost. */
function secretLost({ kind, resource }: Judged): readonly Blocked[] {
  if (kind.secretTo === undefined || resource.value[kind.secretTo] !== undefined) return []
  const message = 'its signing secret is told once, when it is made, and has nowhere to go'
  const fix = `write ${kind.secretTo}: { env_file: .env, name: NAME }, { file: PATH } or { command: [...] }`
  return [{ address: resource.address, code: 'secret_to_missing', message, fix }]
}

function cannotChange({ kind, resource }: Judged, refused: readonly Difference[]): Blocked {
  const message = `Stripe offers no way back for ${refused.map(({ field }) => field).join(', ')}`
  const fix = `declare another one under a new key${kind.naturalKey === undefined ? '' : ` and ${kind.naturalKey.name}`} (${kind.docs})`
  return { address: resource.address, code: 'cannot_change', message, fix }
}

function withoutInactive(form: JsonObject): JsonObject {
  const { active, ...rest } = form
  return active === false ? rest : form
}

export function holdersOf(
  { kind, people }: Pick<Judged, 'kind' | 'people'>,
  object: LiveObject | undefined,
): readonly Holder[] {
  return kind.name === 'price' && object !== undefined ? (people.onPrice.get(object.id) ?? []) : []
}

/** A price that people are on changes only with a word about them. */
function priceChange(judged: Judged, live: LiveObject, replaced: readonly Difference[]): readonly Blocked[] {
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

function taken(address: string, live: LiveObject, by: string): Blocked {
  const message = `${live.id} has its id, lookup key, code or url, and belongs to ${by}`
  return { address, code: 'natural_key_taken', message, fix: 'give one of the two another one' }
}

function inTheWay({ kind, resource }: Judged, live: LiveObject, found: readonly Difference[]): Blocked {
  const name = kind.naturalKey?.name ?? 'id'
  const fields = found.map(({ field }) => field).join(', ')
  const message = `${live.id} was made by somebody else, has the same ${name}, and differs in ${fields}`
  const fix = `to take it over, write \`${kind.section}: { ${live.id}: ${resource.key} }\` in mappings/target.yaml; or choose another ${name}`
  return { address: resource.address, code: 'foreign_object', message, fix }
}

function adoptedDiffers(address: string, live: LiveObject, replaced: readonly Difference[]): Blocked {
  const fields = replaced.map(({ field }) => field).join(', ')
  const message = `${live.id} is to be adopted, but differs in ${fields}, which Stripe never changes`
  return { address, code: 'adopted_differs', message, fix: 'write its values into the YAML, or take the mapping away' }
}
