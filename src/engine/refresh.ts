import type { Live } from '../plan/live.ts'
import type { Context } from './context.ts'
import { notYet } from './not-yet.ts'

export interface RefreshOptions {
  /** Read these sources only; all of them when absent. */
  readonly sources?: readonly string[]
}

/**
 * Reads the live accounts: lists only, in full. Writes nothing.
 * @throws CommandError when one list cannot be read to its end: half a list is never an answer.
 */
export async function refresh(
  context: Pick<Context, 'accounts' | 'progress'>,
  options: RefreshOptions = {},
): Promise<Live> {
  return notYet(`refresh of ${context.accounts.target.name} ${String(options.sources)}`)
}
