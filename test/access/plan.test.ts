import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { planAccess, type Claim, type Granted } from '../../src/access/plan.ts'
import { accessProblems, type Access } from '../../src/catalog/schemas/access.ts'

const access: Access = {
  offers: {
    membership: { kajabi: '11', prices: ['monthly', 'yearly'] },
    diploma: { kajabi: '12', prices: ['diploma-plan'] },
  },
}
const claim = (subscriber: string, person: string, prices: string[], live = true): Claim => ({
  subscriber,
  person,
  prices,
  live,
})
const brief = (decisions: ReturnType<typeof planAccess>): string[] =>
  decisions.map(
    (one) => `${one.kind} ${one.offer} ${one.subscribers.join('+')}${'contact' in one ? ` @${one.contact}` : ''}`,
  )

describe('who has access to what', () => {
  it('every subscriber who pays without holding the offer is granted it, once per person', () => {
    const claims = [
      claim('us/a', 'ann', ['monthly']),
      claim('intl/b', 'ann', ['yearly']),
      claim('us/c', 'bob', ['diploma-plan']),
    ]
    expect(brief(planAccess(access, claims, new Map(), []))).toEqual([
      'grant diploma us/c',
      'grant membership intl/b+us/a',
    ])
  })
  it('a revoke names what its member still pays, and nothing when the subscription ended', () => {
    const holders = new Map([['membership', new Map([['ann', '1']])]])
    const granted: Granted[] = [{ contact: '1', offer: 'membership', subscribers: ['us/a'] }]
    const paying = (...claims: Claim[]): unknown =>
      planAccess(access, claims, holders, granted).flatMap((one) => (one.kind === 'revoke' ? [one.paying] : []))[0]
    expect(paying(claim('us/a', 'ann', ['weekly']))).toEqual({ prices: ['weekly'], noLonger: ['weekly'] })
    expect(paying(claim('us/a', 'ann', ['monthly'], false))).toBeUndefined()
    // Another subscription, which never gave the offer, is no reason to keep it.
    expect(paying(claim('us/a', 'ann', ['monthly'], false), claim('us/b', 'ann', ['weekly']))).toBeUndefined()
  })
  it('paying holders keep the offer; holders who stopped paying lose only what Crossbill granted', () => {
    const claims = [
      claim('us/a', 'ann', ['monthly']),
      claim('us/b', 'bob', ['monthly'], false),
      claim('us/c', 'cat', ['monthly'], false),
    ]
    const holders = new Map([
      [
        'membership',
        new Map([
          ['ann', '1'],
          ['bob', '2'],
          ['cat', '3'],
          ['dan', '4'],
        ]),
      ],
    ])
    const granted: Granted[] = [
      { contact: '1', offer: 'membership', subscribers: ['us/a'] },
      { contact: '2', offer: 'membership', subscribers: ['us/b'] },
    ]
    expect(brief(planAccess(access, claims, holders, granted))).toEqual([
      'keep membership us/a @1',
      'revoke membership us/b @2',
    ])
  })
  it('promise 12: a revoke from a member who still pays the price that gave the offer is told from a change of their own', () => {
    const holders = new Map([['membership', new Map([['ann', '1']])]])
    const given = { contact: '1', offer: 'membership', subscribers: ['us/a'] }
    const claims = [claim('us/a', 'ann', ['diploma-plan'])]
    const noLonger = (granted: Granted): unknown =>
      planAccess(access, claims, holders, [granted]).map((one) =>
        one.kind === 'revoke' ? one.paying?.noLonger : one.kind,
      )
    // The price was moved from one offer to the other in access.yaml.
    expect(noLonger({ ...given, prices: ['diploma-plan'] })).toEqual(['grant', ['diploma-plan']])
    // The member changed to another price.
    expect(noLonger({ ...given, prices: ['monthly'] })).toEqual(['grant', []])
    expect(noLonger(given)).toEqual(['grant', ['diploma-plan']])
  })
  it('a member whose address changed keeps the offer on the contact that got it, and no other contact gets it', () => {
    const claims = [claim('us/a', 'new@ann', ['monthly'])]
    const granted: Granted[] = [{ contact: '1', offer: 'membership', subscribers: ['us/a'] }]
    for (const holding of [
      [['old@ann', '1']],
      [
        ['old@ann', '1'],
        ['new@ann', '1'],
      ],
      [
        ['old@ann', '1'],
        ['new@ann', '2'],
      ],
    ] as const)
      expect(brief(planAccess(access, claims, new Map([['membership', new Map(holding)]]), granted))).toEqual([
        'keep membership us/a @1',
      ])
    const ended = [claim('us/a', 'new@ann', ['monthly'], false)]
    expect(brief(planAccess(access, ended, new Map([['membership', new Map([['old@ann', '1']])]]), granted))).toEqual([
      'revoke membership us/a @1',
    ])
  })
  it('a member with one ended and one live subscription keeps access', () => {
    const claims = [claim('us/a', 'ann', ['monthly'], false), claim('intl/b', 'ann', ['monthly'])]
    const holders = new Map([['membership', new Map([['ann', '1']])]])
    expect(
      brief(planAccess(access, claims, holders, [{ contact: '1', offer: 'membership', subscribers: ['us/a'] }])),
    ).toEqual(['keep membership intl/b @1'])
  })
  it('access that an undeclared subscription pays for is neither granted nor revoked', () => {
    const claims = [
      claim('us/a', 'ann', ['monthly'], false),
      { ...claim('target/sub_new', 'ann', ['yearly']), keepsOnly: true as const },
      { ...claim('target/sub_other', 'bob', ['yearly']), keepsOnly: true as const },
    ]
    const holders = new Map([['membership', new Map([['ann', '1']])]])
    const granted: Granted[] = [{ contact: '1', offer: 'membership', subscribers: ['us/a'] }]
    expect(planAccess(access, claims, holders, granted)).toEqual([])
    expect(brief(planAccess(access, claims.slice(0, 1), holders, granted))).toEqual(['revoke membership us/a @1'])
  })
  it('after one apply nothing is left to do (property)', () => {
    const person = fc.constantFrom('p1', 'p2', 'p3', 'p4')
    const claims = fc.array(
      fc.record({
        subscriber: fc.constantFrom('us/1', 'us/2', 'intl/3', 'intl/4'),
        person,
        prices: fc.subarray(['monthly', 'yearly', 'diploma-plan', 'other']),
        live: fc.boolean(),
      }),
      { maxLength: 8 },
    )
    const held = fc.array(fc.tuple(fc.constantFrom<string>('membership', 'diploma'), person), { maxLength: 8 })
    fc.assert(
      fc.property(
        claims,
        held,
        fc.array(fc.tuple(fc.constantFrom<string>('membership', 'diploma'), person), { maxLength: 8 }),
        (people, holding, ours) => {
          const holders = new Map<string, Map<string, string>>()
          for (const [offer, who] of holding)
            holders.set(offer, (holders.get(offer) ?? new Map<string, string>()).set(who, `c-${who}`))
          const granted = new Map(
            ours.map(([offer, who]) => [`${offer} c-${who}`, { contact: `c-${who}`, offer, subscribers: ['us/1'] }]),
          )
          for (const decision of planAccess(access, people, holders, [...granted.values()])) {
            const contact = `c-${decision.person}`
            const of = holders.get(decision.offer) ?? new Map<string, string>()
            holders.set(decision.offer, of)
            if (decision.kind === 'grant') {
              of.set(decision.person, contact)
              granted.set(`${decision.offer} ${contact}`, {
                contact,
                offer: decision.offer,
                subscribers: [...decision.subscribers],
              })
            }
            if (decision.kind === 'revoke') {
              of.delete(decision.person)
              granted.delete(`${decision.offer} ${contact}`)
            }
          }
          expect(
            planAccess(access, people, holders, [...granted.values()]).filter((one) => one.kind !== 'keep'),
          ).toEqual([])
        },
      ),
      { numRuns: 2_000 },
    )
  })
})

describe('access.yaml', () => {
  it('refuses a day limit that would cancel, one tag for two offers, and a form without an offer', () => {
    const rules = accessProblems({
      offers: {
        a: { kajabi: '1', prices: [], day_limit: 30, revoked_means: 'cancel', cancel_tags: ['5'] },
        b: { kajabi: '2', prices: [], cancel_tags: ['5'] },
      },
      forms: { '9': { offer: 'c' } },
    }).map((problem) => problem.rule)
    expect(rules).toEqual(['revoked-means-with-day-limit', 'cancel-tag-twice', 'unknown-reference'])
  })
})
