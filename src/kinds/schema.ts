import Type, {
  type Static,
  type TArray,
  type TObject,
  type TOptional,
  type TProperties,
  type TSchema,
  type TUnsafe,
} from 'typebox'

/**
 * Building blocks of the YAML's JSON Schema. Editors show the descriptions; findings quote them.
 */

export const keyPattern = '^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$'

/** Marks a key of a section in a schema, with a standard keyword that validation ignores. */
export const keyMark = 'key of '

const keyText = (section: string, more = '') =>
  Type.String({
    pattern: keyPattern,
    $comment: `${keyMark}${section}`,
    description: `A key of \`${section}\` in this catalog${more}`,
  })

/** The key of another entry of the catalog. */
export const keyOf = (section: string) =>
  keyText(section, '. An object of another program needs an entry with `observe: true`')

/** Marks a reference in a schema, with a standard keyword that validation ignores. */
export const referenceMark = 'reference to '

const sectionsWithLookupKey: ReadonlySet<string> = new Set(['features', 'prices'])

/**
 * An object that an entry refers to: the key of another entry, or an object of the account that no
 * entry declares. See outside.ts.
 */
export const referenceTo = (section: string): TSchema => {
  const byLookupKey = sectionsWithLookupKey.has(section)
  return Type.Union(
    [
      keyText(section),
      closed({ id: Type.String({ pattern: '^[^\\s()]{1,255}$', description: 'Its id in the account' }) }),
      ...(byLookupKey
        ? [closed({ lookup_key: Type.String({ minLength: 1, maxLength: 200, description: 'Its lookup key' }) })]
        : []),
    ],
    {
      $comment: `${referenceMark}${section}`,
      description: `A key of \`${section}\` in this catalog, or { id: … }${byLookupKey ? ' or { lookup_key: … }' : ''} for one that it does not declare`,
    },
  )
}

export const text = (description: string, maxLength = 5_000) => Type.String({ minLength: 1, maxLength, description })

export const flag = (description: string) => Type.Boolean({ description })

export const count = (description: string, minimum = 1) =>
  Type.Integer({ minimum, maximum: Number.MAX_SAFE_INTEGER, description })

export const oneOf = <const T extends string>(values: readonly T[], description: string): TUnsafe<T> =>
  Type.Unsafe<T>({ type: 'string', enum: [...values], description })

export const currency = Type.String({
  pattern: '^[a-z]{3}$',
  description: 'ISO 4217 code in lower case, as Stripe writes it (https://docs.stripe.com/currencies)',
})

/**
 * Amount in the currency's smallest unit: 4900 is 49.00 usd, or 4900 jpy. At most twelve digits, as
 * Stripe requires.
 */
export const amount = (description: string) =>
  Type.Integer({
    minimum: 0,
    maximum: 999_999_999_999,
    description: `${description}, in the smallest unit of the currency`,
  })

/** Decimal text, so that no digit is lost: '0.5'. At most twelve decimals. */
export const decimalAmount = (description: string) =>
  Type.String({
    pattern: '^\\d{1,12}(\\.\\d{1,12})?$',
    description: `${description}, as decimal text in the smallest unit`,
  })

export const when = (description: string) =>
  Type.String({ format: 'instant', description: `${description}, in UTC: 2026-12-31T09:15:00Z` })

export const url = (description: string) => Type.String({ pattern: '^https?://', maxLength: 2_048, description })

export const metadataSchema = Type.Unsafe<Record<string, string>>({
  type: 'object',
  // Stripe allows 50 keys; some carry Crossbill's marks (https://docs.stripe.com/api/metadata).
  maxProperties: 44,
  propertyNames: { type: 'string', maxLength: 40, pattern: '^(?!crossbill_)[^\\[\\]]+$' },
  additionalProperties: { type: 'string', minLength: 1, maxLength: 500 },
  description: 'Your own metadata. Keys beginning with crossbill_ are reserved',
})

export const taxBehavior = oneOf(
  ['exclusive', 'inclusive', 'unspecified'],
  'Whether tax is added to the amount or included in it',
)

export function closed<P extends TProperties>(properties: P, description?: string): TObject<P> {
  return Type.Object(properties, { additionalProperties: false, ...(description === undefined ? {} : { description }) })
}

/** A closed object with an optional field for each name. */
export function fieldPerName<Name extends string, S extends TSchema>(
  names: readonly Name[],
  schemaOf: (name: Name) => S,
  description: string,
): TObject<Record<Name, TOptional<S>>> {
  const properties = Object.fromEntries(names.map((name) => [name, optional(schemaOf(name))]))
  return closed(properties as Record<Name, TOptional<S>>, description)
}

export const optional = <S extends TSchema>(schema: S) => Type.Optional(schema)
export const listOf = <S extends TSchema>(
  schema: S,
  options: { maxItems?: number; minItems?: number; uniqueItems?: boolean; description?: string } = {},
): TArray<S> => Type.Array(schema, options)

export function mapOf<S extends TSchema>(
  keys: string,
  values: S,
  description?: string,
): TUnsafe<Record<string, Static<S>>> {
  return Type.Unsafe<Record<string, Static<S>>>({
    type: 'object',
    propertyNames: { type: 'string', pattern: keys },
    additionalProperties: values,
    ...(description === undefined ? {} : { description }),
  })
}

/** A map in which one key is required. */
export function mapWith<Key extends string, S extends TSchema>(
  required: Key,
  keys: string,
  about: { readonly values: S; readonly description: string },
): TUnsafe<Record<string, Static<S>> & Record<Key, Static<S>>> {
  const { values, description } = about
  return Type.Unsafe<Record<string, Static<S>> & Record<Key, Static<S>>>({
    type: 'object',
    properties: { [required]: values },
    required: [required],
    propertyNames: { type: 'string', pattern: keys },
    additionalProperties: values,
    description,
  })
}
