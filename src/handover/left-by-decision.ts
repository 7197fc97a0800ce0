import type { Policies } from '../catalog/types.ts'
import type { Classification } from './types.ts'

/**
 * `policies.leave`: who stands in the old account and is blocked by nothing else stays there, with
 * the reason that the project gives.
 */
export function leftByDecision(classification: Classification, leave: Policies['leave']): Classification {
  if (classification.outcome !== 'blocked' || classification.standing !== 'source') return classification
  const given: Readonly<Record<string, string | undefined>> = leave
  const why = classification.reasons.map(({ code }) => given[code])
  const reason = why[0]
  if (reason === undefined || why.includes(undefined)) return classification
  const { reasons, outcome: _blocked, ...about } = classification
  return { ...about, outcome: 'excluded', reason, code: reasons[0].code }
}
