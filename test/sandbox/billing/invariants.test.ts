// Random lives of subscriptions: whatever members and operators do, the books add up, nothing
// crashes, and a world that was stored and loaded continues unchanged.
import fc from 'fast-check'
import Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { instant } from '../../../src/core/instant.ts'
import type { StoredRow } from '../../../src/sandbox/kernel/tables.ts'
import { createSandbox, type Sandbox } from '../../../src/sandbox/sandbox.ts'
import { charges, invoices, subscriptions } from '../../../src/sandbox/stripe/billing/rows.ts'
import { chargesOf } from '../../../src/sandbox/stripe/charges.ts'
import { clientOf } from '../client.ts'
import { school, type School } from './school.ts'

type Step =
  | {
      readonly do: 'create'
      readonly ahead: number
      readonly back: number
      readonly trial: number
      readonly quantity: number
      readonly coupon: number
      readonly price: number
      readonly none: boolean
      readonly ends: boolean
    }
  | {
      readonly do: 'quantity'
      readonly which: number
      readonly quantity: number
      readonly how: 'always_invoice' | 'create_prorations' | 'none'
    }
  | { readonly do: 'price'; readonly which: number; readonly price: number }
  | {
      readonly do: 'pause'
      readonly which: number
      readonly behavior: 'keep_as_draft' | 'mark_uncollectible' | 'void' | ''
    }
  | { readonly do: 'end'; readonly which: number; readonly at: 'now' | 'period' | 'not' }
  | { readonly do: 'card'; readonly good: boolean }
  | { readonly do: 'item'; readonly amount: number }
  | { readonly do: 'credit'; readonly amount: number }
  | { readonly do: 'settle'; readonly how: 'pay' | 'void' | 'uncollectible' }
  | { readonly do: 'wait'; readonly hours: number }

const which = fc.nat({ max: 3 })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('create' as const),
    ahead: fc.integer({ min: 0, max: 32 }),
    back: fc.integer({ min: 0, max: 90 }),
    trial: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 20 })),
    quantity: fc.integer({ min: 1, max: 4 }),
    coupon: fc.nat({ max: 4 }),
    price: fc.nat({ max: 3 }),
    none: fc.boolean(),
    ends: fc.boolean(),
  }),
  fc.record({
    do: fc.constant('quantity' as const),
    which,
    quantity: fc.integer({ min: 0, max: 5 }),
    how: fc.constantFrom('always_invoice', 'create_prorations', 'none'),
  }),
  fc.record({ do: fc.constant('price' as const), which, price: fc.nat({ max: 3 }) }),
  fc.record({
    do: fc.constant('pause' as const),
    which,
    behavior: fc.constantFrom('keep_as_draft', 'mark_uncollectible', 'void', ''),
  }),
  fc.record({ do: fc.constant('end' as const), which, at: fc.constantFrom('now', 'period', 'not') }),
  fc.record({ do: fc.constant('card' as const), good: fc.boolean() }),
  fc.record({ do: fc.constant('item' as const), amount: fc.integer({ min: -3000, max: 3000 }) }),
  fc.record({ do: fc.constant('credit' as const), amount: fc.integer({ min: -8000, max: 8000 }) }),
  fc.record({ do: fc.constant('settle' as const), how: fc.constantFrom('pay', 'void', 'uncollectible') }),
  fc.record({ do: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 24 * 50 }) }),
)

interface Actor {
  readonly sandbox: Sandbox
  readonly stripe: Stripe
  readonly customer: string
  readonly prices: readonly string[]
  readonly coupons: readonly string[]
}

/** A refusal is an answer; any other error is a defect. */
async function allowed(asked: Promise<unknown>): Promise<void> {
  try {
    await asked
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeError) || error.statusCode === undefined || error.statusCode >= 500)
      throw error
  }
}

async function act(actor: Actor, made: Step): Promise<void> {
  const { stripe, sandbox, customer, prices, coupons } = actor
  const now = sandbox.clock()
  const { data } = await stripe.subscriptions.list({ customer, limit: 100 })
  const target = 'which' in made ? data[made.which % Math.max(1, data.length)] : undefined
  if ('which' in made && target === undefined) return
  const id = target?.id ?? ''
  const item = target?.items.data[0]?.id ?? ''
  switch (made.do) {
    case 'create': {
      const coupon = coupons[made.coupon]
      return allowed(
        stripe.subscriptions.create({
          customer,
          items: [{ price: prices[made.price] ?? '', quantity: made.quantity }],
          ...(made.ahead === 0 || made.trial > 0 ? {} : { billing_cycle_anchor: now + made.ahead * 86_400 }),
          ...(made.back === 0 ? {} : { backdate_start_date: now - made.back * 86_400 }),
          ...(made.trial === 0 ? {} : { trial_end: now + made.trial * 86_400 }),
          ...(coupon === undefined ? {} : { discounts: [{ coupon }] }),
          ...(made.none ? { proration_behavior: 'none' } : {}),
          ...(made.ends ? { cancel_at: now + 45 * 86_400 } : {}),
        }),
      )
    }
    case 'quantity':
      return allowed(
        stripe.subscriptions.update(id, {
          items: [{ id: item, quantity: made.quantity }],
          proration_behavior: made.how,
        }),
      )
    case 'price':
      return allowed(stripe.subscriptions.update(id, { items: [{ id: item, price: prices[made.price] ?? '' }] }))
    case 'pause':
      return allowed(
        stripe.subscriptions.update(id, { pause_collection: made.behavior === '' ? '' : { behavior: made.behavior } }),
      )
    case 'end':
      return allowed(
        made.at === 'now'
          ? stripe.subscriptions.cancel(id)
          : stripe.subscriptions.update(id, { cancel_at_period_end: made.at === 'period' }),
      )
    case 'card': {
      const method = await stripe.paymentMethods.attach(made.good ? 'pm_card_visa' : 'pm_card_chargeCustomerFail', {
        customer,
      })
      return allowed(stripe.customers.update(customer, { invoice_settings: { default_payment_method: method.id } }))
    }
    case 'item':
      return allowed(stripe.invoiceItems.create({ customer, amount: made.amount, currency: 'usd' }))
    case 'credit':
      return allowed(stripe.customers.createBalanceTransaction(customer, { amount: made.amount, currency: 'usd' }))
    case 'settle': {
      const [open] = (await stripe.invoices.list({ customer, status: 'open', limit: 1 })).data
      if (open === undefined) return
      if (made.how === 'pay') return allowed(stripe.invoices.pay(open.id))
      return allowed(
        made.how === 'void' ? stripe.invoices.voidInvoice(open.id) : stripe.invoices.markUncollectible(open.id),
      )
    }
    case 'wait':
      return sandbox.world.advance(instant(now + made.hours * 3_600))
  }
}

async function begin(world: School): Promise<Actor> {
  const { sandbox, stripe, customer, monthly, price, coupon } = world
  return {
    sandbox,
    stripe,
    customer,
    prices: [
      monthly,
      await price({ unit_amount: 990, recurring: { interval: 'week' } }),
      await price({ unit_amount: 49_000, recurring: { interval: 'year' } }),
      await price({ unit_amount: 12_000, recurring: { interval: 'month', interval_count: 3 } }),
    ],
    coupons: [
      await coupon({ percent_off: 33, duration: 'forever' }),
      await coupon({ percent_off: 50, duration: 'repeating', duration_in_months: 2 }),
      await coupon({ amount_off: 700, currency: 'usd', duration: 'once' }),
    ],
  }
}

function checkBooks(sandbox: Sandbox): void {
  const account = sandbox.world.account('us')
  const paidBy = new Map<string, number>()
  for (const charge of account.table(charges).all())
    if (charge.status === 'succeeded' && charge.invoice !== null)
      paidBy.set(charge.invoice, (paidBy.get(charge.invoice) ?? 0) + charge.amount)
  const periods = new Set<string>()
  for (const invoice of account.table(invoices).all()) {
    const off = invoice.taken.reduce((sum, one) => sum + one.amount, 0)
    const lines = invoice.lines.reduce((sum, line) => sum + line.amount, 0)
    expect(invoice.total).toBe(lines - off)
    expect(paidBy.get(invoice.id) ?? 0).toBe(invoice.status === 'paid' ? invoice.amount_due : 0)
    for (const line of invoice.lines) {
      expect(line.period.end).toBeGreaterThanOrEqual(line.period.start)
      if (
        line.subscriptionItem === null ||
        line.invoiceItem !== null ||
        invoice.billing_reason === 'subscription_update'
      )
        continue
      const key = `${line.subscriptionItem} ${line.period.start}`
      expect(periods.has(key)).toBe(false)
      periods.add(key)
    }
  }
  for (const row of account.table(subscriptions).all())
    for (const item of row.items) expect(item.current_period_end).toBeGreaterThanOrEqual(item.current_period_start)
}

describe('whatever happens', () => {
  test('totals equal their lines, a paid invoice has exactly one charge of its amount, no period is billed twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 22 }), async (story) => {
        const actor = await begin(await school({ accounts: ['us'] }))
        for (const made of story) await act(actor, made)
        await actor.sandbox.world.advance(instant(actor.sandbox.clock() + 100 * 86_400))
        checkBooks(actor.sandbox)
      }),
      { numRuns: 60 },
    )
  })

  test('a world that is stored and loaded continues unchanged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (story) => {
        const rows = new Map<string, StoredRow>()
        const storage = {
          load: () => rows.values(),
          save(changes: readonly { table: string; key: string; value: string | null }[]) {
            for (const { table, key, value } of changes)
              if (value === null) rows.delete(`${table} ${key}`)
              else rows.set(`${table} ${key}`, { table, key, value })
          },
        }
        const world = await school({ accounts: ['us'], storage })
        const actor = await begin(world)
        for (const made of story) await act(actor, made)
        const loaded = createSandbox({
          accounts: ['us'],
          storage: { load: () => [...rows.values()], save: () => undefined },
        })
        const later = instant(actor.sandbox.clock() + 200 * 86_400)
        await actor.sandbox.world.advance(later)
        await loaded.world.advance(later)
        expect(chargesOf(loaded.world)).toEqual(chargesOf(actor.sandbox.world))
        expect((await clientOf(loaded).subscriptions.list({ status: 'all' })).data).toEqual(
          (await actor.stripe.subscriptions.list({ status: 'all' })).data,
        )
      }),
      { numRuns: 25 },
    )
  })
})
