import type { Instant } from '../../core/instant.ts'
import type { Accounts } from '../ports.ts'
import type { Performer } from '../send/perform.ts'

/** What the work on members' cards needs. */
export interface CardContext extends Performer {
  readonly accounts: Accounts
  /** Stripe's clock. */
  clock(): Instant
}

/** Whose card it is. */
export interface CardOwner {
  /** `us/sub_…` */
  readonly subscriber: string
  /** The customer of the target. */
  readonly customer: string
}

export function cardAddress(subscriber: string): string {
  return `card.${subscriber}`
}
