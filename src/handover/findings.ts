import type { Instant } from '../core/instant.ts'
import type { BlockedCode, DeferredCode } from './codes.ts'
import { blocked } from './reasons.ts'
import type { Reason } from './types.ts'

export interface Wait {
  readonly code: DeferredCode
  readonly until: Instant
  readonly message: string
}

/** Collects all findings. A part adds to it and returns `undefined` where it cannot continue. */
export class Findings {
  readonly reasons: Reason<BlockedCode>[] = []
  readonly waits: Wait[] = []

  block(code: BlockedCode, message: string, fix?: string): undefined {
    // Several phases or items may have the same reason; it is reported once.
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
