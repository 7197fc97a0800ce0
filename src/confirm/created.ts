// Remembers every object that the cases create in the test account, and removes it afterwards.
import type Stripe from 'stripe'

type Fetch = typeof globalThis.fetch

/** How objects of one kind are put away, in this order: what others depend on comes last. */
const removals: readonly (readonly [object: string, remove: (stripe: Stripe, id: string) => Promise<unknown>])[] = [
  ['test_helpers.test_clock', (stripe, id) => stripe.testHelpers.testClocks.del(id)],
  ['subscription_schedule', (stripe, id) => stripe.subscriptionSchedules.cancel(id)],
  // Deleting a customer cancels its subscriptions.
  ['customer', (stripe, id) => stripe.customers.del(id)],
  ['webhook_endpoint', (stripe, id) => stripe.webhookEndpoints.del(id)],
  ['promotion_code', (stripe, id) => stripe.promotionCodes.update(id, { active: false })],
  ['coupon', (stripe, id) => stripe.coupons.del(id)],
  ['tax_rate', (stripe, id) => stripe.taxRates.update(id, { active: false })],
  ['billing.meter', (stripe, id) => stripe.billing.meters.deactivate(id)],
  ['entitlements.feature', (stripe, id) => stripe.entitlements.features.update(id, { active: false })],
  ['product', putAwayProduct],
  ['price', (stripe, id) => stripe.prices.update(id, { active: false })],
]

/**
 * A product that has prices cannot be deleted. Its default price cannot be archived, and cannot be
 * sold once the product is.
 */
async function putAwayProduct(stripe: Stripe, id: string): Promise<unknown> {
  return await stripe.products.del(id).catch(() => stripe.products.update(id, { active: false }))
}

/** What a run created, by kind and id. */
export class Created {
  readonly #ids = new Map<string, Set<string>>()

  /** The same `fetch`, which remembers what its answers say was created. */
  watch(fetch: Fetch): Fetch {
    return async (input, init) => {
      const answer = await fetch(input, init)
      if ((init?.method ?? 'GET') === 'POST' && answer.ok) this.#remember(await answer.clone().text())
      return answer
    }
  }

  #remember(text: string): void {
    const made = parsed(text)
    const { object, id } = made ?? {}
    if (typeof object !== 'string' || typeof id !== 'string') return
    const ids = this.#ids.get(object) ?? new Set()
    this.#ids.set(object, ids.add(id))
  }

  /**
   * Deletes what can be deleted and archives the rest. Returns the ids that could not be put away.
   * An object that is gone already counts as put away.
   */
  async putAway(stripe: Stripe): Promise<readonly string[]> {
    const left: string[] = []
    for (const [object, remove] of removals)
      for (const id of this.#ids.get(object) ?? []) {
        const error: unknown = await remove(stripe, id).then(
          () => undefined,
          (refused: unknown) => refused,
        )
        if (error !== undefined && !isGone(error)) left.push(id)
      }
    return left
  }
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}

/** Refusals (4xx) mean that the object ended or went with another one. */
function isGone(error: unknown): boolean {
  const status = (error as { statusCode?: number }).statusCode ?? 0
  return status >= 400 && status < 500 && status !== 401 && status !== 403 && status !== 429
}
