import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import type { TUnsafe } from 'typebox'

export type Parsed<T> = { readonly value: T } | { readonly problem: string }

/**
 * Reads documents that Crossbill wrote (plan files, the store's records): a value of the schema's
 * type, or why it is not one, with the place: `/changes/0/steps/3/path must be string`.
 */
export function parserOf<T>(schema: TUnsafe<T>): (document: unknown) => Parsed<T> {
  let compiled: ValidateFunction<T> | undefined
  return (document) => {
    compiled ??= new Ajv2020({ strict: true, allowUnionTypes: true, discriminator: true }).compile<T>(schema)
    return compiled(document) ? { value: document } : { problem: problemOf(compiled.errors?.[0]) }
  }
}

function problemOf(error: ErrorObject | undefined): string {
  const { instancePath: at = '', keyword, message = 'has a wrong form', params: rule = {} } = error ?? {}
  if (keyword === 'enum') return `${at} must be one of ${(rule['allowedValues'] as readonly string[]).join(', ')}`
  if (keyword === 'discriminator' && rule['error'] === 'mapping')
    return `${at}/${String(rule['tag'])} has a value that this version does not know`
  return `${at === '' ? '/' : at} ${message}`
}
