import type { Project } from '../../catalog/types.ts'
import { CommandError } from '../../core/outcome.ts'
import type { Shell } from '../shell.ts'

interface NamedSecret {
  readonly env: string
  /** `accounts.us.key` */
  readonly where: string
}

type Named = Partial<Pick<Project, 'accounts' | 'kajabi' | 'store'>>

/** The environment variables that these parts of a project name. */
export function secretNames({ accounts, kajabi, store }: Named): readonly NamedSecret[] {
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
 * @param needed only the parts without which the command cannot work
 * @throws CommandError `secret_missing`
 */
export function refuseUnset(needed: Named, { surroundings: { env } }: Pick<Shell, 'surroundings'>): void {
  const unset = secretNames(needed).filter(({ env: name }) => (env[name] ?? '') === '')
  // Of a single one, the place that needs it has the better words.
  if (unset.length < 2) return
  const names = unset.map(({ env: name, where }) => `${name} (${where})`).join(', ')
  throw new CommandError('secret_missing', `${unset.length} environment variables are not set: ${names}`, {
    notDone: 'no request was sent',
    fix: 'set all of them, or name other places in catalog/project.yaml',
  })
}
