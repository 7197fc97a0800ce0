import type { Context } from './context.ts'
import { notYet } from './not-yet.ts'

export interface DoctorFinding {
  /** `clock_skew`, `portal_allows_cancel`, `payment_link_active` … */
  readonly check: string
  readonly status: 'ok' | 'warning' | 'failed'
  readonly account?: string
  readonly message: string
  readonly fix: string
}

export interface DoctorResult {
  /** No check failed (warnings are fine). */
  readonly ok: boolean
  readonly findings: readonly DoctorFinding[]
}

/** Checks accounts, permissions, clock, store and old doors. Read-only. `localNow` is this machine's clock in unix seconds. */
export async function doctor(context: Context, options: { readonly localNow: number }): Promise<DoctorResult> {
  return notYet(`doctor ${context.tool} ${options.localNow}`)
}
