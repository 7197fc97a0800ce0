import type { ObjectRecord } from '../ports.ts'

/**
 * The records of the objects that the accounts show. The store's own record counts only while it
 * names the object that the accounts show: another checkout may have replaced it since, and then
 * the form that this store applied was another object's.
 */
export function recordsOf(
  { ids }: { readonly ids: ReadonlyMap<string, string> },
  known: readonly ObjectRecord[],
  account: string,
): readonly ObjectRecord[] {
  const before = new Map(known.map((record) => [record.address, record]))
  return [...ids].map(([address, id]) => {
    const record = before.get(address)
    return record?.id === id ? record : { address, account, id, applied: null }
  })
}
