import { setTimeout as sleep } from 'node:timers/promises'
import { deliveryFault } from '../faults.ts'
import type { World } from '../kernel/world.ts'
import { delivered, probed } from './hooks.ts'
import type { Delivery, Hook } from './model.ts'
import type { Site } from './site.ts'

/** Sends one delivery of a hook after the transaction that caused it: unsigned, with nothing in its headers that names Kajabi. */
export function postDelivery(world: World, site: Site, delivery: Delivery): void {
  later(world, async (send) => {
    const headers = { 'content-type': 'application/json', 'user-agent': 'Faraday v2.9.0' }
    const { times, late } = deliveryFault(world, `hook ${delivery.hook}`)
    if (late > 0) await sleep(late)
    for (let time = 0; time < times; time++) {
      const status = await statusOf(send, delivery.target_url, { method: 'POST', headers, body: delivery.body })
      world.transact(() => delivered(site, delivery.id, status))
    }
  })
}

/** HEAD first, then GET; whoever answers 405 to either is given up. */
export function probeHook(world: World, site: Site, hook: Hook): void {
  later(world, async (send) => {
    for (const method of ['HEAD', 'GET']) {
      const status = await statusOf(send, hook.target_url, { method })
      world.transact(() => probed(site, hook.id, status))
    }
  })
}

/** In a task of its own: what a request or an act caused goes out only once it is committed. The clock waits for it. */
function later(world: World, work: (send: typeof fetch) => Promise<void>): void {
  const send = world.deliver
  if (send === undefined) return
  const running = (async () => {
    await Promise.resolve()
    await work(send)
  })()
  const tracked: Promise<void> = running.finally(() => world.deliveries.delete(tracked))
  world.deliveries.add(tracked)
}

async function statusOf(send: typeof fetch, url: string, init: RequestInit): Promise<number | undefined> {
  try {
    const response = await send(url, { ...init, redirect: 'manual' })
    await response.arrayBuffer()
    return response.status
  } catch {
    // Nobody listens there, or the connection was cut: Kajabi tries again later.
    return undefined
  }
}
