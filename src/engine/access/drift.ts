import type { AccessDriftCode } from '../../access/codes.ts'
import type { Granted } from '../../access/plan.ts'
import type { Change, Drift } from '../../plan/types.ts'

type AccessDrift = Drift & { readonly code: AccessDriftCode }

/**
 * Offers that a plan would give, and that Crossbill had given to the same subscriber before:
 * somebody took them away outside.
 */
export function accessDrift(changes: readonly Change[], granted: readonly Granted[]): readonly AccessDrift[] {
  const given = new Set(granted.flatMap(({ offer, subscribers }) => subscribers.map((one) => `${offer} ${one}`)))
  return changes.flatMap(({ action, address, expect, patch }) => {
    const offer = typeof expect?.['offer'] === 'string' ? expect['offer'] : ''
    const subscribers = Array.isArray(expect?.['subscribers']) ? expect['subscribers'] : []
    if (action !== 'grant' || !subscribers.some((one) => given.has(`${offer} ${String(one)}`))) return []
    return [{ address, code: 'access_taken', message: `${offer} was taken away in Kajabi`, patch: [...patch] }]
  })
}
