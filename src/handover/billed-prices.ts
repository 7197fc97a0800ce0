import type Stripe from 'stripe'
import { newAddress } from '../catalog/new-address.ts'
import { targetAccount, type Catalog, type DesiredResource } from '../catalog/types.ts'
import { address, splitAddress } from '../core/address.ts'
import { priceKey } from '../live/marks.ts'
import { priceDifferences, productDiffers } from './terms.ts'

/** What the catalog says about the prices of an account. */
export type PriceNames = Pick<Catalog, 'mappings' | 'moved' | 'resources'>

type Billed = { readonly id?: string; readonly metadata?: unknown; readonly lookup_key?: unknown }

/** A line of the mappings that names another price than the account bills. */
export interface WrongMapping {
  /** The key that the line names. */
  readonly key: string
  readonly differs: readonly string[]
  /** The key of the price that charges what the account bills, if the catalog has one. */
  readonly instead: string | undefined
}

/**
 * The catalog's key of a price that an account bills: in the target by the lookup key of an entry
 * that only observes the price, else by Crossbill's mark; otherwise by the mappings of the account.
 * An observed price may carry the mark of the project that manages it. Undefined for a price that
 * the catalog does not know, and for one whose mapping is wrong: no cancel and no access may follow
 * from it. A renamed entry (`moved:`) has its new key before the mark has it.
 */
export function billedPriceKey(names: PriceNames, account: string, price: Billed): string | undefined {
  const observed = account === targetAccount ? observedKey(names, price) : undefined
  if (observed !== undefined) return observed
  const mark = account === targetAccount ? priceKey(price) : undefined
  if (mark !== undefined) return splitAddress(newAddress(address('price', mark), names.moved)).key
  return wrongMapping(names, account, price) === undefined ? mappedKey(names, account, price) : undefined
}

function mappedKey({ mappings }: PriceNames, account: string, { id = '' }: Billed): string | undefined {
  const mapped = mappings.get(account)?.prices ?? {}
  return Object.hasOwn(mapped, id) ? mapped[id] : undefined
}

/** The entry that observes a price finds it by its lookup key, as a plan does. */
function observedKey({ resources }: PriceNames, { lookup_key: named }: Billed): string | undefined {
  return typeof named === 'string' ? observedBy(resources).get(named) : undefined
}

const observedByCatalog = new WeakMap<Catalog['resources'], ReadonlyMap<unknown, string>>()

/** The keys of observed prices, by lookup key. */
function observedBy(resources: Catalog['resources']): ReadonlyMap<unknown, string> {
  const before = observedByCatalog.get(resources)
  if (before !== undefined) return before
  const observed = resources.filter(({ kind, lifecycle }) => kind === 'price' && lifecycle?.observe === true)
  const keys = new Map(observed.map(({ key, value }) => [value['lookup_key'], key] as const))
  observedByCatalog.set(resources, keys)
  return keys
}

/** A change of the catalog may change these: they do not make a mapping wrong. */
const amounts: ReadonlySet<string> = new Set(['unit_amount', 'tiers', 'tax_behavior'])

/**
 * The error of a mapping, found by comparing the old price with the price that the line names.
 * Another product, another interval, or another catalog price that charges exactly what the old one
 * does: the line names another price. A different amount alone is a price that the catalog raised
 * or lowered since; it stays the same price, and only a move onto it is refused.
 */
export function wrongMapping(names: PriceNames, account: string, price: Billed): WrongMapping | undefined {
  if (account === targetAccount || !isWhole(price)) return undefined
  const key = mappedKey(names, account, price)
  if (key === undefined) return undefined
  const prices = pricesOf(names.resources)
  const mapped = prices.get(key)
  if (mapped === undefined) return undefined
  const products = names.mappings.get(account)?.products ?? {}
  const differencesFrom = ({ value }: DesiredResource): readonly string[] => [
    ...priceDifferences(price, value, price.currency),
    ...(productDiffers(price, value, (id) => products[id]) ? ['product'] : []),
  ]
  const differs = differencesFrom(mapped)
  if (differs.length === 0) return undefined
  const instead = [...prices].find(([, one]) => differencesFrom(one).length === 0)?.[0]
  return instead !== undefined || differs.some((field) => !amounts.has(field)) ? { key, differs, instead } : undefined
}

const pricesByCatalog = new WeakMap<Catalog['resources'], ReadonlyMap<string, DesiredResource>>()

function pricesOf(resources: Catalog['resources']): ReadonlyMap<string, DesiredResource> {
  const before = pricesByCatalog.get(resources)
  if (before !== undefined) return before
  const prices = new Map(resources.flatMap((one) => (one.kind === 'price' ? [[one.key, one] as const] : [])))
  pricesByCatalog.set(resources, prices)
  return prices
}

/** Whether Stripe's answer shows the whole price, and not only its id. */
function isWhole(price: Billed): price is Stripe.Price {
  return 'billing_scheme' in price && 'product' in price
}
