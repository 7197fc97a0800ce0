import type { Context } from './context.ts'
import type { CopyMapRow } from './ports.ts'
import { notYet } from './not-yet.ts'

export interface CopyMapImport {
  readonly source: string
  readonly rows: number
  readonly added: number
  readonly changed: number
  readonly unchanged: number
}

/**
 * Stores rows read from Stripe's PAN-copy CSV. A later row for the same old payment method wins only if its new id exists in the target.
 * @throws CommandError `copy_map_conflict` when one old id maps to two new ones and neither can be told to be the later.
 */
export async function importCopyMap(
  context: Context,
  source: string,
  rows: readonly Omit<CopyMapRow, 'importedAt'>[],
): Promise<CopyMapImport> {
  return notYet(`copy map ${context.tool} ${source} ${rows.length}`)
}

export interface CopyMapFinding {
  /** `customer_not_copied`, `payment_method_unmapped`, `payment_method_not_copyable`, `payment_method_missing_in_target`. */
  readonly code: string
  readonly subscriber: string
  readonly message: string
  readonly fix: string
}

export interface CopyMapCheck {
  readonly sources: Readonly<
    Record<string, { readonly rows: number; readonly subscribers: number; readonly ready: number }>
  >
  readonly findings: readonly CopyMapFinding[]
}

/** Who cannot be moved for want of a copied customer or payment method, and why. Read-only. */
export async function copyMapCheck(context: Context): Promise<CopyMapCheck> {
  return notYet(`copy map check ${context.tool}`)
}
