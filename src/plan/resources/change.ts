import { addAll } from '../../core/lists.ts'
import { patchBetween } from '../patch.ts'
import type { JsonObject } from '../../core/json.ts'
import { markAddress, markProject } from '../../live/marks.ts'
import { comparable, type Difference, differences, liveForm } from '../../kinds/form.ts'
import { type Ending, objectPath } from '../../kinds/kind.ts'
import { ownMark, type LiveObject } from './live-index.ts'
import type { PatchOperation, ResourceAction, ResourceChange } from '../types.ts'
import type { Keyless } from '../change.ts'
import type { Placed } from './order.ts'
import type { Holder, People } from './people.ts'
import type { ReferenceTable } from './references.ts'
import {
  afterwardsSteps,
  createStep,
  holderSteps,
  post,
  retireSteps,
  type Subject,
  unmarkStep,
  updateSteps,
} from './steps.ts'
import { appliedOf } from './applied.ts'
import { ending, type Endings } from './ends.ts'
import { holdersOf, isProtected, isProtectedAsSaid } from './refusals.ts'
import type { Verdict } from './judged.ts'
import type { KeylessStep, ResourcesInput } from './types.ts'

export interface Around {
  readonly input: ResourcesInput
  readonly references: ReferenceTable
  readonly people: People
  readonly verdicts: readonly Verdict[]
  readonly needed: ReadonlySet<string>
  readonly endings: Endings
}

/**
 * The changes that follow from a verdict: for the object itself, for the leftovers of an unfinished
 * replacement, and for the closing steps.
 */
export function changeFor(verdict: Verdict, around: Around): readonly Placed[] {
  const placed: Placed[] = []
  const { takes, observed } = verdict
  if (takes === 'create' || takes === 'replace')
    placed.push({ when: whenMade(verdict), kind: verdict.kind, observed, change: making(verdict, around) })
  if (takes === 'update' || takes === 'adopt')
    placed.push({ when: whenOf(verdict), kind: verdict.kind, observed, change: updating(verdict, around) })
  if (takes !== 'blocked') addAll(placed, [...leftovers(verdict, around), ...closing(verdict, around)])
  return placed
}

function making(verdict: Verdict, around: Around): Keyless<ResourceChange> {
  const { kind, resource, identity, takes, newId, reuse } = verdict
  const subject = subjectOf(verdict, around)
  const old = identity.is === 'ours' ? identity.live : undefined
  const takesLookupKey = old !== undefined || (identity.is === 'absent' && identity.takesKey === true)
  const options = { ...(newId === undefined ? {} : { id: newId }), takesLookupKey }
  const create =
    reuse === undefined ? [createStep(subject, options), ...afterwardsSteps(subject)] : reuseSteps(subject, reuse)
  const self = { $ref: resource.address }
  const holders = resource.value['on_change'] === 'at_renewal' ? holdersOf({ kind, people: around.people }, old) : []
  const retire =
    old === undefined ? [] : kind.ownId === undefined ? retireSteps(kind, old, true) : [unmarkStep(kind, old)]
  const held = old === undefined ? [] : holderSteps(kind, holders, old.id, self)
  const afterwards = [...defaultPriceSteps(verdict, around), ...held]
  const renamed = old === undefined ? [] : renameSteps(verdict, old, around)
  const replaced = kind.replaceOrder === 'create_first' ? [...create, ...afterwards, ...retire] : [...retire, ...create]
  const steps = [...renamed, ...replaced]
  const because = takes === 'create' ? ['declared'] : verdict.differences.map(({ field }) => field)
  const made = change(verdict, takes === 'create' ? 'create' : 'replace', because, steps, peopleOf(holders))
  // A price that another one replaces may be in links that nobody declared.
  const isArchived = old !== undefined && kind.ownId === undefined
  return { ...made, ...ending(isArchived ? around.endings.ofUsers(kind, { address: old.id, live: old }) : []) }
}

/**
 * A replaced object that also gets another key has the new key first: after an interruption, its
 * mark and that of its successor name one entry, which distinguishes them from two entries.
 */
function renameSteps({ kind, resource }: Verdict, old: LiveObject, { input }: Around): readonly KeylessStep[] {
  const mark = ownMark(old, input.project) ?? ''
  if (!kind.marks || mark === '' || mark === resource.address) return []
  return [post(`rename:${old.id}`, objectPath(kind, old.id), { metadata: { [markAddress]: resource.address } })]
}

function peopleOf(holders: readonly Holder[]): number {
  return new Set(holders.map(({ subscription }) => subscription)).size
}

/**
 * Changes an object that already exists to what the entry says. If nothing differs, its values are
 * sent again: the answer names the object that the address now stands for.
 */
function reuseSteps(subject: Subject, reuse: LiveObject): readonly KeylessStep[] {
  const { kind, form, references } = subject
  const steps = updateSteps(subject, reuse, differences(kind, liveForm(kind, reuse, references), form), true)
  if (steps.length > 0) return steps
  const same = Object.entries(form).filter(([name]) => {
    const field = kind.fields[name]
    return field?.policy === 'mutable' && field.action === undefined && field.requests === undefined
  })
  const said = same.map(([field, value]): Difference => ({ field, live: value, desired: value, takes: 'update' }))
  return updateSteps(subject, reuse, said, true)
}

/**
 * Products whose default is the old price are pointed at the new one first, because Stripe refuses
 * to archive a default price. A product created in this plan gets its default price here. A product
 * that will have another default price, or none, is cleared until its own update.
 */
function defaultPriceSteps(verdict: Verdict, { input, verdicts, references }: Around): readonly KeylessStep[] {
  const { kind, resource, identity } = verdict
  if (kind.name !== 'price') return []
  const products = verdicts.filter((one) => one.kind.name === 'product')
  const made = products
    .filter(({ takes, form }) => ['create', 'replace'].includes(takes) && form['default_price'] === resource.key)
    .map((one) => {
      const id = references.toStripe('product', one.resource.key)
      const path = typeof id === 'string' ? id : `{${one.resource.address}}`
      const params = { default_price: { $ref: resource.address } }
      return post(`default_price:${one.resource.key}`, `/v1/products/${path}`, params)
    })
  const old = identity.is === 'ours' ? identity.live.id : undefined
  const holders =
    old === undefined ? [] : (input.live.get('product') ?? []).filter((one) => one['default_price'] === old)
  const told = holders.map(({ id }) => {
    const owner = products.find((one) => 'live' in one.identity && one.identity.live.id === id)
    const stays = owner?.takes !== 'replace' && owner?.form['default_price'] === resource.key
    return post(`default_price:${id}`, `/v1/products/${id}`, {
      default_price: stays ? { $ref: resource.address } : null,
    })
  })
  return [...made, ...told]
}

function updating(verdict: Verdict, around: Around): Keyless<ResourceChange> {
  const { kind, identity, takes, differences: found } = verdict
  const live = identity.is === 'absent' ? undefined : identity.live
  const mark = (takes === 'adopt' && kind.marks) || (identity.is === 'ours' && !isMarked(verdict, around))
  const steps = live === undefined ? [] : updateSteps(subjectOf(verdict, around), live, found, mark)
  const record = around.input.known.find(({ address }) => address === verdict.resource.address)
  const exchanged = identity.is === 'ours' ? identity.takenFrom : undefined
  const because = [
    ...(exchanged === undefined ? [] : [`${takesFrom}${exchanged.owner}`]),
    ...found.map(({ field }) => field),
    ...(mark ? ['marks'] : []),
    ...(record?.applied === unfinished ? [leftUnfinished] : []),
  ]
  const updated = change(verdict, takes === 'adopt' ? 'adopt' : 'update', because, steps, 0)
  return { ...updated, ...ending(live === undefined ? [] : endsOfUpdate(verdict, live, around.endings)) }
}

/** Why an entry changes an object that was another entry's until now; its address follows. */
export const takesFrom = 'takes the object of '

/**
 * From the object's values to the entry's. Where the entry takes the object of another entry, what
 * it had before differs as well: the name that it gets with the object comes first.
 */
function patchOf({ kind, live, before, meanwhile }: Verdict): readonly PatchOperation[] {
  const now = patchBetween(comparable(kind, live, meanwhile), meanwhile)
  if (before === undefined) return now
  const changed = new Set(now.map(({ path }) => path))
  const got = patchBetween(comparable(kind, before, meanwhile), meanwhile)
  return [...got.filter(({ path }) => !changed.has(path)), ...now]
}

/** An update may take the object out of use, as a retirement does. */
function endsOfUpdate(verdict: Verdict, live: LiveObject, endings: Endings): readonly Ending[] {
  const { kind, resource, meanwhile } = verdict
  const isArchived = !kind.retired(live) && kind.retired({ object: kind.name, ...meanwhile })
  return [...(isArchived ? endings.of(kind, { address: resource.address, live }) : []), ...endings.ofUpdate(verdict)]
}

function isMarked({ kind, resource, identity }: Verdict, { input }: Around): boolean {
  if (!kind.marks || identity.is !== 'ours') return true
  const { metadata } = identity.live
  const marks = typeof metadata === 'object' && metadata !== null ? (metadata as JsonObject) : {}
  return (
    marks[markProject] === input.project &&
    marks[markAddress] === resource.address &&
    isProtectedAsSaid(identity.live, resource.lifecycle)
  )
}

/**
 * An older object with the same marks that is still in use: the rest of an unfinished replacement.
 */
function leftovers(verdict: Verdict, around: Around): readonly Placed[] {
  const { kind, identity, resource, observed } = verdict
  if (identity.is !== 'ours') return []
  return identity.older
    .filter((old) => !kind.retired(old) && !isProtected(old) && old.id !== verdict.reuse?.id)
    .map((old) => {
      const holders =
        resource.value['on_change'] === 'at_renewal' ? holdersOf({ kind, people: around.people }, old) : []
      const now = around.references.isRenewed(resource.address) ? { $ref: resource.address } : identity.live.id
      const retire = kind.ownId === undefined ? retireSteps(kind, old, true) : [unmarkStep(kind, old)]
      const steps = [...holderSteps(kind, holders, old.id, now), ...retire]
      const because = [leftOver]
      return {
        // The record alone says whose an object without marks is, so it goes first.
        when: kind.marks ? 'retire' : 'make',
        kind,
        observed,
        change:
          holders.length === 0
            ? change(verdict, 'retire', because, steps, 0)
            : finishing(verdict, around, { old, because, steps, people: peopleOf(holders) }),
      }
    })
}

/** Why a change finishes what an earlier run began. */
export const leftOver = 'left over from a replacement'

/**
 * The store's record of an object whose change was begun and has requests left: what is missing
 * from it was not removed by others.
 */
export const unfinished = 'unfinished'

/** Why a change sets what an earlier run of Crossbill had not set when it stopped. */
const leftUnfinished = 'left unfinished by an earlier apply'

/** The rest of a change that reached some of its subscribers: the others follow. */
function finishing(
  { kind, resource, meanwhile }: Verdict,
  { references }: Around,
  { old, ...rest }: Pick<Keyless<ResourceChange>, 'because' | 'steps' | 'people'> & { readonly old: LiveObject },
): Keyless<ResourceChange> {
  const before = comparable(kind, liveForm(kind, old, references), meanwhile)
  const patch = patchBetween(before, meanwhile)
  return {
    address: resource.address,
    action: 'replace',
    patch,
    ...rest,
    expect: { applied: appliedOf(kind, meanwhile) },
  }
}

/** Archives what had to stay active for the subscribers who move, after they have moved. */
function closing(verdict: Verdict, around: Around): readonly Placed[] {
  const { kind, form, meanwhile, identity, resource, observed, takes } = verdict
  if (form === meanwhile || (takes === 'nothing' && identity.is !== 'ours')) return []
  const id = around.references.toStripe(kind.name, resource.key)
  const path = `${kind.path}/${typeof id === 'string' ? id : `{${resource.address}}`}`
  const steps = [post('archive', path, { active: false })]
  const archived = { ...change(verdict, 'update', ['active'], steps, 0), expect: { applied: appliedOf(kind, form) } }
  return [{ when: 'closing', kind, observed, change: archived }]
}

/** The first object would become the default of its account: one that is in use comes first. */
function whenMade({ kind, form }: Verdict): Placed['when'] {
  return kind.standard?.firstBecomes === true && form['active'] === false ? 'archive' : 'make'
}

/** A price is archived after its products have another default price. */
function whenOf({ kind, differences: found }: Verdict): Placed['when'] {
  const archives = found.some(({ field, desired }) => field === 'active' && desired === false)
  return kind.name === 'product' ? 'update_product' : archives ? 'archive' : 'make'
}

function change(
  verdict: Verdict,
  action: ResourceAction,
  because: readonly string[],
  steps: readonly KeylessStep[],
  people: number,
): Keyless<ResourceChange> {
  const { kind, resource, meanwhile } = verdict
  const patch = action === 'retire' ? [] : patchOf(verdict)
  const about = { address: resource.address, action, because, patch, people, steps }
  return { ...about, expect: action === 'retire' ? {} : { applied: appliedOf(kind, meanwhile) } }
}

function subjectOf({ kind, resource, meanwhile }: Verdict, { input, references }: Around): Subject {
  return { project: input.project, kind, resource, form: meanwhile, references }
}
