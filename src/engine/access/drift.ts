import type { AccessDriftCode } from '../../access/codes.ts'
import type { Granted } from '../../access/plan.ts'
import type { Keyless } from '../../plan/change.ts'
import type { AccessChange, Drift } from '../../plan/types.ts'

type AccessDrift = Drift & { readonly code: AccessDriftCode }

/**
 * Offers that a plan would grant and that Crossbill had already granted to the same subscriber:
 * they were revoked outside Crossbill.
 */
export function accessDrift(
  changes: readonly Keyless<AccessChange>[],
  granted: readonly Granted[],
): readonly AccessDrift[] {
  const given = new Set(granted.flatMap(({ offer, subscribers }) => subscribers.map((one) => `${offer} ${one}`)))
  return changes.flatMap(({ action, address, expect, patch }) => {
    const { offer, subscribers } = expect
    if (action !== 'grant' || !subscribers.some((one) => given.has(`${offer} ${one}`))) return []
    return [{ address, code: 'access_taken', message: `${offer} was revoked in Kajabi`, patch: [...patch] }]
  })
}
