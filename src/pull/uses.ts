import { isAlive, isOver } from '../live/subscription.ts'
import type Stripe from 'stripe'
import { isJsonObject, type Json, type StripeObject } from '../core/json.ts'
import { idOf } from '../core/reference.ts'
import type { KindName } from '../kinds/kind.ts'
import type { PulledAccount } from './consolidate.ts'

/** Objects that subscriptions use, by account, kind and id. Ended subscriptions do not count. */
export class Uses {
  readonly #objects = new Map<string, Map<string, StripeObject>>()

  constructor(accounts: readonly PulledAccount[]) {
    for (const account of accounts)
      for (const subscription of account.subscriptions) if (!isOver(subscription)) this.#add(account, subscription)
    for (const account of accounts) this.#addPhases(account)
  }

  /** What the phases of a running schedule will bill. */
  #addPhases(account: PulledAccount): void {
    const live = new Set(account.subscriptions.filter(isAlive).map(({ schedule }) => idOf(schedule)))
    const known = new Map(
      (['price', 'tax_rate'] as const).flatMap((kind) =>
        (account.resources.get(kind) ?? []).map((one) => [one.id ?? '', one] as const),
      ),
    )
    for (const { id, phases } of account.schedules.values())
      for (const { items, default_tax_rates: rates } of live.has(id) ? phases : []) {
        for (const { price, tax_rates: own } of items) {
          const found = known.get(idOf(price)) ?? price
          this.#use(account, 'price', found)
          if (isJsonObject(found) && found['product'] !== undefined)
            this.#useProduct(account, found['product'] as string)
          for (const rate of own ?? []) this.#use(account, 'tax_rate', known.get(idOf(rate)) ?? rate)
        }
        for (const rate of rates ?? []) this.#use(account, 'tax_rate', known.get(idOf(rate)) ?? rate)
      }
  }

  has(account: string, kind: KindName, id: string): boolean {
    return this.#objects.get(`${account} ${kind}`)?.has(id) === true
  }

  /** Objects that appear only in subscriptions: ad-hoc prices, and products created with them. */
  unlisted(account: PulledAccount, kind: KindName): readonly StripeObject[] {
    const listed = new Set((account.resources.get(kind) ?? []).map(({ id }) => id))
    const used = [...(this.#objects.get(`${account.name} ${kind}`)?.values() ?? [])]
    return used.filter(({ id }) => !listed.has(id))
  }

  #add(account: PulledAccount, subscription: Stripe.Subscription): void {
    for (const item of subscription.items.data) {
      this.#use(account, 'price', item.price)
      this.#useProduct(account, item.price.product)
      for (const rate of item.tax_rates ?? []) this.#use(account, 'tax_rate', rate)
      for (const one of item.discounts) this.#useDiscount(account, one)
    }
    for (const rate of subscription.default_tax_rates ?? []) this.#use(account, 'tax_rate', rate)
    for (const one of subscription.discounts) this.#useDiscount(account, one)
    this.#useDiscount(account, account.customers.get(idOf(subscription.customer))?.discount)
  }

  #useDiscount(account: PulledAccount, discount: string | Stripe.Discount | null | undefined): void {
    if (typeof discount === 'object' && discount !== null) this.#use(account, 'coupon', discount.source.coupon)
  }

  /**
   * A subscription shows only the product's id; its name comes from the list, if the list has it.
   */
  #useProduct(account: PulledAccount, product: string | { readonly id: string }): void {
    const id = idOf(product)
    const object = isJsonObject(product) ? product : { object: 'product', id, name: `Product ${id}`, active: false }
    this.#use(account, 'product', object)
  }

  #use(account: PulledAccount, kind: KindName, object: unknown): void {
    if (!isJsonObject(object) || typeof object['id'] !== 'string') return
    const place = `${account.name} ${kind}`
    const held = this.#objects.get(place) ?? new Map<string, StripeObject>()
    this.#objects.set(place, held.set(object['id'], object as StripeObject))
  }
}

/** The products of a coupon, as named in its form. */
export function productsOf(form: Readonly<Record<string, Json | undefined>> | undefined): readonly string[] {
  const appliesTo = form?.['applies_to']
  const products = isJsonObject(appliesTo) ? appliesTo['products'] : undefined
  return Array.isArray(products) ? (products as readonly string[]) : []
}
