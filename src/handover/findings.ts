import type { Instant } from '../core/instant.ts'
import type { BlockedCode, DeferredCode } from './codes.ts'
import { blocked } from './reasons.ts'
import type { Reason } from './types.ts'

export interface Wait {
  readonly code: DeferredCode
  readonly until: Instant
  readonly message: string
}

/** Everything found on the way; parts add to it and give `undefined` where they cannot go on. */
export class Findings {
  readonly reasons: Reason<BlockedCode>[] = []
  readonly waits: Wait[] = []

  block(code: BlockedCode, message: string, fix?: string): undefined {
    // Several phases or items may stand in the way for one and the same reason.
    const isKnown = this.reasons.some((one) => one.code === code && one.message === message)
    if (!isKnown) this.reasons.push(blocked(code, message, fix))
    return undefined
  }

  wait(code: DeferredCode, until: Instant, message: string): undefined {
    this.waits.push({ code, until, message })
    return undefined
  }

  get none(): boolean {
    return this.reasons.length === 0 && this.waits.length === 0
  }
}
