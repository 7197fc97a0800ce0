import addFormatsModule from 'ajv-formats'
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import type { TSchema } from 'typebox'
import type { Diagnostic } from '../core/diagnostic.ts'
import { parseInstant } from '../core/instant.ts'
import type { Json } from '../core/json.ts'
import { suggest } from '../core/suggest.ts'
import { error, type RuleName } from './rule-names.ts'
import { pathOf } from './plain-yaml.ts'
import type { Path, YamlFile } from './yaml-places.ts'

const ajv = new Ajv2020({
  allErrors: true,
  verbose: true,
  strict: true,
  allowUnionTypes: true,
  coerceTypes: false,
  // Both take a fifth of the time of `validate`. The schemas are our own, and the tests of the
  // command `schema` check them.
  validateSchema: false,
  code: { optimize: false },
})
addFormatsModule.default(ajv, ['uri'])
ajv.addFormat('instant', { type: 'string', validate: (text: string) => parseInstant(text) !== undefined })

const compiled = new WeakMap<TSchema, ValidateFunction>()

/** Findings of one file beyond this number are counted, not listed: they usually have one cause. */
const mostFindings = 100

/** A finding in a file, and the path that it concerns. */
export interface FileFinding {
  readonly path: Path
  readonly finding: Diagnostic
}

/** Checks a file against its schema: one finding for each error, at its position. */
export function validateFile(file: YamlFile, schema: TSchema): readonly Diagnostic[] {
  const errors = errorsIn(file, schema)
  const written = asWritten(file, schema).slice(0, mostFindings)
  const findings = [...written, ...errors.slice(0, mostFindings).map((one) => diagnostic(file, one))].map(
    ({ finding }) => finding,
  )
  if (errors.length <= mostFindings) return findings
  const message = `${errors.length - mostFindings} more findings in this file are not listed`
  return [...findings, error('more-findings', message, 'fix the listed ones first', file.locate([]))]
}

/** As above without a limit and with paths, for a reader that leaves out entries with errors. */
export function findingsIn(file: YamlFile, schema: TSchema): readonly FileFinding[] {
  return [...asWritten(file, schema), ...errorsIn(file, schema).map((one) => diagnostic(file, one))]
}

function errorsIn(file: YamlFile, schema: TSchema): readonly ErrorObject[] {
  let validate = compiled.get(schema)
  if (validate === undefined) {
    validate = ajv.compile(schema)
    compiled.set(schema, validate)
  }
  return validate(file.value) ? [] : withoutBranches(validate.errors ?? [])
}

/**
 * Numbers whose text suggests another value. `49.00` in place of a whole number could mean 49 of
 * the smallest unit or 49 of the currency.
 */
function asWritten(file: YamlFile, schema: TSchema): readonly FileFinding[] {
  return [...file.oddNumbers].flatMap(([place, { text, rule, message, fix }]): FileFinding[] => {
    const path = pathOf(place)
    // The value is already left out.
    if (typeof valueAt(file.value, path) !== 'number') return []
    if (rule === 'number-form' && takesFraction(schema as Schema, path)) return []
    const named =
      rule === 'number-form' ? `"${path.at(-1) ?? ''}" is ${text}, which is not written as a whole number` : message
    return [{ path, finding: error(rule, named, fix, file.locate(path)) }]
  })
}

function valueAt(value: Json | undefined, [step, ...rest]: Path): Json | undefined {
  if (step === undefined || typeof value !== 'object' || value === null) return step === undefined ? value : undefined
  return valueAt((value as Readonly<Record<string, Json>>)[step], rest)
}

interface Schema {
  readonly type?: unknown
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema | boolean
}

/**
 * Whether a number with decimals is allowed here. A path outside the schema is already reported as
 * an unknown key.
 */
function takesFraction(schema: Schema, [step, ...rest]: Path): boolean {
  if (schema.anyOf !== undefined)
    return schema.anyOf.some((one) => takesFraction(one, step === undefined ? [] : [step, ...rest]))
  if (step === undefined) return schema.type !== 'integer'
  const { items, properties, additionalProperties: other } = schema
  const own = properties !== undefined && Object.hasOwn(properties, step) ? properties[step] : undefined
  const inside = own ?? (typeof other === 'object' ? other : items)
  return inside === undefined || takesFraction(inside, rest)
}

/** For a choice between forms, reports only the choice and not the errors of each branch. */
function withoutBranches(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const choices = errors.filter((error) => error.keyword === 'anyOf' || error.keyword === 'propertyNames')
  if (choices.length === 0) return errors
  return errors.filter(
    (error) =>
      !choices.some(
        (choice) =>
          choice !== error &&
          error.schemaPath.startsWith(`${choice.schemaPath}/`) &&
          error.instancePath.startsWith(choice.instancePath),
      ),
  )
}

interface Words {
  readonly rule: RuleName
  readonly message: string
  readonly fix: string
  readonly path: Path
  readonly part: 'key' | 'value'
}

function diagnostic(file: YamlFile, found: ErrorObject): FileFinding {
  const path = found.instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  const { rule, message, fix, path: place, part } = words(found, path)
  return { path: place, finding: error(rule, message, fix, file.locate(place, part)) }
}

function words(error: ErrorObject, path: Path): Words {
  const params = error.params as Readonly<Record<string, unknown>>
  const schema = (error.parentSchema ?? {}) as Readonly<Record<string, unknown>>
  const name = nameOf(path)
  const meaning = typeof schema['description'] === 'string' ? schema['description'] : 'see docs/configuration.md'
  const value = (rule: RuleName, message: string, fix = meaning): Words => ({ rule, message, fix, path, part: 'value' })
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownKey(String(params['additionalProperty']), Object.keys((schema['properties'] ?? {}) as object), path)
    case 'propertyNames':
      return badKey(String(params['propertyName']), path)
    case 'required':
      return missingKey(String(params['missingProperty']), name, schema, path)
    case 'type':
      return value(
        'wrong-type',
        `${name} must be ${typeWords(params['type'])}, not ${shown(error.data as Json)}`,
        params['type'] === 'string' ? (fixOfFlag(name, error.data, meaning) ?? meaning) : meaning,
      )
    case 'enum':
      return notAllowed(name, error.data as Json, params['allowedValues'] as readonly Json[], path)
    case 'const':
      return notAllowed(name, error.data as Json, [params['allowedValue'] as Json], path)
    case 'pattern':
    case 'format':
      return value('bad-format', `${name} is ${shown(error.data as Json)}, which does not have the required format`)
    case 'anyOf':
      return value('bad-form', `${name} has none of the allowed forms`)
    default:
      return value('out-of-range', `${name} ${error.message ?? 'is out of range'}`)
  }
}

/** A text that gives a reason was taken for a switch: `excluded: false`. */
function fixOfFlag(name: string, written: unknown, meaning: string): string | undefined {
  if (written === false) return `delete ${name}: without it, it does not apply (${meaning})`
  return written === true ? `write a text instead of true (${meaning})` : undefined
}

/** An item of a list has the name of the list. */
function nameOf(path: Path): string {
  const isIndex = (step: string | number): boolean => /^\d+$/.test(String(step))
  const last = path.findLast((step) => !isIndex(step))
  if (last === undefined) return 'the file'
  return isIndex(path.at(-1) ?? '') ? `an item of "${last}"` : `"${last}"`
}

function unknownKey(key: string, known: readonly string[], path: Path): Words {
  const near = suggest(key, known)
  const fix = near === undefined ? `known here: ${known.join(', ')}` : `did you mean "${near}"?`
  return { rule: 'unknown-key', message: `unknown key "${key}"`, fix, path: [...path, key], part: 'key' }
}

function badKey(key: string, path: Path): Words {
  const message = `"${key}" cannot be a key here`
  const fix = 'use letters, digits, - and _; the prefix crossbill_ is reserved'
  return { rule: 'bad-key', message, fix, path: [...path, key], part: 'key' }
}

function missingKey(key: string, holder: string, schema: Readonly<Record<string, unknown>>, path: Path): Words {
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, { description?: string } | undefined>>
  const meaning = properties[key]?.description
  const fix = meaning === undefined ? `add ${key}` : `add ${key}: ${meaning}`
  return { rule: 'missing-key', message: `${holder} has no "${key}"`, fix, path, part: 'key' }
}

function notAllowed(name: string, found: Json, allowed: readonly Json[], path: Path): Words {
  const near =
    typeof found === 'string'
      ? suggest(
          found,
          allowed.filter((one) => typeof one === 'string'),
        )
      : undefined
  const list = allowed.map(shown).join(', ')
  const fix = near === undefined ? `one of ${list}` : `did you mean "${near}"? One of ${list}`
  return { rule: 'not-allowed', message: `${name} cannot be ${shown(found)}`, fix, path, part: 'value' }
}

function typeWords(type: unknown): string {
  const names: Readonly<Record<string, string>> = {
    object: 'a map',
    array: 'a list',
    string: 'text',
    integer: 'a whole number',
    number: 'a number',
    boolean: 'true or false',
    null: 'empty',
  }
  const types = Array.isArray(type) ? (type as readonly string[]) : [String(type)]
  return types.map((one) => names[one] ?? one).join(' or ')
}

function shown(value: Json): string {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map'
  if (typeof value !== 'string') return String(value)
  return value.length > 60 ? `"${value.slice(0, 57)}…"` : `"${value}"`
}
