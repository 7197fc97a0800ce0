import { CommandError } from '../core/outcome.ts'

/** While this part of the engine is being built: says so instead of doing half of it. */
export function notYet(what: string): never {
  throw new CommandError('not_available', `${what} is not available in this version`, { notDone: 'nothing was done' })
}
