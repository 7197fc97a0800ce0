import { isJsonObject, type JsonObject, objectIn } from '../core/json.ts'
import type { Kind } from '../kinds/kind.ts'
import { referencesRead } from '../kinds/outside.ts'
import { kinds } from '../kinds/registry.ts'
import { placeOf } from '../catalog/file-kinds.ts'
import { targetAccount } from '../catalog/types.ts'
import { readYaml } from '../catalog/yaml-file.ts'
import { YamlText } from '../catalog/yaml-text.ts'

const headers: Readonly<Record<string, string>> = {
  mappings: 'Old id → key in this catalog. Equal old objects share a key.',
  subscribers: 'One wave. `stage` moves it: source → target → settled; an entry can set its own stage.',
}

/** The catalog's files during a pull. */
export class PulledFiles {
  readonly #written: ReadonlyMap<string, string>
  readonly #open = new Map<string, YamlText>()
  readonly #values = new Map<string, JsonObject>()
  readonly #entriesByKind = new Map<
    string,
    ReadonlyMap<string, { readonly path: string; readonly value: JsonObject }>
  >()

  constructor(written: ReadonlyMap<string, string>) {
    this.#written = written
  }

  /** The file, ready for changes; a new file if it does not exist. */
  open(path: string): YamlText {
    let text = this.#open.get(path)
    if (text === undefined) {
      text = new YamlText(
        this.#written.get(path),
        `${modelineOf(path)}${headers[path.split('/')[0] ?? ''] ?? headerOf(path)}`,
      )
      this.#open.set(path, text)
    }
    return text
  }

  /** Entries of a kind in all files: key → value. */
  entriesOf(kind: Kind): ReadonlyMap<string, JsonObject> {
    return new Map([...this.#entries(kind)].map(([key, { value }]) => [key, value]))
  }

  /** The file that holds an entry; the default file of the kind for a new entry. */
  pathOf(kind: Kind, key: string): string {
    return this.#entries(kind).get(key)?.path ?? kind.file
  }

  /** Waves of one source: path → content. */
  wavesOf(source: string): ReadonlyMap<string, JsonObject> {
    const waves = new Map<string, JsonObject>()
    for (const path of [...this.#written.keys()].sort()) {
      const place = placeOf(path)
      if (place?.kind === 'subscribers' && place.source === source) waves.set(path, this.#value(path))
    }
    return waves
  }

  changed(): ReadonlyMap<string, string> {
    const changed = [...this.#open].flatMap(([path, text]) => {
      const now = text.text()
      return now === undefined || now === this.#written.get(path) ? [] : [[path, now] as const]
    })
    return new Map(changed.sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  #entries(kind: Kind): ReadonlyMap<string, { readonly path: string; readonly value: JsonObject }> {
    const known = this.#entriesByKind.get(kind.name)
    if (known !== undefined) return known
    const entries = new Map<string, { path: string; value: JsonObject }>()
    for (const path of [...this.#written.keys()].sort()) {
      if (placeOf(path)?.kind !== 'resources') continue
      const section = this.#value(path)[kind.section]
      for (const [key, value] of Object.entries(objectIn(section)))
        entries.set(key, { path, value: isJsonObject(value) ? referencesRead(kind, value) : {} })
    }
    this.#entriesByKind.set(kind.name, entries)
    return entries
  }

  #value(path: string): JsonObject {
    const known = this.#values.get(path)
    if (known !== undefined) return known
    const reading = readYaml(path, this.#written.get(path) ?? '')
    const value = 'file' in reading ? objectIn(reading.file.value) : {}
    this.#values.set(path, value)
    return value
  }
}

/** Folder of the JSON Schemas, beside catalog/. */
export const schemaFolder = '.schemas'

/** Names the schema of a file for editors, as a path relative to the file. */
function modelineOf(path: string): string {
  const place = placeOf(path)
  if (place === undefined) return ''
  // Mappings of the target may name every kind; those of old accounts only what is carried.
  const name = place.kind === 'mappings' && place.source === targetAccount ? 'target-mappings' : place.kind
  const up = '../'.repeat(path.split('/').length)
  return `yaml-language-server: $schema=${up}${schemaFolder}/${name}.schema.json\n `
}

function headerOf(path: string): string {
  const kind = kinds.find(({ file }) => file === path)
  return kind === undefined
    ? 'Written by crossbill pull; yours to edit.'
    : `Written by crossbill pull; yours to edit. Fields: ${kind.docs}`
}
