import { isJsonObject } from '../../core/json.ts'
import type { ResourcesPlan } from '../../plan/resources/types.ts'
import type { Context } from '../context.ts'

/**
 * Where the store keeps the ids of objects that entries only observe. They are not in its list of
 * objects: a record there says that the object is the project's own.
 */
const observedKey = 'observed'

/** The id for an address, as the accounts show it: of an own object, or of an observed one. */
export function idIn({ ids, observed }: Pick<ResourcesPlan, 'ids' | 'observed'>, address: string): string | undefined {
  return ids.get(address) ?? observed.get(address)
}

/** Keeps the ids of observed objects for the steps that refer to them. */
export async function noteObserved(
  { store }: Pick<Context, 'store'>,
  { observed }: Pick<ResourcesPlan, 'observed'>,
): Promise<void> {
  await store.put(observedKey, Object.fromEntries(observed))
}

/** The ids of the catalog's objects, as the store knows them. */
export async function catalogIds({ store }: Pick<Context, 'store'>): Promise<Map<string, string>> {
  const [kept, objects] = await Promise.all([store.get(observedKey), store.objects()])
  const observed = isJsonObject(kept) ? Object.entries(kept) : []
  return new Map([
    ...observed.flatMap(([address, id]) => (typeof id === 'string' ? [[address, id] as const] : [])),
    ...objects.map(({ address, id }) => [address, id] as const),
  ])
}
