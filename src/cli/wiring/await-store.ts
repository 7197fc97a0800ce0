import type { LogLine } from '../../engine/inbox/context.ts'
import type { OpenStore } from '../../store/open.ts'
import { mayReturn } from '../../store/failures.ts'

const trySeconds = 1

/**
 * Opens the store of a service as soon as it answers, for example after a restart of both or during
 * a fail-over. Until then the service refuses signals with 503, so that their senders send them
 * again. Throws `CommandError` when waiting cannot help.
 */
export async function awaitStore(
  store: Pick<OpenStore, 'prepare' | 'moveLogBeside'>,
  around: {
    readonly wait: (seconds: number) => Promise<void>
    readonly log: (line: LogLine) => void
    readonly stopped: () => boolean
  },
): Promise<void> {
  for (let told = false; !around.stopped(); told = true)
    try {
      await store.prepare()
      await store.moveLogBeside()
      if (told) around.log({ level: 'info', event: 'store_back' })
      return
    } catch (error) {
      if (!mayReturn(error)) throw error
      if (!told) around.log({ level: 'warn', event: 'store_awaited', code: codeOf(error) })
      await around.wait(trySeconds)
    }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}
