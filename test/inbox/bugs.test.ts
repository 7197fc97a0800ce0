import { describe, expect, test } from 'vitest'
import { Bug } from '../../src/core/assert.ts'
import type { Signal } from '../../src/cancel/signal.ts'
import { acceptSignal } from '../../src/engine/inbox/accept.ts'
import { pollTags } from '../../src/engine/inbox/poll-tags.ts'
import { pollAccess } from '../../src/engine/inbox/poll.ts'
import { reconcile, type ReconcileContext } from '../../src/engine/inbox/reconcile.ts'
import { startServing } from '../../src/engine/inbox/serve.ts'
import { startWorker, workInbox } from '../../src/engine/inbox/worker.ts'
import { openRig, type Member, type Rig } from './rig.ts'

type Port = 'stripe' | 'kajabi' | 'store'

/** Makes the n-th call to the ports throw a bug of this program, and lists the calls. */
function buggyAt(
  context: ReconcileContext,
  nth: number,
  ports: readonly Port[],
): { readonly context: ReconcileContext; readonly calls: string[] } {
  const calls: string[] = []
  const wrapped = <T extends object>(name: string, port: T): T =>
    new Proxy(port, {
      get(there, key) {
        const call: unknown = Reflect.get(there, key)
        // These only read a clock that the account keeps.
        if (typeof call !== 'function' || key === 'now') return call
        return (...given: unknown[]): unknown => {
          const what = `${name} ${String(key)}`
          if (calls.push(what) === nth) throw new Bug(`seeded in ${what}`)
          return Reflect.apply(call, there, given)
        }
      },
    })
  const { accounts, kajabi, store, inbox } = context
  const stripe = ports.includes('stripe')
    ? {
        accounts: {
          target: wrapped('target', accounts.target),
          sources: new Map([...accounts.sources].map(([name, one]) => [name, wrapped(name, one)])),
        },
      }
    : {}
  const site = ports.includes('kajabi') && kajabi !== undefined ? { kajabi: wrapped('kajabi', kajabi) } : {}
  const kept = ports.includes('store') ? { store: wrapped('store', store), inbox: wrapped('inbox', inbox) } : {}
  return { calls, context: { ...context, ...stripe, ...site, ...kept } }
}

type Route = (rig: Rig, ada: Member) => Promise<Partial<Signal> & Pick<Signal, 'source' | 'event'>>

/** Every way in which a signal is worked on. */
const routes: Readonly<Record<string, Route>> = {
  'a cancel by tag': async (rig, { contact }) => {
    await rig.act({ act: 'add_tag', contact, tag: rig.tag })
    return { source: 'hook', event: 'tag_added', contact, tag: rig.tag, offer: 'membership' }
  },
  'a cancel by hand': async (_, { subscriber }) => ({ source: 'operator', event: 'cancel', subscriber }),
  'a hold that was removed': async (rig, { old, subscriber }) => {
    await rig.stripe('us').subscriptions.update(old, { pause_collection: '' })
    return { source: 'source_account', event: 'hold_removed', subscriber }
  },
  'a cancel in the old account': async (rig, { old, subscriber }) => {
    await rig.stripe('us').subscriptions.cancel(old)
    return { source: 'source_account', event: 'old_subscription_cancelled', offer: 'membership', subscriber }
  },
  'an end in the target': async (rig, { successor, customer }) => {
    await rig.stripe('target').subscriptions.cancel(successor ?? '')
    return { source: 'target_account', event: 'subscription_ended', customer }
  },
}

/** One signal with a bug in the n-th call; `end`: the row's state, or the bug of the pass. */
async function signalWithBug(route: Route, nth: number, ports: readonly Port[]) {
  const rig = await openRig()
  try {
    const ada = await rig.member('ada', 'held')
    const signal = { receivedAt: rig.now(), message: 'once', ...(await route(rig, ada)) }
    const { id } = await acceptSignal(rig.context, signal)
    const { context, calls } = buggyAt(rig.context, nth, ports)
    const failure = await workInbox(context, 100).then(
      () => undefined,
      (error: unknown) => String(error),
    )
    const now = (await rig.store.inbox.get(id))?.row.now
    const reason = now !== undefined && 'reason' in now ? `: ${now.reason}` : ''
    return { calls, end: failure ?? `${now?.state}${reason}` }
  } finally {
    await rig.close()
  }
}

/** The ends of a work with a bug in each of its calls that do not name the bug. */
async function unnamed(work: (nth: number) => Promise<{ calls: readonly string[]; end: string }>): Promise<string[]> {
  const clean = await work(Infinity)
  const wrong: string[] = []
  for (const [at, call] of clean.calls.entries()) {
    const { end } = await work(at + 1)
    if (!end.includes(`bug: seeded in ${call}`) && !end.includes(`Bug: seeded in ${call}`))
      wrong.push(`${at} ${call}: ${end}`)
  }
  return clean.calls.length === 0 ? ['no calls'] : wrong
}

describe('a bug of this program is never treated as a state of an account', () => {
  test.each(Object.entries(routes))(
    '%s: a bug in any call to Stripe or Kajabi ends it as a dead letter that names the bug, never as a retry',
    async (_, route) => {
      const wrong = await unnamed(async (nth) => {
        const { calls, end } = await signalWithBug(route, nth, ['stripe', 'kajabi'])
        return { calls, end: nth === Infinity || end.startsWith('dead: ') ? end : 'not dead' }
      })
      expect(wrong).toEqual([])
    },
    240_000,
  )

  test('a bug in any call to the store is named, never taken for a store that does not answer', async () => {
    const route = routes['a cancel by hand']
    if (route === undefined) throw new Error('no route')
    expect(await unnamed((nth) => signalWithBug(route, nth, ['store']))).toEqual([])
  }, 240_000)

  test.each([
    ['the poll of access', (context: ReconcileContext) => pollAccess(context)],
    ['the poll of tags', (context: ReconcileContext) => pollTags(context, new Map())],
    ['the reconciliation', (context: ReconcileContext) => reconcile(context)],
  ] as const)(
    '%s: a bug in any call ends it with the bug',
    async (_, duty) => {
      const wrong = await unnamed(async (nth) => {
        const rig = await openRig()
        try {
          await rig.member('ada', 'held')
          const { context, calls } = buggyAt(rig.context, nth, ['stripe', 'kajabi', 'store'])
          const end = await duty(context).then(
            () => 'fine',
            (error: unknown) => String(error),
          )
          return { calls, end }
        } finally {
          await rig.close()
        }
      })
      expect(wrong).toEqual([])
    },
    240_000,
  )

  const slow = (rig: Rig): Rig['context'] => ({ ...rig.context, wait: () => new Promise((go) => setTimeout(go, 1)) })

  test.each(['claim', 'cancelsSince'] as const)(
    'the worker continues after a bug in the store’s `%s`, and alerts of it',
    async (name) => {
      const rig = await openRig()
      const ada = await rig.member('ada', 'source')
      const signal = { source: 'operator', event: 'cancel', subscriber: ada.subscriber, message: 'once' } as const
      const { id } = await acceptSignal(rig.context, { ...signal, receivedAt: rig.now() })
      let seeded = 0
      const inbox = new Proxy(rig.context.inbox, {
        get(there, key) {
          const call: unknown = Reflect.get(there, key)
          if (typeof call !== 'function' || key !== name || seeded > 0) return call
          return () => {
            seeded += 1
            throw new TypeError('seeded')
          }
        },
      })
      const worker = startWorker({ ...slow(rig), inbox }, 4)
      await expect.poll(async () => (await rig.store.inbox.get(id))?.row.now.state, { timeout: 20_000 }).toBe('done')
      await worker.stop()
      await worker.ended
      expect(rig.alerts).toContainEqual(
        expect.objectContaining({ severity: 'critical', summary: 'a bug of Crossbill in the worker: seeded' }),
      )
      await rig.close()
    },
    60_000,
  )

  test('the duties continue after a bug, and alert of it', async () => {
    const rig = await openRig()
    const store = new Proxy(rig.context.store, {
      get(there, key) {
        if (key === 'acquire') throw new Bug('seeded')
        const call: unknown = Reflect.get(there, key)
        return typeof call === 'function' ? call.bind(there) : call
      },
    })
    const serving = startServing(
      { ...slow(rig), store },
      { atOnce: 4, pollSeconds: 1, recover: () => Promise.resolve() },
    )
    await expect
      .poll(() => rig.alerts.map(({ summary }) => summary), { timeout: 20_000 })
      .toContain('a bug of Crossbill in a duty of the service: seeded')
    await serving.stop(0)
    await rig.close()
  }, 60_000)
})
