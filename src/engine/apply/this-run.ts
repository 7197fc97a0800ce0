import { isAccess } from '../../plan/change.ts'
import type { Plan } from '../../plan/types.ts'
import type { AppliedChange } from '../send/applied.ts'

/** Everything that is known about the changes of a run, from its recovery and from its plan. */
export interface RunChanges {
  /** What the recovery finished or undid. */
  readonly recovered: readonly AppliedChange[]
  readonly changes: readonly AppliedChange[]
}

/**
 * What this run did: each finished change once, also one that the recovery finished and the plan
 * wanted as well. What another run carried out does not count. Every summary and every sentence
 * about a run comes from here.
 */
export function doneHere({ recovered, changes }: RunChanges): readonly AppliedChange[] {
  const done = new Map<string, AppliedChange>()
  for (const one of [...recovered, ...changes])
    if (one.outcome === 'done' && one.by === undefined) done.set(nameOf(one), done.get(nameOf(one)) ?? one)
  return [...done.values()]
}

/** What another run did of the same work, each once. */
export function doneElsewhere({ recovered, changes }: RunChanges): readonly AppliedChange[] {
  const here = new Set(doneHere({ recovered, changes }).map(nameOf))
  const done = new Map([...recovered, ...changes].filter(({ by }) => by !== undefined).map((one) => [nameOf(one), one]))
  return [...done].flatMap(([name, one]) => (here.has(name) ? [] : [one]))
}

/**
 * Marks what is done although no request of this run carried it out: another run did, and Stripe
 * replayed its answer or the accounts showed it.
 */
export function markElsewhere(
  all: readonly AppliedChange[],
  { changes }: Pick<Plan, 'changes'>,
  carriedOut: ReadonlySet<string>,
): readonly AppliedChange[] {
  // Nothing is sent to Stripe for these, so no request of theirs could be missed.
  const unsent = new Set(changes.filter((one) => isAccess(one) || one.steps.length === 0).map(nameOf))
  return all.map((one) =>
    one.outcome !== 'done' || carriedOut.has(one.address) || unsent.has(nameOf(one))
      ? one
      : { ...one, by: 'another_run' as const },
  )
}

function nameOf({ address, action }: Pick<AppliedChange, 'address' | 'action'>): string {
  return `${action} ${address}`
}
