import type { Interrupt } from '../engine/ports.ts'
import { exitCodes } from './exit-codes.ts'
import type { Surroundings } from './surroundings.ts'

/**
 * Ctrl-C. A command that only reads ends at once. One that writes calls `finishFirst`: then the
 * request in flight is finished, its outcome is stored, and the command ends by itself; a second
 * Ctrl-C ends at once (the next run recovers what was left open).
 */
export interface Stop extends Interrupt {
  /** From now on Ctrl-C is a wish, and this note says what happens. */
  finishFirst(note: string): void
  /** Resolves when the user asked to stop: for commands that run until then. */
  readonly asked: Promise<void>
  close(): void
}

export function listenForStop(surroundings: Surroundings, say: (text: string) => void): Stop {
  const state: { note: string | undefined; requested: boolean } = { note: undefined, requested: false }
  const { promise: asked, resolve } = Promise.withResolvers<void>()
  const close = surroundings.onStop(() => {
    if (state.note === undefined || state.requested) {
      surroundings.abort(exitCodes.interrupted)
      return
    }
    state.requested = true
    say(state.note)
    resolve()
  })
  return {
    get requested() {
      return state.requested
    },
    finishFirst(note) {
      state.note = note
    },
    asked,
    close,
  }
}
