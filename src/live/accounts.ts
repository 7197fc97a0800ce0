import type Stripe from 'stripe'
import type { Instant } from '../core/instant.ts'
import type { StripeObject } from '../core/json.ts'

/**
 * The live accounts as values: what refresh reads (lists only) and every pure function below decides on. Objects keep Stripe's own shape and
 * names; ids are as in their account. Nothing here is written anywhere: customers carry e-mail addresses.
 */
export interface LiveAccount {
  readonly name: string
  readonly id: string
  readonly livemode: boolean
  readonly now: Instant
  /**
   * In every status, those of deleted customers included; expanded: `customer`, `discounts`, `latest_invoice` (without its lines), `default_payment_method`, `schedule`, `items.data.discounts`
   * (their coupons stay ids: four levels is Stripe's limit).
   */
  readonly subscriptions: readonly Stripe.Subscription[]
  /** By id; with `tax_ids` and `discount` expanded where read. */
  readonly customers: ReadonlyMap<string, Stripe.Customer>
  /** Draft and open invoices, by subscription id ('' for those without one). */
  readonly invoices: ReadonlyMap<string, readonly Stripe.Invoice[]>
  /** Pending invoice items, by customer id. */
  readonly pendingItems: ReadonlyMap<string, readonly Stripe.InvoiceItem[]>
  /** Customers that were deleted, as far as somebody's decision needed to know. */
  readonly erased?: ReadonlySet<string>
  readonly schedules: ReadonlyMap<string, Stripe.SubscriptionSchedule>
  /** Prices by id, with `tiers` and `currency_options` expanded (subscriptions do not show them); without them tiered prices are not compared. */
  readonly prices?: ReadonlyMap<string, Stripe.Price>
  /** Subscriptions with a paid renewal that their newest invoice hides, as far as somebody asks. */
  readonly captured?: ReadonlySet<string>
  /** Coupons by id: those of discounts on items come as ids. */
  readonly coupons?: ReadonlyMap<string, Stripe.Coupon>
}

/** Every object of every catalog kind that the account holds, by kind name, as Stripe returned it with the kind's expansions. */
export type LiveResources = ReadonlyMap<string, readonly StripeObject[]>

export interface Live {
  readonly target: LiveAccount
  readonly sources: ReadonlyMap<string, LiveAccount>
  /** The target's catalog objects. */
  readonly resources: LiveResources
}
