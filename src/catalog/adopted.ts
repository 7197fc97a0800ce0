import { address } from '../core/address.ts'
import { kinds } from '../kinds/registry.ts'
import { type Catalog, targetAccount } from './types.ts'

/** `mappings/target.yaml`: ids of objects of any kind that were in the target before, and the addresses under which they are adopted. */
export function adoptedObjects({ mappings }: Pick<Catalog, 'mappings'>): ReadonlyMap<string, string> {
  const target = mappings.get(targetAccount) as Readonly<Record<string, Readonly<Record<string, string>>>> | undefined
  return new Map(
    kinds.flatMap(({ name, section }) =>
      Object.entries(target?.[section] ?? {}).map(([id, key]) => [id, address(name, key)] as const),
    ),
  )
}
