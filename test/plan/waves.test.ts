import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { instant } from '../../src/core/instant.ts'
import { risks, splitWaves, waveRules, type WaveMember } from '../../src/plan/waves.ts'

const day = 86_400

function member(id: string, more: Partial<WaveMember> = {}): WaveMember {
  return {
    key: `us/sub_${id}`,
    source: 'us',
    subscription: `sub_${id}`,
    customer: `cus_${id}`,
    file: 'subscribers/us/wave-01.yaml',
    next: instant(1_800_000_000),
    country: 'us',
    price: 'monthly',
    risk: 'plain',
    ...more,
  }
}

const options = { by: 'renewal', pilot: 2, size: 2, kept: new Set<string>() } as const
const shown = (members: readonly WaveMember[], more: object = {}): unknown[] =>
  splitWaves(members, { ...options, ...more }).map(({ file, rule, subscribers }) => [
    file.replace('subscribers/', ''),
    rule,
    subscribers.map((key) => key.replace('us/sub_', '')).join(''),
  ])

const at = (days: number): WaveMember['next'] => instant(1_800_000_000 + days * day)

describe('waves by rule', () => {
  test('the pilot has those who are safe and renew first; the others follow by renewal', () => {
    const all = [
      member('a', { next: at(9) }),
      member('b', { next: at(1), risk: 'needs' }),
      member('c', { next: at(2) }),
      member('d', { next: at(5), risk: 'carries' }),
      member('e', { next: at(7) }),
      member('f', { next: null, risk: 'stays' }),
    ]
    expect(shown(all)).toEqual([
      ['us/pilot.yaml', 'pilot', 'ce'],
      ['us/wave-01.yaml', 'renewal', 'bd'],
      ['us/wave-02.yaml', 'renewal', 'af'],
    ])
  })

  test('by risk, those who need something come last', () => {
    const all = risks.toReversed().map((risk, i) => member(String(i), { risk }))
    expect(shown(all, { by: 'risk', pilot: 0 }).map((row) => (row as string[])[1])).toEqual(
      risks.map((risk) => `risk ${risk}`),
    )
  })

  test('by country and by price', () => {
    const all = [member('a', { country: 'de', price: 'x' }), member('b', { country: '', price: 'x' }), member('c')]
    expect(shown(all, { by: 'country', pilot: 0 })).toEqual([
      ['us/wave-01.yaml', 'country de', 'a'],
      ['us/wave-02.yaml', 'country unknown', 'b'],
      ['us/wave-03.yaml', 'country us', 'c'],
    ])
    expect(shown(all, { by: 'price', pilot: 0 })).toEqual([
      ['us/wave-01.yaml', 'price monthly', 'c'],
      ['us/wave-02.yaml', 'price x', 'ab'],
    ])
  })

  test('files that have begun keep their name, and a pilot that has begun gets no second one', () => {
    const kept = new Set(['subscribers/us/wave-01.yaml', 'subscribers/us/pilot.yaml'])
    expect(shown([member('a')], { kept })).toEqual([['us/wave-02.yaml', 'renewal', 'a']])
  })

  test('a wave says when all of it can move, and counts people and money', () => {
    const until = at(30)
    const usd = { amount: 500, currency: 'usd' }
    const all = [
      member('a', { risk: 'waits', ...(until === null ? {} : { until }), monthly: usd }),
      member('b', { monthly: usd }),
    ]
    expect(splitWaves(all, { ...options, pilot: 0 })).toMatchObject([
      { people: 2, mrr: { usd: 1_000 }, risks: { waits: 1, plain: 1 }, from: '2027-02-14T08:00:00Z' },
    ])
  })

  test('promise 2: the subscriptions of one customer are in one wave, also in the pilot', () => {
    const all = [
      member('a', { next: at(1), customer: 'cus_1' }),
      member('b', { next: at(2) }),
      member('c', { next: at(3) }),
      member('d', { next: at(9), customer: 'cus_1', risk: 'carries' }),
      member('e', { next: at(10), customer: 'cus_1', risk: 'stays' }),
    ]
    expect(shown(all)).toEqual([
      ['us/pilot.yaml', 'pilot', 'bc'],
      ['us/wave-01.yaml', 'renewal', 'ade'],
    ])
    expect(shown(all, { by: 'risk', pilot: 0, size: 9 })).toEqual([
      ['us/wave-01.yaml', 'risk plain', 'bc'],
      ['us/wave-02.yaml', 'risk carries', 'ade'],
    ])
  })

  test('everybody is in exactly one wave of at most the size, whatever the order of the members', () => {
    const arbitrary = fc.uniqueArray(
      fc.record({
        id: fc.integer({ min: 0, max: 999 }),
        days: fc.integer({ min: 0, max: 400 }),
        risk: fc.constantFrom(...risks),
        country: fc.constantFrom('de', 'us', ''),
        customer: fc.option(fc.constantFrom('cus_one', 'cus_two'), { freq: 8, nil: undefined }),
      }),
      { selector: ({ id }) => id, maxLength: 60 },
    )
    fc.assert(
      fc.property(arbitrary, fc.constantFrom(...waveRules), fc.integer({ min: 1, max: 20 }), (some, by, size) => {
        const all = some.map(({ id, days, risk, country, customer }) =>
          member(String(id), { next: at(days), risk, country, ...(customer === undefined ? {} : { customer }) }),
        )
        const waves = splitWaves(all, { ...options, by, size })
        expect(waves.flatMap(({ subscribers }) => subscribers).toSorted()).toEqual(all.map(({ key }) => key).toSorted())
        const waveOf = new Map(waves.flatMap(({ file, subscribers }) => subscribers.map((key) => [key, file] as const)))
        for (const [customer, own] of Map.groupBy(all, (one) => one.customer))
          expect([customer, new Set(own.map(({ key }) => waveOf.get(key))).size]).toEqual([customer, 1])
        const customers = (keys: readonly string[]): number =>
          new Set(all.filter(({ key }) => keys.includes(key)).map(({ customer }) => customer)).size
        expect(waves.slice(1).every(({ people, subscribers }) => people <= size || customers(subscribers) === 1)).toBe(
          true,
        )
        expect(splitWaves(all.toReversed(), { ...options, by, size })).toEqual(waves)
      }),
    )
  })
})
