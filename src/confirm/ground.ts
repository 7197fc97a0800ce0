import { setTimeout as sleep } from 'node:timers/promises'
import type Stripe from 'stripe'
import { type Ground, type Timed, at } from './case.ts'

const card = 'pm_card_visa'
const good = { payment_method: card, invoice_settings: { default_payment_method: card } }

/** Prices, coupons and customers that only this run uses. */
export async function prepare(stripe: Stripe): Promise<Ground> {
  const product = await stripe.products.create({ name: 'Crossbill conformance' })
  const price = async (about: Partial<Stripe.PriceCreateParams>): Promise<string> => {
    const usual = {
      product: product.id,
      currency: 'usd',
      unit_amount: 4_900,
      recurring: { interval: 'month' },
    } as const
    return (await stripe.prices.create({ ...usual, ...about })).id
  }
  return {
    stripe,
    now: product.created,
    product: product.id,
    monthly: await price({}),
    yearly: await price({ unit_amount: 49_000, recurring: { interval: 'year' } }),
    weekly: await price({ unit_amount: 900, recurring: { interval: 'week' } }),
    price,
    coupon: async (about) => (await stripe.coupons.create(about)).id,
    customer: async (about = good) => (await stripe.customers.create(about)).id,
    timed: (from, run) => onClock(stripe, from, run),
  }
}

/**
 * One request may advance two intervals of the shortest subscription
 * (https://docs.stripe.com/billing/testing/test-clocks): for months, this far.
 */
const longestStep = 55 * 86_400

async function onClock<T>(stripe: Stripe, from: string, run: (time: Timed) => Promise<T>): Promise<T> {
  const { testClocks } = stripe.testHelpers
  const clock = await testClocks.create({ frozen_time: at(from), name: 'Crossbill conformance' })
  let now = clock.frozen_time
  try {
    return await run({
      customer: async (about = good) => (await stripe.customers.create({ ...about, test_clock: clock.id })).id,
      async to(instant) {
        for (const end = at(instant); now < end;) {
          now = Math.min(end, now + longestStep)
          await testClocks.advance(clock.id, { frozen_time: now })
          await ready(stripe, clock.id)
        }
      },
    })
  } finally {
    await testClocks.del(clock.id)
  }
}

async function ready(stripe: Stripe, id: string): Promise<void> {
  for (let turn = 0; turn < 120; turn++) {
    const { status } = await stripe.testHelpers.testClocks.retrieve(id)
    if (status === 'ready') return
    if (status === 'internal_failure') throw new Error(`test clock ${id} failed`)
    await sleep(1_000)
  }
  throw new Error(`test clock ${id} does not become ready`)
}
