import type { TSchema } from 'typebox'
import { kinds } from '../../kinds/registry.ts'
import { changeBlocks, entrySchema } from './lifecycle.ts'
import { closed, keyPattern, mapOf, optional, text } from '../../kinds/schema.ts'

/**
 * Each `*.yaml` directly below catalog/ may hold the sections of any kind; by convention one file
 * holds one section.
 */
export const catalogSchema: TSchema = closed({
  ...Object.fromEntries(
    kinds.map((kind) => [kind.section, optional(mapOf(keyPattern, entrySchema(kind), `See ${kind.docs}`))]),
  ),
  ...changeBlocks,
})

/**
 * `externals.yaml`: recurring payments that another program collects, declared so that `verify`
 * accounts for them.
 */
export const externalsSchema: TSchema = closed({
  externals: mapOf(
    '^[a-z][a-z0-9_-]*$',
    mapOf('^cus_[A-Za-z0-9_]+$', text('What these payments are, and which program collects them')),
    'Source → customer → reason',
  ),
})
