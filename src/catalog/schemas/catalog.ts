import type { TSchema } from 'typebox'
import { kinds } from '../../kinds/registry.ts'
import { changeBlocks, entrySchema } from './lifecycle.ts'
import { closed, keyPattern, mapOf, optional, text } from '../../kinds/schema.ts'

/** Any `*.yaml` directly below catalog/ may hold any of the kinds' sections; by convention one file holds one. */
export const catalogSchema: TSchema = closed({
  ...Object.fromEntries(
    kinds.map((kind) => [kind.section, optional(mapOf(keyPattern, entrySchema(kind), `See ${kind.docs}`))]),
  ),
  ...changeBlocks,
})

/** `externals.yaml`: payments that another program takes from people, declared so that nobody is forgotten. */
export const externalsSchema: TSchema = closed({
  externals: mapOf(
    '^[a-z][a-z0-9_-]*$',
    mapOf('^cus_[A-Za-z0-9_]+$', text('What these payments are, and who takes them')),
    'Source → customer → reason',
  ),
})
