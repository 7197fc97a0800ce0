import type { Plan } from '../../plan/types.ts'

/**
 * Addresses of the endpoints whose signing secrets a job would write to its own disk, which ends
 * with the job: Stripe shows a secret once.
 */
function secretsOnDisk({ changes }: Pick<Plan, 'changes'>): readonly string[] {
  return changes
    .filter(({ steps }) => steps.some(({ secret_to: sink }) => sink !== undefined && sink['command'] === undefined))
    .map(({ address }) => address)
}

/** Why `ci apply` does not apply such a plan; undefined when it may. */
export function secretsLost(plan: Pick<Plan, 'changes'>): string | undefined {
  const addresses = secretsOnDisk(plan)
  if (addresses.length === 0) return undefined
  return `the signing secret of ${addresses.join(', ')} would be written to the disk of the job, which is lost when the job ends`
}

export const secretsFix =
  'Write secret_to: { command: [...] } with a program that stores it, or apply by hand where the file is kept: crossbill plan --out FILE, crossbill apply FILE'
