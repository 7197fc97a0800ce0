import Type, { type TSchema } from 'typebox'
import type { Kind } from '../../kinds/kind.ts'
import { closed, flag, listOf, mapOf, oneOf, optional, text } from '../../kinds/schema.ts'

/** Keys that any entry may have beside its fields: they say what may happen to the object. */
const retire = Type.Literal(true, { description: 'Retires the object; delete the entry after the apply' })

const words = (kind: Kind): Record<string, TSchema> => ({
  retire: optional(retire),
  ignore_fields: optional(
    listOf(text('A field, or a key in it: metadata.crm_id', 200), {
      minItems: 1,
      uniqueItems: true,
      description: 'Not changed once the object exists, because other people or programs write them',
    }),
  ),
  observe: optional(
    Type.Literal(true, {
      description: 'Compared and referenced, but never written, because another program manages the object',
    }),
  ),
  // Protection is stored on the object, so that it outlives the entry.
  ...(kind.marks
    ? { protect: optional(flag('Refuses to retire or replace the object, even after its entry is deleted')) }
    : {}),
})

/** Schema of one entry of a section: the kind's fields and the lifecycle keys. */
export function entrySchema(kind: Kind): TSchema {
  return closed({ ...kind.schema.properties, ...words(kind) })
}

const addressPattern = '^[a-z_]+\\.[A-Za-z0-9][A-Za-z0-9_-]{0,99}$'
const addressText = Type.String({ pattern: addressPattern, description: 'An address: price.membership-monthly' })

/** `removed:` and `moved:`, allowed in any file that holds entries. */
export const changeBlocks: Readonly<Record<string, TSchema>> = {
  removed: optional(
    Type.Union(
      [
        Type.Array(addressText, { uniqueItems: true }),
        mapOf(
          addressPattern,
          oneOf(['retire', 'keep'], 'retire: take the object out of use · keep: leave it unchanged'),
        ),
      ],
      { description: 'Entries deleted on purpose: a list of addresses to retire, or a map: address → retire | keep' },
    ),
  ),
  moved: optional(mapOf(addressPattern, addressText, 'Old address → new address, after the key of an entry changed')),
}
