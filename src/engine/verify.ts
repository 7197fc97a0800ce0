import type { AccountFacts, Context } from './context.ts'
import { notYet } from './not-yet.ts'

export const violationCodes = [
  'double_payer',
  'no_payer',
  'terms_differ',
  'next_charge_differs',
  'discount_lost',
  'undeclared_subscription',
  'external_biller',
  'duplicate_target',
  'held_without_successor',
  'hold_missing',
  'ended_in_target',
  'cancelled_in_source',
  'drift_on_held_source',
  'open_invoice_on_source',
  'draft_too_old',
  'payment_method_differs',
  'access_missing',
  'access_extra',
  'same_person_pays_twice',
] as const

export type ViolationCode = (typeof violationCodes)[number]

export interface Violation {
  readonly code: ViolationCode
  /** `us/sub_…`, or `us/cus_…` for what is no subscription. */
  readonly subscriber: string
  readonly detail: string
  /** The command or edit that mends it. */
  readonly fix: string
}

export interface VerifyResult {
  readonly ok: boolean
  /** Subscribers looked at. */
  readonly checked: number
  readonly accounts: Readonly<Record<string, AccountFacts>>
  readonly violations: readonly Violation[]
}

/** The standing check over all accounts. Read-only, lists only. */
export async function verify(context: Context): Promise<VerifyResult> {
  return notYet(`verify ${context.tool}`)
}
