import { idOf } from '../../core/reference.ts'
import { isJsonObject, type Json, type JsonObject, objectIn, objectsIn, type StripeObject } from '../../core/json.ts'
import type { StripeAccount } from '../ports.ts'

const compared = ['created', 'percent_off', 'amount_off', 'currency', 'duration', 'duration_in_months'] as const

/**
 * Whether two coupons with one id are the same coupon: the id of a deleted coupon can be reused for
 * other terms.
 */
export function sameTerms(a: JsonObject, b: JsonObject): boolean {
  return compared.every((field) => (a[field] ?? null) === (b[field] ?? null))
}

/**
 * A coupon's product limits and further currencies, which lie too deep for a list of subscriptions.
 */
const deep = ['discounts.source.coupon.applies_to', 'discounts.source.coupon.currency_options']

/**
 * Finds the terms of redeemed coupons. A running discount keeps the terms of the coupon that was
 * redeemed. When that coupon was deleted and its id reused, the account lists a different coupon
 * with that id, and its terms are not the discount's. Where the dates show this, the discount's own
 * terms are read one by one. Where Stripe does not show them, the coupon is unreadable (null),
 * which stops the move.
 */
export class RedeemedTerms {
  readonly #account: StripeAccount
  readonly #listed: ReadonlyMap<string, StripeObject>

  /** `listed`: the coupons of the account, by id. */
  constructor(account: StripeAccount, listed: ReadonlyMap<string, StripeObject>) {
    this.#account = account
    this.#listed = listed
  }

  async ofCustomer(customer: StripeObject): Promise<StripeObject> {
    const { discount, created } = customer
    if (!isJsonObject(discount) || !this.#isOfNamesake(discount, created)) return customer
    const expand = deep.map((path) => path.replace('discounts', 'discount'))
    const whole = await this.#read(`/v1/customers/${customer.id}`, expand)
    const own = isJsonObject(whole?.['discount']) ? whole['discount'] : undefined
    return { ...customer, discount: this.#redeemed(discount, own) }
  }

  async ofSubscription(subscription: StripeObject): Promise<StripeObject> {
    const { created, discounts, items } = subscription
    const list = objectIn(items)
    const data = objectsIn(list['data'])
    const isOdd = (one: JsonObject): boolean => this.#isOfNamesake(one, created)
    const oddItems = data.filter((item) => objectsIn(item['discounts']).some(isOdd))
    if (oddItems.length === 0 && !objectsIn(discounts).some(isOdd)) return subscription
    const own = await this.#discountsOf(`/v1/subscriptions/${subscription.id}`, discounts, isOdd)
    const whole: JsonObject[] = []
    for (const item of data)
      whole.push(
        oddItems.includes(item)
          ? {
              ...item,
              discounts: await this.#discountsOf(`/v1/subscription_items/${idOf(item)}`, item['discounts'], isOdd),
            }
          : item,
      )
    return { ...subscription, discounts: own, items: { ...list, data: whole } }
  }

  async #discountsOf(path: string, discounts: Json | undefined, isOdd: (one: JsonObject) => boolean): Promise<Json> {
    if (!Array.isArray(discounts)) return discounts ?? null
    const all = discounts as readonly Json[]
    if (!objectsIn(discounts).some(isOdd)) return discounts
    const read = objectsIn((await this.#read(path, deep))?.['discounts'])
    return all.map((one) =>
      isJsonObject(one) && isOdd(one)
        ? this.#redeemed(
            one,
            read.find(({ id }) => id === one['id']),
          )
        : one,
    )
  }

  /**
   * The discount with its own terms; without terms when it shows those of the reused id, or could
   * not be read.
   */
  #redeemed(discount: JsonObject, read: JsonObject | undefined): JsonObject {
    const coupon = read === undefined ? null : (couponOf(read) ?? null)
    const listed = this.#listed.get(couponId(discount))
    const own = isJsonObject(coupon) && listed !== undefined && !sameTerms(coupon, listed) ? coupon : null
    const { source } = discount
    return { ...discount, source: { ...objectIn(source), coupon: own } }
  }

  /**
   * Whether the coupon that has this id today was created after the discount began. `since`: when
   * the discount's holder was created; the discount of a backdated subscription begins earlier than
   * that.
   */
  #isOfNamesake(discount: JsonObject, since: Json | undefined): boolean {
    const listed = this.#listed.get(couponId(discount))
    if (listed === undefined) return false
    const shown = couponOf(discount)
    if (isJsonObject(shown) && !sameTerms(shown, listed)) return true
    return numberOf(listed['created']) > Math.max(numberOf(discount['start']), numberOf(since))
  }

  async #read(path: string, expand: readonly string[]): Promise<StripeObject | undefined> {
    const outcome = await this.#account.look(path, { expand })
    return outcome.ok ? outcome.value : undefined
  }
}

function couponOf(discount: JsonObject): Json | undefined {
  const { source } = discount
  return isJsonObject(source) ? source['coupon'] : undefined
}

function couponId(discount: JsonObject): string {
  return idOf(couponOf(discount)) ?? ''
}

function numberOf(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0
}
