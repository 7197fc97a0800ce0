import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { settledComment, undoneComment } from '../../src/live/marks.ts'
import {
  isRefundedWhole,
  observeInvoice,
  observeNew,
  observeOld,
  standingOf,
  successorOf,
  successorsOf,
} from '../../src/live/observations.ts'

function subscription(more: Record<string, unknown> = {}): Stripe.Subscription {
  return {
    id: 'sub_1',
    status: 'active',
    created: 1,
    metadata: {},
    pause_collection: null,
    cancellation_details: null,
    ...more,
  } as unknown as Stripe.Subscription
}

const hold = (behavior: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  metadata: { crossbill_hold: 'x' },
  pause_collection: { behavior, resumes_at: null, ...more },
})
const over = (comment: string | null, reason = 'cancellation_requested'): Record<string, unknown> => ({
  status: 'canceled',
  cancellation_details: { comment, reason, feedback: null },
})

describe('what a read of the old subscription shows', () => {
  test.each([
    ['a read that failed is never "not there"', undefined, 'unreadable'],
    ['no mark', subscription(), 'free'],
    ['a pause of somebody else, without our mark', subscription({ ...hold('void'), metadata: {} }), 'free'],
    ['our hold as it was set', subscription(hold('keep_as_draft')), 'held'],
    ['our hold after the proof', subscription(hold('void')), 'kept'],
    ['our mark, collecting again', subscription({ metadata: { crossbill_hold: 'x' } }), 'hold_removed'],
    ['our mark, resuming by itself', subscription(hold('void', { resumes_at: 99 })), 'hold_removed'],
    ['our mark, another behaviour', subscription(hold('mark_uncollectible')), 'hold_removed'],
    ['cancelled by a settle', subscription(over(`${settledComment} sub_2`)), 'settled'],
    ['ended for failed payments', subscription(over(null, 'payment_failed')), 'lapsed'],
    ['cancelled by the member', subscription(over('too expensive')), 'cancelled'],
    ['cancelled by the member while on hold', subscription({ ...hold('void'), ...over(null) }), 'cancelled'],
  ])('%s', (_, old, observation) => {
    expect(observeOld(old)).toBe(observation)
  })
})

describe('what a list of successors shows', () => {
  const undone = subscription(over(`${undoneComment} us/sub_1`))
  const ended = subscription(over(null))
  const live = subscription()
  test.each([
    ['none', [], 'none'],
    ['only undone ones', [undone, undone], 'undone'],
    ['one live beside undone ones', [undone, live], 'live'],
    ['two live', [live, live], 'several'],
    ['one ended by the member beside an undone one', [undone, ended], 'ended'],
  ])('%s', (_, successors, observation) => {
    expect(observeNew(successors, subscription())).toBe(observation)
  })

  test('decisions use the live one, else the newest that was not undone', () => {
    expect(successorOf([undone, ended, live])).toBe(live)
    expect(successorOf([undone, ended])).toBe(ended)
    expect(successorOf([undone])).toBeUndefined()
  })

  test('successors are those with the mark of this subscriber, newest first', () => {
    const marked = (id: string, created: number, from: string): Stripe.Subscription =>
      subscription({ id, created, metadata: { crossbill_from: from } })
    const list = [marked('a', 1, 'us/sub_1'), marked('b', 3, 'us/sub_1'), marked('c', 2, 'us/sub_2'), subscription()]
    expect(successorsOf(list, 'us/sub_1').map(({ id }) => id)).toEqual(['b', 'a'])
  })
})

test('promise 1: every pair of observations has one standing', () => {
  const old = ['free', 'held', 'kept', 'hold_removed', 'settled', 'lapsed', 'cancelled'] as const
  const table = {
    none: ['source', 'unfinished', 'unfinished', 'unfinished', 'ended', 'ended', 'ended'],
    undone: ['source', 'unfinished', 'unfinished', 'unfinished', 'ended', 'ended', 'ended'],
    live: ['unfinished', 'unfinished', 'target', 'unfinished', 'settled', 'settled', 'cancelled_in_source'],
    ended: ['ended_in_target', 'ended_in_target', 'ended_in_target', 'ended_in_target', 'ended', 'ended', 'ended'],
    several: old.map(() => 'unfinished'),
  } as const
  for (const [successor, row] of Object.entries(table))
    expect(old.map((one) => standingOf(one, successor as keyof typeof table))).toEqual(row)
})

describe('what an invoice shows to a revert', () => {
  const charge = (more: Record<string, unknown> = {}): object => ({
    id: 'ch',
    disputed: false,
    amount: 4900,
    amount_refunded: 0,
    ...more,
  })
  function invoice(status: string, { intent = 'succeeded', credited = 0, charges = [charge()] } = {}): Stripe.Invoice {
    return {
      status,
      amount_paid: 4900,
      post_payment_credit_notes_amount: credited,
      payments: {
        data: charges.map((latest) => ({
          payment: { type: 'payment_intent', payment_intent: { id: 'pi', status: intent, latest_charge: latest } },
        })),
      },
    } as unknown as Stripe.Invoice
  }
  test.each([
    ['none', undefined, 'none'],
    ['draft', invoice('draft'), 'draft'],
    ['void', invoice('void'), 'void'],
    ['uncollectible', invoice('uncollectible'), 'uncollectible'],
    ['open', invoice('open', { intent: 'requires_payment_method' }), 'open'],
    ['open, the bank debit is under way', invoice('open', { intent: 'processing' }), 'in_flight'],
    ['open, waits for 3D Secure', invoice('open', { intent: 'requires_action' }), 'in_flight'],
    ['open, authorized and not captured', invoice('open', { intent: 'requires_capture' }), 'in_flight'],
    ['paid, and the payment stands', invoice('paid'), 'paid'],
    ['paid, a part refunded', invoice('paid', { charges: [charge({ amount_refunded: 1 })] }), 'refunded'],
    ['paid, a credit note after it', invoice('paid', { credited: 1 }), 'refunded'],
    ['paid, disputed', invoice('paid', { charges: [charge({ disputed: true, amount_refunded: 4900 })] }), 'disputed'],
  ])('%s', (_, one, observation) => {
    expect(observeInvoice(one)).toBe(observation)
  })

  test('promise 1: a payment that remains, in full or in part, was not refunded in full, so its period is not billed again', () => {
    const refund = (amount: number): Stripe.Invoice =>
      invoice('paid', { charges: [charge({ amount_refunded: amount })] })
    expect(isRefundedWhole(invoice('paid'))).toBe(false)
    expect(isRefundedWhole(refund(4899))).toBe(false)
    expect(isRefundedWhole(refund(4900))).toBe(true)
    expect(isRefundedWhole(invoice('paid', { credited: 4899 }))).toBe(false)
    expect(isRefundedWhole(invoice('paid', { credited: 4900 }))).toBe(true)
    expect(isRefundedWhole(invoice('open'))).toBe(false)
  })
})
