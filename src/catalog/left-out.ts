import { address, splitAddress, subscriberAddress, subscriberKey } from '../core/address.ts'
import type { Diagnostic } from '../core/diagnostic.ts'
import { isJsonObject, type Json, listIn, textIn } from '../core/json.ts'
import { kindNamed, kinds } from '../kinds/registry.ts'
import { placeOf, type FileKind, type FilePlace } from './file-kinds.ts'
import type { LeftOut, LeftOutEntry } from './types.ts'
import { findingsIn, type FileFinding } from './validate.ts'
import type { Path, YamlFile } from './yaml-places.ts'

type Holder = { readonly leftOut?: LeftOut }

export function leftOutEntries({ leftOut }: Holder): readonly LeftOutEntry[] {
  return leftOut?.entries ?? []
}

/**
 * Whether entries in files of this kind may be unknown; `source` limits the question to one
 * account.
 */
export function isIncomplete({ leftOut }: Holder, kind: FileKind, source?: string): boolean {
  return [...(leftOut?.files.keys() ?? [])].some((path) => {
    const place = placeOf(path)
    // A file in a wrong place may hold anything.
    if (place === undefined) return true
    return place.kind === kind && (source === undefined || place.source === source)
  })
}

/** Whether the YAML names this subscriber, or may name it in a part that cannot be used. */
export function mayBeDeclared(catalog: Holder, source: string, key: string): boolean {
  return (
    isIncomplete(catalog, 'subscribers', source) ||
    leftOutEntries(catalog).some((one) => one.address === subscriberAddress(key))
  )
}

/** A file without the parts that its schema refuses, and those parts. */
export interface Pruned {
  readonly file: YamlFile
  readonly entries: readonly LeftOutEntry[]
  /** Findings about more than one entry: the meaning of the file is unknown. */
  readonly unknown: readonly Diagnostic[]
}

/** Removing one wrong part may reveal another; files have few levels, so few rounds are enough. */
const roundsMost = 20

export function prune(file: YamlFile, place: FilePlace): Pruned {
  const entries = new Map<string, LeftOutEntry>()
  const unknown: Diagnostic[] = []
  let value = file.value
  for (let round = 0; round < roundsMost; round++) {
    const found = findingsIn({ ...file, value }, place.schema)
    if (found.length === 0) return { file: { ...file, value }, entries: [...entries.values()], unknown }
    for (const one of found) {
      const part = partOf(one, place, value)
      for (const entry of part.entries) {
        const known = entries.get(entry.address)
        entries.set(entry.address, known === undefined ? entry : joined(known, entry))
      }
      if (part.entries.length === 0 || part.alsoUnknown === true) unknown.push(one.finding)
      value = without(value, part.path)
    }
  }
  return { file: { ...file, value: {} }, entries: [...entries.values()], unknown }
}

function joined(one: LeftOutEntry, other: LeftOutEntry): LeftOutEntry {
  return { ...one, findings: [...one.findings, ...other.findings] }
}

interface Part {
  readonly path: Path
  readonly entries: readonly LeftOutEntry[]
  /** The finding concerns objects that the part does not name as well. */
  readonly alsoUnknown?: true
}

/**
 * The entry that a finding concerns. A finding above the entries concerns the whole section or the
 * whole wave.
 */
function partOf({ path, finding }: FileFinding, { kind, source = '' }: FilePlace, value: Json): Part {
  const [section, key, inner] = path.map(String)
  const one = (of: string, name: string, cut: Path, at = address(of, name)): Part => ({
    path: cut,
    entries: [{ address: at, kind: of, key: name, findings: [finding] }],
  })
  if (kind === 'project') return { path, entries: [] }
  if (section === undefined) return { path: [], entries: [] }
  if (kind === 'subscribers' && section === 'stage') {
    const wave = isJsonObject(value) && isJsonObject(value['subscribers']) ? Object.keys(value['subscribers']) : []
    return { path: [], entries: wave.map((id) => subscriberEntry(source, id, finding)) }
  }
  if (kind === 'resources' && (section === 'moved' || section === 'removed')) return lines(section, finding, value)
  if (key === undefined) return { path: [section], entries: [] }
  if (kind === 'subscribers') return { path: [section, key], entries: [subscriberEntry(source, key, finding)] }
  if (kind === 'externals')
    return inner === undefined ? { path: [section, key], entries: [] } : one('external', `${key}/${inner}`, path)
  if (kind === 'mappings') return one('mapping', `${source}/${key}`, [section, key])
  const of = kinds.find((each) => each.section === section)
  return of === undefined ? { path: [section], entries: [] } : one(of.name, key, [section, key])
}

/**
 * A wrong line of `moved:` or `removed:` makes the meaning of all its lines unknown, so every entry
 * that they name is left out.
 */
function lines(section: string, finding: Diagnostic, value: Json): Part {
  const said = isJsonObject(value) ? value[section] : undefined
  const words = isJsonObject(said) ? Object.entries(said).flat() : listIn(said)
  const entries = words.flatMap((word): readonly LeftOutEntry[] => {
    const { kind, key } = splitAddress(textIn(word))
    return kindNamed(kind) === undefined ? [] : [{ address: address(kind, key), kind, key, findings: [finding] }]
  })
  return { path: [section], entries, alsoUnknown: true }
}

export function subscriberEntry(source: string, id: string, finding: Diagnostic): LeftOutEntry {
  const key = subscriberKey(source, id)
  return { address: subscriberAddress(key), kind: 'subscriber', key, findings: [finding] }
}

/** The value without the part at the path; a part of a list removes the whole list. */
function without(value: Json, path: Path): Json {
  const [step, ...rest] = path
  if (step === undefined) return {}
  if (!isJsonObject(value)) return value
  const inner = value[String(step)]
  const { [String(step)]: _removed, ...others } = value
  if (rest.length === 0 || !isJsonObject(inner)) return others as Json
  return { ...others, [String(step)]: without(inner, rest) } as Json
}
