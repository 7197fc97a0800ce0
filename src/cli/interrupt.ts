import type { Interrupt } from '../engine/ports.ts'
import { exitCodes } from './exit-codes.ts'
import type { Surroundings } from './surroundings.ts'

/**
 * The reaction to Ctrl-C. A command that only reads ends at once. A command that writes calls
 * `finishFirst`: it finishes the request in flight, stores its outcome and ends by itself. A second
 * Ctrl-C ends it at once, and the next run recovers the open request.
 */
export interface Stop extends Interrupt {
  /** From now on the first Ctrl-C only asks the command to stop, and prints this note. */
  finishFirst(note: string): void
  /** Resolves when the user asks to stop, for commands that run until then. */
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
