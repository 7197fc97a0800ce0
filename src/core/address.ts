/**
 * The name of a resource everywhere: `price.membership-monthly-usd`, `subscriber.us/sub_1Nq…`,
 * `access.us/sub_1Nq….offer-key`. The part before the first dot is the kind, the rest is the key in
 * this catalog.
 */
export type Address = `${string}.${string}`

export function address(kind: string, key: string): Address {
  return `${kind}.${key}`
}

export function splitAddress(whole: string): { readonly kind: string; readonly key: string } {
  const dot = whole.indexOf('.')
  return { kind: whole.slice(0, dot), key: whole.slice(dot + 1) }
}

/** The address of a subscriber in plans and in the journal. */
export function subscriberAddress(key: string): Address {
  return address('subscriber', key)
}

/** A subscriber is named by its origin: `us/sub_1Nq…`. */
export type SubscriberKey = `${string}/${string}`

export function subscriberKey(source: string, subscription: string): SubscriberKey {
  return `${source}/${subscription}`
}

export function splitSubscriberKey(key: SubscriberKey): { readonly source: string; readonly subscription: string } {
  const slash = key.indexOf('/')
  return { source: key.slice(0, slash), subscription: key.slice(slash + 1) }
}
