import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { present } from '../../src/core/assert.ts'
import { blockedCodes, deferredCodes, type BlockedCode, type DeferredCode } from '../../src/handover/codes.ts'
import type { Classification } from '../../src/handover/types.ts'
import type { LiveAccount } from '../../src/live/accounts.ts'
import { drive } from './drive.ts'
import { memberOf, stageAt, subscribe, type Stage } from './stage.ts'

/**
 * How a subscriber gets a code. By default the member subscribed on 15 January 2026 and today is 20
 * February.
 */
interface Case {
  readonly wanted?: 'source' | 'settled'
  readonly born?: string
  readonly today?: string
  readonly member?: Stripe.CustomerCreateParams
  readonly with?: (stage: Stage) => Parameters<typeof subscribe>[2]
  readonly before?: (stage: Stage, id: string, member: string) => Promise<unknown>
  readonly uncopied?: true
  /** Events after the copy. */
  readonly after?: (stage: Stage, id: string, member: string) => Promise<unknown>
}

async function classified({
  wanted,
  born,
  today,
  member,
  with: params,
  before,
  uncopied,
  after,
}: Case): Promise<Classification> {
  const stage = await stageAt(born ?? '2026-01-15T08:00:00Z')
  const customer = await memberOf(stage, member)
  const id = await subscribe(stage, customer, params?.(stage))
  await before?.(stage, id, customer)
  if (stage.now() < Date.parse(today ?? '2026-02-20T00:00:00Z') / 1_000)
    await stage.advance(today ?? '2026-02-20T00:00:00Z')
  if (uncopied === undefined) await stage.copy()
  await after?.(stage, id, customer)
  return present((await stage.classify(wanted ?? 'target'))[0], 'subscriber')
}

async function move(stage: Stage): Promise<string> {
  const found = present((await stage.classify('target'))[0], 'subscriber')
  if (found.outcome !== 'move') throw new Error(JSON.stringify(found))
  const { state } = await drive(stage, found.plan)
  return present(state.successor, 'successor')
}

const us = (stage: Stage, key: string): string => present(stage.ids.get(`us ${key}`), key)
const target = (stage: Stage, key: string): string => present(stage.ids.get(`target ${key}`), key)

type Patch<T> = (one: T) => Partial<T>

/** Changes the read data of the only subscription of an account. */
function tamper(stage: Stage, account: 'us' | 'target', patch: Patch<Stripe.Subscription>): void {
  const changed = (one: LiveAccount): LiveAccount => ({
    ...one,
    subscriptions: one.subscriptions.map((sub) => ({ ...sub, ...patch(sub) })),
  })
  stage.tampers.push((live) =>
    account === 'target'
      ? { ...live, target: changed(live.target) }
      : { ...live, sources: new Map([...live.sources].map(([name, one]) => [name, changed(one)])) },
  )
}

/** The terms of a price are read from the account's own list. */
function tamperPrices(stage: Stage, patch: Patch<Stripe.Price>): void {
  const changed = (one: LiveAccount): LiveAccount => ({
    ...one,
    prices: new Map([...present(one.prices, 'prices')].map(([id, price]) => [id, { ...price, ...patch(price) }])),
  })
  stage.tampers.push((live) => ({
    ...live,
    sources: new Map([...live.sources].map(([name, one]) => [name, changed(one)])),
  }))
}

function tamperCustomer(stage: Stage, account: 'us' | 'target', patch: Patch<Stripe.Customer>): void {
  const changed = (one: LiveAccount): LiveAccount => ({
    ...one,
    customers: new Map([...one.customers].map(([id, customer]) => [id, { ...customer, ...patch(customer) }])),
  })
  stage.tampers.push((live) =>
    account === 'target'
      ? { ...live, target: changed(live.target) }
      : { ...live, sources: new Map([...live.sources].map(([name, one]) => [name, changed(one)])) },
  )
}

const changeQuantity =
  (account: 'us' | 'target') =>
  async (stage: Stage, id: string): Promise<void> =>
    stage.act('change_quantity', { account, subscription: id, quantity: 3 })

async function paidRenewal(stage: Stage): Promise<string> {
  const successor = await move(stage)
  await stage.advance('2026-03-18T00:00:00Z')
  return successor
}

/** The successor's newest invoice in a read after a dispute of its payment. */
function disputed(latest: Stripe.Invoice): Stripe.Invoice {
  const intent = { id: 'pi_1', status: 'succeeded', latest_charge: { id: 'ch_1', disputed: true, amount_refunded: 0 } }
  return {
    ...latest,
    payments: { object: 'list', data: [{ payment: { type: 'payment_intent', payment_intent: intent } }] },
  } as unknown as Stripe.Invoice
}

/** The plan as a whole gives these codes; test/cli/one-bad-entry.test.ts has a case. */
const ofThePlan = ['resource_blocked'] as const

const blockedCases: Readonly<Record<Exclude<BlockedCode, (typeof ofThePlan)[number]>, Case>> = {
  entry_invalid: {
    after: async (stage) => {
      const address = `mapping.us/${us(stage, 'price.monthly')}`
      stage.leftOut.push({ address, kind: 'mapping', key: address, findings: [] })
      stage.ids.set('us price.monthly', 'price_other')
    },
  },
  not_in_source: {
    after: async (stage) => {
      stage.tampers.push((live) => ({
        ...live,
        sources: new Map([...live.sources].map(([name, one]) => [name, { ...one, subscriptions: [] }])),
      }))
    },
  },
  customer_not_copied: { uncopied: true },
  copy_mismatch: {
    after: async (stage, _, member) => {
      const other = await stage.us.customers.create({ email: 'other@example.com' })
      await stage.copy()
      for (const row of stage.copied) if (row[0] === member) row[2] = other.id
    },
  },
  payment_method_unmapped: { after: (stage, id) => stage.act('change_card', { account: 'us', subscription: id }) },
  payment_method_not_copyable: {
    after: async (stage) =>
      tamper(stage, 'us', () => ({
        default_payment_method: { id: 'pm_link', object: 'payment_method', type: 'link' } as Stripe.PaymentMethod,
      })),
  },
  price_unmapped: { after: async (stage) => stage.ids.set('us price.monthly', 'price_other') },
  price_differs: {
    after: async (stage) =>
      stage.ids.set('us price.quarterly', us(stage, 'price.monthly')).set('us price.monthly', 'price_other'),
  },
  coupon_unmapped: {
    after: async (stage) => stage.rewritten.set('coupon.friends', { percent_off: 15, duration: 'forever' }),
    with: () => ({ discounts: [{ coupon: 'friends' }] }),
  },
  payment_default_differs: {
    after: async (stage, _, member) => {
      const card = await stage.target.paymentMethods.attach('pm_card_mastercard', { customer: member })
      await stage.target.customers.update(member, { invoice_settings: { default_payment_method: card.id } })
    },
  },
  customer_discount_in_target: {
    after: async (stage) =>
      tamperCustomer(stage, 'target', () => ({
        discount: { id: 'di_1', source: { type: 'coupon', coupon: 'friends' } } as Stripe.Discount,
      })),
  },
  tax_rate_unmapped: {
    with: (stage) => ({ default_tax_rates: [us(stage, 'tax_rate.vat')] }),
    after: async (stage) => stage.ids.set('us tax_rate.vat', 'txr_other'),
  },
  setup_failed: {
    before: async ({ us: account }, _, member) => {
      const card = await account.paymentMethods.attach('pm_card_in', { customer: member })
      await account.customers.update(member, { invoice_settings: { default_payment_method: card.id } })
    },
    after: async (stage) => {
      stage.policies['setup_failed'] = 'undo'
      const found = present((await stage.classify('target'))[0], 'subscriber')
      if (found.outcome !== 'move') throw new Error(JSON.stringify(found))
      expect((await drive(stage, found.plan)).state).toMatchObject({
        phase: 'source',
        reason: { code: 'setup_failed' },
      })
    },
  },
  tax_differs: {
    with: (stage) => ({ default_tax_rates: [us(stage, 'tax_rate.vat')] }),
    after: async (stage) =>
      stage.rewritten.set('tax_rate.vat', { display_name: 'VAT', percentage: 20, inclusive: false, country: 'DE' }),
  },
  customer_tax_id_missing: {
    after: async (stage) => {
      const unknown = { id: 'txi_1', object: 'tax_id', type: 'unknown', value: '?' } as unknown as Stripe.TaxId
      tamperCustomer(stage, 'us', () => ({ tax_ids: { object: 'list', data: [unknown], has_more: false, url: '' } }))
    },
  },
  tax_location_missing: {
    after: async (stage) => {
      tamper(stage, 'us', () => ({
        automatic_tax: { enabled: true, disabled_reason: null, liability: { type: 'self' } },
      }))
      for (const id of stage.subscribers.keys()) stage.subscribers.set(id, { automatic_tax: true })
    },
  },
  currency_conflict: {
    after: async (stage, _, member) => {
      await stage.target.subscriptions.create({
        customer: member,
        items: [{ price: target(stage, 'price.euro') }],
        trial_end: 1_775_000_000,
      })
      tamperCustomer(stage, 'target', () => ({}))
    },
  },
  trial_without_card: {
    with: () => ({
      trial_end: Date.parse('2026-05-15T00:00:00Z') / 1_000,
      trial_settings: { end_behavior: { missing_payment_method: 'cancel' } },
    }),
    before: async (stage, _, member) => {
      for (const { id } of (await stage.us.paymentMethods.list({ customer: member })).data)
        await stage.us.paymentMethods.detach(id)
    },
  },
  past_due: {
    before: async (stage, id) => stage.act('decline_card', { account: 'us', subscription: id }),
    today: '2026-02-17T00:00:00Z',
  },
  open_invoice: {
    before: async (stage, id) => stage.act('decline_card', { account: 'us', subscription: id }),
    today: '2026-02-17T00:00:00Z',
  },
  finalization_failed: {
    after: async (stage, id) => {
      const draft = {
        id: 'in_1',
        status: 'draft',
        auto_advance: true,
        last_finalization_error: { type: 'invalid_request_error', code: 'customer_tax_location_invalid' },
      } as unknown as Stripe.Invoice
      const withDraft = (one: LiveAccount): LiveAccount => ({ ...one, invoices: new Map([[id, [draft]]]) })
      stage.tampers.push((live) => ({
        ...live,
        sources: new Map([...live.sources].map(([name, one]) => [name, withDraft(one)])),
      }))
    },
  },
  pending_invoice_items: {
    after: async (stage, id, member) =>
      stage.us.invoiceItems.create({ customer: member, subscription: id, amount: 700, currency: 'usd' }),
  },
  customer_balance: {
    after: async (stage, _, member) =>
      stage.us.customers.createBalanceTransaction(member, { amount: -2_000, currency: 'usd' }),
  },
  customer_split: {
    after: async (stage, _, member) => {
      const sibling = await subscribe(stage, member, { price: 'quarterly' })
      stage.subscribers.set(sibling, { stage: 'source' })
      stage.policies['customer_balance'] = 'carry'
      await stage.us.customers.createBalanceTransaction(member, { amount: -2_000, currency: 'usd' })
    },
  },
  metered_price: {
    after: async (stage) =>
      tamperPrices(stage, (price) => ({
        recurring: { ...present(price.recurring, 'recurring'), usage_type: 'metered' as const },
      })),
  },
  mixed_intervals: {
    with: (stage) => ({
      items: [{ price: us(stage, 'price.monthly') }, { price: us(stage, 'price.yearly') }],
      trial_end: Date.parse('2026-03-15T08:00:00Z') / 1_000,
    }),
  },
  schedule_managed: { after: async (stage, id) => stage.us.subscriptionSchedules.create({ from_subscription: id }) },
  collection_paused: { after: (stage, id) => stage.act('pause', { account: 'us', subscription: id }) },
  managed_by_application: { after: async (stage) => tamper(stage, 'us', () => ({ application: 'ca_checkout' })) },
  anchor_unrepresentable: {
    after: async (stage) =>
      tamper(stage, 'us', ({ billing_cycle_anchor: anchor }) => ({ billing_cycle_anchor: anchor + 3 * 86_400 })),
  },
  discount_unrepresentable: {
    with: () => ({ discounts: [{ coupon: 'welcome-20' }] }),
    after: async (stage) =>
      tamper(stage, 'us', ({ discounts }) => ({
        discounts: discounts.map((one) => ({ ...(one as Stripe.Discount), end: 1_773_561_600 + 1_800 })),
      })),
  },
  field_not_carried: {
    after: async (stage, id) =>
      stage.us.subscriptions.update(id, { pending_invoice_item_interval: { interval: 'week' } }),
  },
  metadata_full: {
    with: () => ({ metadata: Object.fromEntries(Array.from({ length: 49 }, (_, i) => [`key_${i}`, 'x'])) }),
  },
  changed_since_pull: {
    after: async (stage, id) => stage.subscribers.set(id, { items: [{ price: 'monthly', quantity: 4 }] }),
  },
  unknown_status: { after: async (stage) => tamper(stage, 'us', () => ({ status: 'incomplete' })) },
  unfinished: {
    after: async (stage, id) =>
      stage.us.subscriptions.update(id, {
        pause_collection: { behavior: 'keep_as_draft' },
        metadata: { crossbill_hold: '{"before":null}' },
      }),
  },
  duplicate_target: {
    after: async (stage, id, member) => {
      await move(stage)
      await stage.target.subscriptions.create({
        customer: member,
        items: [{ price: target(stage, 'price.monthly') }],
        metadata: { crossbill_from: `us/${id}` },
        trial_end: 1_775_000_000,
      })
    },
  },
  hold_missing: {
    after: async (stage, id) => {
      await move(stage)
      await stage.act('unpause', { account: 'us', subscription: id })
    },
  },
  cancelled_in_source: {
    after: async (stage, id) => {
      await move(stage)
      await stage.us.subscriptions.cancel(id)
    },
  },
  drift_on_held_source: {
    wanted: 'settled',
    after: async (stage, id) => {
      await paidRenewal(stage)
      await changeQuantity('us')(stage, id)
    },
  },
  lapsed_in_source: {
    after: async (stage) => {
      await move(stage)
      tamper(stage, 'us', () => ({
        status: 'canceled',
        cancellation_details: { comment: null, feedback: null, feedback_option: null, reason: 'payment_failed' },
      }))
    },
  },
  money_on_held_source: {
    wanted: 'settled',
    after: async (stage, id, member) => {
      await paidRenewal(stage)
      await stage.us.invoiceItems.create({ customer: member, subscription: id, amount: 2_500, currency: 'usd' })
    },
  },
  already_settled: {
    wanted: 'source',
    after: async (stage, id) => {
      const successor = await move(stage)
      await stage.us.subscriptions.cancel(id, {
        cancellation_details: { comment: `crossbill settled, continues as ${successor}` },
      })
    },
  },
  entry_differs: {
    after: async (stage, id) => {
      await move(stage)
      stage.subscribers.set(id, { items: [{ price: 'quarterly' }] })
    },
  },
  excluded_after_move: {
    wanted: 'source',
    after: async (stage, id) => {
      await move(stage)
      stage.subscribers.set(id, { excluded: 'pays by bank transfer' })
    },
  },
  stage_unwritten: {
    wanted: 'source',
    after: async (stage, id) => {
      stage.subscribers.set(id, { unstaged: true })
      await move(stage)
    },
  },
  other_project: {
    after: async (stage) => {
      await move(stage)
      tamper(stage, 'us', ({ metadata }) => ({
        metadata: {
          crossbill_hold: JSON.stringify({
            ...(JSON.parse(metadata['crossbill_hold'] ?? '{}') as object),
            project: 'other',
          }),
        },
      }))
    },
  },
  successor_missing: {
    after: async (stage) => {
      await move(stage)
      stage.tampers.push((live) => ({ ...live, target: { ...live.target, subscriptions: [] } }))
    },
  },
  unmarked_successor: {
    after: async (stage) => {
      const successor = await move(stage)
      await stage.target.subscriptions.update(successor, { metadata: { crossbill_from: '' } })
    },
  },
  erased_in_target: {
    after: async (stage, _, member) => {
      await move(stage)
      tamper(stage, 'us', ({ pause_collection: pause }) => ({
        pause_collection: pause && { ...pause, behavior: 'keep_as_draft' },
      }))
      stage.tampers.push((live) => ({
        ...live,
        target: { ...live.target, subscriptions: [], customers: new Map(), erased: new Set([member]) },
      }))
    },
  },
  resumed_in_source: {
    after: async (stage, id) => {
      await stage.target.subscriptions.cancel(await move(stage))
      await stage.us.subscriptions.update(id, { pause_collection: '', metadata: { crossbill_hold: '' } })
    },
  },
  schedule_lost: {
    wanted: 'settled',
    after: async (stage, id) => {
      await paidRenewal(stage)
      const { id: schedule } = await stage.us.subscriptionSchedules.create({ from_subscription: id })
      await stage.us.subscriptionSchedules.update(schedule, { end_behavior: 'cancel' })
    },
  },
  changed_since_move: { wanted: 'source', after: async (stage) => changeQuantity('target')(stage, await move(stage)) },
  refunded_in_target: {
    wanted: 'source',
    after: async (stage) => {
      await paidRenewal(stage)
      tamper(stage, 'target', ({ latest_invoice: latest }) => ({
        latest_invoice: { ...(latest as Stripe.Invoice), post_payment_credit_notes_amount: 4_900 },
      }))
    },
  },
  disputed_in_target: {
    wanted: 'source',
    after: async (stage) => {
      await paidRenewal(stage)
      tamper(stage, 'target', ({ latest_invoice: latest }) => ({ latest_invoice: disputed(latest as Stripe.Invoice) }))
    },
  },
  no_method_in_source: {
    wanted: 'source',
    after: async (stage, _, customer) => {
      await move(stage)
      await stage.us.customers.update(customer, { invoice_settings: { default_payment_method: '' } })
    },
  },
  waived_in_target: {
    wanted: 'source',
    after: async (stage) => {
      await paidRenewal(stage)
      tamper(stage, 'target', ({ latest_invoice: latest }) => ({
        latest_invoice: { ...(latest as Stripe.Invoice), status: 'void' },
      }))
    },
  },
}

const deferredCases: Readonly<Record<DeferredCode, Case & { readonly until: string }>> = {
  renews_soon: { today: '2026-03-14T00:00:00Z', until: '2026-03-15T09:00:00Z' },
  anchor_not_yet_allowed: {
    born: '2026-01-31T09:15:00Z',
    today: '2026-02-28T12:00:00Z',
    until: '2026-03-01T00:00:00Z',
  },
  discount_not_yet_representable: {
    born: '2026-01-12T00:00:00Z',
    with: () => ({ price: 'weekly', discounts: [{ coupon: 'welcome-20' }] }),
    today: '2026-03-25T12:00:00Z',
    after: async (stage) =>
      tamper(stage, 'us', ({ discounts }) => ({
        discounts: discounts.map((one) => ({
          ...(one as Stripe.Discount),
          end: Date.parse('2026-04-15T00:00:00Z') / 1_000,
        })),
      })),
    until: '2026-04-06T00:00:01Z',
  },
  sibling_waits: {
    before: async (stage, _, member) => {
      await stage.advance('2026-01-21T08:00:00Z')
      await subscribe(stage, member, { price: 'addon' })
    },
    after: async (stage, _, member) => {
      stage.policies['customer_balance'] = 'carry'
      await stage.us.customers.createBalanceTransaction(member, { amount: -2_000, currency: 'usd' })
    },
    until: '2026-02-21T09:00:00Z',
  },
  draft_invoice: { today: '2026-02-15T08:30:00Z', until: '2026-02-15T10:00:00Z' },
  payment_in_flight: {
    after: async (stage, id) => {
      const processing = {
        payment: { type: 'payment_intent', payment_intent: { id: 'pi_1', status: 'processing', latest_charge: null } },
      }
      const open = {
        id: 'in_1',
        status: 'open',
        collection_method: 'charge_automatically',
        auto_advance: true,
        payments: { data: [processing] },
      }
      stage.tampers.push((live) => ({
        ...live,
        sources: new Map(
          [...live.sources].map(([name, one]) => [
            name,
            { ...one, invoices: new Map([[id, [open as unknown as Stripe.Invoice]]]) },
          ]),
        ),
      }))
    },
    until: '2026-02-21T00:00:00Z',
  },
  renewal_unproven: { wanted: 'settled', after: async (stage) => move(stage), until: '2026-03-25T08:00:00Z' },
  invoices_open_in_source: {
    wanted: 'settled',
    with: () => ({ collection_method: 'send_invoice', days_until_due: 30 }),
    after: async (stage) => {
      stage.policies['past_due'] = 'leave'
      return move(stage)
    },
    until: '2026-03-18T09:00:00Z',
  },
}

describe('every code that stops a move has a case', () => {
  test.each(Object.keys(blockedCases) as (keyof typeof blockedCases)[])('blocked: %s', async (code) => {
    const found = await classified(blockedCases[code])
    expect(found).toMatchObject({ outcome: 'blocked' })
    const reasons = found.outcome === 'blocked' ? found.reasons : []
    expect(reasons.map((reason) => reason.code)).toContain(code)
    for (const { fix, message } of reasons) expect(fix.length * message.length).toBeGreaterThan(0)
  })
  test.each(Object.keys(deferredCases) as DeferredCode[])('deferred: %s', async (code) => {
    const found = await classified(deferredCases[code])
    const until = Date.parse(deferredCases[code].until) / 1_000
    expect(found).toMatchObject({ outcome: 'deferred', code, until })
  })
  test('the registry is complete: every code is explained, and every explained code can occur', () => {
    expect([...Object.keys(blockedCases), ...ofThePlan].toSorted()).toEqual(Object.keys(blockedCodes).toSorted())
    expect(Object.keys(deferredCases).toSorted()).toEqual(Object.keys(deferredCodes).toSorted())
  })
})
