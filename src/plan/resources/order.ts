import type { JsonObject } from '../../core/json.ts'
import type { Kind } from '../../kinds/kind.ts'
import { kinds } from '../../kinds/registry.ts'
import type { Keyless } from '../change.ts'
import type { ResourceChange } from '../types.ts'

/**
 * When a change is executed. Within a phase, changes follow the order of the kinds (a used object
 * before its user); retirements follow the reverse order.
 *
 * 1. `make`            everything that must exist: creations, replacements, updates
 * 2. `update_product`  products, whose default price may be new
 * 3. `archive`         prices that are no longer sold and no longer a default price
 * 4. `retire`          objects without an entry: users before what they use
 * 5. `closing`         after the subscribers: objects that had to stay active for them
 */
export type When = 'make' | 'update_product' | 'archive' | 'retire' | 'closing'

export interface Placed {
  readonly when: When
  readonly kind: Kind
  readonly change: Keyless<ResourceChange>
  /** The observation of the object. */
  readonly observed: JsonObject
}

const sequence: readonly When[] = ['make', 'update_product', 'archive', 'retire', 'closing']

export function inOrder(placed: readonly Placed[]): {
  changes: readonly Keyless<ResourceChange>[]
  closing: readonly Keyless<ResourceChange>[]
} {
  const rank = ({ when, kind }: Placed): number => {
    const place = kinds.indexOf(kind)
    return sequence.indexOf(when) * kinds.length + (when === 'retire' ? kinds.length - 1 - place : place)
  }
  const sorted = [...placed].sort((a, b) => rank(a) - rank(b))
  return {
    changes: sorted.filter(({ when }) => when !== 'closing').map(({ change }) => change),
    closing: sorted.filter(({ when }) => when === 'closing').map(({ change }) => change),
  }
}
