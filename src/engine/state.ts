import { addTo } from '../core/lists.ts'
import { address, subscriberAddress } from '../core/address.ts'
import { formatInstant } from '../core/instant.ts'
import type { Context } from './context.ts'
import { applyLease, serveLease } from './lease.ts'
import type { ObjectRecord, Store } from './ports.ts'

/** One row of the identity map: the target's object for an object of a source. */
export interface Identity {
  /** `product`, `price`, `tax_rate`, `coupon`, `customer`, `payment_method`, `subscription` … */
  readonly kind: string
  /** The source account; empty for what exists only in the target. */
  readonly source: string
  readonly old_id: string
  /**
   * `price.membership-monthly-usd`, `subscriber.us/sub_…`; empty for customers and payment methods.
   */
  readonly address: string
  readonly new_id: string
}

export interface StateSummary {
  readonly lineage: string
  readonly serial: number
  readonly objects: number
  readonly subscribers: Readonly<Record<string, number>>
  readonly open_journal: number
  readonly leases: readonly { readonly name: string; readonly holder: string; readonly expires: string }[]
}

/** Leases that keep programs from working at the same time. */
const leaseNames: readonly string[] = [applyLease, serveLease]

export async function stateShow({ store }: Pick<Context, 'store'>): Promise<StateSummary> {
  const [version, objects, records, open] = await Promise.all([
    store.version(),
    store.objects(),
    store.subscribers(),
    store.journalOpen(),
  ])
  const subscribers: Record<string, number> = {}
  for (const { phase } of records) subscribers[phase] = (subscribers[phase] ?? 0) + 1
  return { ...version, objects: objects.length, subscribers, open_journal: open.length, leases: await leases(store) }
}

async function leases(store: Store): Promise<StateSummary['leases']> {
  const held = await Promise.all(leaseNames.map(async (name) => ({ name, lease: await store.leaseHolder(name) })))
  return held.flatMap(({ name, lease }) =>
    lease === undefined ? [] : [{ name, holder: lease.holder, expires: formatInstant(lease.expires) }],
  )
}

/** Removes a lease whose holder is dead. @returns the holder; undefined when there was none. */
export async function stateUnlock({ store }: Pick<Context, 'store'>, name: string): Promise<string | undefined> {
  const held = await store.leaseHolder(name)
  if (held !== undefined) await store.breakLease(name)
  return held?.holder
}

/**
 * Old → new ids of every object in the store, sorted by kind, source and old id. The command line
 * prints CSV or JSON.
 */
export async function stateExport({
  store,
  catalog,
}: Pick<Context, 'store' | 'catalog'>): Promise<readonly Identity[]> {
  const objects = await store.objects()
  const rows = [...mapped(catalog, objects), ...(await successors(store)), ...(await copied(store))]
  const sortKey = ({ kind, source, old_id, address: at, new_id }: Identity): string =>
    [kind, source, old_id, at, new_id].join(' ')
  return rows.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
}

/** Every object of the catalog: once for each old id mapped to it, or alone without one. */
function mapped(catalog: Context['catalog'], objects: readonly ObjectRecord[]): readonly Identity[] {
  const olds = new Map<string, { source: string; old_id: string }[]>()
  for (const [source, mappings] of catalog.mappings) {
    const kinds = {
      product: mappings.products,
      price: mappings.prices,
      tax_rate: mappings.tax_rates,
      coupon: mappings.coupons,
    }
    for (const [kind, ids] of Object.entries(kinds))
      for (const [old_id, key] of Object.entries(ids)) {
        const at = address(kind, key)
        addTo(olds, at, { source, old_id })
      }
  }
  return objects.flatMap(({ address: at, id }) => {
    const kind = at.slice(0, at.indexOf('.'))
    const from = olds.get(at) ?? [{ source: '', old_id: '' }]
    return from.map((one) => ({ kind, ...one, address: at, new_id: id }))
  })
}

async function successors(store: Store): Promise<readonly Identity[]> {
  return (await store.subscribers()).flatMap(({ key, facts }) => {
    const successor = facts['successor']
    if (typeof successor !== 'string') return []
    const [source = '', old_id = ''] = key.split('/')
    return [{ kind: 'subscription', source, old_id, address: subscriberAddress(key), new_id: successor }]
  })
}

async function copied(store: Store): Promise<readonly Identity[]> {
  const rows = new Map<string, Identity>()
  for await (const { source, customerOld, customerNew, sourceOld, sourceNew } of store.copyMap()) {
    const add = (kind: string, old_id: string, new_id: string): void => {
      if (old_id !== '') rows.set(`${kind} ${source} ${old_id}`, { kind, source, old_id, address: '', new_id })
    }
    add('customer', customerOld, customerNew)
    add('payment_method', sourceOld, sourceNew)
  }
  return [...rows.values()]
}
