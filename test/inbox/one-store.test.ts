import { serveLease } from '../../src/engine/lease.ts'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { failed } from '../../src/core/outcome.ts'
import type { Context } from '../../src/engine/context.ts'
import { recover } from '../../src/engine/apply/recover.ts'
import { openCardPage } from '../../src/engine/cards/session.ts'
import { startServing } from '../../src/engine/inbox/serve.ts'
import { serviceStatus } from '../../src/engine/inbox/status.ts'
import { openRig, type Rig } from './rig.ts'

let rig: Rig
beforeEach(async () => {
  rig = await openRig()
})
afterEach(() => rig.close())

describe('apply and serve share one store', () => {
  test('recovery does not touch what the inbox has begun', async () => {
    const entry = {
      run: 'service',
      step: 'cancel',
      account: 'target',
      method: 'DELETE',
      path: '/v1/subscriptions/sub_1',
      params: {},
    }
    await rig.store.journalStart({
      ...entry,
      address: 'inbox.sig_1',
      idempotencyKey: 'k',
      attempt: 1,
      startedAt: rig.now(),
    })
    const { accounts, store, catalog, progress, interrupt, run } = rig.context
    const wait = () => Promise.resolve()
    const sink = { write: () => Promise.resolve() }
    const context: Context = { accounts, store, catalog, progress, interrupt, run, wait, sink, tool: 'test' }
    await recover(context)
    expect((await rig.store.journalOpen()).map(({ status }) => status)).toEqual(['started'])
  })

  test('one of two processes leads; when it ends, the other takes over', async () => {
    const wait = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 10))
    const options = { atOnce: 4, pollSeconds: 1_000, recover: () => Promise.resolve() }
    const one = startServing({ ...rig.context, run: 'one', wait }, options)
    await expect.poll(() => rig.store.leaseHolder(serveLease)).toMatchObject({ holder: 'one' })
    const two = startServing({ ...rig.context, run: 'two', wait }, options)
    await wait(5)
    expect(await rig.store.leaseHolder(serveLease)).toMatchObject({ holder: 'one' })
    await one.stop()
    await expect.poll(() => rig.store.leaseHolder(serveLease)).toMatchObject({ holder: 'two' })
    await two.stop()
    expect(await rig.store.leaseHolder(serveLease)).toBeUndefined()
  })

  test('the service charges a card whose member did not return from Stripe’s page', async () => {
    const ada = await rig.member('ada', 'held')
    const owner = { subscriber: ada.subscriber, customer: ada.customer }
    const opened = await openCardPage(rig.context, owner, 'https://school.example/card/link')
    if (!opened.ok || opened.value.state !== 'page') throw new Error(JSON.stringify(opened))
    const act = { act: 'enter_card', account: 'target', session: opened.value.url.split('/').at(-1) ?? '' }
    await rig.sandbox.fetch('http://x/_sandbox/act', { method: 'POST', body: JSON.stringify(act) })
    const charged = async (): Promise<string | undefined> =>
      (await rig.stripe('target').subscriptions.retrieve(ada.successor ?? '')).metadata['crossbill_card']
    expect(await charged()).toBeUndefined()
    const wait = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 10))
    const options = { atOnce: 4, pollSeconds: 1_000, recover: () => Promise.resolve() }
    const service = startServing({ ...rig.context, wait }, options)
    await expect.poll(charged, { timeout: 10_000 }).toMatch(/^pm_/)
    await service.stop()
    expect((await serviceStatus(rig.context)).cards).toEqual({ asked: 0, opened: 0, entered: 1 })
  })

  test('a failed reconciliation, or none for days, sends an alert, and so does a refused key', async () => {
    const refused = { kind: 'rejected', code: 'credentials_refused', message: 'no', status: 401 } as const
    const kajabi = { ...rig.kajabi, holders: () => Promise.resolve(failed(refused)) }
    await rig.store.put('reconciliation', { at: rig.now() - 3 * 86_400 })
    const wait = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 10))
    const options = { atOnce: 4, pollSeconds: 1_000, recover: () => Promise.resolve() }
    const service = startServing({ ...rig.context, kajabi, wait }, options)
    const told = () => new Set(rig.alerts.filter(({ resolved }) => resolved !== true).map(({ summary }) => summary))
    await expect
      .poll(() => [...told()].toSorted())
      .toEqual([
        'Kajabi or Stripe refuses a key (credentials_refused): the signals that need it wait until the key is replaced',
        'reconciliation failed: no (credentials_refused)',
        expect.stringMatching(/^the last reconciliation was on /),
      ])
    await service.stop()
  })

  test('a duty that takes longer than the lease does not lose it', async () => {
    vi.useFakeTimers({ toFake: ['setInterval'] })
    let renewed = 0
    const acquire: typeof rig.store.acquire = async (...asked) => {
      const lease = await rig.store.acquire(...asked)
      return lease && { ...lease, renew: () => (renewed++, lease.renew()) }
    }
    let go = (): void => {}
    const slow = new Promise<void>((resolve) => (go = resolve))
    const stuck = vi.fn<() => Promise<never>>(() => slow.then(() => Promise.reject(new Error('Kajabi is slow'))))
    const store = { ...rig.context.store, acquire, subscribers: stuck }
    const options = { atOnce: 4, pollSeconds: 1_000, recover: () => Promise.resolve() }
    const wait = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 10))
    const service = startServing({ ...rig.context, store, wait }, options)
    await expect.poll(() => stuck.mock.calls.length).toBe(1)
    vi.advanceTimersByTime(15_000)
    expect(renewed).toBe(3)
    go()
    await service.stop()
    vi.useRealTimers()
    expect(await rig.store.leaseHolder(serveLease)).toBeUndefined()
  })
})
