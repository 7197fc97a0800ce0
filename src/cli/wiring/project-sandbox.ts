import type { Project } from '../../catalog/types.ts'
import type { Sandbox } from '../../sandbox/sandbox.ts'
import type { WorldStorage } from '../../store/world.ts'

export type ProjectSandbox = Pick<Sandbox, 'fetch' | 'clock' | 'ready' | 'close'>

/**
 * The simulated world of the accounts with `sandbox: true`. The store keeps it between commands.
 * Undefined when the project has no such account.
 */
export async function openProjectSandbox(
  project: Project,
  storage?: WorldStorage,
): Promise<ProjectSandbox | undefined> {
  const accounts = Object.entries(project.accounts)
    .filter(([, account]) => account.sandbox === true)
    .map(([name]) => name)
  if (accounts.length === 0) return undefined
  const { createSandbox } = await import('../../sandbox/sandbox.ts')
  const { clock, seed, copied, population, subscribers } = project.sandbox
  return createSandbox({
    clock,
    seed,
    accounts,
    copied,
    ...(population === undefined ? {} : { population: { name: population, subscribers: subscribers ?? 60 } }),
    ...(storage === undefined ? {} : { storage }),
  })
}
