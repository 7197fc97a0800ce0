import { guardNames, isGuardName } from '../catalog/guards.ts'
import { suggest } from '../core/suggest.ts'
import { UsageError } from './usage-error.ts'

/** Refuses a `--allow NAME` that names no guard. */
export function refuseUnknownGuards(allow: readonly string[]): void {
  for (const name of allow) {
    if (isGuardName(name)) continue
    const near = suggest(name, guardNames)
    throw new UsageError(
      'unknown-guard',
      `--allow ${name}: there is no guard with this name`,
      near === undefined ? `Guards: ${guardNames.join(', ')}.` : `Did you mean ${near}?`,
    )
  }
}
