import type { GuardName } from '../../catalog/guards.ts'
import type { Project } from '../../catalog/types.ts'
import type { Live } from '../../live/accounts.ts'
import { readGuard } from '../../plan/guards.ts'
import { enoughToCompare, excessOf, failingShare } from '../plan/decline-rates.ts'
import type { AppliedChange } from '../send/applied.ts'

/**
 * The guard `declines` within one run: the moves stop when too many of those that were tried met a
 * payment method that Stripe could not set up.
 */
export class DeclinesBreaker {
  #tried = 0
  #failed = 0
  readonly #own: number
  readonly #limits: Project['guards']
  readonly #isAllowed: boolean

  constructor(live: Live, limits: Project['guards'], allow: readonly GuardName[]) {
    // Once for all moves: looking at every subscription for each move takes hours for many people.
    this.#own = failingShare(live)
    this.#limits = limits
    this.#isAllowed = allow.includes('declines')
  }

  note({ action, outcome, code }: AppliedChange): void {
    if (action !== 'move' || (outcome !== 'done' && outcome !== 'undone')) return
    this.#tried += 1
    if (code === 'setup_failed') this.#failed += 1
  }

  /** The result of a change that is not started any more; undefined while moves go on. */
  skipped({ address, action }: Pick<AppliedChange, 'address' | 'action'>): AppliedChange | undefined {
    if (action !== 'move' || this.#isAllowed || this.#tried < enoughToCompare) return undefined
    const { id, tripped } = readGuard('declines', excessOf(this.#failed / this.#tried, this.#own), this.#limits)
    if (!tripped) return undefined
    return {
      address,
      action,
      outcome: 'skipped',
      code: id,
      message: `${this.#failed} of ${this.#tried} moves of this run met a payment method that Stripe could not set up, so no other move was started`,
      fix: 'let these members enter a card: crossbill card-link --code setup_failed; if the moves are intended as they are: crossbill apply --allow declines',
    }
  }
}
