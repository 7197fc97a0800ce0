import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import type { Catalog } from '../../src/catalog/types.ts'
import type { SubscriberKey } from '../../src/core/address.ts'
import { instant } from '../../src/core/instant.ts'
import type { StripeObject } from '../../src/core/json.ts'
import { success } from '../../src/core/outcome.ts'
import { claimsOf } from '../../src/engine/access/claims.ts'
import type { Grant } from '../../src/engine/grants.ts'
import type { InboxContext } from '../../src/engine/inbox/context.ts'
import { readStanding } from '../../src/engine/inbox/standing.ts'
import type { Live } from '../../src/live/accounts.ts'
import { markFrom, markHold } from '../../src/live/marks.ts'
import * as seen from '../../src/live/subscription.ts'
import { root } from '../house/sources.ts'

const statuses = [
  'incomplete',
  'incomplete_expired',
  'trialing',
  'active',
  'past_due',
  'unpaid',
  'paused',
  'canceled',
] as const

describe('the meaning of a subscription’s status', () => {
  const page = readFileSync(join(root, 'src/live/subscription.ts'), 'utf8')
  const rows = [...page.matchAll(/^ \* \| `(\w+)` +\|(.+)\|$/gm)].map(([, status = '', cells = '']) => ({
    status,
    cells: cells.split('|').map((cell) => cell.trim()),
  }))

  test('the table in the comment has a row for every status', () => {
    expect(rows.map(({ status }) => status).toSorted()).toEqual([...statuses].toSorted())
  })

  test.each(rows)('the predicates say of $status what the table says', ({ status, cells }) => {
    const word = (yes: boolean): string => (yes ? 'yes' : 'no')
    const one = { status, pause_collection: null }
    const { isOver, hasBegun, isAlive, mayCharge, givesAccess, paymentFailure, isCurrent } = seen
    expect(cells.slice(0, 6)).toEqual([
      word(isOver(one)),
      // A subscription that has ended had begun and does not continue.
      word(hasBegun(one) || status === 'canceled'),
      word(mayCharge(one)),
      word(givesAccess(one)),
      paymentFailure(one) ?? 'no',
      word(isCurrent(one)),
    ])
    expect(isAlive(one)).toBe(!isOver(one))
  })

  test.each(['frozen', undefined, null, 7, 'constructor'])(
    'an unknown status (%s) ends nothing, may charge and revokes no access',
    (status) => {
      const one = { status, pause_collection: null }
      expect([seen.isOver(one), seen.mayCharge(one), seen.givesAccess(one)]).toEqual([false, true, true])
      expect(seen.isKnownStatus(status)).toBe(false)
    },
  )

  test('a paused collection prevents charges, and our hold is such a pause', () => {
    const on = (behavior: string, resumes_at: number | null = null) => ({
      status: 'active',
      metadata: { [markHold]: '{}' },
      pause_collection: { behavior, resumes_at },
    })
    expect(seen.mayCharge(on('void'))).toBe(false)
    expect([on('void'), on('keep_as_draft')].map(seen.isOnHold)).toEqual([true, true])
    // The mark exists and the hold does not: a person changed or removed the pause, or the
    // subscription has ended.
    const off = [on('mark_uncollectible'), on('void', 1_800_000_000), { ...on('void'), pause_collection: null }]
    expect(off.map(seen.isOnHold)).toEqual([false, false, false])
    expect(off.map(seen.isHeld)).toEqual([true, true, true])
    expect(seen.isHeld({ ...on('void'), status: 'canceled' })).toBe(false)
    expect(seen.isOnHold({ ...on('void'), metadata: {} })).toBe(false)
  })

  test('the comment says who cancelled, whatever its type', () => {
    const ended = (comment: unknown, reason: unknown = null) => ({
      status: 'canceled',
      cancellation_details: { comment, reason },
    })
    expect(seen.isSettled(ended('crossbill settled, continues as sub_2'))).toBe(true)
    expect(seen.isUndone(ended('crossbill undone, back to us/sub_1'))).toBe(true)
    for (const own of ['settled, continues as sub_2', 'undone, back to us/sub_1', 'cancelled on request 7'])
      expect(seen.isCancelledByUs(ended(`crossbill ${own}`))).toBe(true)
    for (const other of [null, undefined, 7, '', 'too expensive']) {
      expect(seen.isCancelledByUs(ended(other))).toBe(false)
      expect(seen.isSettled({ status: 'canceled', cancellation_details: other })).toBe(false)
    }
    expect(seen.isLapsed(ended(null, 'payment_failed'))).toBe(true)
  })
})

/**
 * The plan revokes by this rule and the service grants by it. With two rules a member's access
 * would be revoked and granted in turn.
 */
describe('the plan and the service agree on who pays, for every status', () => {
  test.each(statuses)('%s, of a successor', async (status) => {
    const { claim, paid } = await bothSay({ old: 'canceled', successor: status })
    expect(paid).toBe(claim)
    expect(paid).toBe(seen.givesAccess({ status }))
  })
  test.each(statuses)('%s, of a subscriber who is not moved', async (status) => {
    const { claim, paid } = await bothSay({ old: status })
    expect(paid).toBe(claim)
  })
})

async function bothSay(shown: { old: string; successor?: string }): Promise<{ claim: boolean; paid: boolean }> {
  const customer = { id: 'cus_1', object: 'customer', email: 'ann@example.com', name: 'Ann' }
  const base = {
    object: 'subscription',
    customer,
    pause_collection: null,
    cancellation_details: null,
    created: 1,
    start_date: 1,
    items: { data: [] },
  }
  const old = { ...base, id: 'sub_1', status: shown.old, metadata: {} }
  const successors =
    shown.successor === undefined
      ? []
      : [{ ...base, id: 'sub_2', status: shown.successor, metadata: { [markFrom]: 'us/sub_1' } }]
  const account = (subscriptions: readonly object[]) => ({
    subscriptions: subscriptions as readonly Stripe.Subscription[],
    customers: new Map(),
  })
  const live = { target: account(successors), sources: new Map([['us', account([old])]]) } as unknown as Live
  const catalog = {
    subscribers: [{ key: 'us/sub_1' as SubscriberKey, source: 'us', subscription: 'sub_1', items: [] }],
    resources: [],
    moved: new Map(),
    mappings: new Map(),
  } as unknown as Catalog
  const context = {
    accounts: {
      target: {
        async *list() {
          yield* successors as unknown as readonly StripeObject[]
        },
        send: async () => success(customer as unknown as StripeObject),
      },
      sources: new Map([['us', { send: async () => success(old as unknown as StripeObject) }]]),
    },
    // Nothing is recorded: the accounts alone are compared.
    store: {
      subscriber: async () => undefined,
      async *copyMap() {},
    },
    clock: () => instant(1_800_000_000),
    interrupt: { requested: false },
    wait: async () => {},
  } as unknown as InboxContext
  const grant: Grant = {
    contact: '1',
    offer: 'membership',
    customer: 'cus_1',
    subscribers: ['us/sub_1'],
    prices: [],
    grantedAt: instant(1),
    protectedUntil: instant(1),
  }
  const standing = await readStanding(context, grant)
  if (!standing.ok) throw new Error(standing.failure.message)
  return { claim: claimsOf(catalog, live).some((one) => one.live), paid: standing.value.paid }
}
