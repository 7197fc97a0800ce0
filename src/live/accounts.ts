import type Stripe from 'stripe'
import type { Instant } from '../core/instant.ts'
import type { StripeObject } from '../core/json.ts'
import type { EnteredCard } from './entered-card.ts'
import type { ShownMethod } from './shown-method.ts'

/**
 * The live accounts as values: the result of the reads (lists only), on which every pure function
 * below decides. Objects keep Stripe's shape and names; ids are those of their account. This data
 * is never written anywhere, because customers carry e-mail addresses.
 */
export interface LiveAccount {
  readonly name: string
  readonly id: string
  readonly livemode: boolean
  readonly now: Instant
  /**
   * Subscriptions in every status, including those of deleted customers. Expanded: `customer`,
   * `discounts`, `latest_invoice` (without its lines), `default_payment_method`, `schedule`,
   * `items.data.discounts` (their coupons stay ids, because Stripe expands at most four levels).
   */
  readonly subscriptions: readonly Stripe.Subscription[]
  /** By id; with `tax_ids` and `discount` expanded where they are read. */
  readonly customers: ReadonlyMap<string, Stripe.Customer>
  /** Draft and open invoices, by subscription id ('' without a subscription). */
  readonly invoices: ReadonlyMap<string, readonly Stripe.Invoice[]>
  /** Pending invoice items, by customer id. */
  readonly pendingItems: ReadonlyMap<string, readonly Stripe.InvoiceItem[]>
  /** Invoices that a note of carried money names, by id, in whatever status. */
  readonly noted?: ReadonlyMap<string, Stripe.Invoice>
  /** Deleted customers, as far as a decision needs them. */
  readonly erased?: ReadonlySet<string>
  readonly schedules: ReadonlyMap<string, Stripe.SubscriptionSchedule>
  /**
   * Prices by id, with `tiers` and `currency_options` expanded, which subscriptions do not show.
   * Without them, tiered prices are not compared.
   */
  readonly prices?: ReadonlyMap<string, Stripe.Price>
  /**
   * Subscriptions with a paid renewal that their newest invoice hides, as far as a decision needs
   * them.
   */
  readonly captured?: ReadonlySet<string>
  /**
   * In the target, by new subscription: every invoice of those who are to be reverted, the newest
   * and the open ones with their payments.
   */
  readonly toTakeBack?: ReadonlyMap<string, readonly Stripe.Invoice[]>
  /**
   * In the target, by old subscription: payment methods that members entered there for a
   * subscription that has not moved yet.
   */
  readonly entered?: ReadonlyMap<string, EnteredCard>
  /**
   * Payment methods by id, as far as lists show them: the defaults of customers and of
   * subscriptions.
   */
  readonly methods?: ReadonlyMap<string, ShownMethod>
  /** Coupons by id, because discounts on items show only the id. */
  readonly coupons?: ReadonlyMap<string, Stripe.Coupon>
}

/**
 * Every object of every catalog kind in the account, by kind name, as Stripe returned it with the
 * kind's expansions.
 */
export type LiveResources = ReadonlyMap<string, readonly StripeObject[]>

export interface Live {
  readonly target: LiveAccount
  readonly sources: ReadonlyMap<string, LiveAccount>
  /** The target's catalog objects. */
  readonly resources: LiveResources
}

/**
 * The source that has each old subscription, by its id. An entry in a file of another source is
 * misplaced: it declares a subscriber who does not exist there.
 */
export function homesOf({ sources }: Pick<Live, 'sources'>): ReadonlyMap<string, string> {
  return new Map(
    [...sources].flatMap(([name, { subscriptions }]) => subscriptions.map(({ id }) => [id, name] as const)),
  )
}

/** Whether another source has the subscription that an entry declares. */
export function isMisplaced(
  { source, subscription }: { readonly source: string; readonly subscription: string },
  homes: ReadonlyMap<string, string>,
): boolean {
  return (homes.get(subscription) ?? source) !== source
}
