import type { Account } from '../kernel/account.ts'
import {
  type CadenceKey,
  type Currency,
  type OldAccount,
  type ProductKey,
  amountOf,
  cadences,
  currenciesOf,
  products,
} from './offerings.ts'
import { type Maker, type Params, idOf } from './maker.ts'

/** The catalog of an old account; each object is created when it is first needed. */
export class Storefront {
  readonly account: Account
  readonly #maker: Maker
  readonly #name: OldAccount
  readonly #made = new Map<string, string>()

  constructor(maker: Maker, name: OldAccount) {
    this.#maker = maker
    this.#name = name
    this.account = maker.world.account(name)
  }

  /** The old checkout had its own products with the same names. */
  product(key: ProductKey, by: 'school' | 'samcart' = 'school'): string {
    return this.#once(`product/${key}/${by}`, '/v1/products', () => ({
      name: products[key],
      metadata: by === 'samcart' ? { source: 'samcart' } : { sku: key },
    }))
  }

  price(product: ProductKey, cadence: CadenceKey, currency: Currency, tax?: 'exclusive' | 'inclusive'): string {
    return this.#once(`price/${product}/${cadence}/${currency}/${tax ?? ''}`, '/v1/prices', () => ({
      ...this.#terms(product, cadence, currency),
      ...(tax === undefined
        ? { lookup_key: `${product}-${cadence}-${currency}` }
        : { tax_behavior: tax, nickname: `${product} ${cadence} (tax calculated)` }),
    }))
  }

  /**
   * A separate price for one order. It equals the listed price except for fields that Crossbill
   * does not compare.
   */
  adHocPrice(product: ProductKey, cadence: CadenceKey, about: { currency: Currency; order: number }): string {
    const made = this.#maker.post(this.account, '/v1/prices', {
      ...this.#terms(product, cadence, about.currency),
      product: this.product(product, 'samcart'),
      nickname: `SamCart order ${100_000 + about.order}`,
      metadata: { samcart_order: String(100_000 + about.order) },
    })
    return idOf(made)
  }

  /** A price from before the last price rise, archived since; its subscribers keep it. */
  grandfatheredPrice(product: ProductKey, cadence: CadenceKey, currency: Currency): string {
    const price = this.#once(`old/${product}/${cadence}/${currency}`, '/v1/prices', () => {
      const terms = this.#terms(product, cadence, currency)
      const amount = Number(terms['unit_amount'])
      return { ...terms, unit_amount: Math.floor((amount * 0.7) / 10) * 10, nickname: `${product} (before the rise)` }
    })
    this.#maker.post(this.account, `/v1/prices/${price}`, { active: true })
    return price
  }

  tieredPrice(mode: 'graduated' | 'volume', currency: Currency): string {
    const unit = amountOf('library', 'month', currency)
    return this.#once(`tiers/${mode}/${currency}`, '/v1/prices', () => ({
      product: this.product('library'),
      currency,
      recurring: { interval: 'month' },
      billing_scheme: 'tiered',
      tiers_mode: mode,
      tiers: [
        { up_to: 2, unit_amount: unit, flat_amount: 0 },
        { up_to: 10, unit_amount: Math.floor((unit * 0.8) / 10) * 10 },
        { up_to: 'inf', unit_amount: Math.floor((unit * 0.6) / 10) * 10 },
      ],
      nickname: `seats (${mode})`,
    }))
  }

  meteredPrice(currency: Currency): string {
    const meter = this.#once('meter', '/v1/billing/meters', () => ({
      display_name: 'Lab reports',
      event_name: 'lab_reports',
      default_aggregation: { formula: 'sum' },
    }))
    return this.#once(`metered/${currency}`, '/v1/prices', () => ({
      product: this.product('library'),
      currency,
      unit_amount: 500,
      recurring: { interval: 'month', usage_type: 'metered', meter },
      nickname: 'lab reports',
    }))
  }

  /** One price with all currencies of the account. */
  multiCurrencyPrice(product: ProductKey, cadence: CadenceKey): string {
    const [own, ...others] = currenciesOf[this.#name]
    return this.#once(`multi/${product}/${cadence}`, '/v1/prices', () => ({
      ...this.#terms(product, cadence, own ?? 'usd'),
      currency_options: Object.fromEntries(
        others.map((currency) => [currency, { unit_amount: amountOf(product, cadence, currency) }]),
      ),
      nickname: `${product} ${cadence} in every currency`,
    }))
  }

  archive(price: string): void {
    this.#maker.post(this.account, `/v1/prices/${price}`, { active: false })
  }

  taxRate(country: string, inclusive: boolean): string {
    const rates: Readonly<Record<string, readonly [number, string, string]>> = {
      US: [8.25, 'Sales tax', 'sales_tax'],
      CA: [13, 'HST', 'hst'],
      GB: [20, 'VAT', 'vat'],
      DE: [19, 'USt', 'vat'],
      FR: [20, 'TVA', 'vat'],
      IE: [23, 'VAT', 'vat'],
      NL: [21, 'btw', 'vat'],
      AU: [10, 'GST', 'gst'],
      JP: [10, 'JCT', 'jct'],
      KW: [5, 'VAT', 'vat'],
    }
    const [percentage, display_name, tax_type] = rates[country] ?? [20, 'VAT', 'vat']
    return this.#once(`tax/${country}/${inclusive}`, '/v1/tax_rates', () => ({
      display_name,
      percentage,
      inclusive,
      country,
      jurisdiction: country,
      tax_type,
    }))
  }

  coupon(kind: 'forever' | 'once' | 'promotion' | { readonly months: number }): string {
    if (typeof kind === 'object')
      return this.#once(`coupon/${kind.months}`, '/v1/coupons', () => ({
        id: `WELCOME-${kind.months}M`,
        name: `Welcome, ${kind.months} months`,
        percent_off: 10 + kind.months,
        duration: 'repeating',
        duration_in_months: kind.months,
        max_redemptions: 5_000,
      }))
    const about = {
      forever: { id: 'FOUNDER-20', name: 'Founding member', percent_off: 20, duration: 'forever' },
      once: { id: 'STAY-50', name: 'Please stay', percent_off: 50, duration: 'once' },
      promotion: { id: 'FRIENDS-10', name: 'Friends of the school', percent_off: 10, duration: 'forever' },
    } as const
    return this.#once(`coupon/${kind}`, '/v1/coupons', () => about[kind])
  }

  amountCoupon(currency: Currency): string {
    const [own] = currenciesOf[this.#name]
    const off = (of: Currency): number => Math.max(10, Math.floor(amountOf('library', 'month', of) / 20) * 10)
    return this.#once(`amount/${own}`, '/v1/coupons', () => ({
      id: 'THANKS',
      name: 'Thank you',
      amount_off: off(own ?? currency),
      currency: own ?? currency,
      currency_options: Object.fromEntries(
        currenciesOf[this.#name].filter((other) => other !== own).map((other) => [other, { amount_off: off(other) }]),
      ),
      duration: 'forever',
    }))
  }

  promotionCode(): string {
    return this.#once('promotion', '/v1/promotion_codes', () => ({
      promotion: { type: 'coupon', coupon: this.coupon('promotion') },
      code: 'FRIENDS',
    }))
  }

  #terms(product: ProductKey, cadence: CadenceKey, currency: Currency): Params {
    const { interval, count } = cadences[cadence]
    return {
      product: this.product(product),
      currency,
      unit_amount: amountOf(product, cadence, currency),
      recurring: { interval, interval_count: count },
    }
  }

  #once(key: string, path: string, params: () => Params): string {
    const known = this.#made.get(key)
    if (known !== undefined) return known
    const id = idOf(this.#maker.post(this.account, path, params()))
    this.#made.set(key, id)
    return id
  }
}
