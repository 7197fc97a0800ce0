import { setTimeout as sleep } from 'node:timers/promises'
import { signalKeys, type Signal } from '../../src/cancel/signal.ts'
import { instant } from '../../src/core/instant.ts'
import { acceptSignal } from '../../src/engine/inbox/accept.ts'
import { startWorker } from '../../src/engine/inbox/worker.ts'
import type { StoreOptions } from '../../src/store/open.ts'
import { openRig, type Member } from './rig.ts'

export interface Backlogged {
  /** Milliseconds from the acceptance of each fresh cancel to Stripe's confirmation. */
  readonly took: readonly number[]
  /** Signals of the backlog that ended until the last fresh cancel was confirmed. */
  readonly drained: number
  readonly seconds: number
}

/**
 * Signals that waited during an outage are due all at once. Then members ask anew, one after the
 * other.
 */
export async function backlogged(options: {
  readonly waiting: number
  readonly fresh: number
  readonly store: StoreOptions
  /** How long Stripe takes. */
  readonly call: () => Promise<unknown>
  /** Milliseconds between two fresh cancels. */
  readonly pause: number
}): Promise<Backlogged> {
  let slow = false
  const confirmed = new Map<string, number>()
  const rig = await openRig({
    store: options.store,
    policy: { cancelsPerHour: 1_000_000 },
    between: (fetch) => async (input, init) => {
      const { pathname } = new URL(input instanceof Request ? input.url : input)
      if (slow && pathname.startsWith('/v1/')) await options.call()
      const answer = await fetch(input, init)
      if (init?.method === 'DELETE' && answer.ok) confirmed.set(pathname.split('/').at(-1) ?? '', performance.now())
      return answer
    },
  })
  const members: Member[] = []
  for (let n = 0; n < options.fresh; n++) members.push(await rig.member(`m${n}`, 'source'))
  const common = { source: 'relay', event: 'cancel', offer: 'membership', receivedAt: rig.now() } as const
  const hourAgo = instant(rig.now() - 3_600)
  const old = (n: number): Promise<unknown> => {
    const signal: Signal = { ...common, receivedAt: hourAgo, subscriber: `us/sub_gone${n}`, message: `old${n}` }
    return rig.store.inbox.accept({ keys: signalKeys(signal), signal, at: hourAgo })
  }
  for (let n = 0; n < options.waiting; n += 1_000)
    await Promise.all(Array.from({ length: Math.min(1_000, options.waiting - n) }, (_, m) => old(n + m)))
  slow = true
  const worker = startWorker({ ...rig.context, wait: (seconds) => sleep(seconds * 1_000) }, 128)
  const began = performance.now()
  // The backlog is in progress when the first member asks.
  await sleep(500)
  const asked = new Map<string, number>()
  for (const { old: subscription, subscriber } of members) {
    asked.set(subscription, performance.now())
    await acceptSignal(rig.context, { ...common, subscriber, message: subscriber, receivedAt: rig.now() })
    worker.wake()
    await sleep(options.pause)
  }
  while (members.some(({ old: subscription }) => !confirmed.has(subscription))) await sleep(20)
  const seconds = (performance.now() - began) / 1_000
  const { states } = await rig.store.inbox.counts()
  await worker.stop()
  await rig.close()
  const took = members.map(({ old: one }) => (confirmed.get(one) ?? Infinity) - (asked.get(one) ?? 0))
  return { took, drained: states.dead, seconds }
}
