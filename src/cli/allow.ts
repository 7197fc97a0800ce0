import { guardNames, isGuardName, type GuardName } from '../catalog/guards.ts'
import { suggest } from '../core/suggest.ts'
import { UsageError } from './usage-error.ts'

/** The guards named by `--allow`. Refuses a name that is not a guard. */
export function guardsNamed(allow: readonly string[]): readonly GuardName[] {
  return allow.map((name) => {
    if (isGuardName(name)) return name
    const near = suggest(name, guardNames)
    throw new UsageError(
      'unknown-guard',
      `--allow ${name}: there is no guard with this name`,
      near === undefined ? `Guards: ${guardNames.join(', ')}.` : `Did you mean ${near}?`,
    )
  })
}
