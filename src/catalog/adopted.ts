import { address } from '../core/address.ts'
import { kinds } from '../kinds/registry.ts'
import { type Catalog, targetAccount } from './types.ts'

/**
 * Objects of any kind that existed in the target before, as `mappings/target.yaml` lists them: id →
 * address under which the object is adopted.
 */
export function adoptedObjects({ mappings }: Pick<Catalog, 'mappings'>): ReadonlyMap<string, string> {
  const target = mappings.get(targetAccount) as Readonly<Record<string, Readonly<Record<string, string>>>> | undefined
  return new Map(
    kinds.flatMap(({ name, section }) =>
      Object.entries(target?.[section] ?? {}).map(([id, key]) => [id, address(name, key)] as const),
    ),
  )
}
