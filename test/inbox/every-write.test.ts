import { CommandError } from '../../src/core/outcome.ts'
import { describe, expect, test } from 'vitest'
import { Bug } from '../../src/core/assert.ts'
import { acceptSignal } from '../../src/engine/inbox/accept.ts'
import type { InboxContext } from '../../src/engine/inbox/context.ts'
import { startWorker, workInbox } from '../../src/engine/inbox/worker.ts'
import { openRig, type Rig } from './rig.ts'

const cancelRequest = async (rig: Rig): Promise<{ readonly id: string; readonly successor: string | undefined }> => {
  const { subscriber, successor, contact } = await rig.member('ada', 'held')
  await rig.act({ act: 'add_tag', contact, tag: rig.tag })
  const signal = { source: 'hook', event: 'tag_added', contact, tag: rig.tag, receivedAt: rig.now() } as const
  const { id } = await acceptSignal(rig.context, { ...signal, message: subscriber })
  return { id, successor }
}

/** The context with a store whose write of this number fails, before or after it was done. */
function failing(context: InboxContext, at: number, side: 'before' | 'after') {
  const counted = { writes: 0 }
  const writes = new Set([
    'claim',
    'renew',
    'release',
    'save',
    'putGrants',
    'removeGrants',
    'put',
    'journalStart',
    'journalEnd',
  ])
  const port = <T extends object>(real: T): T =>
    new Proxy(real, {
      get(target, name, self) {
        const value: unknown = Reflect.get(target, name, self)
        if (typeof value !== 'function' || !writes.has(String(name))) return value
        return async (...given: unknown[]): Promise<unknown> => {
          const fails = counted.writes++ === at
          if (fails && side === 'before') throw new Error('disk full')
          const done: unknown = await (value as (...all: unknown[]) => Promise<unknown>)(...given)
          if (fails) throw new Error('the answer of the commit was lost')
          return done
        }
      },
    })
  return { context: { ...context, inbox: port(context.inbox), store: port(context.store) }, counted }
}

/** A service that works until the row is finished; a wait lets other work continue. */
async function serveUntilDone(rig: Rig, context: InboxContext, id: string): Promise<string> {
  const patient = {
    ...context,
    wait: (seconds: number) => (rig.pass(seconds), new Promise<void>((go) => setTimeout(go, 1))),
  }
  const worker = startWorker(patient, 4)
  const state = async (): Promise<string> => (await rig.store.inbox.get(id))?.row.now.state ?? 'gone'
  for (let turn = 0; turn < 3_000 && !['done', 'dead', 'ignored'].includes(await state()); turn++)
    await new Promise((go) => setTimeout(go, 1))
  await worker.stop()
  return state()
}

describe('the service stays up', () => {
  test('every write of the inbox fails once at every place, before and after it is done, and the cancel is done once', async () => {
    const counting = await openRig()
    const whole = failing(counting.context, -1, 'before')
    await serveUntilDone(counting, whole.context, (await cancelRequest(counting)).id)
    await counting.close()
    const places = Math.min(whole.counted.writes, 30)
    expect(places).toBeGreaterThan(8)
    for (const side of ['before', 'after'] as const)
      for (let at = 0; at < places; at++) {
        const rig = await openRig()
        const { id, successor } = await cancelRequest(rig)
        const state = await serveUntilDone(rig, failing(rig.context, at, side).context, id)
        expect([side, at, state, await rig.status('target', successor)]).toEqual([side, at, 'done', 'canceled'])
        await rig.close()
      }
  }, 240_000)

  test.each(['tagsOf', 'removeTag', 'revoke'] as const)(
    'a bug in %s is no retry: its entry is a dead letter, and the others continue',
    async (call) => {
      const rig = await openRig()
      const { id } = await cancelRequest(rig)
      const bo = await rig.member('bo', 'source')
      const other = await acceptSignal(rig.context, {
        source: 'operator',
        event: 'cancel',
        subscriber: bo.subscriber,
        receivedAt: rig.now(),
        message: 'bo',
      })
      await rig.store.inbox.removeGrants([{ contact: bo.contact, offer: 'membership' }])
      const kajabi = { ...rig.kajabi, [call]: () => Promise.reject(new Bug('a rule does not hold')) }
      await workInbox({ ...rig.context, kajabi }, 10)
      const state = async (row: string) => (await rig.store.inbox.get(row))?.row.now
      expect(await state(id)).toEqual({ state: 'dead', reason: 'bug: a rule does not hold' })
      expect(await state(other.id)).toEqual({ state: 'done' })
      await rig.close()
    },
  )

  test('a bug of Crossbill in a list of Stripe is not retried either', async () => {
    const rig = await openRig()
    const { id } = await cancelRequest(rig)
    const { target } = rig.accounts
    const list: typeof target.list = () => {
      throw new Bug('a rule does not hold')
    }
    await workInbox({ ...rig.context, accounts: { ...rig.accounts, target: { ...target, list } } }, 10)
    expect((await rig.store.inbox.get(id))?.row.now).toEqual({ state: 'dead', reason: 'bug: a rule does not hold' })
    await rig.close()
  })

  test('signals that wait for Kajabi do not delay a cancel that only needs Stripe', async () => {
    const rig = await openRig()
    const hooks = await Promise.all(
      Array.from({ length: 40 }, async (_, n) => {
        const signal = { source: 'hook', event: 'tag_added', contact: `${n + 900}`, tag: rig.tag } as const
        return acceptSignal(rig.context, { ...signal, receivedAt: rig.now(), message: `${n}` })
      }),
    )
    const kajabi = { ...rig.kajabi, tagsOf: () => new Promise<never>(() => {}) }
    const wait = (): Promise<void> => new Promise((go) => setTimeout(go, 1))
    const worker = startWorker({ ...rig.context, kajabi, wait }, 4)
    const taken = async (): Promise<number> => (await rig.store.inbox.cancelsSince(rig.now(), rig.now())).inHand
    await expect.poll(taken).toBe(hooks.length)
    const bo = await rig.member('bo', 'source')
    const { subscriber } = bo
    const cancel = { source: 'operator', event: 'cancel', subscriber, receivedAt: rig.now(), message: 'bo' } as const
    await acceptSignal(rig.context, cancel)
    worker.wake()
    await expect.poll(() => rig.status('us', bo.old)).toBe('canceled')
    await worker.stop(0)
    expect(await taken()).toBe(0)
    await rig.close()
  })
})

test('a store that stays away is an alert after half a minute, once, and is resolved when it answers', async () => {
  const rig = await openRig()
  let away = true
  const claim: typeof rig.store.inbox.claim = async (...given) => {
    if (away) throw new CommandError('store_unreachable', 'the store is away', {})
    return await rig.store.inbox.claim(...given)
  }
  let waited = 0
  const told = () => rig.alerts.filter(({ key }) => key === 'store_away')
  let early: unknown
  const wait = async (seconds: number): Promise<void> => {
    rig.pass(seconds)
    waited += seconds
    if (waited === 29) early = told()
    if (waited >= 90) away = false
    await new Promise((go) => setTimeout(go, 1))
  }
  const worker = startWorker({ ...rig.context, inbox: { ...rig.store.inbox, claim }, wait }, 4)
  await expect.poll(() => told().length, { timeout: 30_000 }).toBe(2)
  await worker.stop(0)
  expect(early).toEqual([])
  expect(told()).toEqual([
    expect.objectContaining({ key: 'store_away', severity: 'critical', fix: 'crossbill doctor' }),
    expect.objectContaining({ key: 'store_away', resolved: true }),
  ])
  expect(rig.lines.filter(({ event }) => event === 'store_unreadable')).toHaveLength(1)
  await rig.close()
})

test('promise 9: a worker stopped for weeks acts on nothing that it read before; the signal is worked on again', async () => {
  const rig = await openRig()
  const { id } = await cancelRequest(rig)
  const { target } = rig.accounts
  let stopped = false
  const send: typeof target.send = async (request) => {
    if (request.method === 'GET' || stopped) return target.send(request)
    stopped = true
    await rig.advance(14 * 86_400)
    return target.send(request)
  }
  const asleep = { ...rig.context, accounts: { ...rig.accounts, target: { ...target, send } } }
  await workInbox(asleep, 10)
  const row = (await rig.store.inbox.get(id))?.row
  expect(row?.now).toMatchObject({ state: 'retry' })
  expect(row?.now.state === 'retry' && row.now.at).toBeGreaterThan(0)
  rig.pass(60)
  await workInbox(rig.context, 10)
  expect((await rig.store.inbox.get(id))?.row.now.state).toBe('done')
  await rig.close()
})
