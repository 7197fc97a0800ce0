// A world built from the objects of live accounts, to rehearse a migration with real data.
import type { Json } from '../../core/json.ts'
import { Context } from '../kernel/context.ts'
import type { World } from '../kernel/world.ts'
import * as catalog from './catalog.ts'
import * as people from './people.ts'
import { Live } from './reading.ts'
import { keepLiveSchedule } from './schedules.ts'
import { keepLiveInvoice } from './invoices.ts'
import * as billing from './subscriptions.ts'

/**
 * One account as pulled: arrays of live Stripe objects of the pinned API version, unchanged (plain
 * JSON). Expand what lists omit: `data.tiers`, `data.currency_options` (prices), `data.applies_to`
 * (coupons), `data.discounts`, `data.items.data.discounts` (subscriptions), `data.tax_ids`
 * (customers).
 */
export interface LiveAccount {
  readonly products?: readonly Json[]
  readonly prices?: readonly Json[]
  readonly tax_rates?: readonly Json[]
  readonly coupons?: readonly Json[]
  readonly promotion_codes?: readonly Json[]
  readonly customers?: readonly Json[]
  /**
   * Methods that are not listed become plain cards, banks or sources, by the prefix of their ids.
   */
  readonly payment_methods?: readonly Json[]
  readonly subscriptions?: readonly Json[]
  /** Schedules that no subscription carries expanded. */
  readonly schedules?: readonly Json[]
  /**
   * Drafts, open invoices, and the newest invoice of each subscription; older paid ones are not
   * needed.
   */
  readonly invoices?: readonly Json[]
  /** Pending items. */
  readonly invoice_items?: readonly Json[]
}

/**
 * Puts the objects of live accounts into the accounts of the same names. The world's clock should
 * show the instant of the pull.
 */
export function fillFromAccounts(world: World, accounts: Readonly<Record<string, LiveAccount>>): void {
  const kept = world.keepEvents
  world.keepEvents = false
  for (const [name, live] of Object.entries(accounts)) {
    world.account(name).ownIds()
    fillAccount(new Context(world, world.account(name)), live)
  }
  world.keepEvents = kept
  world.commit()
}

function fillAccount(context: Context, live: LiveAccount): void {
  // Oldest first, so that lists keep the order of objects with the same second.
  const each = (kind: keyof LiveAccount, keep: (context: Context, object: Live) => void): void => {
    for (const [index, object] of (live[kind] ?? []).toReversed().entries())
      keep(context, new Live(object, `${context.account.name}.${kind}[${index}]`))
  }
  each('products', catalog.keepProduct)
  each('prices', (where, object) => catalog.keepPrice(where, object))
  each('tax_rates', catalog.keepTaxRate)
  each('coupons', (where, object) => catalog.keepCoupon(where, object))
  each('promotion_codes', catalog.keepPromotionCode)
  each('payment_methods', (where, object) => people.keepMethod(where, object))
  each('customers', people.keepCustomer)
  each('schedules', keepLiveSchedule)
  each('subscriptions', billing.keepLiveSubscription)
  each('invoices', keepLiveInvoice)
  each('invoice_items', billing.keepPendingItem)
}
