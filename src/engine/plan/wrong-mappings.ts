import type Stripe from 'stripe'
import type { Catalog } from '../../catalog/types.ts'
import { wrongMapping } from '../../handover/billed-prices.ts'
import type { Live } from '../../live/accounts.ts'
import { isAlive } from '../../live/subscription.ts'
import type { Notice } from '../../plan/types.ts'

/** Lines of the mappings that name another price than members pay, also where nobody is to move. */
export function wrongMappingNotices(catalog: Catalog, live: Pick<Live, 'sources'>): readonly Notice[] {
  return [...live.sources].flatMap(([source, { subscriptions, prices }]) => {
    const billed = new Map<string, { readonly price: Stripe.Price; readonly people: Set<string> }>()
    for (const { id, items } of subscriptions.filter(isAlive)) {
      for (const { price } of items.data) {
        const one = billed.get(price.id) ?? { price: prices?.get(price.id) ?? price, people: new Set() }
        one.people.add(id)
        billed.set(price.id, one)
      }
    }
    return [...billed].flatMap(([id, { price, people }]) => {
      const wrong = wrongMapping(catalog, source, price)
      if (wrong === undefined) return []
      const { key, differs, instead } = wrong
      const pays = people.size === 1 ? '1 subscription bills' : `${people.size} subscriptions bill`
      const charges = instead === undefined ? '' : `; price.${instead} is what it charges`
      return [
        {
          code: 'mapping_differs' as const,
          subscriber: `${source}/${id}`,
          at: null,
          message: `is mapped to price.${key}, and the two differ in ${differs.join(', ')}${charges}; ${pays} it`,
          fix: `correct the line ${id} in catalog/mappings/${source}.yaml${instead === undefined ? '' : `: it should name ${instead}`}`,
        },
      ]
    })
  })
}

/** The old ids of those lines, by source. */
export function wronglyMapped(catalog: Catalog, live: Pick<Live, 'sources'>): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(
    [...live.sources].map(([source, { prices }]) => [
      source,
      new Set(
        [...(prices?.values() ?? [])].flatMap((price) =>
          wrongMapping(catalog, source, price) === undefined ? [] : [price.id],
        ),
      ),
    ]),
  )
}
