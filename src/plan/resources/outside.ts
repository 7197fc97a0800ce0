import type { DesiredResource } from '../../catalog/types.ts'
import type { Kind } from '../../kinds/kind.ts'
import { outsideOf, withReferences } from '../../kinds/outside.ts'
import { outsideObject } from '../../live/outside.ts'
import type { LiveResources } from '../../live/accounts.ts'
import type { Blocked } from './judged.ts'
import type { ReferenceTable } from './references.ts'

/**
 * The entry with each outside reference replaced by the key that a live form uses for the same
 * object: the key of the entry that declares it, otherwise its id in brackets. A reference to an
 * object that the account does not have blocks the entry, because Stripe would refuse it.
 */
export function withOutsideKeys(
  kind: Kind,
  resource: DesiredResource,
  references: ReferenceTable,
  live: LiveResources,
): { readonly resource: DesiredResource; readonly missing: readonly Blocked[] } {
  const missing: Blocked[] = []
  const value = withReferences(kind, resource.value, (name, key) => {
    const outside = outsideOf(key)
    if (outside === undefined) return key
    const object = outsideObject(name, key, live)
    if (object?.id !== undefined) return references.toKey(name, object.id)
    const called = outside.by === 'id' ? 'id' : 'lookup key'
    missing.push({
      address: resource.address,
      code: 'outside_missing',
      message: `it refers to the ${name} with the ${called} ${outside.value}, which the account does not have`,
      fix: `correct the ${called}, or create that object first`,
    })
    return key
  })
  return { resource: value === resource.value ? resource : { ...resource, value }, missing }
}
