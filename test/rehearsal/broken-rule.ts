import { rehearsalWorlds } from '../../src/cli/rehearsal/worlds.ts'
import { rehearse } from '../../src/engine/rehearse/rehearse.ts'
import type { RehearsalReport } from '../../src/engine/rehearse/report.ts'
import type { RehearsalWorlds } from '../../src/engine/rehearse/world.ts'
import { members, type Member } from '../engine/members.ts'
import type { Mutation } from '../simulate/mutations.ts'

export interface Trial {
  readonly people: readonly Member[]
  /** Default 2026-10-05T12:00:00Z. */
  readonly now?: string
  readonly months: number
  readonly faults?: boolean
  readonly seed?: number
}

/** Rehearses a small school with one broken rule of the product, or with none. */
export async function rehearsed(trial: Trial, mutation: Mutation = (context) => context): Promise<RehearsalReport> {
  await using school = await members(trial.people, trial.now ?? '2026-10-05T12:00:00Z')
  const project = school.stage('source')
  const { months, faults = false, seed = 1 } = trial
  return await rehearse(project, { months, faults, seed, worlds: mutated(rehearsalWorlds(project), mutation) })
}

/** The program of the migrating world is broken; the judge and the members are not. */
function mutated(worlds: RehearsalWorlds, mutation: Mutation): RehearsalWorlds {
  return {
    async build(live, options) {
      const world = await worlds.build(live, options)
      return new Proxy(world, {
        get: (from, name: keyof typeof world) => (name === 'context' ? mutation(from.context) : from[name]),
      })
    },
  }
}

/**
 * The result of the first seed that finds something: where a kill falls depends on every earlier
 * request, and a broken rule should not depend on a certain one.
 */
export async function foundBySomeSeed(trial: Trial, mutation?: Mutation): Promise<RehearsalReport> {
  let report = await rehearsed(trial, mutation)
  for (const seed of [101, 102, 103]) if (report.ok) report = await rehearsed({ ...trial, seed }, mutation)
  return report
}

/** The result in words: `missed 1, double 2`; `nothing` for a rehearsal without differences. */
export function found({ ok, counts }: RehearsalReport): string {
  const { expected: _expected, actual: _actual, ...differences } = counts
  const seen = Object.entries(differences).filter(([, count]) => count > 0)
  return ok ? 'nothing' : seen.map(([code, count]) => `${code} ${count}`).join(', ')
}
