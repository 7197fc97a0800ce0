/** A decoded form: nested keys, still without arrays (only the schema knows where arrays are). */
export type Raw = string | RawFields
export type RawFields = Map<string, Raw>

const key = /^([^[\]]+)((?:\[[^[\]]*\])*)$/

/**
 * Reads `a[b][0][c]=x&expand[]=y` into nested maps; `[]` counts up. A key that does not parse is
 * kept as it is and refused later as unknown.
 */
export function decodeForm(form: URLSearchParams): RawFields {
  const fields: RawFields = new Map()
  for (const [name, value] of form) {
    const match = key.exec(name)
    const path = match === null ? [name] : [match[1] ?? '', ...(match[2] ?? '').slice(1, -1).split('][')]
    if (match?.[2] === '') path.length = 1
    put(fields, path, value)
  }
  return fields
}

function put(fields: RawFields, path: readonly string[], value: string): void {
  let inside = fields
  for (const [index, step] of path.entries()) {
    const name = step === '' ? String(inside.size) : step
    if (index === path.length - 1) inside.set(name, value)
    else {
      const next = inside.get(name)
      const deeper: RawFields = next instanceof Map ? next : new Map()
      if (next !== deeper) inside.set(name, deeper)
      inside = deeper
    }
  }
}
