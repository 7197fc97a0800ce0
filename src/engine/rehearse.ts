import type { Context } from './context.ts'
import { notYet } from './not-yet.ts'

export interface RehearseOptions {
  readonly months: number
  readonly faults: boolean
  readonly seed: number
}

export interface RehearseResult {
  readonly seed: number
  readonly months: number
  readonly subscribers: number
  readonly charges: { readonly expected: number; readonly actual: number }
  readonly double: number
  readonly missed: number
  readonly amount_differs: number
  readonly date_differs: number
  readonly faults: { readonly injected: number }
  readonly ok: boolean
}

/** Plays the whole migration in two worlds built from the live sources and compares every charge. Touches no account. */
export async function rehearse(context: Context, options: RehearseOptions): Promise<RehearseResult> {
  return notYet(`rehearse ${context.tool} ${options.months}`)
}
