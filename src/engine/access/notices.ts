import { addTo } from '../../core/lists.ts'
import type Stripe from 'stripe'
import type { Access } from '../../catalog/schemas/access.ts'
import { isIncomplete } from '../../catalog/left-out.ts'
import type { Catalog } from '../../catalog/types.ts'
import type { Live } from '../../live/accounts.ts'
import type { Notice } from '../../plan/types.ts'
import { livePayers } from './claims.ts'

const namedMax = 5

/**
 * Members who pay and cannot get access: they have no e-mail address, or no offer names their
 * price. Empty for a project without offers.
 */
export function accessNotices(catalog: Catalog, live: Live): readonly Notice[] {
  const { offers, without_offer: none = [] } = catalog.access as Partial<Access>
  // An offer that cannot be read may name the price.
  if (isIncomplete(catalog, 'access')) return []
  if (offers === undefined || Object.keys(offers).length === 0) return []
  const giving = new Set(Object.values(offers).flatMap(({ prices }) => prices))
  const known = new Set([...giving, ...none])
  const byPrice = new Map<string, string[]>()
  const notices: Notice[] = []
  for (const { desired, paying, customer, billed } of livePayers(catalog, live)) {
    const prices = new Set(billed.prices)
    for (const price of prices) if (!known.has(price)) addTo(byPrice, price, desired.key)
    if (hasAddress(customer)) continue
    const paid = [...prices].filter((price) => giving.has(price))
    if (paid.length === 0) continue
    const whose = typeof paying.customer === 'string' ? paying.customer : paying.customer.id
    notices.push({
      code: 'payer_without_address',
      subscriber: desired.key,
      customer: whose,
      at: null,
      message: `pays ${paid.join(', ')}, and ${whose} has no e-mail address, so no access in Kajabi can be given`,
      fix: `add the e-mail address to ${whose} in the account that bills it, then run crossbill apply; or exclude ${desired.key} with a reason`,
    })
  }
  const unnamed = [...byPrice]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([price, keys]) => withoutOffer(price, keys))
  return [...notices, ...unnamed]
}

function hasAddress(customer: Stripe.Customer | undefined): boolean {
  return (customer?.email ?? '').trim() !== ''
}

function withoutOffer(price: string, keys: readonly string[]): Notice {
  const shown = keys.slice(0, namedMax).join(', ')
  const who = keys.length > namedMax ? `${shown} and ${keys.length - namedMax} more` : shown
  return {
    code: 'price_without_offer',
    subscriber: `price.${price}`,
    at: null,
    message: `${keys.length === 1 ? '1 member pays' : `${keys.length} members pay`} this price and get no access in Kajabi, since no offer names it: ${who}`,
    fix: `add ${price} under an offer in catalog/access.yaml, or under without_offer there if it should give no access`,
  }
}
