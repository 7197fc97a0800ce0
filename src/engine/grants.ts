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
  /**
   * Keys in prices.yaml of the paid prices that gave the offer when it was last looked at. When
   * they are still paid and no longer give it, the catalog was edited. Empty: not recorded.
   */
  readonly prices: readonly string[]
  readonly grantedAt: Instant
  /**
   * Until then, a missing offer is repaired and never read as a cancel: for seven days after the
   * grant, and during Crossbill's own repair (revoke, then grant) or revoke. From the hold until
   * seven days after settling it is protected regardless of this value: the old subscription
   * decides.
   */
  readonly protectedUntil: Instant
}

/**
 * What the store knows about access: Crossbill's grants, and offers held without a grant. Ids only.
 */
export interface GrantStore {
  /** Crossbill's grants: contact ↔ customer ↔ subscribers, by ids. */
  grants(filter?: {
    readonly contact?: string
    readonly customer?: string
    readonly subscriber?: string
  }): Promise<readonly Grant[]>
  putGrants(grants: readonly Grant[]): Promise<void>
  /** Offers that members hold and pay for without a grant by Crossbill. */
  holdings(filter?: { readonly contact?: string; readonly customer?: string }): Promise<readonly Holding[]>
  /** Replaces all earlier holdings. */
  setHoldings(holdings: readonly Holding[]): Promise<void>
  removeGrants(grants: readonly { readonly contact: string; readonly offer: string }[]): Promise<void>
}
