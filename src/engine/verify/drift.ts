import { planSubscribers } from '../../plan/subscribers.ts'
import type { Drift } from '../../plan/types.ts'
import { accountFacts, type AccountFacts, type Context } from '../context.ts'
import { survey } from '../plan/survey.ts'

export interface DriftResult {
  readonly accounts: Readonly<Record<string, AccountFacts>>
  readonly drift: readonly Drift[]
}

/** Finds what changed outside Crossbill since its last apply or pull. Read-only. */
export async function drift(context: Context): Promise<DriftResult> {
  const { resources, classified, access } = await survey(context)
  const people = planSubscribers(classified).drift
  return {
    accounts: accountFacts(context.accounts),
    drift: [...resources.drift, ...people, ...(access?.drift ?? [])],
  }
}
