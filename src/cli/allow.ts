import { guardNames } from '../catalog/guards.ts'
import { suggest } from '../core/suggest.ts'
import { UsageError } from './usage-error.ts'

/** `--allow NAME` names a guard. */
export function refuseUnknownGuards(allow: readonly string[]): void {
  for (const name of allow) {
    if (guardNames.includes(name)) continue
    const near = suggest(name, guardNames)
    throw new UsageError(
      'unknown-guard',
      `--allow ${name}: there is no such guard`,
      near === undefined ? `Guards: ${guardNames.join(', ')}.` : `Did you mean ${near}?`,
    )
  }
}
