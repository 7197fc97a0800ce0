import type { Verdict, Judged, Blocked } from './judged.ts'
import { digest } from '../../core/canonical.ts'
import { type JsonObject } from '../../core/json.ts'
import { withIgnored } from '../../kinds/ignored-paths.ts'
import { desiredForm, type Difference, differences, liveForm } from '../../kinds/form.ts'
import type { Identity } from './identity.ts'
import { formerNames } from './former.ts'
import { type LiveObject, ownMark } from './live-index.ts'
import {
  adoptedDiffers,
  cannotChange,
  holdersOf,
  idTaken,
  inTheWay,
  isProtected,
  isProtectedAsSaid,
  keyOfOthers,
  mappedMissing,
  observedMissing,
  heldChange,
  protectedFromReplacing,
  protectedFromRetiring,
  refusedCreation,
  secretLost,
  staysActive,
  taken,
  unchargeable,
} from './refusals.ts'

/**
 * Compares a declared object with the live one. If the object gets a new id, marks it as renewed,
 * so that the objects that use it follow.
 */
export function judge(judged: Judged): Verdict {
  const { kind, resource, references, needed } = judged
  const identity = references.identity(resource.address)
  const said = desiredForm(kind, resource.value)
  const object = identity.is === 'absent' ? undefined : identity.live
  const live = object === undefined ? {} : shownForm(judged, object, said)
  const form =
    object === undefined
      ? said
      : withIgnored(kind, resource.value, { form: said, live, ignored: resource.lifecycle?.ignored ?? [] })
  const meanwhile = needed.has(resource.address) ? withoutInactive(form) : form
  const found = object === undefined ? [] : allDifferences(judged, object, live, meanwhile)
  const observed = {
    id: object?.id ?? null,
    form: live,
    holders: holdersOf(judged, object).map(({ item, subscription }) => item ?? subscription),
  }
  const renewal = renewalOf(judged, object, form)
  const earlier = identity.is === 'ours' ? identity.takenFrom?.before : undefined
  const before = earlier === undefined ? {} : { before: shownForm(judged, earlier, said) }
  const base = {
    kind,
    resource,
    identity,
    said,
    form,
    meanwhile,
    live,
    differences: found,
    observed,
    ...before,
    ...renewal,
  }
  const verdict = (takes: Verdict['takes'], blocked: readonly Blocked[] = []): Verdict => {
    if (takes === 'create' || takes === 'replace') references.renew(resource.address)
    return { ...base, takes, blocked: [...blocked, ...protectedLeftovers(judged, identity)] }
  }
  const replaced = found.filter(({ takes }) => takes === 'replace')
  if (resource.lifecycle?.observe === true)
    return object === undefined ? verdict('blocked', [observedMissing(resource.address)]) : verdict('nothing')
  const refused = found.filter(({ takes }) => takes === 'refuse')
  switch (identity.is) {
    case 'absent': {
      const blocked = [
        ...mappedMissing(judged),
        ...secretLost(judged),
        ...unchargeable(judged),
        ...staysActive(judged, undefined, form),
        ...refusedCreation(judged, said),
      ]
      return verdict(blocked.length > 0 ? 'blocked' : 'create', blocked)
    }
    case 'taken':
      return verdict('blocked', [taken(resource.address, identity.live, identity.by)])
    case 'foreign': {
      const missing = identity.mapped ? [] : mappedMissing(judged)
      return missing.length > 0 ? verdict('blocked', missing) : foreign(judged, identity, { found, form }, verdict)
    }
    case 'ours': {
      const others = renewal.reuse === undefined ? keyOfOthers(judged, identity.live) : []
      if (others.length > 0) return verdict('blocked', others)
      const ended = kind.ends === true && found.length > 0 && kind.retired(identity.live)
      if (replaced.length > 0 || ended) {
        if (isOverAnyway(judged, identity.live, { found, form })) return verdict('nothing')
        const blocked = [
          ...protectedFromReplacing(judged, identity.live, replaced),
          ...idTaken(judged, renewal),
          ...secretLost(judged),
          ...unchargeable(judged),
          ...refusedCreation(judged, form),
          ...heldChange(judged, identity.live, replaced),
        ]
        return verdict(blocked.length > 0 ? 'blocked' : 'replace', blocked)
      }
      if (refused.length > 0) return verdict('blocked', [cannotChange(judged, refused)])
      const standard = staysActive(judged, identity.live, form)
      if (standard.length > 0) return verdict('blocked', standard)
      const protects = isProtectedAsSaid(identity.live, resource.lifecycle)
      const marked = !kind.marks || (protects && ownMark(identity.live, judged.input.project) === resource.address)
      return verdict(found.length > 0 || !marked ? 'update' : 'nothing')
    }
  }
}

/**
 * An expired code whose coupon is replaced: Stripe would create no other one, and nobody can redeem
 * it. Only a reference to an object that this project replaced differs, so nothing is left to do.
 */
function isOverAnyway(
  { kind, references, input, resource }: Judged,
  live: LiveObject,
  { found, form }: { readonly found: readonly Difference[]; readonly form: JsonObject },
): boolean {
  const isOver = Object.values(kind.fields).some((field) => field.unshown?.(live, references) === true)
  if (!isOver || kind.refusal?.(form, references) === undefined) return false
  const others = differences(kind, liveForm(kind, live, formerNames(input, references)), form)
  const uses = kind.uses(resource.value).map(({ path }) => String(path[0]))
  return found.every(({ field }) => uses.includes(field) && !others.some((one) => one.field === field))
}

/** The rest of an unfinished replacement is retired, unless it is protected. */
function protectedLeftovers({ kind, resource }: Judged, identity: Identity): readonly Blocked[] {
  const older = identity.is === 'ours' ? identity.older : []
  return older
    .filter((old) => !kind.retired(old) && isProtected(old))
    .map((old) => protectedFromRetiring(resource.address, old))
}

function foreign(
  judged: Judged,
  { live, mapped }: Extract<Identity, { is: 'foreign' }>,
  { found, form }: { readonly found: readonly Difference[]; readonly form: JsonObject },
  verdict: (takes: Verdict['takes'], blocked?: readonly Blocked[]) => Verdict,
): Verdict {
  const { kind, resource } = judged
  const lasting = found.filter(({ takes }) => takes !== 'update')
  const standard = staysActive(judged, live, form)
  if (standard.length > 0) return verdict('blocked', standard)
  // Nobody uses an object that is out of use, and without marks nothing says who took it out.
  if (!kind.marks && kind.retired(live) && found.length > 0) {
    if (lasting.length === 0 && kind.ends !== true) return verdict('adopt')
    const refused = refusedCreation(judged, form)
    if (!mapped && kind.naturalKey?.freeAfter === 'retired')
      return verdict(refused.length > 0 ? 'blocked' : 'create', refused)
  }
  // A kind without marks cannot show its owner: an equal object is accepted silently, an adjustable
  // one is adopted visibly.
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
  // Users of a replaced object get its new id; the price's own steps set a default price.
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
  if (kind.ownId === undefined) {
    const made = madeElsewhere({ kind, resource, references }, form)
    return { newId: undefined, reuse: made ?? outOfUse({ kind, resource, index, references }, object, form) }
  }
  const first = kind.ownId(resource.key, resource.value)
  if (object === undefined || object.id !== first) {
    const explicit = typeof resource.value['id'] === 'string'
    if (object === undefined || explicit) return { newId: first, reuse: undefined }
  }
  // The plain id is used up. The next id derives from the content, so that the same content finds
  // the same object again.
  const newId = `${resource.key}-${digest(form).slice(0, 8)}`
  const there = index.byId.get(newId)
  const same =
    there !== undefined &&
    // An interrupted run may already have marked it before it unmarked the other.
    ['', resource.address].includes(ownMark(there, input.project) ?? '-') &&
    differences(kind, liveForm(kind, there, references), form).every(({ takes }) => takes === 'update')
  return { newId, reuse: same ? there : undefined }
}

/**
 * The replacement that another checkout made: its run ended before the replaced object was retired,
 * and the record of this store still names the replaced one.
 */
function madeElsewhere(
  { kind, resource, references }: Pick<Judged, 'kind' | 'resource' | 'references'>,
  form: JsonObject,
): LiveObject | undefined {
  const identity = references.identity(resource.address)
  const needsAnother = (one: LiveObject): boolean =>
    differences(kind, liveForm(kind, one, references), form).some(({ takes }) => takes === 'replace')
  if (identity.is !== 'ours' || !needsAnother(identity.live)) return undefined
  // Objects that were made in one second are in no order.
  return [...identity.newer, ...identity.older].find((one) => !kind.retired(one) && !needsAnother(one))
}

/**
 * An object without marks that has the key of this entry and is out of use. Stripe keeps it for
 * ever, so it comes back where a new one would be refused.
 */
function outOfUse(
  { kind, resource, index, references }: Pick<Judged, 'kind' | 'resource' | 'index' | 'references'>,
  object: LiveObject | undefined,
  form: JsonObject,
): LiveObject | undefined {
  const natural = kind.marks ? undefined : kind.naturalKey?.desired(resource.key, resource.value)
  if (natural === undefined || object === undefined || natural === kind.naturalKey?.live(object)) return undefined
  const [holder] = index.byNaturalKey.get(natural) ?? []
  if (holder === undefined || kind.ends === true || !kind.retired(holder)) return undefined
  const found = differences(kind, liveForm(kind, holder, references), form)
  return found.every(({ takes }) => takes === 'update') ? holder : undefined
}

/** The live form, with the entry's value where Stripe does not show what was set. */
function shownForm({ kind, references }: Judged, object: LiveObject, said: JsonObject): JsonObject {
  const form = liveForm(kind, object, references)
  const names = Object.keys(kind.fields).filter((name) => kind.fields[name]?.unshown?.(object, references) === true)
  return names.reduce((now, name) => {
    const { [name]: _shown, ...others } = now
    const value = said[name]
    return value === undefined ? others : { ...others, [name]: value }
  }, form)
}

function withoutInactive(form: JsonObject): JsonObject {
  const { active, ...rest } = form
  return active === false ? rest : form
}
