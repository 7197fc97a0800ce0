import type Stripe from 'stripe'
import { canonicalJson } from '../core/canonical.ts'
import type { Json, JsonObject, StripeObject } from '../core/json.ts'
import { targetAccount } from '../catalog/types.ts'
import { liveForm, meaningOfForm } from '../kinds/form.ts'
import type { Kind, KindName, References } from '../kinds/kind.ts'
import { keyOfOutside } from '../kinds/outside.ts'
import type { LiveResources } from '../live/accounts.ts'

/** One account, as `pull` reads it. */
export interface PulledAccount {
  readonly name: string
  readonly resources: LiveResources
  /** All subscriptions, including ended ones. */
  readonly subscriptions: readonly Stripe.Subscription[]
  readonly customers: ReadonlyMap<string, Stripe.Customer>
  readonly schedules: ReadonlyMap<string, Stripe.SubscriptionSchedule>
}

/** A live object and its account. */
export interface Member {
  readonly account: string
  readonly id: string
  readonly live: StripeObject
  readonly form: JsonObject
  /** Whether a subscription uses it. */
  readonly used: boolean
}

/**
 * Objects of the accounts that become one object in this catalog, because they do not differ in
 * anything that affects a bill.
 */
export interface Group {
  readonly key: string
  readonly members: readonly Member[]
}

/** Maps ids of one account to keys of this catalog, as far as they are known. */
export class KeyTable implements References {
  readonly #keys = new Map<string, string>()
  readonly #account: string

  constructor(account: string, mappings: Readonly<Partial<Record<KindName, Readonly<Record<string, string>>>>> = {}) {
    this.#account = account
    for (const [kind, entries] of Object.entries(mappings))
      for (const [id, key] of Object.entries(entries)) this.put(kind as KindName, id, key)
  }

  put(kind: KindName, id: string, key: string): void {
    this.#keys.set(`${kind} ${id}`, key)
  }

  keyOf(kind: KindName, id: string): string | undefined {
    return this.#keys.get(`${kind} ${id}`)
  }

  keysOf(kind: KindName): readonly string[] {
    return [...this.#keys].flatMap(([place, key]) => (place.startsWith(`${kind} `) ? [key] : []))
  }

  toKey(kind: KindName, id: string): string {
    // The target's own objects can be named by id in its catalog; those of an old account cannot.
    if (this.#account === targetAccount) return this.keyOf(kind, id) ?? keyOfOutside({ by: 'id', value: id })
    return this.keyOf(kind, id) ?? `(${this.#account} ${id})`
  }

  toStripe(_kind: KindName, key: string): Json {
    return key
  }
}

/**
 * What makes two objects of a kind equal. Prices: every pricing field and nothing else, so that a
 * quarterly price never merges with a monthly price of the same amount. Products: the name. Tax
 * rates: everything that is printed or computed. Coupons: the terms and the name.
 */
export function sameness(kind: Kind, said: JsonObject): string {
  const form = meaningOfForm(kind, said)
  const without = (...names: readonly string[]): string =>
    canonicalJson(Object.fromEntries(Object.entries(form).filter(([name]) => !names.includes(name))))
  switch (kind.name) {
    case 'product':
      return typeof form['name'] === 'string' ? form['name'].trim().toLowerCase() : ''
    case 'price':
      return without('nickname', 'metadata', 'lookup_key', 'active')
    case 'tax_rate':
    case 'coupon':
      return without('metadata', 'active')
    case 'promotion_code':
    case 'webhook_endpoint':
    case 'portal_configuration':
    case 'feature':
    case 'meter':
    case 'shipping_rate':
    case 'payment_link':
    case 'payment_method_configuration':
    case 'payment_method_domain':
    case 'tax_registration':
    case 'tax_settings':
    case 'event_destination':
      return without('metadata', 'active')
  }
}

/**
 * Groups the objects of one kind from all accounts and gives each group a key: the key to which its
 * members are mapped, else the key of an equal entry (`written`: sameness → key), else a new key.
 * Members with mappings to different keys stay apart, because a person decided so.
 */
export function consolidate(
  kind: Kind,
  members: readonly Member[],
  tables: ReadonlyMap<string, KeyTable>,
  { written, nameOf }: { readonly written: ReadonlyMap<string, string>; readonly nameOf: (first: Member) => string },
): readonly Group[] {
  const groups = new Map<string, { key: string | undefined; members: Member[] }>()
  for (const member of members) {
    const same = sameness(kind, member.form)
    const mapped = tables.get(member.account)?.keyOf(kind.name, member.id) ?? written.get(same)
    const unmapped = groups.get(same)
    // An unmapped object joins the group of its equals; a mapped one joins or creates the group of
    // its key.
    const place = mapped === undefined ? same : `= ${mapped}`
    const group =
      groups.get(place) ?? (mapped === undefined ? undefined : unmapped?.key === mapped ? unmapped : undefined)
    if (group !== undefined) group.members.push(member)
    else {
      const made = { key: mapped, members: [member] }
      groups.set(place, made)
      if (mapped !== undefined && unmapped === undefined) groups.set(same, made)
    }
  }
  return [...new Set(groups.values())].map((group) => {
    const [first] = group.members
    const key = group.key ?? (first === undefined ? '' : nameOf(first))
    for (const { account, id } of group.members) tables.get(account)?.put(kind.name, id, key)
    return { key, members: group.members }
  })
}

/**
 * The live objects of a kind in order of creation; mapped objects first, so that keys stay stable,
 * then objects in use.
 */
export function membersOf(
  kind: Kind,
  accounts: readonly PulledAccount[],
  tables: ReadonlyMap<string, KeyTable>,
  options: {
    readonly extra?: (account: PulledAccount) => readonly StripeObject[]
    readonly used: (account: PulledAccount, id: string) => boolean
  },
): readonly Member[] {
  const all = accounts.flatMap((account) => {
    const table = tables.get(account.name)
    if (table === undefined) return []
    const objects = [...(account.resources.get(kind.name) ?? []), ...(options.extra?.(account) ?? [])]
    return objects
      .filter((live) => typeof live.id === 'string')
      .sort((a, b) => created(a) - created(b) || ((a.id ?? '') < (b.id ?? '') ? -1 : 1))
      .map((live) => ({
        account: account.name,
        id: live.id ?? '',
        live,
        form: liveForm(kind, live, table),
        used: options.used(account, live.id ?? ''),
      }))
  })
  const mapped = (member: Member): number =>
    tables.get(member.account)?.keyOf(kind.name, member.id) === undefined ? 1 : 0
  return all.sort((a, b) => mapped(a) - mapped(b) || Number(b.used) - Number(a.used))
}

function created(live: StripeObject): number {
  return typeof live['created'] === 'number' ? live['created'] : 0
}

/** The value that all members share; undefined when they differ. */
export function shared(members: readonly Member[], field: string): Json | undefined {
  const [first, ...rest] = members.map(({ form }) => form[field])
  return rest.every((one) => canonicalJson(one ?? null) === canonicalJson(first ?? null)) ? first : undefined
}
