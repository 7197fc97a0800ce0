import type { Live } from '../plan/live.ts'
import type { Plan } from '../plan/types.ts'
import type { Context } from './context.ts'
import { notYet } from './not-yet.ts'

export interface PlanOptions {
  /** Only changes of these addresses (`price.x`, `subscriber.us/sub_…`) or address prefixes ending in `*`; everything when absent. */
  readonly targets?: readonly string[]
  /** What was read already; read anew when absent. */
  readonly live?: Live
}

/**
 * Reads the accounts and the store, and says what would change. Read-only.
 * @throws CommandError when an account or the store cannot be read.
 */
export async function makePlan(context: Context, options: PlanOptions = {}): Promise<Plan> {
  return notYet(`plan with ${context.tool} ${String(options.targets)}`)
}
