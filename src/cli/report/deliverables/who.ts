import { doerOf, type Doer } from '../../../handover/doers.ts'

const byCode: Readonly<Record<string, Doer | undefined>> = doerOf

/** The role that acts on a code. */
export function roleFor(code: string): 'member' | 'owner' | 'billing engineer' {
  const doer = byCode[code]
  // The owner asks Stripe for a copy.
  if (doer === 'stripe') return 'owner'
  return doer === 'member' || doer === 'owner' ? doer : 'billing engineer'
}
