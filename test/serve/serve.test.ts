import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { allDone, allowed, cancels, everybodyLeaves, faultShare, kills, school } from './kills.ts'
import { hookSecret, openTown, until, type Town } from './town.ts'

let town: Town
afterEach(() => town.close())

const cancelled = async (successor: string | undefined): Promise<boolean> =>
  (await town.rig.status('target', successor)) === 'canceled'

describe('crossbill serve', () => {
  test(
    'receives a cancel tag, cancels in both accounts, revokes the access, and ends on request',
    { timeout: 60_000 },
    async () => {
      town = await openTown()
      const [ada, bo] = [await town.rig.member('lovelace', 'held'), await town.rig.member('bo', 'held')]
      const service = await town.serve()
      await town.tag(ada.contact)
      await until('ada is cancelled', () => cancelled(ada.successor))
      await until('her row is done', async () => (await town.rig.store.inbox.counts()).states.done === 1)
      expect(await town.rig.status('us', ada.old)).toBe('canceled')
      expect(await town.rig.kajabi.offersOf(ada.contact)).toEqual({ ok: true, value: [] })
      expect(await town.rig.status('target', bo.successor)).toBe('active')

      const metrics = await (await fetch(`${service.adminUrl}/metrics`)).text()
      expect(metrics).toContain('crossbill_signals_total{source="hook",state="done"} 1')
      expect(metrics).toMatch(/crossbill_cancel_latency_seconds_count 1/)
      expect(metrics).toContain('crossbill_stripe_cancels_total{outcome="confirmed"} 2')
      expect(metrics).toMatch(
        /crossbill_kajabi_api_requests_total\{route="\/v1\/contacts\/:id\/relationships\/tags",status_class="2xx"\} \d/,
      )
      expect(town.output()).toMatch(/"event":"stripe_confirmed","id":"sig_\w+","source":"hook","milliseconds":\d+/)
      expect(await (await fetch(service.adminUrl)).text()).toContain('All is well')
      expect(await town.rig.store.leaseHolder('serve')).toBeDefined()

      expect(await service.kill('SIGTERM')).toBe(0)
      expect(await town.rig.store.leaseHolder('serve')).toBeUndefined()
      const lines = town
        .output()
        .trim()
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('Stopping: '))
      for (const line of lines) expect(() => JSON.parse(line) as unknown).not.toThrow()
      for (const secret of [hookSecret, 'whsec_', 'sandbox_secret', '@', 'lovelace', 'sk_test'])
        expect(town.output()).not.toContain(secret)
    },
  )

  test(
    'receives an event of the old account: a member who leaves through an old door leaves for good',
    { timeout: 60_000 },
    async () => {
      town = await openTown()
      const [ada, bo] = [await town.rig.member('ada', 'held'), await town.rig.member('bo', 'held')]
      await town.serve()
      await town.rig.stripe('us').subscriptions.cancel(ada.old)
      await until('her successor is cancelled', () => cancelled(ada.successor))
      await until('her access is gone', async () => {
        const offers = await town.rig.kajabi.offersOf(ada.contact)
        return offers.ok && offers.value.length === 0
      })
      await town.rig.stripe('us').subscriptions.update(bo.old, { pause_collection: '' })
      await until('somebody is told of the lost hold', () =>
        Promise.resolve(town.output().includes(`hold_missing ${bo.subscriber}`)),
      )
      expect(await town.rig.status('target', bo.successor)).toBe('active')
      await until('nothing is pending', async () => (await town.rig.store.inbox.counts()).oldestPending === undefined)
      expect((await town.rig.store.inbox.counts()).states.dead).toBe(0)
    },
  )

  test(
    'killed at random while cancels arrive, twice and out of order, cancels each requested subscription once and no other',
    { timeout: allowed },
    async () => {
      town = await openTown()
      const people = await school(town.rig, cancels)
      let service = await town.serve()
      const killing = (async () => {
        for (let round = 0; round < kills; round++) {
          await sleep(200 + ((round * 397) % 900))
          await service.kill('SIGKILL')
          service = await town.serve()
          // Kajabi repeats hooks that were not accepted.
          await town.rig.act({ act: 'redeliver' })
        }
      })()
      town.faults.share = faultShare
      await everybodyLeaves(town, people)
      await killing
      await allDone(town, people)
    },
  )
})
