import { describe, expect, test, vi } from 'vitest'
import { guardNames } from '../../src/catalog/guards.ts'
import { CommandError, success } from '../../src/core/outcome.ts'
import { apply } from '../../src/engine/apply/apply.ts'
import type { Context } from '../../src/engine/context.ts'
import type { OfferUrls } from '../../src/engine/kajabi-port.ts'
import { applyLease, withLease } from '../../src/engine/lease.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import type { StripeAccount } from '../../src/engine/ports.ts'
import { markAddress } from '../../src/live/marks.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { members, payersPerPeriod } from './members.ts'
import { boundaries, elsewhere, planAndApply, told } from './rig.ts'

// Many worlds in sequence: slow on a busy machine, but never waiting.
vi.setConfig({ testTimeout: 90_000 })

const now = '2026-10-05T12:00:00Z'

/** The same context, suspended at one request: before it is sent, or before its answer is read. */
function asleepAt(context: Context, at: (request: number, side: 'before' | 'after') => Promise<void>): Context {
  let requests = 0
  const sleepy = (account: StripeAccount): StripeAccount => ({
    ...account,
    async send(request) {
      if (request.method === 'GET' || request.path.endsWith('/create_preview')) return account.send(request)
      const number = requests++
      await at(number, 'before')
      const outcome = await account.send(request)
      await at(number, 'after')
      return outcome
    },
  })
  const { target, sources } = context.accounts
  return {
    ...context,
    accounts: { target: sleepy(target), sources: new Map([...sources].map(([name, one]) => [name, sleepy(one)])) },
  }
}

test('a run that slept while another took over sends nothing after it wakes: at every boundary of a move', async () => {
  for (const boundary of boundaries(3)) {
    await using school = await members([{ since: '2026-09-20T09:15:00Z', coupon: 'welcome' }], now)
    await planAndApply(school.stage('source'))
    const context = school.stage('target')
    const plan = await makePlan(context)
    let sent = 0
    const asleep = asleepAt(context, async (request, side) => {
      if (request !== boundary.request || side !== boundary.side) return
      await context.store.breakLease(applyLease)
      const other = await apply({ ...context, run: 'other' }, plan)
      expect(other).toMatchObject({ ok: true })
      sent = school.rig.sent.length
    })
    const woken = await apply(asleep, plan).catch((error: unknown) => error)
    expect({ at: told(boundary), woken }).toMatchObject({ woken: { code: 'lease_lost' } })
    // The rig counts requests at the account: the current request may arrive there, and is kept.
    expect(school.rig.sent.length - sent).toBeLessThanOrEqual(boundary.side === 'before' ? 1 : 0)
    const live = await school.target.subscriptions.list({ status: 'all' })
    expect(live.data.map(({ status }) => status)).toEqual(['active'])
    expect(await verify(context)).toMatchObject({ violations: [] })
    expect(await payersPerPeriod(school)).toBe(1)
    expect((await makePlan(context)).changes).toEqual([])
    expect(await context.store.journalOpen()).toEqual([])
  }
})

describe('promise 5: a run stopped for weeks sends nothing more when it goes on', () => {
  test('a creation of the catalog, which another checkout has made meanwhile', async () => {
    for (const boundary of boundaries(8)) {
      await using school = await members([{ since: '2026-09-20T09:15:00Z' }], now)
      const here = school.stage('source')
      let sent = 0
      const asleep = asleepAt(await elsewhere(here), async (request, side) => {
        if (request !== boundary.request || side !== boundary.side) return
        await school.advance('2026-10-19T12:00:00Z')
        await planAndApply(here, { allow: guardNames })
        sent = school.rig.sent.length
      })
      const woken = await planAndApply(asleep).catch((error: unknown) => error)
      if (sent === 0) break
      expect({ at: told(boundary), woken }).toMatchObject({ woken: { code: 'run_too_old' } })
      expect(school.rig.sent.length - sent).toBeLessThanOrEqual(boundary.side === 'before' ? 1 : 0)
      const prices = await school.target.prices.list({ active: true, limit: 100 })
      const keys = prices.data.map(({ metadata }) => metadata[markAddress])
      expect(new Set(keys).size).toBe(keys.length)
    }
  })

  test('changes in Kajabi and of the store stop as well; a stop of an hour stops nothing', async () => {
    await using school = await members([{ since: '2026-09-20T09:15:00Z' }], now)
    const context = school.stage('source')
    const done: string[] = []
    const urls: OfferUrls = {
      activate: async () => (done.push('activate'), success(true)),
      deactivate: async () => (done.push('deactivate'), success(true)),
    }
    const person = { email: 'ada@example.com', name: 'Ada', externalId: 'cus_1' }
    const lost = withLease({ ...context, urls }, applyLease, async (_held, bound) => {
      await school.advance('2026-10-05T13:00:00Z')
      await bound.urls.activate('membership', person)
      await school.advance('2026-10-06T13:00:00Z')
      await expect(bound.store.put('mine', 1)).rejects.toMatchObject({ code: 'run_too_old' })
      await bound.urls.deactivate('membership', person)
    })
    await expect(lost).rejects.toMatchObject({ code: 'run_too_old' })
    expect(done).toEqual(['activate'])
  })
})

test('once another run has the lease, nothing is stored either', async () => {
  await using school = await members([{ since: '2026-09-20T09:15:00Z' }], now)
  const context = school.stage('target')
  const lost = withLease(context, applyLease, async (held, bound) => {
    await bound.store.put('mine', 1)
    await context.store.breakLease(applyLease)
    await context.store.acquire(applyLease, 'another run', 60)
    expect(held.lost).toBe(false)
    await bound.store.put('mine', 2)
  })
  await expect(lost).rejects.toThrow(CommandError)
  expect(await context.store.get('mine')).toBe(1)
  // It is not released at the end, because another run holds it.
  expect((await context.store.leaseHolder(applyLease))?.holder).toBe('another run')
})
