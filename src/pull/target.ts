import { splitAddress } from '../core/address.ts'
import { type JsonObject, listIn, objectIn, type StripeObject, textIn } from '../core/json.ts'
import { markAddress, markProject } from '../live/marks.ts'
import { comparable, desiredForm, differences, liveForm } from '../kinds/form.ts'
import { ignoredPaths, withValues } from '../kinds/ignored-paths.ts'
import type { Kind, KindName } from '../kinds/kind.ts'
import { referencesWritten, withReferences } from '../kinds/outside.ts'
import { kinds } from '../kinds/registry.ts'
import type { LiveResources } from '../live/accounts.ts'
import { outsideObject } from '../live/outside.ts'
import type { KeyTable } from './consolidate.ts'
import { couponNames, freeKey, priceNames, slug, taxRateNames } from '../catalog/keys.ts'
import type { PulledFiles } from './files.ts'
import { targetAccount } from '../catalog/types.ts'

export interface TargetInput {
  readonly project: string
  readonly resources: LiveResources
  readonly table: KeyTable
  readonly files: PulledFiles
  readonly notes: string[]
}

interface Found {
  readonly kind: Kind
  readonly live: StripeObject
  readonly id: string
  readonly marked: boolean
}

/**
 * Writes the target's own catalog into the YAML: objects of this project that were changed outside
 * Crossbill get their current values; foreign objects are added with a mapping that adopts them.
 * Archived objects are not added.
 */
export function pulledTarget(input: TargetInput): Record<string, number> {
  const found = kinds.flatMap((kind) => inUse(kind, input))
  // All keys before any value, because products name prices and prices name products.
  nameAll(found, input)
  const summary: Record<string, number> = {}
  for (const one of found) {
    writeOne(one, input)
    summary[one.kind.section] = (summary[one.kind.section] ?? 0) + 1
  }
  return summary
}

function inUse(kind: Kind, { resources, project, files }: TargetInput): readonly Found[] {
  const written = files.entriesOf(kind)
  return (resources.get(kind.name) ?? []).flatMap((live) => {
    const key = keyInMark(kind, live, project)
    const kept = !kind.retired(live) || (key !== undefined && written.has(key))
    return live.id === undefined || !kept || (key === undefined && kind.isSecond?.(live) === true)
      ? []
      : [{ kind, live, id: live.id, marked: key !== undefined }]
  })
}

function keyInMark(kind: Kind, live: StripeObject, project: string): string | undefined {
  const metadata = objectIn(live['metadata'])
  const address = metadata[markAddress]
  if (metadata[markProject] !== project || typeof address !== 'string') return undefined
  const split = splitAddress(address)
  return split.kind === kind.name ? split.key : undefined
}

/** Keys by marks and mappings come before those by name, which come before new ones. */
function nameAll(found: readonly Found[], input: TargetInput): void {
  const { table, project, files } = input
  const unnamed = found.filter(({ kind, live, id }) => {
    const key = keyInMark(kind, live, project) ?? table.keyOf(kind.name, id)
    if (key !== undefined) table.put(kind.name, id, key)
    return key === undefined
  })
  for (const one of unnamed) {
    const key = keyByNature(one, input)
    if (key !== undefined) table.put(one.kind.name, one.id, key)
  }
  for (const { kind, live, id } of unnamed) {
    if (table.keyOf(kind.name, id) !== undefined) continue
    table.put(kind.name, id, freeTableKey(kind, live, id, table, new Set(files.entriesOf(kind).keys())))
  }
}

/**
 * The entry with the same id, lookup key, code or other name, as a plan finds it. An entry whose
 * object is known has no second one.
 */
function keyByNature({ kind, live }: Found, { table, files }: TargetInput): string | undefined {
  const natural = kind.naturalKey?.live(live)
  if (natural === undefined) return undefined
  const taken = new Set(table.keysOf(kind.name))
  return [...files.entriesOf(kind)].find(
    ([key, value]) => !taken.has(key) && kind.naturalKey?.desired(key, value) === natural,
  )?.[0]
}

function freeTableKey(kind: Kind, live: StripeObject, id: string, table: KeyTable, taken: Set<string>): string {
  for (const key of table.keysOf(kind.name)) taken.add(key)
  const form = liveForm(kind, live, table)
  const own = kind.ownId === undefined ? [] : [id]
  if (kind.name === 'price') return freeKey(priceNames(form), taken)
  if (kind.name === 'tax_rate') return freeKey(taxRateNames(form), taken)
  if (kind.name === 'coupon') return freeKey([...own, ...couponNames(id, form)], taken)
  const words = ['lookup_key', 'code', 'event_name', 'name', 'display_name', 'url'].map((field) => form[field])
  return freeKey([...words.flatMap((one) => (typeof one === 'string' ? [slug(one)] : [])), slug(id)], taken)
}

function writeOne({ kind, live, id, marked }: Found, { table, files, notes, resources }: TargetInput): void {
  const key = table.toKey(kind.name, id)
  const form = withoutEmptyLists(liveForm(kind, live, table))
  const value = kind.ownId === undefined || kind.ownId(key, {}) === id || marked ? form : { id, ...form }
  const there = files.entriesOf(kind).get(key)
  if (there === undefined) files.open(kind.file).add(kind.section, { key, value: referencesWritten(kind, value) })
  else {
    const meant = withReferences(kind, there, (name, key) => meantKey(name, key, table, resources))
    const said = desiredForm(kind, meant)
    const ignored = ignoredPaths(kind, meant, { form: said, ignored: listIn(there['ignore_fields']).map(textIn) })
    // What Stripe adds by itself and what others may write stays out of the entry.
    const shown = withValues(comparable(kind, form, said), said, ignored)
    const changed = differences(kind, shown, said)
    const written = referencesWritten(kind, shown)
    for (const { field } of changed) files.open(files.pathOf(kind, key)).set(kind.section, key, field, written[field])
    if (changed.length > 0)
      notes.push(`${kind.name}.${key} was changed outside Crossbill: ${changed.map(({ field }) => field).join(', ')}`)
  }
  if (marked || !kind.marks || (there?.['observe'] === true && kind.naturalKey?.live(live) !== undefined)) return
  const mappings = files.open(`mappings/${targetAccount}.yaml`)
  if (!mappings.has(kind.section, id)) mappings.add(kind.section, { key: id, value: key })
}

/** The key by which a live object's form names what the entry names by id or lookup key. */
function meantKey(kind: KindName, key: string, table: KeyTable, resources: LiveResources): string {
  const object = outsideObject(kind, key, resources)
  return object?.id === undefined ? key : table.toKey(kind, object.id)
}

/** An empty list means the same as no list. */
function withoutEmptyLists(form: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(form).filter(([, value]) => !(Array.isArray(value) && value.length === 0)))
}
