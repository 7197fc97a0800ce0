import { describe, expect, test, vi } from 'vitest'
import { present } from '../../src/core/assert.ts'
import { apply } from '../../src/engine/apply/apply.ts'
import type { Context } from '../../src/engine/context.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { type Member, type Members, members } from './members.ts'
import { boundaries, dieAt, planAndApply } from './rig.ts'

/*
 * Promise 1, one payer: a hold that outlives renewals accounts for every period, oldest first, in
 * every interval.
 */

vi.setConfig({ testTimeout: 120_000 })

const now = '2026-10-05T12:00:00Z'

/** Dies between the hold and the creation, and stays down until `until`. */
async function heldUntil(member: Member, until: string, policies = ''): Promise<Members> {
  const clean = await members([member], now)
  const plan = await makePlan(clean.stage('target', policies))
  const steps = plan.changes.flatMap(({ steps: all }) => all)
  const creation = steps.findIndex(({ id, path }) => id === 'create' && path === '/v1/subscriptions')
  await clean[Symbol.asyncDispose]()
  const school = await members([member], now)
  const own = await makePlan(school.stage('target', policies))
  const [boundary] = boundaries(steps.length).filter(({ request }) => request === creation)
  if (boundary === undefined) throw new Error('no creation')
  await dieAt(school.stage('target', policies), boundary, (living) => apply(living, own))
  const [id = ''] = school.subscriptions
  const old = await school.us.subscriptions.retrieve(id)
  if (old.pause_collection === null) throw new Error('not on hold')
  await school.advance(until)
  return school
}

async function bills(member: Member, until: string): Promise<readonly string[]> {
  await using school = await members([member], now)
  await school.advance(until)
  return amounts(await school.charges())
}

function amounts(charges: readonly (readonly string[])[]): readonly string[] {
  return charges.flat().map((one) => one.split(' ').slice(2).join(' '))
}

const held: readonly [string, Member, string, string][] = [
  ['two monthly renewals', { since: '2026-09-20T09:15:00Z' }, '2026-12-10T00:00:00Z', '2026-12-12T00:00:00Z'],
  ['a month end', { since: '2026-08-31T10:00:00Z' }, '2027-03-10T00:00:00Z', '2027-03-12T00:00:00Z'],
  ['nine days', { since: '2026-10-01T09:15:00Z', price: 'daily' }, '2026-10-14T12:00:00Z', '2026-10-14T20:00:00Z'],
  [
    'months with a coupon',
    { since: '2026-09-20T09:15:00Z', coupon: 'forever' },
    '2027-01-10T00:00:00Z',
    '2027-01-12T00:00:00Z',
  ],
]

describe('promise 1: a hold that outlasted its renewals', () => {
  test.each(held)('%s: each renewal is billed once and listed', async (_, member, until, later) => {
    await using school = await heldUntil(member, until)
    const { violations } = await verify(school.stage('source'))
    expect(violations).toMatchObject([
      { code: 'held_without_successor', detail: expect.stringMatching(/kept back/) as string },
    ])
    const { result } = await planAndApply(school.stage('source'))
    await school.advance(later)
    expect(amounts(await school.charges())).toEqual(await bills(member, later))
    const periods = result.recovered.flatMap(({ periods: all = [] }) => all)
    expect(periods.map(({ outcome }) => outcome)).toEqual(periods.map(() => 'billed'))
    expect(periods.map(({ at }) => at)).toEqual(periods.map(({ at }) => at).toSorted())
    expect(periods.length).toBeGreaterThan(1)
    expect((await verify(school.stage('source'))).violations).toEqual([])
  })

  test('left uncharged by policy: none of them is billed, and all are listed', async () => {
    const member = { since: '2026-09-20T09:15:00Z' }
    const left = 'policies: { uncharged_period: leave }'
    await using school = await heldUntil(member, '2026-12-10T00:00:00Z', left)
    const { result } = await planAndApply(school.stage('source', left))
    await school.advance('2026-12-22T00:00:00Z')
    const periods = result.recovered.flatMap(({ periods: all = [] }) => all)
    expect(periods.map(({ at, outcome }) => `${at.slice(0, 10)} ${outcome}`)).toEqual([
      '2026-10-20 left',
      '2026-11-20 left',
    ])
    expect(await school.charges()).toMatchObject([
      [/2026-09-20/, /2026-12-20/].map((day) => expect.stringMatching(day) as string),
    ])
  })

  /** The old account, whose lists do not show yet what Crossbill billed there. */
  function lagging(context: Context): Context {
    const us = present(context.accounts.sources.get('us'), 'us')
    const sources = new Map(context.accounts.sources).set('us', {
      ...us,
      async *list(path, params) {
        for await (const one of us.list(path, params))
          if (!JSON.stringify(one['metadata'] ?? {}).includes('crossbill_carried')) yield one
      },
    })
    return { ...context, accounts: { ...context.accounts, sources } }
  }

  test.each([
    ['lists are up to date', (context: Context): Context => context],
    ['lists lag', lagging],
  ])(
    'several unpaid days in the target, then a revert: each is voided there and billed once by the old account (%s)',
    async (_, seen) => {
      const member: Member = { since: '2026-10-01T09:15:00Z', price: 'daily' }
      await using school = await members([member], now)
      await planAndApply(school.stage('target'))
      const [successor] = (await school.target.subscriptions.list({})).data
      const body = JSON.stringify({ act: 'decline_card', account: 'target', subscription: successor?.id })
      await school.rig.sandbox.fetch('https://sandbox/_sandbox/act', { method: 'POST', body })
      await school.advance('2026-10-08T12:00:00Z')
      const { plan, result } = await planAndApply(seen(school.stage('source')))
      expect([plan.blocked, plan.deferred, result.changes.map(({ outcome }) => outcome)]).toEqual([[], [], ['done']])
      expect(result.changes[0]?.periods?.map(({ at, outcome }) => `${at.slice(0, 10)} ${outcome}`)).toEqual([
        '2026-10-06 billed',
        '2026-10-07 billed',
        '2026-10-08 billed',
      ])
      expect((await school.target.invoices.list({ status: 'open' })).data).toEqual([])
      await school.advance('2026-10-08T20:00:00Z')
      expect(amounts(await school.charges())).toEqual(await bills(member, '2026-10-08T20:00:00Z'))
    },
  )
})
