import { address, splitAddress } from '../core/address.ts'
import { priceKey } from '../live/marks.ts'
import { newAddress } from './new-address.ts'
import { targetAccount, type Catalog } from './types.ts'

/**
 * The catalog's key of a price that an account bills: by Crossbill's mark on it in the target, else
 * by the mappings of the account. Undefined for a price that the catalog does not know. A renamed
 * entry (`moved:`) has its new key before the mark has it.
 */
export function billedPriceKey(
  { mappings, moved }: Pick<Catalog, 'mappings' | 'moved'>,
  account: string,
  price: { readonly id?: string; readonly metadata?: unknown },
): string | undefined {
  const mark = account === targetAccount ? priceKey(price) : undefined
  if (mark !== undefined) return splitAddress(newAddress(address('price', mark), moved)).key
  const mapped = mappings.get(account)?.prices ?? {}
  const id = price.id ?? ''
  return Object.hasOwn(mapped, id) ? mapped[id] : undefined
}
