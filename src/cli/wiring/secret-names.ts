import type { Project } from '../../catalog/types.ts'
import { CommandError } from '../../core/outcome.ts'
import type { Shell } from '../shell.ts'

interface NamedSecret {
  readonly env: string
  /** `accounts.us.key` */
  readonly where: string
}

/** The environment variables from which every command that reads the accounts takes its secrets. */
export function secretNames({ accounts, kajabi, store }: Project): readonly NamedSecret[] {
  const named = (value: unknown, where: string): readonly NamedSecret[] => {
    if (typeof value !== 'object' || value === null) return []
    if ('env' in value && typeof value.env === 'string') return [{ env: value.env, where }]
    return Object.entries(value).flatMap(([name, one]) => named(one, where === '' ? name : `${where}.${name}`))
  }
  const all = named({ accounts, kajabi, store }, '')
  return [...new Map(all.map((one) => [one.env, one])).values()]
}

/**
 * Names every missing variable at once: a user who learns of one in each run sets them one by one.
 * @throws CommandError `secret_missing`
 */
export function refuseUnset(project: Project, { surroundings: { env } }: Pick<Shell, 'surroundings'>): void {
  const unset = secretNames(project).filter(({ env: name }) => (env[name] ?? '') === '')
  // Of a single one, the place that needs it has the better words.
  if (unset.length < 2) return
  const names = unset.map(({ env: name, where }) => `${name} (${where})`).join(', ')
  throw new CommandError('secret_missing', `${unset.length} environment variables are not set: ${names}`, {
    notDone: 'no request was sent',
    fix: 'set all of them, or name other places in catalog/project.yaml',
  })
}
