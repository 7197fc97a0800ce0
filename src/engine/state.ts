import type { Context } from './context.ts'
import { notYet } from './not-yet.ts'

/** One row of the identity map: which object of the target stands for which object of a source. */
export interface Identity {
  /** `product`, `price`, `tax_rate`, `coupon`, `customer`, `payment_method`, `subscription` … */
  readonly kind: string
  /** Source account, or empty for what exists in the target only. */
  readonly source: string
  readonly old_id: string
  /** `price.membership-monthly-usd`, `subscriber.us/sub_…`; empty for customers and payment methods. */
  readonly address: string
  readonly new_id: string
}

export interface StateSummary {
  readonly lineage: string
  readonly serial: number
  readonly objects: number
  readonly subscribers: Readonly<Record<string, number>>
  readonly open_journal: number
  readonly leases: readonly { readonly name: string; readonly holder: string; readonly expires: string }[]
}

export interface RebuildResult {
  readonly objects: number
  readonly subscribers: number
  /** Marks that contradict each other, one sentence each. */
  readonly findings: readonly string[]
}

export async function stateShow(context: Context): Promise<StateSummary> {
  return notYet(`state show ${context.tool}`)
}

/** Restores the store's objects and subscribers from the marks on live objects. The copy map is not on them: import it again. */
export async function stateRebuild(context: Context): Promise<RebuildResult> {
  return notYet(`state rebuild ${context.tool}`)
}

/** Old → new ids of every object, sorted; the command line renders CSV or JSON. */
export async function stateExport(context: Context): Promise<readonly Identity[]> {
  return notYet(`state export ${context.tool}`)
}

/** Drops a lease whose holder is gone. @returns who held it, undefined when nobody did. */
export async function stateUnlock(context: Context, lease: string): Promise<string | undefined> {
  return notYet(`state unlock ${context.tool} ${lease}`)
}
