import { addAll } from '../core/lists.ts'
import type { YamlFile } from './yaml-places.ts'
import { usableAccess, withoutSharedTags } from './access-read.ts'
import { address, splitAddress } from '../core/address.ts'
import { digest } from '../core/canonical.ts'
import { distinct, type Diagnostic, formatDiagnostic, hasErrors, type Position } from '../core/diagnostic.ts'
import { type JsonObject, objectIn } from '../core/json.ts'
import { referencesRead } from '../kinds/outside.ts'
import { kinds } from '../kinds/registry.ts'
import type { Draft, DraftMapping, DraftMove, DraftRemoval, DraftResource } from './draft.ts'
import { noProject, unknownFile } from './file-findings.ts'
import { type FilePlace, placeOf } from './file-kinds.ts'
import { isIncomplete, prune, subscriberEntry } from './left-out.ts'
import { lifecycleOf, movesIn, placesOfLines, removalsIn } from './lifecycle.ts'
import { placedFiles } from './placed-files.ts'
import { firstOf, lastBefore, sorted } from './positions.ts'
import { projectFrom } from './project.ts'
import { error } from './rule-names.ts'
import { lintFindings } from './rules/lints.ts'
import { missingReferences, pricesMissingInAccess } from './rules/references.ts'
import { rules } from './rules/rules.ts'
import type { WrittenProject } from './schemas/project.ts'
import type { Access } from './schemas/access.ts'
import { subscribersFrom } from './subscribers.ts'
import type { Catalog, DeclaredExternal, DesiredSubscriber, LeftOut, LeftOutEntry, Mappings, Project } from './types.ts'
import { findingsIn, validateFile } from './validate.ts'

/** A file under catalog/, by its path relative to it: `subscribers/us/wave-01.yaml`. */
export interface CatalogFile {
  readonly path: string
  readonly text: string
}

export interface LoadedCatalog {
  /** Absent when a finding is an error that the leniency does not cover. */
  readonly catalog?: Catalog
  /** Every finding of every file, in order of file and line. Positions are relative to catalog/. */
  readonly findings: readonly Diagnostic[]
}

/**
 * Which errors are tolerated. `strict`: none. `entries`: an entry with an error is left out;
 * project.yaml must be valid. `accounts`: only the project's name, its accounts and its store must
 * be valid.
 */
export type Leniency = 'strict' | 'entries' | 'accounts'

/**
 * Builds a catalog from the files, or reports every error in them. With leniency, the result holds
 * both the findings and a catalog without the entries that they concern. Pure: equal files in any
 * order give equal results.
 */
export function loadCatalog(
  files: readonly CatalogFile[],
  leniency: Leniency = 'strict',
  // Opinions about a catalog that is right; only `validate` asks for them.
  { lints = false }: { readonly lints?: boolean } = {},
): LoadedCatalog {
  if (leniency !== 'strict') return loadDespite(files, leniency)
  const findings: Diagnostic[] = []
  const draft = new DraftBuilder()
  for (const { path, place, reading } of placedFiles(files, findings)) {
    if (!('file' in reading)) continue
    const { file } = reading
    const wrong = validateFile(file, place.schema)
    addAll(findings, wrong)
    if (wrong.length === 0) draft.add(path, file, place)
  }
  if (!files.some(({ path }) => path === 'project.yaml')) findings.push(noProject)
  // Rules across files would only repeat errors that are already found inside one file.
  if (findings.length === 0) for (const rule of rules) addAll(findings, firstOf(rule(draft)))
  // With errors in some entries, what is wrong between the others.
  if (lints) addAll(findings, hasErrors(findings) ? loadDespite(files, 'entries').findings : lintFindings(draft))
  if (hasErrors(findings) || draft.project === undefined) return { findings: sorted(distinct(findings)) }
  return { catalog: catalogFrom(draft, draft.project), findings: sorted(findings) }
}

/** Parts of `project.yaml` without which no account or store can be found. */
const foundations = new Set<string | number | undefined>(['project', 'accounts', 'store', 'sandbox', undefined])

function loadDespite(files: readonly CatalogFile[], leniency: 'entries' | 'accounts'): LoadedCatalog {
  const findings: Diagnostic[] = []
  const draft = new DraftBuilder()
  let founded = true
  for (const { path } of files) if (placeOf(path) === undefined) draft.leaveFile(path, [unknownFile(path)])
  for (const { path, place, reading } of placedFiles(files, findings)) {
    if (!('file' in reading)) {
      draft.leaveFile(path, reading.findings)
      continue
    }
    const { file } = reading
    const wrong = findingsIn(file, place.schema)
    if (wrong.length === 0) {
      draft.add(path, file, place)
      continue
    }
    addAll(findings, validateFile(file, place.schema))
    if (place.kind === 'project' && (leniency === 'entries' || wrong.some((one) => foundations.has(one.path[0]))))
      founded = false
    if (place.kind === 'access') {
      const usable = usableAccess(file)
      draft.add(path, { ...file, value: usable.value }, place)
      draft.leaveFile(path, usable.findings)
      continue
    }
    const pruned = prune(file, place)
    draft.add(path, pruned.file, place)
    for (const entry of pruned.entries) draft.leave(entry)
    if (pruned.unknown.length > 0) draft.leaveFile(path, pruned.unknown)
  }
  if (!files.some(({ path }) => path === 'project.yaml')) findings.push(noProject)
  draft.withoutLeft()
  const byRules = leaveOutByRules(draft)
  addAll(findings, byRules)
  const isFoundation = byRules.some(({ rule }) => rule === 'account-twice' || rule === 'mixed-modes')
  if (leniency === 'entries' && isFoundation) founded = false
  if (!founded || draft.project === undefined) return { findings: sorted(findings) }
  return { catalog: catalogFrom(draft, draft.project), findings: sorted(findings) }
}

/** Each round leaves out the entries that the rules refuse; the next round checks the rest. */
const ruleRounds = 10

function leaveOutByRules(draft: DraftBuilder): readonly Diagnostic[] {
  const said = new Map<string, Diagnostic>()
  for (let round = 0; round < ruleRounds; round++) {
    // A missing key may be declared in a file that cannot be read.
    if (isIncomplete(draft.catalogPart(), 'resources')) {
      for (const { kind, key } of missingReferences(draft)) draft.leave(unreadEntry(kind, key))
      for (const key of pricesMissingInAccess(draft)) draft.leave(unreadEntry('price', key))
    }
    const found = rules.flatMap((rule) => [...rule(draft)])
    for (const one of found) said.set(formatDiagnostic(one), one)
    const wrong = found.filter(({ severity }) => severity === 'error')
    if (!draft.leaveOut(wrong)) break
  }
  return [...said.values()]
}

function unreadEntry(kind: string, key: string): LeftOutEntry {
  const message = `${address(kind, key)} is not declared in any readable file`
  return {
    address: address(kind, key),
    kind,
    key,
    findings: [error('unknown-reference', message, 'fix the file that cannot be read', undefined)],
  }
}

class DraftBuilder implements Draft {
  project: Project | undefined
  projectFile: YamlFile | undefined
  access: Access | undefined
  resources: DraftResource[] = []
  removed: DraftRemoval[] = []
  moved: DraftMove[] = []
  subscribers: DesiredSubscriber[] = []
  mappings: DraftMapping[] = []
  readonly externals: (DeclaredExternal & { at: Position })[] = []
  readonly files = new Map<string, YamlFile>()
  readonly #left = new Map<string, LeftOutEntry>()
  readonly #unknown = new Map<string, readonly Diagnostic[]>()

  get leftOut(): readonly LeftOutEntry[] {
    return [...this.#left.values()]
  }

  catalogPart(): { readonly leftOut?: LeftOut } {
    if (this.#left.size === 0 && this.#unknown.size === 0) return {}
    return { leftOut: { entries: this.leftOut, files: this.#unknown } }
  }

  leave(entry: LeftOutEntry): void {
    if (!this.#left.has(entry.address)) this.#left.set(entry.address, entry)
  }

  withoutLeft(): void {
    this.resources = this.resources.filter((one) => !this.#left.has(one.address))
  }

  leaveFile(path: string, findings: readonly Diagnostic[]): void {
    this.#unknown.set(path, [...(this.#unknown.get(path) ?? []), ...findings])
  }

  /**
   * Leaves out the entries at the places of findings. All places are looked up before any entry is
   * removed: the second finding of an entry would otherwise name the entry before it.
   * @returns whether anything changed
   */
  leaveOut(findings: readonly Diagnostic[]): boolean {
    const { resources, subscribers, mappings, removed, moved } = this
    const before = { resources, subscribers, mappings, removed, moved }
    const changed = findings.map((one) => this.leaveOutAt(one, before))
    return changed.includes(true)
  }

  /**
   * A refused line of `removed:` or `moved:` has no effect, and neither has a line that shares an
   * address with it. What was meant is unknown, so every address in them is left out: its object
   * is not changed.
   */
  private leaveLines(finding: Diagnostic, { removed, moved }: Pick<DraftBuilder, 'removed' | 'moved'>): boolean {
    const { at } = finding
    const isAt = (place: Position): boolean =>
      place.file === at?.file && place.line === at.line && place.column === at.column
    const named = new Set([
      ...removed.filter(({ file, path }) => isAt(file.locate(path, 'key'))).map((one) => one.address),
      ...moved.filter(({ file, from }) => isAt(file.locate(['moved', from]))).flatMap(({ from, to }) => [from, to]),
    ])
    if (named.size === 0) return false
    for (let size = 0; size !== named.size;) {
      size = named.size
      for (const { from, to } of moved)
        if (named.has(from) || named.has(to)) for (const one of [from, to]) named.add(one)
    }
    this.removed = this.removed.filter((one) => !named.has(one.address))
    this.moved = this.moved.filter(({ from }) => !named.has(from))
    this.resources = this.resources.filter((one) => !named.has(one.address))
    for (const one of named) this.leave({ address: one, ...splitAddress(one), findings: [finding] })
    return true
  }

  private leaveOutAt(
    finding: Diagnostic,
    before: Pick<DraftBuilder, 'resources' | 'subscribers' | 'mappings' | 'removed' | 'moved'>,
  ): boolean {
    const { resources, subscribers, mappings } = before
    const { at } = finding
    const path = at?.file ?? ''
    if (finding.rule === 'lifecycle' && this.leaveLines(finding, before)) return true
    // A key after the last entry of a section does not belong to that entry.
    const section = this.sectionAt(at)
    const resource = lastBefore(
      at,
      resources.filter(({ file, of }) => file.path === path && of.section === section),
    )
    if (resource !== undefined) {
      const { address: name, kind, key } = resource
      this.leave({ address: name, kind, key, findings: [finding] })
      this.resources = this.resources.filter((one) => one.address !== name)
      return true
    }
    const subscriber = lastBefore(at, section === 'subscribers' ? subscribers.filter(({ file }) => file === path) : [])
    if (subscriber !== undefined) {
      // A missing account concerns every entry of the file, but is reported once.
      const concerns = (one: DesiredSubscriber): boolean =>
        finding.rule === 'unknown-source' ? one.file === path : one.key === subscriber.key
      for (const one of subscribers)
        if (concerns(one)) this.leave(subscriberEntry(one.source, one.subscription, finding))
      this.subscribers = this.subscribers.filter((one) => !concerns(one))
      return true
    }
    const lines = mappings.filter(({ file }) => file.path === path)
    if (lines.length > 0) {
      const wrong = lastBefore(
        at,
        lines.map((line) => ({ ...line, line, at: line.file.locate([line.section, line.id], 'key') })),
      )?.line
      const gone = new Set(wrong === undefined ? lines : [wrong])
      for (const { source, id } of gone)
        this.leave({ address: address('mapping', `${source}/${id}`), kind: 'mapping', key: id, findings: [finding] })
      this.mappings = this.mappings.filter((one) => !gone.has(one))
      return true
    }
    const known = this.#unknown.get(path) ?? []
    if (path === '' || known.some((one) => formatDiagnostic(one) === formatDiagnostic(finding))) return false
    this.leaveFile(path, [finding])
    if (finding.rule === 'cancel-tag-twice' && this.access !== undefined) this.access = withoutSharedTags(this.access)
    return true
  }

  /** The top-level key that a position belongs to. */
  private sectionAt(at: Position | undefined): string | undefined {
    const file = this.files.get(at?.file ?? '')
    if (file === undefined) return undefined
    const keys = Object.keys(objectIn(file.value)).map((key) => ({ key, at: file.locate([key], 'key') }))
    return lastBefore(at, keys)?.key
  }

  add(path: string, file: YamlFile, { kind, source = '' }: FilePlace): void {
    this.files.set(path, file)
    const whole = objectIn(file.value)
    switch (kind) {
      case 'project':
        // The schema has accepted the file, or what is left of it.
        this.project = projectFrom(whole as Partial<WrittenProject>)
        this.projectFile = file
        break
      case 'resources':
        this.addResources(file, whole)
        addAll(this.removed, removalsIn(whole['removed'], file))
        addAll(this.moved, movesIn(whole['moved'], file))
        break
      case 'access':
        this.access = whole as Access
        break
      case 'externals':
        this.addExternals(file, objectIn(whole['externals']))
        break
      case 'mappings':
        this.addMappings(file, whole, source)
        break
      case 'subscribers':
        // Pushed one by one: spreading a hundred thousand arguments overflows the stack.
        for (const one of subscribersFrom(file, path, source)) this.subscribers.push(one)
        break
    }
  }

  private addResources(file: YamlFile, whole: JsonObject): void {
    for (const of of kinds)
      for (const [key, value] of Object.entries(objectIn(whole[of.section]))) {
        const at = file.locate([of.section, key], 'key')
        const { own, lifecycle } = lifecycleOf(referencesRead(of, objectIn(value)))
        const told = lifecycle === undefined ? {} : { lifecycle }
        this.resources.push({ address: address(of.name, key), kind: of.name, key, value: own, ...told, at, of, file })
      }
  }

  private addExternals(file: YamlFile, whole: JsonObject): void {
    for (const [source, customers] of Object.entries(whole))
      for (const [customer, reason] of Object.entries(objectIn(customers))) {
        const at = file.locate(['externals', source, customer], 'key')
        this.externals.push({ source, customer, reason: String(reason as string), at })
      }
  }

  private addMappings(file: YamlFile, whole: JsonObject, source: string): void {
    for (const [section, entries] of Object.entries(whole))
      for (const [id, key] of Object.entries(objectIn(entries)))
        this.mappings.push({ source, section, id, key: String(key as string), file })
  }
}

function catalogFrom(draft: DraftBuilder, project: Project): Catalog {
  const content = {
    project,
    resources: draft.resources.map(({ address: name, kind, key, value, lifecycle, at }) => ({
      address: name,
      kind,
      key,
      value,
      ...(lifecycle === undefined ? {} : { lifecycle }),
      at,
    })),
    removed: new Map(draft.removed.map(({ address: at, what }) => [at, what])),
    moved: new Map(draft.moved.map(({ from, to }) => [from, to])),
    places: placesOfLines(draft),
    subscribers: draft.subscribers,
    access: (draft.access ?? {}) as JsonObject,
    externals: draft.externals.map(({ source, customer, reason }) => ({ source, customer, reason })),
  }
  const mappings = mappingsFrom(draft.mappings)
  return { ...content, mappings, digest: digestOf(draft, content), ...draft.catalogPart() }
}

function mappingsFrom(lines: readonly DraftMapping[]): ReadonlyMap<string, Mappings> {
  const none: Mappings = { products: {}, prices: {}, tax_rates: {}, coupons: {} }
  const sections = ([section, its]: readonly [string, readonly DraftMapping[]]) =>
    [section, Object.fromEntries(its.map(({ id, key }) => [id, key]))] as const
  const bySource = Map.groupBy(lines, (one) => one.source)
  return new Map(
    [...bySource].map(([source, its]) => [
      source,
      { ...none, ...Object.fromEntries([...Map.groupBy(its, (one) => one.section)].map(sections)) },
    ]),
  )
}

/**
 * Covers the content, not its layout: the order of entries does not matter, the wave of a
 * subscriber does.
 */
function digestOf(draft: DraftBuilder, content: Omit<Catalog, 'mappings' | 'digest'>): string {
  const { leftOut } = draft.catalogPart()
  const left = leftOut && [...leftOut.entries.map((one) => one.address), ...leftOut.files.keys()].sort()
  const { lint: _opinions, ...project } = content.project
  return digest({
    ...content,
    project,
    ...(left === undefined ? {} : { left_out: left }),
    resources: Object.fromEntries(
      content.resources.map(({ address: name, value, lifecycle }) => [
        name,
        lifecycle === undefined ? value : { value, lifecycle: { ...lifecycle } },
      ]),
    ),
    removed: Object.fromEntries(content.removed),
    moved: Object.fromEntries(content.moved),
    // Crossbill builds every entry with one order of keys, so plain JSON is canonical here, at a
    // tenth of the cost.
    subscribers: content.subscribers.map((one) => JSON.stringify({ ...one, at: undefined })).sort(),
    mappings: Object.fromEntries(
      draft.mappings.map(({ source, section, id, key }) => [`${source} ${section} ${id}`, key]),
    ),
  })
}
