import { idOf } from '../../core/reference.ts'
import type Stripe from 'stripe'
import { percentageOf, type TaxShare } from '../../billing/tax-share.ts'
import { canonicalJson } from '../../core/canonical.ts'
import type { JsonObject } from '../../core/json.ts'
import { address } from '../../core/address.ts'
import type { Candidate } from '../candidate.ts'
import { regularLines } from '../preview.ts'
import { decimalText } from '../../live/source.ts'
import type { HandoverPlan, TaxRate, TaxSituation } from '../types.ts'

/*
 * Automatic tax depends on the seller, the buyer's location, the buyer's exemption and tax ids, and
 * the items sold. Subscribers who are equal in all of these have equal rates, so a plan compares
 * both sides' previews once per group and not once per subscriber. What a group cannot show (a
 * city's own tax, a product whose code differs between the accounts) appears in the previews that
 * each hand-over takes before it changes anything.
 */

/** Countries where sellers register by state: https://docs.stripe.com/tax/registering. */
const registersByState: ReadonlySet<string> = new Set(['US', 'CA'])

/**
 * A customer's location for tax: the shipping address if there is one, else the billing address
 * (https://docs.stripe.com/tax/customer-locations).
 */
export function taxPlace(
  customer: Stripe.Customer | undefined,
  carriedShipping?: Stripe.Customer['shipping'],
): { readonly country: string; readonly region: string } {
  const shipping = customer?.shipping ?? carriedShipping ?? null
  const written = (shipping?.address?.country ?? null) === null ? customer?.address : shipping?.address
  // Stripe's recognised location is more precise, but does not cover an address that is still to be
  // carried.
  const recognised = customer?.shipping === null && shipping !== null ? undefined : customer?.tax?.location
  const country = (recognised?.country ?? written?.country ?? '').toUpperCase()
  if (!registersByState.has(country)) return { country, region: '' }
  const state = recognised?.state ?? written?.state ?? null
  // Without a state, the start of the postal code identifies it.
  return { country, region: (state ?? written?.postal_code?.slice(0, 3) ?? '').trim().toUpperCase() }
}

/**
 * The inputs of a subscriber's automatic tax in a move or revert; undefined if Stripe does not
 * compute their tax.
 */
export function taxSituation(candidate: Candidate, goal: 'move' | 'revert'): TaxSituation | undefined {
  const { desired, old, customerOld, customerNew, around } = candidate
  if (!old.raw.automatic_tax.enabled) return undefined
  const { country, region } = taxPlace(customerNew, customerOld?.shipping)
  const exemptNew = customerNew?.tax_exempt ?? 'none'
  const exempt = exemptNew === 'none' ? (customerOld?.tax_exempt ?? 'none') : exemptNew
  const ids = [...(customerOld?.tax_ids?.data ?? []), ...(customerNew?.tax_ids?.data ?? [])]
  const about = {
    goal,
    source: desired.source,
    country,
    region,
    exempt: [customerOld?.tax_exempt ?? 'none', exempt],
    ids: [...new Set(ids.map(({ type, country: of }) => `${type} ${of ?? ''}`))].toSorted(),
    sold: sold(candidate, around.index.mappings(desired.source).prices),
  }
  return { source: desired.source, country, region, group: canonicalJson(about) }
}

/** Tax code and tax behaviour of the items; with several items, also the mixture. */
function sold({ old, around }: Candidate, keys: Readonly<Record<string, string>>): readonly string[] {
  const value = (kind: string, key: unknown): JsonObject =>
    typeof key === 'string' ? (around.index.resources.get(address(kind, key))?.value ?? {}) : {}
  const items = old.items.map(({ price, quantity }) => {
    const made = value('price', keys[price.id])
    const { tax_code: code = '' } = value('product', made['product'])
    const kind = canonicalJson([code, price.tax_behavior ?? '', made['tax_behavior'] ?? ''])
    const amount = decimalText(price.unit_amount_decimal, price.unit_amount) ?? idOf(price)
    return { kind, exactly: `${kind} ${amount} × ${quantity ?? 1}` }
  })
  const kinds = [...new Set(items.map(({ kind }) => kind))].toSorted()
  return kinds.length === 1 ? kinds : items.map(({ exactly }) => exactly).toSorted()
}

/**
 * The customer as they will be after the plan's steps carried exemption, shipping address and tax
 * ids, for a preview made before that. Undefined when none of these is still to be carried.
 */
export function carriedDetails({ steps }: HandoverPlan, target: Stripe.Customer | undefined): JsonObject | undefined {
  const carried = steps.find(({ id }) => id === 'carry-customer')?.params ?? {}
  const { tax_exempt: exempt, shipping } = carried
  const ids = steps.flatMap(({ id, params }) => (id.startsWith('carry-tax-id-') ? [params] : []))
  const there = (target?.tax_ids?.data ?? []).map(({ type, value }) => ({ type, value }))
  const details = {
    ...(exempt === undefined ? {} : { tax_exempt: exempt }),
    ...(shipping === undefined ? {} : { shipping }),
    ...(ids.length === 0 ? {} : { tax_ids: [...there, ...ids] }),
  }
  return Object.keys(details).length === 0 ? undefined : details
}

/** The taxes of a previewed invoice: its rates and amounts. */
export interface TaxRead extends TaxShare {
  readonly rates: readonly TaxRate[]
}

export function readTaxes(invoice: Stripe.Invoice): TaxRead {
  const lines = regularLines(invoice)
  const taxes = lines.flatMap((line) =>
    (line.taxes ?? []).map((tax) => ({ ...tax, of: tax.taxable_amount ?? line.amount })),
  )
  const charged = taxes.filter(({ amount }) => amount !== 0)
  const byRate = Map.groupBy(charged, (tax) => `${tax.tax_rate_details?.tax_rate ?? ''} ${tax.tax_behavior}`)
  const rates = [...byRate.values()].flatMap((same): TaxRate[] => {
    // The largest amount gives the most exact rate.
    const [largest] = same.toSorted((a, b) => Math.abs(b.of) - Math.abs(a.of))
    if (largest === undefined) return []
    return [{ percentage: percentageOf(largest.amount, largest.of), inclusive: largest.tax_behavior === 'inclusive' }]
  })
  const total = (behavior: string): number =>
    charged.filter(({ tax_behavior: one }) => one === behavior).reduce((sum, { amount }) => sum + amount, 0)
  return {
    rates: rates.toSorted((a, b) => b.percentage - a.percentage || Number(a.inclusive) - Number(b.inclusive)),
    onTop: total('exclusive'),
    inside: total('inclusive'),
    net: lines.reduce(
      (sum, { amount, discount_amounts: off }) => sum + amount - (off ?? []).reduce((all, one) => all + one.amount, 0),
      0,
    ),
  }
}

/** `19 % tax`, `5 % + 9.975 % tax`, `20 % tax included`, `no tax`. */
export function ratesTold(rates: readonly TaxRate[]): string {
  if (rates.length === 0) return 'no tax'
  const told = (inclusive: boolean): string =>
    rates.flatMap((rate) => (rate.inclusive === inclusive ? [`${rate.percentage} %`] : [])).join(' + ')
  return [told(false) && `${told(false)} tax`, told(true) && `${told(true)} tax included`].filter(Boolean).join(' and ')
}
