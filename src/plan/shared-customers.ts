import type { Classification } from '../handover/types.ts'
import { formatMoney } from '../core/money.ts'
import { idOf } from '../core/reference.ts'
import { homesOf, type Live } from '../live/accounts.ts'
import { markFrom, oldIdOf } from '../live/marks.ts'
import { isAlive } from '../live/subscription.ts'
import type { Notice } from './types.ts'

/**
 * Customers of the target that become one from several old accounts, because an earlier copy gave
 * them one id: a credit, an item without subscription, a discount and a default card that concern
 * one old account concern the subscriptions of all of them from then on. Pure.
 */
export function sharedCustomers(moving: readonly Classification[], live: Live): readonly Notice[] {
  const arriving = moving.flatMap((one) =>
    one.outcome === 'move'
      ? [{ customer: one.plan.expect.customer_new, old: one.plan.expect.customer_old, key: String(one.key) }]
      : [],
  )
  const there = live.target.subscriptions.filter(isAlive).flatMap(({ customer, metadata }) => {
    const key = metadata[markFrom]
    return key === undefined ? [] : [{ customer: idOf(customer), old: idOf(customer), key }]
  })
  const homes = homesOf(live)
  // A mark keeps the name that the account had at the move; the account is the one with the old id.
  const sourceOf = (key: string): string => homes.get(oldIdOf(key)) ?? key.slice(0, key.indexOf('/'))
  const arrivals = new Set(arriving.map(({ customer }) => customer))
  const all = Map.groupBy([...there, ...arriving], ({ customer }) => customer)
  return [...all].flatMap(([customer, some]): Notice[] => {
    const sources = new Set(some.map(({ key }) => sourceOf(key)))
    if (sources.size < 2 || !arrivals.has(customer)) return []
    const money = some.flatMap(({ key, old }) => moneyOf(live, sourceOf(key), old))
    const shown = new Set(money)
    return [
      {
        code: 'customers_become_one',
        subscriber: some.at(-1)?.key ?? '',
        customer,
        at: null,
        message: `${[...sources].join(' and ')} have one customer in the target, ${customer}, for ${some.map(({ key }) => key).join(', ')}: its balance, its items without subscription, its discount and its default payment method serve all of them${shown.size === 0 ? '' : `; ${[...shown].join(', ')}`}`,
        fix: 'nothing, if one person may use the money and the card for all of them; otherwise settle the money in the old account first, and set a payment method on the subscription that needs another one',
      },
    ]
  })
}

/** The money of a customer in an old account that is not tied to one subscription. */
function moneyOf({ sources }: Live, source: string, customer: string): readonly string[] {
  const account = sources.get(source)
  const shown = account?.customers.get(customer)
  const balance = shown?.balance ?? 0
  const items = (account?.pendingItems.get(customer) ?? []).filter(
    ({ parent }) => (parent?.subscription_details?.subscription ?? null) === null,
  )
  return [
    ...(balance === 0
      ? []
      : [`a balance of ${formatMoney({ amount: balance, currency: shown?.currency ?? 'usd' })} comes from ${source}`]),
    ...items.map(
      ({ id, amount, currency }) => `item ${id} of ${formatMoney({ amount, currency })} comes from ${source}`,
    ),
  ]
}
