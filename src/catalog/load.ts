import type { YamlFile } from './yaml-places.ts'
import { address } from '../core/address.ts'
import { digest } from '../core/canonical.ts'
import { type Diagnostic, hasErrors, type Position } from '../core/diagnostic.ts'
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import { kinds } from '../kinds/registry.ts'
import type { Draft, DraftMapping, DraftResource } from './draft.ts'
import { type FilePlace, placeOf } from './file-kinds.ts'
import { projectFrom } from './project.ts'
import { error } from './rule-names.ts'
import { rules } from './rules/rules.ts'
import { subscribersFrom } from './subscribers.ts'
import type { Catalog, DeclaredExternal, DesiredSubscriber, Mappings, Project } from './types.ts'
import { validateFile } from './validate.ts'
import { readYaml } from './yaml-file.ts'

/** A file under catalog/, by its path relative to it: `subscribers/us/wave-01.yaml`. */
export interface CatalogFile {
  readonly path: string
  readonly text: string
}

export interface LoadedCatalog {
  /** Absent when there is an error among the findings. */
  readonly catalog?: Catalog
  /** Every finding of every file, in the order of files and lines. Positions name files as they came, relative to catalog/. */
  readonly findings: readonly Diagnostic[]
}

/** Turns what people wrote into a catalog, or says everything that is wrong with it. Pure: equal files in any order give equal results. */
export function loadCatalog(files: readonly CatalogFile[]): LoadedCatalog {
  const findings: Diagnostic[] = []
  const draft = new DraftBuilder()
  for (const { path, text } of [...files].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))) {
    const place = placeOf(path)
    if (place === undefined) {
      findings.push(unknownFile(path))
      continue
    }
    const reading = readYaml(path, text)
    if (!('file' in reading)) {
      findings.push(...reading.findings)
      continue
    }
    const file: YamlFile = reading.file.value === null ? { ...reading.file, value: {} } : reading.file
    const wrong = validateFile(file, place.schema)
    findings.push(...wrong)
    if (wrong.length === 0) draft.add(path, file, place)
  }
  if (!files.some(({ path }) => path === 'project.yaml')) findings.push(noProject)
  // Rules across files would only repeat what is wrong inside one.
  if (findings.length === 0) for (const rule of rules) findings.push(...firstOf(rule(draft)))
  if (hasErrors(findings) || draft.project === undefined) return { findings: sorted(findings) }
  return { catalog: catalogFrom(draft, draft.project), findings: sorted(findings) }
}

/** A hundred thousand findings by one rule have one cause; the first ones show it. */
const mostByRule = 200

function firstOf(found: Iterable<Diagnostic>): readonly Diagnostic[] {
  const first: Diagnostic[] = []
  for (const one of found) {
    if (first.length === mostByRule) {
      const message = `more than ${mostByRule} findings ${one.rule}; the others are not listed`
      return [...first, error('more-findings', message, 'mend the first ones', undefined)]
    }
    first.push(one)
  }
  return first
}

class DraftBuilder implements Draft {
  project: Project | undefined
  projectFile: YamlFile | undefined
  access: JsonObject = {}
  readonly resources: DraftResource[] = []
  readonly subscribers: DesiredSubscriber[] = []
  readonly mappings: DraftMapping[] = []
  readonly externals: (DeclaredExternal & { at: Position })[] = []
  readonly files = new Map<string, YamlFile>()

  add(path: string, file: YamlFile, { kind, source = '' }: FilePlace): void {
    this.files.set(path, file)
    const whole = part(file.value)
    switch (kind) {
      case 'project':
        this.project = projectFrom(whole)
        this.projectFile = file
        break
      case 'resources':
        this.addResources(file, whole)
        break
      case 'access':
        this.access = whole
        break
      case 'externals':
        this.addExternals(file, part(whole['externals']))
        break
      case 'mappings':
        this.addMappings(file, whole, source)
        break
      case 'subscribers':
        // One by one: a spread of a hundred thousand arguments ends the stack.
        for (const one of subscribersFrom(file, path, source)) this.subscribers.push(one)
        break
    }
  }

  private addResources(file: YamlFile, whole: JsonObject): void {
    for (const of of kinds)
      for (const [key, value] of Object.entries(part(whole[of.section]))) {
        const at = file.locate([of.section, key], 'key')
        this.resources.push({ address: address(of.name, key), kind: of.name, key, value: part(value), at, of, file })
      }
  }

  private addExternals(file: YamlFile, whole: JsonObject): void {
    for (const [source, customers] of Object.entries(whole))
      for (const [customer, reason] of Object.entries(part(customers))) {
        const at = file.locate(['externals', source, customer], 'key')
        this.externals.push({ source, customer, reason: String(reason as string), at })
      }
  }

  private addMappings(file: YamlFile, whole: JsonObject, source: string): void {
    for (const [section, entries] of Object.entries(whole))
      for (const [id, key] of Object.entries(part(entries)))
        this.mappings.push({ source, section, id, key: String(key as string), file })
  }
}

function catalogFrom(draft: DraftBuilder, project: Project): Catalog {
  const content = {
    project,
    resources: draft.resources.map(({ address: name, kind, key, value, at }) => ({
      address: name,
      kind,
      key,
      value,
      at,
    })),
    subscribers: draft.subscribers,
    access: draft.access,
    externals: draft.externals.map(({ source, customer, reason }) => ({ source, customer, reason })),
  }
  return { ...content, mappings: mappingsFrom(draft.mappings), digest: digestOf(draft, content) }
}

function mappingsFrom(lines: readonly DraftMapping[]): ReadonlyMap<string, Mappings> {
  const mappings = new Map<string, Mappings & Record<string, Record<string, string>>>()
  for (const { source, section, id, key } of lines) {
    const of = mappings.get(source) ?? { products: {}, prices: {}, tax_rates: {}, coupons: {} }
    of[section] = { ...of[section], [id]: key }
    mappings.set(source, of)
  }
  return mappings
}

/** Over what was meant, not where it stands: the order of entries changes nothing, the wave of a subscriber does. */
function digestOf(draft: Draft, content: Omit<Catalog, 'mappings' | 'digest'>): string {
  return digest({
    ...content,
    resources: Object.fromEntries(content.resources.map(({ address: name, value }) => [name, value])),
    // Our own code builds every entry in one order of keys, so its plain JSON is canonical, at a tenth of the cost.
    subscribers: content.subscribers.map((one) => JSON.stringify({ ...one, at: undefined })).sort(),
    mappings: Object.fromEntries(
      draft.mappings.map(({ source, section, id, key }) => [`${source} ${section} ${id}`, key]),
    ),
  })
}

const noProject = error(
  'missing-project',
  'there is no catalog/project.yaml',
  'run crossbill init, or name the folder with --project',
  undefined,
)

function unknownFile(path: string): Diagnostic {
  const message = `catalog/${path} has no place in a catalog`
  const fix = 'sections lie directly below catalog/, mappings in mappings/<source>.yaml, waves in subscribers/<source>/'
  const at = { file: path, line: 1, column: 1 }
  return error('unknown-file', message, fix, at)
}

function sorted(findings: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...findings].sort((a, b) => {
    const [x, y] = [a.at, b.at]
    if (x === undefined || y === undefined) return (x === undefined ? 0 : 1) - (y === undefined ? 0 : 1)
    if (x.file !== y.file) return x.file < y.file ? -1 : 1
    return x.line - y.line || x.column - y.column
  })
}

function part(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {}
}
