import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { instant } from '../../src/core/instant.ts'
import { isRenewalCaptured, mayHideCapture } from '../../src/live/captured.ts'
import { hasRenewed } from '../../src/live/first-renewal.ts'

const first = instant(1_000_000)
const invoice = (billing_reason: string): Stripe.Invoice =>
  ({ status: 'paid', amount_paid: 2_000, created: first + 60, billing_reason }) as Stripe.Invoice

test('another paid invoice proves no renewal, and may hide one', () => {
  expect(isRenewalCaptured(invoice('subscription_cycle'), first)).toBe(true)
  for (const reason of ['subscription_update', 'manual']) {
    expect(isRenewalCaptured(invoice(reason), first)).toBe(false)
    expect(mayHideCapture(invoice(reason), first)).toBe(true)
  }
})

test('a subscription has renewed, whatever its newest invoice is', () => {
  const subscription = (start: number, reason: string): Stripe.Subscription =>
    ({
      billing_cycle_anchor: first,
      billing_cycle_anchor_config: null,
      trial_end: null,
      latest_invoice: invoice(reason),
      items: {
        data: [
          {
            price: { recurring: { interval: 'month', interval_count: 1 } },
            current_period_start: start,
            current_period_end: start + 2_000,
          },
        ],
      },
    }) as unknown as Stripe.Subscription
  expect(hasRenewed(subscription(first, 'subscription_update'))).toBe(true)
  expect(hasRenewed(subscription(first, 'subscription_cycle'))).toBe(true)
  expect(hasRenewed(subscription(first - 500, 'subscription_create'))).toBe(false)
})
