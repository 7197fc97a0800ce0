import type { Drift } from '../plan/types.ts'
import type { AccountFacts, Context } from './context.ts'
import { notYet } from './not-yet.ts'

export interface DriftResult {
  readonly accounts: Readonly<Record<string, AccountFacts>>
  readonly drift: readonly Drift[]
}

/** What changed outside since Crossbill last applied or pulled. Read-only. */
export async function drift(context: Context): Promise<DriftResult> {
  return notYet(`drift ${context.tool}`)
}
