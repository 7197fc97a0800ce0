import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { acceptSignal } from '../../src/engine/inbox/accept.ts'
import { startWorker } from '../../src/engine/inbox/worker.ts'
import { openRig } from './rig.ts'

test('new cancels do not wait for the slow start of a backlog, nor for rows that only follow access', async () => {
  let [held, most] = [false, 0]
  const waiting = new Set<() => void>()
  const rig = await openRig({
    between: (fetch) => async (input, init) => {
      const { pathname } = new URL(input instanceof Request ? input.url : input)
      if (held && pathname.startsWith('/v1/')) {
        await new Promise<void>((go) => {
          waiting.add(go)
          most = Math.max(most, waiting.size)
        })
      }
      return fetch(input, init)
    },
  })
  const members = []
  for (let n = 0; n < 20; n++) members.push(await rig.member(`member-${'abcdefghijklmnopqrst'[n]}`, 'source'))
  held = true
  for (const { subscriber } of members) {
    const common = { source: 'relay', event: 'cancel', offer: 'membership', receivedAt: rig.now() } as const
    await acceptSignal(rig.context, { ...common, subscriber, message: subscriber })
  }
  const worker = startWorker({ ...rig.context, wait: (seconds) => sleep(seconds * 1_000) }, 128)
  const end = performance.now() + 20_000
  while (most < members.length && performance.now() < end) await sleep(10)
  expect(most).toBe(members.length)
  held = false
  for (const go of waiting) go()
  while ((await rig.store.inbox.counts()).states.done < members.length && performance.now() < end) await sleep(10)
  await worker.stop()
  expect((await rig.store.inbox.counts()).states.done).toBe(members.length)
  await rig.close()
})
