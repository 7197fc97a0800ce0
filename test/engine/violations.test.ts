import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { instant } from '../../src/core/instant.ts'
import { stuckDrafts } from '../../src/engine/check/drafts.ts'
import { subscriberRules, type RuleInput } from '../../src/engine/check/violations.ts'
import type { Live } from '../../src/live/accounts.ts'

const now = instant(1_800_000_000)
const day = 86_400

/** Live accounts of which only the invoices matter. */
function liveWith(invoices: readonly Partial<Stripe.Invoice>[]): Live {
  const account = { name: 'us', invoices: new Map([['sub_old', invoices]]), customers: new Map() }
  const target = { name: 'target', invoices: new Map(), customers: new Map(), subscriptions: [] }
  return { target, sources: new Map([['us', account]]), resources: new Map() } as unknown as Live
}

function ruleInput(live: Live): RuleInput {
  const none = new Map()
  const maps = { drift: none, blocked: none, copyMaps: none, unmarked: none, inTarget: none }
  return { live, catalog: {}, now, copied: new Set(), ...maps }
}

test.each([
  ['that advances by itself', { auto_advance: true, collection_method: 'charge_automatically' }, true],
  ['that was sent', { auto_advance: true, collection_method: 'send_invoice' }, false],
  ['that stands still', { auto_advance: false, collection_method: 'charge_automatically' }, false],
] as const)('an open invoice in the old account %s', (_, about, violates) => {
  const live = liveWith([{ id: 'in_1', status: 'open', ...about }])
  const old = { id: 'sub_old', status: 'active' } as Stripe.Subscription
  const sides = { key: 'us/sub_old', source: 'us', declared: undefined, old, successors: [old], alive: [old] } as const
  const found = subscriberRules.open_invoice_on_source?.(sides, ruleInput(live))
  expect(found?.detail.includes('in_1') ?? false).toBe(violates)
})

test.each([
  ['four days old and on its way', { auto_advance: true, created: now - 4 * day }, 1],
  ['two days old', { auto_advance: true, created: now - 2 * day }, 0],
  ['kept back by a pause', { auto_advance: false, created: now - 40 * day }, 0],
])('a draft that is %s', (_, about, violations) => {
  const found = stuckDrafts(liveWith([{ id: 'in_1', status: 'draft', ...about }]), now)
  expect(found.map(({ code }) => code)).toEqual(Array.from({ length: violations }, () => 'draft_too_old'))
})

test('a draft that Stripe failed to finalize is reported at once, whatever its age', () => {
  const error = { type: 'invalid_request_error', code: 'customer_tax_location_invalid' } as const
  const failed = { id: 'in_1', status: 'draft', auto_advance: true, last_finalization_error: error } as const
  for (const created of [now - 60, now - 40 * day])
    expect(stuckDrafts(liveWith([{ ...failed, created } as Partial<Stripe.Invoice>]), now)).toMatchObject([
      { code: 'finalization_failed', detail: expect.stringContaining('customer_tax_location_invalid') },
    ])
})
