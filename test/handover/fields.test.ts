import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import {
  customerFields,
  fieldsNotCarried,
  itemFields,
  subscriptionFields,
  subscriptionParts,
} from '../../src/handover/fields.ts'
import { fingerprint, sourcePrint } from '../../src/handover/fingerprint.ts'
import { changedParts, heldRules, partsPrint } from '../../src/handover/held-terms.ts'
import { memberOf, stageAt, subscribe } from './stage.ts'

function declarations(file: string): string {
  const root = dirname(dirname(createRequire(import.meta.url).resolve('stripe')))
  return readFileSync(join(root, 'esm/resources', file), 'utf8')
}

/**
 * The fields of an interface as the SDK declares them; for a part, the first interface of that name
 * is the object's own.
 */
function declaredFields(declared: string, name: string): readonly string[] {
  const text = declared.replaceAll(/\/\*\*[\s\S]*?\*\//g, '')
  const body = new RegExp(`^( *)(?:export )?interface ${name} \\{\\n([\\s\\S]*?)\\n\\1\\}`, 'm').exec(text)?.[2] ?? ''
  return [...body.matchAll(/^\s*(\w+)\??:/gm)].flatMap(([, field]) => field ?? [])
}

describe('every field that Stripe declares has a policy', () => {
  test.each([
    ['Subscriptions.d.ts', 'Subscription', subscriptionFields],
    ['SubscriptionItems.d.ts', 'SubscriptionItem', itemFields],
    ['Customers.d.ts', 'Customer', customerFields],
  ] as const)('%s %s', (file, name, policies) => {
    const declared = declaredFields(declarations(file), name)
    expect(declared.length).toBeGreaterThan(14)
    expect(Object.keys(policies).toSorted()).toEqual(declared.toSorted())
  })
  test.each([
    ['billing_mode', 'BillingMode'],
    ['billing_mode.flexible', 'Flexible'],
    ['pause_collection', 'PauseCollection'],
    ['payment_settings', 'PaymentSettings'],
    ['trial_settings.end_behavior', 'EndBehavior'],
  ] as const)('%s', (part, name) => {
    const declared = declaredFields(declarations('Subscriptions.d.ts'), name)
    expect(Object.keys(subscriptionParts[part]).toSorted()).toEqual(declared.toSorted())
  })
  test('a new field is detected', () => {
    const tomorrow = declarations('Subscriptions.d.ts')
      .replace('export interface Subscription {', '$&\n    /** New. */\n    surcharge: number | null;')
      .replace('    interface PaymentSettings {', '$&\n        mandate?: string;')
    const unknown = (name: string, policies: object): readonly string[] =>
      declaredFields(tomorrow, name).filter((field) => !(field in policies))
    expect(unknown('Subscription', subscriptionFields)).toEqual(['surcharge'])
    expect(unknown('PaymentSettings', subscriptionParts.payment_settings)).toEqual(['mandate'])
  })
})

async function live(): Promise<Stripe.Subscription> {
  const stage = await stageAt('2026-01-15T08:00:00Z')
  const id = await subscribe(stage, await memberOf(stage), { discounts: [{ coupon: 'friends' }] })
  const { data } = await stage.us.subscriptions.list({ expand: ['data.customer', 'data.discounts'] })
  return data.find((one) => one.id === id) as Stripe.Subscription
}

describe('what is not carried', () => {
  test('a plain subscription has nothing that is not carried', async () => {
    expect(fieldsNotCarried(await live())).toEqual([])
  })
  test.each([
    ['application_fee_percent', 2],
    ['billing_schedules', [{ key: 'a', applies_to: null, bill_until: { type: 'timestamp' } }]],
    ['customer_account', 'acct_1'],
    ['invoice_settings', { account_tax_ids: ['txi_1'], issuer: { type: 'self' } }],
    ['invoice_settings', { footer: 'Thanks', issuer: { type: 'self' } }],
    ['invoice_settings', { issuer: { type: 'account', account: 'acct_1' } }],
    ['managed_payments', { enabled: true }],
    ['on_behalf_of', 'acct_1'],
    ['pending_invoice_item_interval', { interval: 'month', interval_count: 1 }],
    ['pending_update', { expires_at: 1 }],
    ['presentment_details', { presentment_currency: 'eur' }],
    ['transfer_data', { destination: 'acct_1', amount_percent: null }],
    ['automatic_tax', { enabled: false, disabled_reason: 'requires_location_inputs', liability: null }],
    ['automatic_tax', { enabled: true, disabled_reason: null, liability: { type: 'account', account: 'acct_1' } }],
    ['a_field_of_tomorrow', { any: 'thing' }],
  ])('%s: %j is named', async (field, value) => {
    expect(fieldsNotCarried({ ...(await live()), [field]: value })).toEqual([field])
  })
  test.each([
    ['payment_settings', { payment_method_types: ['card'], a_part_of_tomorrow: 'x' }],
    ['billing_mode', { type: 'classic', flexible: null, a_part_of_tomorrow: 'x' }],
    ['pause_collection', { behavior: 'void', resumes_at: null, a_part_of_tomorrow: 'x' }],
  ])('a part of %s that has no policy is named', async (field, value) => {
    expect(fieldsNotCarried({ ...(await live()), [field]: value })).toEqual([`${field}.a_part_of_tomorrow`])
  })
  test('a deeper field is named as well', async () => {
    const end_behavior = {
      billing_cycle_anchor: null,
      missing_payment_method: 'cancel',
      a_part_of_tomorrow: 1,
    } as const
    const billing_mode = {
      type: 'flexible',
      flexible: { a_part_of_tomorrow: 1 },
    } as unknown as Stripe.Subscription.BillingMode
    expect(fieldsNotCarried({ ...(await live()), trial_settings: { end_behavior }, billing_mode })).toEqual([
      'billing_mode.flexible.a_part_of_tomorrow',
      'trial_settings.end_behavior.a_part_of_tomorrow',
    ])
  })
  test.each([
    ['automatic_tax', { enabled: true, disabled_reason: null, liability: { type: 'self' } }],
    ['managed_payments', { enabled: false }],
    [
      'invoice_settings',
      { account_tax_ids: null, custom_fields: [], description: null, footer: null, issuer: { type: 'self' } },
    ],
    ['billing_thresholds', { amount_gte: null, reset_billing_cycle_anchor: null }],
    ['a_field_of_tomorrow', null],
  ])('%s: %j is the default setting', async (field, value) => {
    expect(fieldsNotCarried({ ...(await live()), [field]: value })).toEqual([])
  })
  test('fields of items are named with their path', async () => {
    const one = await live()
    const data = one.items.data.map((item) => ({
      ...item,
      billing_thresholds: { usage_gte: 5 },
      current_trial: { end_date: 2, start_date: 1, trial_offer: 'x' },
    }))
    expect(fieldsNotCarried({ ...one, items: { ...one.items, data } })).toEqual([
      'items.billing_thresholds',
      'items.current_trial',
    ])
  })
})

describe('the fingerprint', () => {
  const customer = (one: Stripe.Subscription): Stripe.Customer => one.customer as Stripe.Customer
  test('does not depend on expansion, renewals, the hold and the marks', async () => {
    const one = await live()
    const before = fingerprint(one, customer(one))
    const held: Stripe.Subscription = {
      ...one,
      discounts: one.discounts.map((discount) => (typeof discount === 'string' ? discount : discount.id)),
      customer: customer(one).id,
      latest_invoice: 'in_2',
      items: {
        ...one.items,
        data: one.items.data.map((item) => ({ ...item, current_period_end: item.current_period_end + 86_400 })),
      },
      pause_collection: { behavior: 'void', resumes_at: null },
      metadata: { ...one.metadata, crossbill_hold: '{"before":null,"since":1,"print":"x"}' },
    }
    expect(fingerprint(held, customer(one))).toBe(before)
  })
  test.each<[string, (one: Stripe.Subscription) => Partial<Stripe.Subscription>]>([
    ['quantity', ({ items }) => ({ items: { ...items, data: items.data.map((item) => ({ ...item, quantity: 7 })) } })],
    [
      'price',
      ({ items }) => ({
        items: { ...items, data: items.data.map((item) => ({ ...item, price: { ...item.price, id: 'price_2' } })) },
      }),
    ],
    ['card', () => ({ default_payment_method: 'pm_2' })],
    ['status', () => ({ status: 'past_due' })],
    ['end', () => ({ cancel_at_period_end: true })],
    ['discount', () => ({ discounts: [] })],
    ['a pause of their own', () => ({ pause_collection: { behavior: 'void', resumes_at: null } })],
    ['metadata', () => ({ metadata: { note: 'x' } })],
    ['anchor', () => ({ billing_cycle_anchor: 1 })],
  ])('changes with %s', async (_, change) => {
    const one = await live()
    expect(fingerprint({ ...one, ...change(one) }, customer(one))).not.toBe(fingerprint(one, customer(one)))
  })
  test('the print in the mark of a hold changes with a person’s changes, not with discounts that end', async () => {
    const one = await live()
    const print = sourcePrint(one, customer(one))
    expect(sourcePrint({ ...one, discounts: [], status: 'past_due', trial_end: 1 }, customer(one))).toBe(print)
    expect(sourcePrint({ ...one, default_payment_method: 'pm_2' }, customer(one))).not.toBe(print)
    expect(print).toHaveLength(16)
  })
  test('the mark of a hold says which part a person changed; a part that an earlier mark lacks is unknown', async () => {
    const one = await live()
    const parts = partsPrint(one, customer(one))
    const [item] = one.items.data
    const changes: Readonly<Record<string, Partial<Stripe.Subscription>>> = {
      items: { items: { ...one.items, data: [{ ...item, quantity: 7 } as Stripe.SubscriptionItem] } },
      'payment method': { default_payment_method: 'pm_2' },
      'its end': { cancel_at: 1 },
      collection_method: { days_until_due: 3 },
      'billing mode': { billing_mode: { type: 'classic', flexible: null } },
      settings: { on_behalf_of: 'acct_1' },
      'payment method types': {
        payment_settings: { ...one.payment_settings, payment_method_types: ['link'] } as never,
      },
    }
    expect(changedParts(one, customer(one), { parts })).toEqual([])
    for (const [part, change] of Object.entries(changes))
      expect(changedParts({ ...one, ...change }, customer(one), { parts })).toEqual([part])
    expect(changedParts({ ...one, on_behalf_of: 'acct_1' }, customer(one), { parts: parts.slice(0, 40) })).toEqual([])
    const watched = Object.values(heldRules).flatMap((table) => Object.values(table))
    expect(watched.filter((rule) => 'part' in rule).length).toBeGreaterThan(20)
  })
})
