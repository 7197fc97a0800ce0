import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { acceptSignal } from '../../src/engine/inbox/accept.ts'
import { startWorker } from '../../src/engine/inbox/worker.ts'
import { openRig, type Member } from '../inbox/rig.ts'
import { milliseconds, percentile, type Figure } from './figure.ts'

const perSecond = 50
const people = 300
const stripeCall = 200

/**
 * From the accepted signal to the confirmed cancel in both accounts and the revoked access, with
 * 200 ms for every request to Stripe.
 */
export async function cancel(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'crossbill-bench-'))
  let slow = false
  const confirmed = new Map<string, number>()
  const rig = await openRig({
    store: { file: join(folder, 'crossbill.db') },
    policy: { cancelsPerHour: 100_000 },
    between: (fetch) => async (input, init) => {
      const { pathname } = new URL(input instanceof Request ? input.url : input)
      if (slow && pathname.startsWith('/v1/')) await sleep(stripeCall)
      const answer = await fetch(input, init)
      if (init?.method === 'DELETE' && answer.ok) confirmed.set(pathname.split('/').at(-1) ?? '', performance.now())
      return answer
    },
  })
  const members: Member[] = []
  for (let n = 0; n < people; n++) {
    const member = await rig.member(`m${n}`, 'held')
    members.push(member)
    // What the move has left in the store.
    const facts = { phase: 'moved', successor: member.successor ?? null }
    await rig.store.putSubscribers([{ key: member.subscriber, phase: 'moved', facts, updated: rig.now() }])
  }
  slow = true
  const accepted = new Map<string, number>()
  const done: number[] = []
  let finished = (): void => {}
  const all = new Promise<void>((resolve) => (finished = resolve))
  const worker = startWorker(
    {
      ...rig.context,
      wait: (seconds) => sleep(seconds * 1_000),
      log: ({ event, state, id }) => {
        if (event !== 'signal' || state !== 'done') return
        done.push(performance.now() - (accepted.get(String(id)) ?? 0))
        if (done.length === people) finished()
      },
    },
    128,
  )
  const begin = performance.now()
  const started = new Map<string, number>()
  for (const [index, { subscriber, successor }] of members.entries()) {
    const due = begin + (index * 1_000) / perSecond
    if (due > performance.now()) await sleep(due - performance.now())
    const arrived = performance.now()
    const signal = {
      source: 'relay',
      event: 'cancel',
      offer: 'membership',
      subscriber,
      receivedAt: rig.now(),
      message: `m${index}`,
    } as const
    const { id } = await acceptSignal(rig.context, signal)
    accepted.set(id, arrived)
    started.set(successor ?? '', arrived)
    worker.wake()
  }
  await all
  await worker.stop()
  await rig.close()
  rmSync(folder, { recursive: true })
  const until = [...started].map(([subscription, arrived]) => (confirmed.get(subscription) ?? Infinity) - arrived)
  const figure = (what: string, values: readonly number[], reach: number): Figure => {
    const p99 = percentile(values, 0.99)
    return { what, reach: `≤ ${reach / 1_000} s`, measured: milliseconds(p99), ok: p99 <= reach }
  }
  const load = `${perSecond}/s, Stripe at ${stripeCall} ms, p99`
  return [
    figure(`signal to the cancel that Stripe confirmed, ${load}`, until, 800),
    figure(`signal to everything done (both accounts, access), ${load}`, done, 5_000),
  ]
}
