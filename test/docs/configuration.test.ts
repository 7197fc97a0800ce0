import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { isJsonObject, type Json, type JsonObject } from '../../src/core/json.ts'
import { ruleMeanings } from '../../src/catalog/rule-names.ts'
import { schemaNames, schemaOf } from '../../src/cli/schemas.ts'
import { kinds } from '../../src/kinds/registry.ts'

const path = fileURLToPath(new URL('../../docs/configuration.md', import.meta.url))

function object(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {}
}

/** `text`, `"month" or "year"`, `list of …`, in a few words. */
function kindOf(schema: JsonObject): string {
  const { type, enum: words, const: only, items, anyOf, minimum, maximum } = schema
  if (Array.isArray(words)) return words.map((word) => `\`${String(word)}\``).join(' or ')
  if (only !== undefined) return `\`${String(only as string)}\``
  if (Array.isArray(anyOf)) return 'one of several forms'
  if (type === 'array') return `list of ${kindOf(object(items))}`
  if (type === 'object') return 'map'
  if (type === 'integer' || type === 'number') {
    const least = typeof minimum === 'number' ? ` from ${minimum}` : ''
    return `${type === 'integer' ? 'whole number' : 'number'}${least}${typeof maximum === 'number' && maximum < 1e12 ? ` to ${maximum}` : ''}`
  }
  return type === 'boolean' ? '`true` or `false`' : 'text'
}

/** One line for each field, with inner fields indented below it. */
function fields(schema: JsonObject, depth: number): string[] {
  const required = Array.isArray(schema['required']) ? (schema['required'] as readonly string[]) : []
  return Object.entries(object(schema['properties'])).flatMap(([name, value]) => {
    const field = object(value)
    const said = typeof field['description'] === 'string' ? `: ${field['description']}` : ''
    const must = required.includes(name) ? ', required' : ''
    return [`${'  '.repeat(depth)}- \`${name}\` (${kindOf(field)}${must})${said}`, ...inside(field, depth + 1)]
  })
}

function inside(field: JsonObject, depth: number): string[] {
  if (field['type'] === 'array') return inside(object(field['items']), depth)
  const entry = object(field['additionalProperties'] === false ? undefined : field['additionalProperties'])
  return [...fields(field, depth), ...fields(entry, depth)]
}

function text(): string {
  const files = schemaNames.map((name) => {
    const schema = schemaOf(name)
    const title = String(schema['title'] as string).replace('Crossbill: ', '')
    const pages =
      name === 'resources'
        ? `\n${kinds.map(({ section, file, docs }) => `- \`${section}:\` by convention in \`${file}\`, described by Stripe at ${docs}`).join('\n')}\n`
        : ''
    return `## ${title}\n${pages}\n${fields(schema, 0).join('\n')}\n`
  })
  const rules = Object.entries(ruleMeanings).map(([rule, meaning]) => `| \`${rule}\` | ${meaning} |`)
  return `# Configuration

The keys of the files below \`catalog/\`. This page is generated from the schemas with which \`crossbill validate\` checks the files; \`crossbill schema --out DIR\` writes them for editors.
Names and units are Stripe's own. References between entries are keys of this catalog, or \`{ id: … }\` and \`{ lookup_key: … }\` for objects that it does not declare. Instants have the form \`2026-12-31T09:15:00Z\`.

${files.join('\n')}
## Findings of \`validate\`

| rule | what is wrong |
|---|---|
${rules.join('\n')}
`
}

describe('docs/configuration.md', () => {
  it('documents the content of every file and the meaning of every rule (CROSSBILL_UPDATE_DOCS=1 writes it)', () => {
    if (process.env['CROSSBILL_UPDATE_DOCS'] === '1') writeFileSync(path, text())
    expect(readFileSync(path, 'utf8')).toBe(text())
  })
})
