// Declarative, closed schemas of request parameters. A schema reads the decoded form into a typed
// value or throws Stripe's own error.
import { instant, type Instant } from '../../core/instant.ts'
import { currencies } from './currencies.ts'
import { invalid, StripeError } from './errors.ts'
import type { Raw, RawFields } from './form.ts'

export interface Schema<T> {
  /** `at` is the name of the parameter as Stripe's errors write it: `items[0][price]`. */
  readonly parse: (raw: Raw, at: string) => T
  readonly mandatory?: true
  /**
   * The keys of an object, or the entries of an array or a map: for tests that compare schemas with
   * a description of the API.
   */
  readonly inside?: Readonly<Record<string, Schema<unknown>>> | Schema<unknown>
}

export type Parsed<S> = S extends Schema<infer T> ? T : never
type Shape = Readonly<Record<string, Schema<unknown>>>
type MandatoryKeys<S extends Shape> = { [K in keyof S]: S[K] extends { mandatory: true } ? K : never }[keyof S]
type Fields<S extends Shape> = { readonly [K in MandatoryKeys<S>]: Parsed<S[K]> } & {
  readonly [K in Exclude<keyof S, MandatoryKeys<S>>]?: Parsed<S[K]>
}

/**
 * A text. Refused when it is empty (use `emptyable` where `''` unsets) or longer than `max`
 * (default 5,000) characters.
 */
export function text(limits: { max?: number; pattern?: RegExp } = {}): Schema<string> {
  const max = limits.max ?? 5_000
  return {
    parse(raw, at) {
      const value = scalar(raw, at, 'string')
      if (value === '') throw emptyRefused(at)
      if (value.length > max)
        throw invalid(`Invalid string: ${value.slice(0, 12)}...; must be at most ${max} characters`, {
          param: at,
          code: 'parameter_invalid_string_too_long',
        })
      if (limits.pattern !== undefined && !limits.pattern.test(value))
        throw invalid(`Invalid ${lastName(at)}: '${value}'`, { param: at })
      return value
    },
  }
}

export function flag(): Schema<boolean> {
  return {
    parse(raw, at) {
      const value = scalar(raw, at, 'boolean')
      if (value === 'true' || value === 'false') return value === 'true'
      throw value === '' ? emptyRefused(at) : invalid(`Invalid boolean: ${value}`, { param: at })
    },
  }
}

/** A whole number within limits (inclusive). */
export function int(limits: { min?: number; max?: number } = {}): Schema<number> {
  return {
    parse(raw, at) {
      const value = scalar(raw, at, 'integer')
      if (value === '') throw emptyRefused(at)
      if (!/^-?\d+$/.test(value) || !Number.isSafeInteger(Number(value)))
        throw invalid(`Invalid integer: ${value}`, { param: at, code: 'parameter_invalid_integer' })
      const number = Number(value)
      const { min, max } = limits
      if (min !== undefined && number < min)
        throw invalid(
          min === 0 || min === 1
            ? `Invalid ${min === 0 ? 'non-negative' : 'positive'} integer`
            : `This value must be greater than or equal to ${min}.`,
          { param: at, code: 'parameter_invalid_integer' },
        )
      if (max !== undefined && number > max)
        throw invalid(`This value must be less than or equal to ${max} (it currently is '${number}').`, {
          param: at,
          code: 'parameter_invalid_integer',
        })
      return number
    },
  }
}

/** A whole number of seconds since 1970, UTC. */
export function time(): Schema<Instant> {
  const whole = int({ min: 0 })
  return { parse: (raw, at) => instant(whole.parse(raw, at)) }
}

/**
 * A decimal as text, with at most `places` (default 12) digits after the point and without trailing
 * zeros; for amounts in fractions of the minor unit.
 */
export function decimal(limits: { min?: number; max?: number; places?: number } = {}): Schema<string> {
  return {
    parse(raw, at) {
      const value = scalar(raw, at, 'decimal')
      if (value === '') throw emptyRefused(at)
      const match = /^(-?)0*(\d+)(?:\.(\d+?)0*)?$/.exec(value)
      const fraction = match?.[3] === '0' ? '' : (match?.[3] ?? '')
      if (match === null || fraction.length > (limits.places ?? 12))
        throw invalid(`Invalid decimal: ${value}; must contain at maximum ${limits.places ?? 12} decimal places.`, {
          param: at,
        })
      const plain = `${match[1]}${match[2]}${fraction === '' ? '' : `.${fraction}`}`
      const { min, max } = limits
      if (min !== undefined && Number(plain) < min)
        throw invalid(`This value must be greater than or equal to ${min}.`, { param: at })
      if (max !== undefined && Number(plain) > max)
        throw invalid(`This value must be less than or equal to ${max}.`, { param: at })
      return plain
    },
  }
}

export function oneOf<const T extends string>(...values: readonly T[]): Schema<T> {
  return {
    parse(raw, at) {
      const value = scalar(raw, at, lastName(at))
      const known = values.find((candidate) => candidate === value)
      if (known !== undefined) return known
      if (value === '') throw emptyRefused(at)
      throw invalid(`Invalid ${at}: must be one of ${words(values, 'or')}`, { param: at })
    },
  }
}

/** An object with these keys and no others. Wrap required keys in `required`. */
export function fields<const S extends Shape>(shape: S): Schema<Fields<S>> {
  return {
    inside: shape,
    parse(raw, at) {
      if (!(raw instanceof Map)) throw invalid('Invalid object', { param: at })
      const name = (key: string) => (at === '' ? key : `${at}[${key}]`)
      const unknown = [...raw.keys()].filter((key) => !Object.hasOwn(shape, key)).map(name)
      if (unknown.length > 0)
        throw invalid(`Received unknown parameter${unknown.length > 1 ? 's' : ''}: ${unknown.join(', ')}`, {
          code: 'parameter_unknown',
          param: unknown[0] ?? '',
        })
      const result: Record<string, unknown> = {}
      for (const [key, schema] of Object.entries(shape)) {
        const given = raw.get(key)
        if (given !== undefined) result[key] = schema.parse(given, name(key))
        else if (schema.mandatory)
          throw invalid(`Missing required param: ${name(key)}.`, { code: 'parameter_missing', param: name(key) })
      }
      return result as Fields<S>
    },
  }
}

export function required<T>(schema: Schema<T>): Schema<T> & { mandatory: true } {
  return { ...schema, mandatory: true }
}

/** `''` unsets the value and is read as null. */
export function emptyable<T>(schema: Schema<T>): Schema<T | null> {
  return { ...schema, parse: (raw, at) => (raw === '' ? null : schema.parse(raw, at)) }
}

export function list<T>(schema: Schema<T>, limits: { min?: number; max?: number } = {}): Schema<readonly T[]> {
  return {
    inside: schema,
    parse(raw, at) {
      if (!(raw instanceof Map)) throw invalid('Invalid array', { param: at })
      const keys = [...raw.keys()]
      if (!keys.every((key) => /^\d+$/.test(key))) throw invalid('Invalid array', { param: at })
      if (limits.max !== undefined && keys.length > limits.max)
        throw invalid(`Array ${at} exceeded maximum ${limits.max} allowed elements.`, { param: at })
      if (limits.min !== undefined && keys.length < limits.min)
        throw invalid(`Array ${at} must have at least ${limits.min} elements.`, { param: at })
      return keys
        .toSorted((a, b) => Number(a) - Number(b))
        .map((key, index) => schema.parse(raw.get(key) ?? '', `${at}[${index}]`))
    },
  }
}

/** An object with any keys, whose values all have one schema (`currency_options`). */
export function record<T>(schema: Schema<T>, keys: RegExp = /^[a-z]{3}$/): Schema<Readonly<Record<string, T>>> {
  return {
    inside: schema,
    parse(raw, at) {
      const result: Record<string, T> = {}
      for (const [key, value] of children(raw, at)) {
        const name = `${at}[${key}]`
        if (!keys.test(key))
          throw invalid(`Received unknown parameter: ${name}`, { code: 'parameter_unknown', param: name })
        result[key] = schema.parse(value, name)
      }
      return result
    },
  }
}

/** The first schema that accepts the value; if none does, the error of the last one. */
export function either<A, B>(first: Schema<A>, second: Schema<B>): Schema<A | B> {
  return {
    ...(second.inside === undefined ? {} : { inside: second.inside }),
    parse(raw, at) {
      try {
        return first.parse(raw, at)
      } catch (error) {
        if (!(error instanceof StripeError)) throw error
        return second.parse(raw, at)
      }
    },
  }
}

export type MetadataGiven = Readonly<Record<string, string>> | null

/**
 * At most 50 keys of 40 characters without brackets, and values of 500; `''` unsets one key, or all
 * of them (null). https://docs.stripe.com/api/metadata
 */
export function metadata(): Schema<MetadataGiven> {
  return {
    parse(raw, at) {
      if (raw === '') return null
      const result: Record<string, string> = {}
      for (const [key, value] of children(raw, at)) {
        const name = `${at}[${key}]`
        if (typeof value !== 'string') throw invalid('Metadata values must be strings.', { param: name })
        if (key.length > 40)
          throw invalid(`Metadata keys can be at most 40 characters; '${key}' has ${key.length}.`, { param: at })
        if (value.length > 500)
          throw invalid(
            `Metadata values can have up to 500 characters, but you passed in a value that is ${value.length} characters.`,
            { param: name },
          )
        result[key] = value
      }
      return result
    },
  }
}

export type Metadata = Readonly<Record<string, string>>

/** The metadata after a request: given keys replace, `''` removes a key, null removes all. */
export function mergeMetadata(current: Metadata, given: MetadataGiven | undefined): Metadata {
  if (given === undefined) return current
  if (given === null) return {}
  const merged = Object.entries({ ...current, ...given }).filter(([, value]) => value !== '')
  if (merged.length > 50) throw invalid('Metadata can have up to 50 keys.', { param: 'metadata' })
  return Object.fromEntries(merged)
}

export interface Range {
  readonly gt?: number
  readonly gte?: number
  readonly lt?: number
  readonly lte?: number
}

/** `created=…` or `created[gte]=…`. */
export function range(): Schema<Range> {
  const exact: Schema<Range> = {
    parse: (raw, at) => {
      const value = int().parse(raw, at)
      return { gte: value, lte: value }
    },
  }
  return either(exact, fields({ gt: int(), gte: int(), lt: int(), lte: int() }))
}

export function inRange(value: number, within: Range | undefined): boolean {
  if (within === undefined) return true
  const { gt, gte, lt, lte } = within
  return (
    (gt === undefined || value > gt) &&
    (gte === undefined || value >= gte) &&
    (lt === undefined || value < lt) &&
    (lte === undefined || value <= lte)
  )
}

/** A currency that Stripe accepts, in lower case. */
export const currency: Schema<string> = {
  parse(raw, at) {
    const value = scalar(raw, at, 'currency').toLowerCase()
    if (currencies.has(value)) return value
    throw value === ''
      ? emptyRefused(at)
      : invalid(
          `Invalid currency: ${value}. Stripe currently supports these currencies: ${[...currencies].join(', ')}`,
          { param: at },
        )
  },
}

function scalar(raw: Raw, at: string, what: string): string {
  if (typeof raw !== 'string') throw invalid(`Invalid ${what}: ${describe(raw)}`, { param: at })
  return raw
}

function children(raw: Raw, at: string): RawFields {
  if (!(raw instanceof Map)) throw invalid('Invalid object', { param: at })
  return raw
}

function emptyRefused(at: string) {
  return invalid(
    `You passed an empty string for '${at}'. We assume empty values are an attempt to unset a parameter; however '${at}' cannot be unset. You should remove '${at}' from your request or supply a non-empty value.`,
    { param: at, code: 'parameter_invalid_empty' },
  )
}

function describe(raw: RawFields): string {
  return JSON.stringify(Object.fromEntries([...raw].map(([key, value]) => [key, value instanceof Map ? '…' : value])))
}

function lastName(at: string): string {
  return /([^[\]]+)\]?$/.exec(at)?.[1] ?? at
}

/** `a, b, or c`, in the form of Stripe's messages. */
function words(values: readonly string[], conjunction: 'and' | 'or'): string {
  if (values.length < 3) return values.join(` ${conjunction} `)
  return `${values.slice(0, -1).join(', ')}, ${conjunction} ${values.at(-1)}`
}
