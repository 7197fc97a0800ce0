// Messages to receivers outside the world. They are sent after the commit that caused them and
// before the clock continues.
import type { World } from './world.ts'

/** Sends after the current transaction is committed. A world without delivery sends nothing. */
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

/** The status of the receiver's answer; undefined when there is no answer within ten seconds. */
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
    // No server listens at the address, or the connection was cut: the delivery is retried later.
    return undefined
  }
}
