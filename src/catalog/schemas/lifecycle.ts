import Type, { type TSchema } from 'typebox'
import type { Kind } from '../../kinds/kind.ts'
import { closed, flag, listOf, mapOf, oneOf, optional, text } from '../../kinds/schema.ts'

/** Words that any entry may say beside its fields: not what the object is, but what may happen to it. */
const retire = Type.Literal(true, { description: 'Takes the object out of use; the entry can go once that is done' })

const words = (kind: Kind): Record<string, TSchema> => ({
  retire: optional(retire),
  ignore_fields: optional(
    listOf(text('A field, or a key in it: metadata.crm_id', 200), {
      minItems: 1,
      uniqueItems: true,
      description: 'Left as they are once the object exists: other people or programs write them',
    }),
  ),
  observe: optional(
    Type.Literal(true, { description: 'Compared and referred to, never written: another program looks after it' }),
  ),
  // Protection is written onto the object, so that it outlives its entry.
  ...(kind.marks
    ? { protect: optional(flag('Refuses to take it out of use or to replace it, also when the entry is gone')) }
    : {}),
})

/** One entry of a section: the kind's own fields, and the words about its life. */
export function entrySchema(kind: Kind): TSchema {
  const { properties } = kind.schema as unknown as { properties: Record<string, TSchema> }
  return closed({ ...properties, ...words(kind) })
}

const addressPattern = '^[a-z_]+\\.[A-Za-z0-9][A-Za-z0-9_-]{0,99}$'
const addressText = Type.String({ pattern: addressPattern, description: 'An address: price.membership-monthly' })

/** `removed:` and `moved:`, which may stand in any file that holds entries. */
export const changeBlocks: Readonly<Record<string, TSchema>> = {
  removed: optional(
    Type.Union(
      [
        Type.Array(addressText, { uniqueItems: true }),
        mapOf(addressPattern, oneOf(['retire', 'keep'], 'Take it out of use, or leave it as it is without a word')),
      ],
      { description: 'Entries that are gone on purpose: a list to take out of use, or address → retire | keep' },
    ),
  ),
  moved: optional(mapOf(addressPattern, addressText, 'Old address → new address of an entry with another key')),
}
