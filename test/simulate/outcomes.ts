import type { ApplyResult } from '../../src/engine/apply/apply.ts'
import type { Boundary } from '../../src/engine/rehearse/mortal.ts'

/** Done, whatever entries of the YAML are wrong. */
export function isDone({ ok, interrupted, remaining, violations, changes, recovered }: ApplyResult): boolean {
  const isProven = remaining.length === 0 && violations.every(({ code }) => code === 'entry_invalid')
  const rests = recovered.every(({ outcome }) => outcome !== 'held')
  return ok || (!interrupted && isProven && rests && changes.every(({ outcome }) => outcome === 'done'))
}

export function isAt({ request, side }: Boundary, diesAt: number | undefined): boolean {
  return diesAt === request * 2 + (side === 'before' ? 0 : 1)
}
