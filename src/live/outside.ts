import type { StripeObject } from '../core/json.ts'
import type { KindName } from '../kinds/kind.ts'
import { outsideOf } from '../kinds/outside.ts'
import type { LiveResources } from './accounts.ts'

/**
 * The live object that an outside reference names; undefined for a key, and for a missing object.
 */
export function outsideObject(kind: KindName, key: string, live: LiveResources): StripeObject | undefined {
  const outside = outsideOf(key)
  if (outside === undefined) return undefined
  const name = outside.by === 'id' ? 'id' : 'lookup_key'
  return (live.get(kind) ?? []).find((one) => one[name] === outside.value)
}
