import type { Surroundings } from './candidate.ts'
import type { Decided } from './decided.ts'
import { blocked } from './reasons.ts'
import { idOf } from '../core/reference.ts'

/**
 * A customer of the target has one currency: that of their live subscriptions, pending items and
 * amount-off discount there, and of every other planned move to them
 * (https://docs.stripe.com/invoicing/multi-currency-customers). It is computed over all planned
 * moves, so that the plan blocks a conflict before the first of two subscriptions has moved.
 */
export function withCurrencies(decided: readonly Decided[], around: Surroundings): readonly Decided[] {
  const moving = decided.filter(({ classification }) => classification.outcome === 'move')
  const byCustomer = Map.groupBy(moving, ({ candidate }) => candidate?.customerNew?.id ?? '')
  const conflicts = new Map<string, string>()
  const scheduled = scheduledCurrencies(around)
  for (const [customer, group] of byCustomer) {
    const there = currenciesThere(customer, scheduled, around)
    const planned = new Set(group.map(({ candidate }) => candidate?.old.currency ?? ''))
    const all = new Set([...there, ...planned])
    if (all.size < 2) continue
    for (const { candidate, classification } of group) {
      // What the target bills already decides the currency. A conflict between planned moves alone
      // needs a person.
      if (there.size === 1 && there.has(candidate?.old.currency ?? '')) continue
      conflicts.set(
        classification.key,
        `customer ${customer} would have several currencies: ${[...all].toSorted().join(' and ')}`,
      )
    }
  }
  return decided.map((one) => {
    const conflict = conflicts.get(one.classification.key)
    if (conflict === undefined) return one
    const { key, standing, successor, drift, monthly } = one.classification
    const about = { key, standing, successor, drift, ...(monthly === undefined ? {} : { monthly }) }
    return {
      ...one,
      classification: { ...about, outcome: 'blocked', reasons: [blocked('currency_conflict', conflict)] },
    }
  })
}

/** By customer: the currencies of schedules in the target that have not started to bill. */
function scheduledCurrencies({ target }: Surroundings): ReadonlyMap<string, readonly string[]> {
  const coming = [...target.schedules.values()].filter(({ status }) => status === 'not_started')
  return new Map(
    [...Map.groupBy(coming, ({ customer }) => idOf(customer))].map(([customer, schedules]) => [
      customer,
      schedules.flatMap(({ phases }) => phases.map(({ currency }) => currency)),
    ]),
  )
}

function currenciesThere(
  customer: string,
  scheduled: ReadonlyMap<string, readonly string[]>,
  { target, targetByCustomer }: Surroundings,
): Set<string> {
  const discount = target.customers.get(customer)?.discount?.source.coupon
  const coupon = typeof discount === 'object' && discount?.amount_off !== null ? (discount?.currency ?? null) : null
  return new Set([
    ...(targetByCustomer.get(customer) ?? []).map(({ currency }) => currency),
    ...(target.pendingItems.get(customer) ?? []).map(({ currency }) => currency),
    ...(scheduled.get(customer) ?? []),
    ...(coupon === null ? [] : [coupon]),
  ])
}
