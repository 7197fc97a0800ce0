import type { Step } from '../../plan/types.ts'

/**
 * A POST to a collection makes something new; everything else sets values on what is there, or
 * removes it, and may be sent twice.
 */
export function isCreation({ method, path }: Pick<Step, 'path'> & { readonly method: string }): boolean {
  return method === 'POST' && /^\/v\d+\/[a-z_/]+$/.test(path)
}
