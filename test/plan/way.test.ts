import { describe, expect, test } from 'vitest'
import { subscriberKey } from '../../src/core/address.ts'
import { instant } from '../../src/core/instant.ts'
import { blocked } from '../../src/handover/reasons.ts'
import type { Classification, HandoverPlan, Outcome } from '../../src/handover/types.ts'
import type { CardLink } from '../../src/live/entered-card.ts'
import { wayOf, type Way, type WayInput } from '../../src/plan/way.ts'

const now = instant(1_800_000_000)
const plan = {} as HandoverPlan

function one(id: string, outcome: Outcome, standing: Classification['standing'] = 'source'): Classification {
  const about = { key: subscriberKey('us', id), standing, successor: null, drift: [] }
  return { ...about, monthly: { amount: 1_000, currency: 'usd' }, ...outcome }
}

function way(classified: readonly Classification[], more: Partial<WayInput> = {}): Way {
  return wayOf({ classified, ahead: [], stages: new Map(), linkOf: () => undefined, undeclared: 0, now, ...more })
}

const rowsOf = ({ rows }: Way): unknown[] => rows.map(({ state, code, people }) => [state, code ?? '', people])

describe('the way of everybody', () => {
  test('every subscriber is in exactly one row, and the people and the money add up', () => {
    const all = [
      one('a', { outcome: 'unchanged' }, 'target'),
      one('b', { outcome: 'settle', plan }, 'target'),
      one('c', { outcome: 'move', plan }),
      one('d', { outcome: 'deferred', code: 'renews_soon', until: instant(now + 90), message: 'soon' }),
      one('e', { outcome: 'deferred', code: 'renews_soon', until: instant(now + 50), message: 'soon' }),
      one('f', { outcome: 'blocked', reasons: [blocked('metered_price', 'by usage'), blocked('past_due', 'late')] }),
      one('g', { outcome: 'excluded', reason: 'sold by hand' }),
      one('h', { outcome: 'ending', at: instant(now + 900) }),
      one('i', { outcome: 'ended' }, 'ended'),
    ]
    const found = way(all)
    expect(rowsOf(found)).toEqual([
      ['arrived', '', 2],
      ['moves', '', 1],
      ['waits', 'renews_soon', 2],
      ['needs', 'metered_price', 1],
      ['left', '', 1],
      ['ends', '', 1],
      ['ended', '', 1],
    ])
    expect(found.rows.flatMap(({ subscribers }) => subscribers).toSorted()).toEqual(
      all.map(({ key }) => key).toSorted(),
    )
    expect(found.rows.reduce((sum, { people }) => sum + people, 0)).toBe(found.people)
    expect(found.rows.reduce((sum, { mrr }) => sum + (mrr['usd'] ?? 0), 0)).toBe(all.length * 1_000)
  })

  test('the date is that of the last wait, not of a subscription that ends by itself', () => {
    const found = way([
      one('d', { outcome: 'deferred', code: 'renews_soon', until: instant(now + 90), message: 'soon' }),
      one('h', { outcome: 'ending', at: instant(now + 900) }),
    ])
    expect(Date.parse(found.everybody_by) / 1_000).toBe(now + 90)
  })

  test('an entry that names no subscription counts for nothing', () => {
    const stray = one('x', { outcome: 'blocked', reasons: [blocked('not_in_source', 'no such subscription')] })
    expect(way([stray]).people).toBe(0)
  })

  test('a wave whose stage is source shows today what will stop it, and who is ready', () => {
    const classified = [one('a', { outcome: 'unchanged' }), one('b', { outcome: 'unchanged' })]
    const ahead = [
      one('a', { outcome: 'move', plan }),
      one('b', { outcome: 'blocked', reasons: [blocked('metered_price', 'by usage')] }),
    ]
    const stages = new Map(classified.map(({ key }) => [key, 'source' as const]))
    expect(rowsOf(way(classified, { ahead, stages }))).toEqual([
      ['ready', '', 1],
      ['needs', 'metered_price', 1],
    ])
  })

  test.each<[CardLink, unknown[]]>([
    [{ state: 'asked', at: now }, ['asked', 'payment_method_unmapped', 1]],
    [{ state: 'opened', at: now, session: 'cs_1' }, ['asked', 'payment_method_unmapped', 1]],
    [{ state: 'entered', at: now, method: 'pm_1' }, ['needs', 'payment_method_unmapped', 1]],
  ])('a member with the link %j', (link, row) => {
    const found = way([one('a', { outcome: 'blocked', reasons: [blocked('payment_method_unmapped', 'none')] })], {
      linkOf: () => ({ link }),
    })
    expect(rowsOf(found)).toEqual([row])
    expect(found.cards).toEqual({ asked: 0, opened: 0, entered: 0, [link.state]: 1 })
  })

  test('before the first copy of a source its subscribers wait for it, and for what else is known', () => {
    const copied = blocked('customer_not_copied', 'no copy')
    const all = [
      one('a', { outcome: 'blocked', reasons: [copied] }),
      one('b', { outcome: 'blocked', reasons: [copied, blocked('past_due', 'late')] }),
    ]
    expect(rowsOf(way(all, { uncopied: new Set(['us']) }))).toEqual([
      ['uncopied', 'customer_not_copied', 1],
      ['needs', 'past_due', 1],
    ])
    expect(rowsOf(way(all, { uncopied: new Set(['intl']) }))).toEqual([['needs', 'customer_not_copied', 2]])
  })
})
