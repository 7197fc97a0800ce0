import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import { type Group, type KeyTable, type Member, shared } from './consolidate.ts'

/** An entry to write, with a comment that gives the reason. */
export interface Written {
  readonly value: JsonObject
  readonly comment?: string
}

/** Fields that describe one old object. They are kept only if all members of a group agree. */
export const aside: readonly string[] = ['lookup_key', 'nickname', 'metadata', 'active', 'default_price']

/** The values on which the members agree. */
export function agreed({ members }: Group): Written {
  const first = members[0]?.form ?? {}
  const terms = Object.fromEntries(Object.entries(first).filter(([name]) => !aside.includes(name)))
  const notes = ['lookup_key', 'nickname', 'metadata'].flatMap((name) => {
    const value = withoutAddresses(shared(members, name))
    return value === undefined ? [] : [[name, value] as const]
  })
  const inactive = members.every(({ form }) => form['active'] === false) ? { active: false } : {}
  return {
    value: { ...terms, ...inactive, ...Object.fromEntries(notes) },
    ...because(members, 'equal in everything that affects a bill'),
  }
}

/**
 * Removes e-mail addresses: an old checkout writes the buyer into an ad-hoc price, and a catalog
 * must not hold personal data.
 */
function withoutAddresses(value: Json | undefined): Json | undefined {
  if (typeof value === 'string') return value.includes('@') ? undefined : value
  if (!isJsonObject(value)) return value
  const kept = Object.entries(value).filter(([, one]) => typeof one !== 'string' || !one.includes('@'))
  return kept.length === 0 ? undefined : Object.fromEntries(kept)
}

function because(members: readonly Member[], why: string): { readonly comment?: string } {
  if (members.length < 2) return {}
  const counts = new Map<string, number>()
  for (const { account } of members) counts.set(account, (counts.get(account) ?? 0) + 1)
  const where = [...counts].map(([account, count]) => `${count} of ${account}`).join(', ')
  return { comment: `merged from ${members.length} objects (${where}): ${why}` }
}

/**
 * Features of all old products of the group: a merged product grants everything that each of them
 * granted.
 */
export function featuresOf({ members }: Group): readonly string[] {
  const all = members.flatMap(({ form }) => (Array.isArray(form['features']) ? (form['features'] as string[]) : []))
  return [...new Set(all)].sort()
}

/** The default price is set if it is one of the written prices and active. */
export function productValue(group: Group, prices: readonly Group[], tables: ReadonlyMap<string, KeyTable>): Written {
  const { value } = agreed(group)
  const named = group.members.flatMap(({ account, live }) => {
    const id = live['default_price']
    return typeof id === 'string' ? (tables.get(account)?.keyOf('price', id) ?? []) : []
  })
  const own = prices.find(
    ({ key, members }) =>
      named.includes(key) && members.some(({ form }) => form['product'] === group.key && form['active'] !== false),
  )
  const { name, features: _first, ...rest } = value
  const features = featuresOf(group)
  return {
    value: {
      ...(name === undefined ? {} : { name }),
      ...rest,
      ...(own === undefined ? {} : { default_price: own.key }),
      ...(features.length === 0 ? {} : { features }),
    },
    ...because(group.members, 'same name'),
  }
}

/**
 * `lookupKeys`: keys that are already in use. Your own code finds a price by its key, so a key that
 * is unique in its group stays.
 */
export function priceValue(group: Group, lookupKeys: Set<string>): Written {
  const written = withLookupKey(agreed(group), group, lookupKeys)
  const archived = written.value['active'] === false && group.members.some(({ used }) => used)
  return archived && written.comment === undefined
    ? { ...written, comment: 'no longer sold; subscriptions use it' }
    : written
}

function withLookupKey(written: Written, { members }: Group, taken: Set<string>): Written {
  const { lookup_key: _shared, ...value } = written.value
  const own = new Set(
    members.flatMap(({ form }) => (typeof form['lookup_key'] === 'string' ? [form['lookup_key']] : [])),
  )
  const [key] = own
  if (key === undefined || own.size > 1 || taken.has(key)) return { ...written, value }
  taken.add(key)
  return { ...written, value: { ...value, lookup_key: key } }
}

/**
 * A coupon that cannot be redeemed any more is written without its limits: Stripe refuses to create
 * a coupon with an end in the past, and its holders keep it.
 */
export function couponValue(group: Group): Written {
  const written = agreed(group)
  if (group.members.some(({ live }) => live['valid'] === true)) return written
  const { max_redemptions: _most, redeem_by: _until, ...rest } = written.value
  return { value: rest, comment: 'no longer redeemable in the old account; kept for its holders, without its limits' }
}
