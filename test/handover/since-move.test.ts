import type Stripe from 'stripe'
import { describe, expect, test, vi } from 'vitest'
import { present } from '../../src/core/assert.ts'
import { customerRules, itemRules, subscriptionRules } from '../../src/handover/changed-terms.ts'
import type { Classification } from '../../src/handover/types.ts'
import { drive } from './drive.ts'
import { memberOf, stageAt, subscribe, type Stage } from './stage.ts'

vi.setConfig({ testTimeout: 60_000 })

const april = Date.parse('2026-04-20T00:00:00Z') / 1_000
const june = Date.parse('2026-06-20T00:00:00Z') / 1_000

interface Moved {
  readonly stage: Stage
  readonly successor: string
  readonly customer: string
}

interface Case {
  readonly named: string
  /** The member's own choice, which the new subscription bills: a revert alone would lose it. */
  readonly chosen?: true
  readonly old?: Partial<Stripe.SubscriptionCreateParams>
  /** What the sandbox's API does not offer: a change of what is read. */
  readonly shown?: (successor: Stripe.Subscription) => Partial<Stripe.Subscription>
  readonly act?: (moved: Moved) => Promise<unknown>
}

async function otherCard({ stage, customer }: Moved): Promise<string> {
  return (await stage.target.paymentMethods.attach('pm_card_mastercard', { customer })).id
}

const ofSubscription =
  (params: Stripe.SubscriptionUpdateParams): NonNullable<Case['act']> =>
  async ({ stage, successor }) =>
    stage.target.subscriptions.update(successor, params)

const couponOf = async ({ stage }: Moved): Promise<string> =>
  (await stage.target.coupons.create({ percent_off: 25, duration: 'forever' })).id

const rateOf = async ({ stage }: Moved): Promise<string> =>
  (await stage.target.taxRates.create({ display_name: 'VAT', percentage: 20, inclusive: false })).id

/** By table and field: a person changes it in the target. */
const cases: Readonly<Record<string, readonly Case[]>> = {
  'subscription automatic_tax': [
    { named: 'automatic tax', shown: ({ automatic_tax: tax }) => ({ automatic_tax: { ...tax, enabled: true } }) },
  ],
  'subscription billing_cycle_anchor': [
    {
      named: 'renewal dates',
      act: ofSubscription({ billing_cycle_anchor: { type: 'now' }, proration_behavior: 'none' }),
    },
  ],
  'subscription billing_mode': [
    { named: 'billing mode', shown: ({ billing_mode: mode }) => ({ billing_mode: { ...mode, type: 'classic' } }) },
  ],
  'subscription billing_thresholds': [
    {
      named: 'billing thresholds',
      shown: () => ({ billing_thresholds: { amount_gte: 10_000, reset_billing_cycle_anchor: false } }),
    },
  ],
  'subscription cancel_at': [
    { named: 'its end', act: ofSubscription({ cancel_at: june, proration_behavior: 'none' }) },
    { named: 'its end', act: ofSubscription({ cancel_at_period_end: true }) },
    {
      named: 'its end',
      old: { cancel_at: june },
      act: ofSubscription({ cancel_at: april, proration_behavior: 'none' }),
    },
    { named: 'its end', old: { cancel_at: june }, act: ofSubscription({ cancel_at: '' }) },
  ],
  'subscription collection_method': [
    { named: 'collection_method', act: ofSubscription({ collection_method: 'send_invoice', days_until_due: 14 }) },
  ],
  'subscription default_payment_method': [
    {
      named: 'payment method',
      act: async (moved) =>
        moved.stage.target.subscriptions.update(moved.successor, { default_payment_method: await otherCard(moved) }),
    },
    {
      named: 'default payment method',
      chosen: true,
      act: async (moved) =>
        moved.stage.target.customers.update(moved.customer, {
          invoice_settings: { default_payment_method: await otherCard(moved) },
        }),
    },
  ],
  'subscription default_tax_rates': [
    {
      named: 'tax rates',
      act: async (moved) =>
        moved.stage.target.subscriptions.update(moved.successor, { default_tax_rates: [await rateOf(moved)] }),
    },
  ],
  'subscription discounts': [
    {
      named: 'discounts',
      act: async (moved) =>
        moved.stage.target.subscriptions.update(moved.successor, { discounts: [{ coupon: await couponOf(moved) }] }),
    },
  ],
  'subscription items': [
    {
      named: 'items or quantities',
      act: ({ stage, successor }) =>
        stage.act('change_quantity', { account: 'target', subscription: successor, quantity: 3 }),
    },
  ],
  'subscription payment_settings': [
    {
      named: 'payment method types',
      shown: () => ({ payment_settings: { payment_method_types: ['us_bank_account'] } as never }),
    },
  ],
  'subscription schedule': [
    {
      named: 'schedule',
      act: async ({ stage, successor }) => {
        const { id } = await stage.target.subscriptionSchedules.create({ from_subscription: successor })
        await stage.target.subscriptionSchedules.update(id, { end_behavior: 'cancel' })
      },
    },
  ],
  'subscription trial_end': [{ named: 'trial', act: ofSubscription({ trial_end: april, proration_behavior: 'none' }) }],
  'subscription trial_settings': [
    {
      named: 'end of the trial',
      old: { trial_end: april },
      shown: () => ({ trial_settings: { end_behavior: { missing_payment_method: 'pause' } } as never }),
    },
  ],
  'item discounts': [
    {
      named: 'discounts of an item',
      shown: ({ items, created }) => ({
        items: {
          ...items,
          data: items.data.map((item) => ({
            ...item,
            discounts: [{ id: 'di_1', object: 'discount', start: created + 90, source: { coupon: null } } as never],
          })),
        },
      }),
    },
  ],
  'item tax_rates': [
    {
      named: 'tax rates of an item',
      act: async (moved) => {
        const { items } = await moved.stage.target.subscriptions.retrieve(moved.successor)
        const [item] = items.data
        const all = [{ id: present(item, 'item').id, tax_rates: [await rateOf(moved)] }]
        await moved.stage.target.subscriptions.update(moved.successor, { items: all, proration_behavior: 'none' })
      },
    },
  ],
  'customer discount': [
    {
      named: 'discount of the customer',
      act: async (moved) =>
        moved.stage.tampers.push((live) => ({
          ...live,
          target: {
            ...live.target,
            customers: new Map(
              [...live.target.customers].map(([id, one]) => [
                id,
                {
                  ...one,
                  discount: { id: 'di_1', object: 'discount', start: april, source: { coupon: null } } as never,
                },
              ]),
            ),
          },
        })),
    },
  ],
  // Created with its default, which is the rule.
  'subscription application_fee_percent': [
    { named: 'application_fee_percent', shown: () => ({ application_fee_percent: 10 }) },
  ],
  'subscription pending_invoice_item_interval': [
    {
      named: 'pending_invoice_item_interval',
      shown: () => ({ pending_invoice_item_interval: { interval: 'week', interval_count: 1 } }),
    },
  ],
}

async function moved(old: Case['old'] = {}): Promise<Moved> {
  const stage = await stageAt('2026-01-15T08:00:00Z')
  const customer = await memberOf(stage)
  await subscribe(stage, customer, old)
  await stage.advance('2026-02-20T00:00:00Z')
  await stage.copy()
  const found = await only(stage, 'target')
  if (found.outcome !== 'move') throw new Error(JSON.stringify(found))
  const { state } = await drive(stage, found.plan)
  await stage.advance('2026-02-22T00:00:00Z')
  return { stage, customer, successor: present(state.successor, 'successor') }
}

async function only(stage: Stage, wanted: 'source' | 'target'): Promise<Classification> {
  return present((await stage.classify(wanted))[0], 'subscriber')
}

describe('promise 12: what a person changes in the target stops its revert, and drift names it', () => {
  test('every field with a rule has a case', () => {
    const fields = Object.entries({
      subscription: subscriptionRules,
      item: itemRules,
      customer: customerRules,
    }).flatMap(([table, rules]) =>
      Object.entries(rules).flatMap(([field, rule]) => (typeof rule === 'function' ? [`${table} ${field}`] : [])),
    )
    expect(fields.length).toBeGreaterThan(15)
    expect(fields.filter((field) => cases[field] === undefined)).toEqual([])
  })

  test('without a change, a revert is planned and nothing is drift, before and after a renewal', async () => {
    for (const old of [{}, { cancel_at: june }, { trial_end: april }]) {
      const { stage } = await moved(old)
      for (const at of ['2026-02-22T00:00:00Z', '2026-03-20T00:00:00Z']) {
        await stage.advance(at)
        expect(await only(stage, 'source')).toMatchObject({ outcome: 'revert', drift: [] })
        expect(await only(stage, 'target')).toMatchObject({ outcome: 'unchanged', drift: [] })
      }
    }
  })

  const all = Object.entries(cases).flatMap(([field, some]) =>
    some.map((one, i) => [`${field} ${i + 1}`, one] as const),
  )
  test.each(all)('%s', async (_, { named, chosen, old, shown, act }) => {
    const it = await moved(old)
    const { stage } = it
    await act?.(it)
    if (shown !== undefined)
      stage.tampers.push((live) => ({
        ...live,
        target: {
          ...live.target,
          subscriptions: live.target.subscriptions.map((one) => ({ ...one, ...shown(one) })),
        },
      }))
    const message = expect.stringContaining(named) as string
    expect(await only(stage, 'source')).toMatchObject({
      outcome: 'blocked',
      reasons: [{ code: 'changed_since_move', message }],
    })
    expect((await only(stage, 'target')).drift).toMatchObject(
      chosen === true ? [] : [{ code: 'changed_in_target', message }],
    )
  })
})
