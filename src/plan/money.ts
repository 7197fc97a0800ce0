import { idOf } from '../core/reference.ts'
import { hasBegun } from '../live/subscription.ts'
import type Stripe from 'stripe'
import { formatInstant } from '../core/instant.ts'
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import type { TaxChange } from '../handover/carried/tax-verdicts.ts'
import { monthlyOf, nextChargeOf } from '../handover/charges.ts'
import { markFrom, oldIdOf } from '../live/marks.ts'
import { readSource, type SourceSubscription } from '../live/source.ts'
import type { ChargeForecast, Classification } from '../handover/types.ts'
import type { LiveAccount } from '../live/accounts.ts'
import type { Repriced } from './resources/types.ts'
import type { NextCharge, Plan, PriceChange } from './types.ts'

type Prices = ReadonlyMap<string, Stripe.Price>
type Sums = Record<string, { before: number; after: number }>

export interface MoneyInput {
  readonly classified: readonly Classification[]
  readonly target: LiveAccount
  /** Changed prices that have subscribers. A price that this plan does not apply is marked so. */
  readonly repriced: readonly Repriced[]
  readonly tax: readonly TaxChange[]
}

/**
 * The plan in terms of money: monthly revenue before and after it, and the next charge of every
 * subscriber whose payer or price changes. A hand-over changes the payer and not the amount; a plan
 * that would change the amount is blocked earlier. A changed price changes what its subscribers
 * pay.
 */
export function planMoney({ classified, target, repriced, tax }: MoneyInput): Plan['money'] {
  const mrr: Sums = {}
  const byOutcome: Record<string, Record<string, number>> = {}
  let subscribers = 0
  for (const { monthly, outcome } of classified) {
    if (monthly === undefined) continue
    const { amount, currency } = monthly
    add(mrr, currency, amount, amount)
    const part = (byOutcome[outcome] ??= {})
    part[currency] = (part[currency] ?? 0) + amount
    subscribers += 1
  }
  const natives = nativesOf(target, classified)
  for (const one of natives) {
    const { amount, currency } = monthlyOf(readTarget(target, one))
    add(mrr, currency, amount, amount)
  }
  const changes = priceChanges(target, classified, repriced)
  for (const { applies, mrr: sums } of changes)
    if (applies) for (const [currency, { before, after }] of Object.entries(sums)) add(mrr, currency, 0, after - before)
  const charges = classified.flatMap((one) =>
    'plan' in one && one.plan.charge !== null ? [shown(one.key, one.plan.charge)] : [],
  )
  const known = new Set(charges.map(({ subscriber }) => subscriber))
  const raised = changes
    .filter(({ applies }) => applies)
    .flatMap((change) => change.subscribers.map((one) => ({ ...one, price: change.address })))
    .filter(({ subscriber }) => !known.has(subscriber))
  return {
    subscribers: subscribers + natives.length,
    mrr,
    by_outcome: byOutcome,
    next_charges: [...charges, ...raised],
    ...(changes.length === 0 ? {} : { price_changes: changes }),
    tax,
  }
}

function shown(subscriber: string, { at, before, paused, ...rest }: ChargeForecast): NextCharge {
  const until = paused?.until ?? null
  return {
    subscriber,
    at: formatInstant(at),
    ...rest,
    ...(paused === undefined ? {} : { paused: { until: until === null ? null : formatInstant(until) } }),
    before: { ...before, at: formatInstant(before.at) },
  }
}

function add(sums: Sums, currency: string, before: number, after: number): void {
  const sum = (sums[currency] ??= { before: 0, after: 0 })
  sum.before += before
  sum.after += after
}

/** Subscriptions of the target that do not continue a declared one. */
function nativesOf(target: LiveAccount, classified: readonly Classification[]): readonly Stripe.Subscription[] {
  const declared = new Set(classified.map(({ key }) => oldIdOf(key)))
  return target.subscriptions.filter((one) => hasBegun(one) && !declared.has(oldIdOf(one.metadata[markFrom])))
}

function readTarget(target: LiveAccount, one: Stripe.Subscription, prices?: Prices): SourceSubscription {
  const customer = target.customers.get(idOf(one.customer))
  return readSource(one, customer, prices ?? target.prices, target.coupons)
}

function priceChanges(
  target: LiveAccount,
  classified: readonly Classification[],
  repriced: readonly Repriced[],
): readonly PriceChange[] {
  const keys = new Map(classified.flatMap(({ key, successor }) => (successor === null ? [] : [[successor, key]])))
  const byId = new Map(target.subscriptions.map((one) => [one.id, one]))
  const known: Prices = target.prices ?? new Map()
  const applied = repriced.filter(({ applies }) => applies)
  return repriced.map((one): PriceChange => {
    const { address, onChange, applies, subscriptions } = one
    // Subscribers who keep the old one are shown with what they continue to pay.
    const own = onChange === 'new_only' ? [] : [one]
    const alone = new Map([...known, ...termsOf(own)])
    // All that the plan changes for them counts: a new price is taxed at the new rate.
    const all = new Map([...known, ...termsOf([...applied, ...own])])
    const rates = ratesOf([...applied, ...own])
    const mrr: Sums = {}
    const charges = subscriptions.flatMap((id): NextCharge[] => {
      const subscription = byId.get(id)
      if (subscription === undefined) return []
      const now = readTarget(target, subscription)
      const before = nextChargeOf(now)
      const { amount: monthly, currency } = monthlyOf(now)
      const after = nextChargeOf(readTarget(target, taxedAt(subscription, rates), all))
      // A subscription that ends before its next renewal never pays the new price.
      const raised = after === null ? monthly : monthlyOf(readTarget(target, subscription, alone)).amount
      add(mrr, currency, monthly, raised)
      if (before === null || after === null) return []
      const charge = { ...after, before: { ...before, account: target.name } }
      const untaxed = subscription.automatic_tax.enabled ? { tax_not_included: true as const } : {}
      return [shown(keys.get(id) ?? `${target.name}/${id}`, { ...charge, ...untaxed })]
    })
    return { address, on_change: onChange, applies, people: subscriptions.length, mrr, subscribers: charges }
  })
}

function termsOf(changed: readonly Repriced[]): readonly (readonly [string, Stripe.Price])[] {
  return changed.flatMap(({ held, old, form }) => (held === 'item' ? [[old.id, newTerms(old, form)] as const] : []))
}

type Rates = ReadonlyMap<string, JsonObject>

function ratesOf(changed: readonly Repriced[]): Rates {
  return new Map(changed.flatMap(({ held, old, form }) => (held === 'rates' ? [[old.id, form] as const] : [])))
}

/** The subscription with the new values of its tax rates. Forms omit the default. */
function taxedAt(subscription: Stripe.Subscription, rates: Rates): Stripe.Subscription {
  if (rates.size === 0) return subscription
  const renewed = (all: Stripe.TaxRate[] | null): Stripe.TaxRate[] | null =>
    all?.map((one) => {
      const form = rates.get(one.id)
      if (form === undefined) return one
      return { ...one, inclusive: form['inclusive'] === true, percentage: Number(form['percentage']) }
    }) ?? null
  const { items, default_tax_rates: defaults } = subscription
  const data = items.data.map((item) => ({ ...item, tax_rates: renewed(item.tax_rates) }))
  return { ...subscription, items: { ...items, data }, default_tax_rates: renewed(defaults ?? null) }
}

/** The live price with the terms of the YAML. Forms omit defaults, so they are added here. */
function newTerms(old: Repriced['old'], form: JsonObject): Stripe.Price {
  const recurring = form['recurring']
  const terms = {
    ...old,
    currency: form['currency'],
    unit_amount: form['unit_amount'] ?? null,
    unit_amount_decimal: form['unit_amount_decimal'] ?? null,
    billing_scheme: form['billing_scheme'] ?? 'per_unit',
    tiers: tiersOf(form['tiers']),
    tiers_mode: form['tiers_mode'] ?? null,
    transform_quantity: form['transform_quantity'] ?? null,
    currency_options: optionsOf(form['currency_options']),
    recurring: isJsonObject(recurring) ? { interval_count: 1, usage_type: 'licensed', ...recurring } : null,
  }
  return terms as unknown as Stripe.Price
}

function tiersOf(tiers: Json | undefined): Json {
  if (!Array.isArray(tiers)) return []
  const none = { unit_amount: null, flat_amount: null }
  return (tiers as readonly JsonObject[]).map((tier) => {
    const upTo = tier['up_to']
    return { ...none, ...tier, up_to: upTo === 'inf' ? null : (upTo ?? null) }
  })
}

function optionsOf(options: Json | undefined): Json {
  if (!isJsonObject(options)) return {}
  return Object.fromEntries(
    Object.entries(options).map(([currency, option]) => [
      currency,
      isJsonObject(option) ? { unit_amount: null, ...option, tiers: tiersOf(option['tiers']) } : (option ?? null),
    ]),
  )
}
