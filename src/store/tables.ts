import type { Generated } from 'kysely'

/**
 * The tables, the same in both engines. Instants are whole seconds unless the name ends in `_ms`;
 * JSON is stored as text (no query reads into it). No column holds an e-mail address, a name or a
 * secret.
 */
export interface Tables {
  state_version: { id: number; lineage: string; serial: number }
  objects: { address: string; account: string; object: string; applied: string | null }
  subscribers: { key: string; phase: string; facts: string; updated: number }
  journal: {
    id: Generated<number>
    run: string
    address: string
    step: string
    account: string
    method: string
    path: string
    params: string
    idempotency_key: string
    attempt: number
    status: 'started' | 'succeeded' | 'failed' | 'unknown' | 'abandoned'
    result: string | null
    failure: string | null
    /** Stripe's id of the request. */
    request: string | null
    started_at: number
    ended_at: number | null
  }
  copy_map: {
    source: string
    customer_old: string
    source_old: string
    customer_new: string
    source_new: string
    imported_at: number
  }
  /**
   * `token` grows with every change of holder: a holder that lost its lease cannot renew or release
   * the lease of the next one.
   */
  leases: { name: string; holder: string; token: number; expires_ms: number }
  named_values: { name: string; value: string }
  /**
   * `due`: when a worker may claim the row; null when nothing is left to do. `holder` works on it
   * until `leased_until`.
   */
  inbox: {
    id: string
    signal: string
    state: string
    /** 1 for a request to cancel, 0 for a signal that cancels no subscription. */
    cancels: number
    /**
     * The person that the signal names, by ids, so that other signals of the person are found
     * without a scan.
     */
    contact: string | null
    customer: string | null
    /** The code of the reason why a row waits, was ignored or is dead. */
    cause: string | null
    details: string
    facts: string
    due: number | null
    holder: string | null
    leased_until: number
    accepted_at: number
    updated_at: number
  }
  inbox_keys: { key: string; inbox: string }
  inbox_notes: { id: Generated<number>; inbox: string; at: number; state: string; text: string }
  grants: {
    contact: string
    offer: string
    customer: string
    subscribers: string
    prices: string
    granted_at: number
    protected_until: number
  }
  /** Kept by triggers of `grants`. */
  grant_subscribers: { subscriber: string; contact: string; offer: string }
  holdings: { contact: string; offer: string; customer: string; subscribers: string }
}
