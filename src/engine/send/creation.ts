import { kinds } from '../../kinds/registry.ts'
import type { Step } from '../../plan/types.ts'

/** What an account has once is set and never created. */
const singles = new Set(kinds.flatMap(({ path, single }) => (single === undefined ? [] : [path])))

/**
 * A POST to a collection creates something. Every other request sets values or removes something,
 * and may be sent twice.
 */
export function isCreation({ method, path }: Pick<Step, 'path'> & { readonly method: string }): boolean {
  return method === 'POST' && /^\/v\d+\/[a-z_/]+$/.test(path) && !singles.has(path)
}
