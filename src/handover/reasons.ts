import { blockedCodes, deferredCodes, type BlockedCode, type DeferredCode } from './codes.ts'
import { runCodes, type RunCode } from './run-codes.ts'
import type { Reason } from './types.ts'

/**
 * A reason with its code's documented fix, or a more specific fix. The message names objects by id,
 * never people.
 */
export function blocked<C extends BlockedCode>(
  code: C,
  message: string,
  fix: string = blockedCodes[code].fix,
): Reason<C> {
  return { code, message, fix }
}

export function deferred<C extends DeferredCode>(code: C, message: string): Reason<C> {
  return { code, message, fix: deferredCodes[code].fix }
}

/** Whether the reason passes without a person. */
export function isDeferred(reason: Reason<DeferredCode> | Reason<BlockedCode>): reason is Reason<DeferredCode> {
  return Object.hasOwn(deferredCodes, reason.code)
}

/** Why a hand-over in progress was not completed. */
export function stopped(code: RunCode, message: string): Reason<RunCode> {
  return { code, message, fix: runCodes[code].fix }
}
