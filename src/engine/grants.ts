import type { Instant } from '../core/instant.ts'

/** An offer that a member holds, by ids. */
export interface Holding {
  readonly contact: string
  /** Key in access.yaml. */
  readonly offer: string
  /** The target's customer. */
  readonly customer: string
  readonly subscribers: readonly string[]
}

export interface Grant extends Holding {
  readonly grantedAt: Instant
  /**
   * Until then a missing offer is repaired, never read as a cancel: for seven days after it was
   * given, and while a repair (revoke, then grant) or a revoke of our own is under way. From the
   * hold until seven days after settling it is protected, too, whatever this says: that is asked of
   * the old subscription.
   */
  readonly protectedUntil: Instant
}

/**
 * What the store remembers of access: who was granted what by Crossbill, and who holds what without
 * it. Ids alone.
 */
export interface GrantStore {
  /** What Crossbill granted: contact ↔ customer ↔ subscribers, by ids. */
  grants(filter?: {
    readonly contact?: string
    readonly customer?: string
    readonly subscriber?: string
  }): Promise<readonly Grant[]>
  putGrants(grants: readonly Grant[]): Promise<void>
  /** What members hold, and pay for, without Crossbill's having given it. */
  holdings(filter?: { readonly contact?: string; readonly customer?: string }): Promise<readonly Holding[]>
  /** In place of all that was noted before. */
  setHoldings(holdings: readonly Holding[]): Promise<void>
  removeGrants(grants: readonly { readonly contact: string; readonly offer: string }[]): Promise<void>
}
