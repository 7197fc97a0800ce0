import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { comparePreviews } from '../../src/handover/preview.ts'
import type { HandoverPlan } from '../../src/handover/types.ts'

interface Line {
  readonly amount?: number
  readonly start?: number
  readonly end?: number
  readonly discount?: number
  readonly tax?: number
  readonly inclusive?: boolean
  readonly proration?: boolean
  /** Not the line of a subscription item: a pending item. */
  readonly pending?: boolean
}

function invoice(lines: readonly Line[], currency = 'usd'): Stripe.Invoice {
  const data = lines.map((line) => ({
    amount: line.amount ?? 4900,
    currency,
    period: { start: line.start ?? 1_000, end: line.end ?? 2_000 },
    discount_amounts: line.discount === undefined ? [] : [{ amount: line.discount, discount: 'di' }],
    taxes:
      line.tax === undefined
        ? []
        : [{ amount: line.tax, tax_behavior: line.inclusive === true ? 'inclusive' : 'exclusive' }],
    parent:
      line.pending === true
        ? { invoice_item_details: { invoice_item: 'ii' }, subscription_item_details: null }
        : { invoice_item_details: null, subscription_item_details: { proration: line.proration ?? false } },
  }))
  return { currency, lines: { data } } as unknown as Stripe.Invoice
}

interface Terms {
  readonly tax?: 'same' | 'recompute'
  readonly trial?: boolean
  readonly config?: boolean
}

function plan({ tax = 'same', trial = false, config = false }: Terms = {}): HandoverPlan {
  const params = config ? { billing_cycle_anchor_config: { day_of_month: 31 } } : {}
  return {
    steps: [{ id: 'create', account: 'target', method: 'POST', path: '/v1/subscriptions', params }],
    expect: { tax, proof: { status: trial ? 'trialing' : 'active' } },
  } as unknown as HandoverPlan
}

const before = invoice([{ discount: 980, tax: 745 }, { amount: 900 }])

describe('promise 2: a move stops before the hold when the next invoices differ', () => {
  test('equal invoices pass, with their lines in any order', () => {
    expect(comparePreviews(plan(), before, invoice([{ amount: 900 }, { discount: 980, tax: 745 }]))).toBeNull()
  })

  test.each<[string, Stripe.Invoice, RegExp]>([
    ['a cent more', invoice([{ amount: 4901, discount: 980, tax: 745 }, { amount: 900 }]), /differ in amount:/],
    ['a line less', invoice([{ discount: 980, tax: 745 }]), /differ in amount/],
    ['a second line too many', invoice([{ discount: 980, tax: 745 }, { amount: 900 }, { amount: 900 }]), /amount/],
    ['another discount', invoice([{ discount: 981, tax: 745 }, { amount: 900 }]), /differ in discount:/],
    ['no discount', invoice([{ tax: 745 }, { amount: 900 }]), /differ in discount:/],
    ['another start', invoice([{ start: 1_001, discount: 980, tax: 745 }, { amount: 900 }]), /period start/],
    ['another end', invoice([{ end: 2_001, discount: 980, tax: 745 }, { amount: 900 }]), /period end/],
    ['another currency', invoice([{ discount: 980, tax: 745 }, { amount: 900 }], 'eur'), /differ in currency:/],
  ])('%s', (_, after, message) => {
    const reason = comparePreviews(plan(), before, after)
    expect(reason?.code).toBe('preview_differs')
    expect(reason?.message).toMatch(message)
  })

  test('a preview that could not be read stops the move as well', () => {
    expect(comparePreviews(plan(), undefined, before)?.code).toBe('preview_failed')
    expect(comparePreviews(plan(), before, undefined)?.code).toBe('preview_failed')
  })

  test('a trial compares amounts, not dates; a config compares all but the end', () => {
    const later = invoice([
      { start: 5, end: 9, discount: 980, tax: 745 },
      { start: 5, end: 9, amount: 900 },
    ])
    const longer = invoice([
      { end: 9, discount: 980, tax: 745 },
      { end: 9, amount: 900 },
    ])
    expect(comparePreviews(plan({ trial: true }), before, later)).toBeNull()
    expect(comparePreviews(plan({ config: true }), before, longer)).toBeNull()
    expect(comparePreviews(plan({ config: true }), before, later)?.message).toMatch(/period start/)
    expect(comparePreviews(plan({ trial: true }), before, invoice([{ amount: 1 }]))?.code).toBe('preview_differs')
  })

  test('pending items and prorations are not part of the comparison', () => {
    const lines = [{ discount: 980, tax: 745 }, { amount: 900 }]
    const more = invoice([...lines, { amount: 55, pending: true }, { amount: -7, proration: true }])
    expect(comparePreviews(plan(), more, before)).toBeNull()
  })
})

describe('tax that differs', () => {
  test.each<[string, Stripe.Invoice]>([
    ['another amount', invoice([{ discount: 980, tax: 746 }, { amount: 900 }])],
    ['none', invoice([{ discount: 980 }, { amount: 900 }])],
    ['inclusive for exclusive', invoice([{ discount: 980, tax: 745, inclusive: true }, { amount: 900 }])],
  ])('%s blocks, and is accepted by recompute alone', (_, after) => {
    const reason = comparePreviews(plan(), before, after)
    expect(reason?.code).toBe('tax_differs')
    expect(comparePreviews(plan({ tax: 'recompute' }), before, after)).toBeNull()
  })

  test('a tax of zero equals no tax', () => {
    expect(comparePreviews(plan(), invoice([{ tax: 0 }]), invoice([{}]))).toBeNull()
  })
})
