import { doerOf, type Doer } from '../../../handover/doers.ts'
import { blockedCodes, deferredCodes, type CodeEntry } from '../../../handover/codes.ts'

const registry: Readonly<Record<string, CodeEntry | undefined>> = { ...deferredCodes, ...blockedCodes }

/** What a code means, in the words of its registry; the code itself when it is unknown. */
export function meaningOf(code: string): string {
  return registry[code]?.meaning ?? code.replaceAll('_', ' ')
}

const byCode: Readonly<Record<string, Doer | undefined>> = doerOf

/** The role that acts on a code. */
export function roleFor(code: string): 'member' | 'owner' | 'billing engineer' {
  const doer = byCode[code]
  return doer === 'member' || doer === 'owner' ? doer : 'billing engineer'
}
