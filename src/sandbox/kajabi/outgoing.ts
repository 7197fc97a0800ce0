import { setTimeout as sleep } from 'node:timers/promises'
import { deliveryFault } from '../faults.ts'
import { sendLater, statusOf } from '../kernel/outgoing.ts'
import type { World } from '../kernel/world.ts'
import { delivered, probed } from './hooks.ts'
import type { Delivery, Hook } from './model.ts'
import type { Site } from './site.ts'

/**
 * Sends one delivery of a hook after the transaction that caused it. It is unsigned, and no header
 * names Kajabi.
 */
export function postDelivery(world: World, site: Site, delivery: Delivery): void {
  sendLater(world, async (send) => {
    const headers = { 'content-type': 'application/json', 'user-agent': 'Faraday v2.9.0' }
    const { times, late } = deliveryFault(world, `hook ${delivery.hook}`)
    if (late > 0) await sleep(late)
    for (let time = 0; time < times; time++) {
      const status = await statusOf(send, delivery.target_url, { method: 'POST', headers, body: delivery.body })
      world.transact(() => delivered(site, delivery.id, status))
    }
  })
}

/** Sends HEAD first, then GET. The hook is given up when either is answered with 405. */
export function probeHook(world: World, site: Site, hook: Hook): void {
  sendLater(world, async (send) => {
    for (const method of ['HEAD', 'GET']) {
      const status = await statusOf(send, hook.target_url, { method })
      world.transact(() => probed(site, hook.id, status))
    }
  })
}
