import Type, { type Static, type TSchema, type TUnsafe } from 'typebox'
import type { SubscriberKey } from './address.ts'
import type { Instant } from './instant.ts'
import type { Json, JsonObject } from './json.ts'

type Frozen<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends readonly (infer E)[]
    ? readonly Frozen<E>[]
    : { readonly [K in keyof T]: Frozen<T[K]> }

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false

/**
 * Gives a JSON Schema the type of the values that it accepts: `schemaOf<Place>()(Type.Object({ …
 * }))`. A schema that differs from the type in a field, a literal or an optional does not compile,
 * so a document that passes the schema is a value of the type.
 */
export function schemaOf<T>() {
  return <S extends TSchema>(schema: Same<Frozen<Static<S>>, Frozen<T>> extends true ? S : never): TUnsafe<T> =>
    Type.Unsafe<T>(schema)
}

export const text = Type.String()
export const texts = Type.Array(text)
export const whole = Type.Integer()
export const orNull = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()])
/** Values of `SubscriberKey`. */
export const keyOfSubscriber = Type.Unsafe<SubscriberKey>({ type: 'string', pattern: '^[^/]+/.+$' })
/** Values of `Instant`. */
export const seconds = Type.Unsafe<Instant>({ type: 'integer' })
export const anyJson = Type.Unsafe<Json>({})
/** Parameters of a request, which Stripe checks. */
export const params = Type.Unsafe<JsonObject>({ type: 'object' })

/** One of the names of a union: a missing name does not compile. */
export function oneOf<T extends string>(names: Readonly<Record<T, unknown>>): TUnsafe<T> {
  return Type.Unsafe<T>({ type: 'string', enum: Object.keys(names) })
}

/** One whole number for each name of a union: a missing name does not compile. */
export function numberOfEach<T extends string>(names: Readonly<Record<T, unknown>>): TUnsafe<Record<T, number>> {
  const properties = Object.fromEntries(Object.keys(names).map((name) => [name, whole]))
  return Type.Unsafe<Record<T, number>>({ type: 'object', properties, required: Object.keys(names) })
}

/** The form that `tag` names, so that an error names the wrong field of that form. */
export function tagged<T>(tag: string, forms: readonly TSchema[]): TUnsafe<T> {
  return Type.Unsafe<T>({
    type: 'object',
    properties: { [tag]: { type: 'string' } },
    required: [tag],
    discriminator: { propertyName: tag },
    oneOf: [...forms],
  })
}
