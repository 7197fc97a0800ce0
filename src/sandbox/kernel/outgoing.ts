// Messages that leave the world: after the commit that caused them, and before the clock goes on.
import type { World } from './world.ts'

/**
 * Runs a piece of sending once the transaction that asked for it is over; nothing is sent when the
 * world delivers nothing.
 */
export function sendLater(world: World, work: (send: typeof globalThis.fetch) => Promise<void>): void {
  const send = world.deliver
  if (send === undefined) return
  const running = (async () => {
    await Promise.resolve()
    await work(send)
  })()
  const tracked: Promise<void> = running.finally(() => world.deliveries.delete(tracked))
  world.deliveries.add(tracked)
}

/** The status a receiver answered; undefined when nobody answered within ten seconds. */
export async function statusOf(
  send: typeof globalThis.fetch,
  url: string,
  init: RequestInit,
): Promise<number | undefined> {
  try {
    const response = await send(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(10_000) })
    await response.arrayBuffer()
    return response.status
  } catch {
    // Nobody listens there, or the connection was cut: tried again later.
    return undefined
  }
}
