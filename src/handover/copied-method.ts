import type { LiveAccount } from '../live/accounts.ts'
import type { ShownMethod } from '../live/shown-method.ts'
import type { SourcePayment } from '../live/source.ts'
import type { CopyMap } from './types.ts'

/** An old payment method and the method of the target that the copy map names for it. */
export interface ClaimedMethod {
  readonly old: Pick<SourcePayment, 'id'> | null
  readonly copy: { readonly customer: string; readonly id: string } | undefined
  readonly copyMap: CopyMap
  readonly source: Pick<LiveAccount, 'methods'>
  readonly target: Pick<LiveAccount, 'methods'>
}

/**
 * Why the claimed copy is another card; undefined when nothing shows it. A mapping file whose
 * `source_id_new` was mixed up has the right shape and would charge another card of the member.
 *
 * | both sides show                             | then                                         |
 * |---------------------------------------------|----------------------------------------------|
 * | the copy belongs to another customer        | another card                                 |
 * | another type, brand or number, and the      | another card, or one that its bank replaced  |
 * | customer has several copied methods         | in one account: a person decides             |
 * | the same, and only one method was copied    | a replaced card: nothing was exchanged       |
 * | another expiry                              | nothing: banks renew cards                   |
 *
 * Fingerprints are not compared, because each account has its own.
 */
export function methodMismatch(claim: ClaimedMethod): string | undefined {
  const { old, copy, copyMap, source, target } = claim
  if (old === null || copy === undefined || copyMap.payments.get(old.id)?.id !== copy.id) return undefined
  const shown = target.methods?.get(copy.id)
  if (shown === undefined) return undefined
  const row = `source_id_old ${old.id}, source_id_new ${copy.id}`
  if (shown.customer !== null && shown.customer !== copy.customer)
    return `the copy map says ${row}, but ${copy.id} belongs to ${shown.customer} of the target, not to ${copy.customer}`
  const before = source.methods?.get(old.id)
  if (before === undefined || !isExchangeable(copyMap, copy.customer)) return undefined
  // An older card has no type, and its brand has another spelling.
  if (!old.id.startsWith('pm_') || !copy.id.startsWith('pm_')) return undefined
  const differs = methodsDiffer(before, shown)
  return differs === undefined ? undefined : `the copy map says ${row}, but ${differs}`
}

/** Why a method of the target is not the copy of the old one, for the customer of the copy map. */
export function claimedMismatch(
  before: ShownMethod | undefined,
  now: ShownMethod,
  customer: string,
): string | undefined {
  if (now.customer !== null && now.customer !== customer)
    return `it belongs to ${now.customer} of the target, not to ${customer}`
  // An older card has no type, and its brand has another spelling.
  return before?.id.startsWith('pm_') === true ? methodsDiffer(before, now) : undefined
}

/** How two methods of one customer differ so much that they are two cards. */
export function methodsDiffer(before: ShownMethod, now: ShownMethod): string | undefined {
  const [one, other] = [told(before), told(now)]
  return one === other ? undefined : `the old one is ${one} and the new one is ${other}`
}

const counts = new WeakMap<CopyMap, ReadonlyMap<string, number>>()

/** Whether the customer of the target has several copied methods, which a file can mix up. */
export function isExchangeable(copyMap: CopyMap, customer: string): boolean {
  const known = counts.get(copyMap) ?? countsOf(copyMap)
  counts.set(copyMap, known)
  return (known.get(customer) ?? 0) > 1
}

function countsOf({ payments }: CopyMap): ReadonlyMap<string, number> {
  const all = new Map<string, number>()
  for (const { customer } of payments.values()) all.set(customer, (all.get(customer) ?? 0) + 1)
  return all
}

function told({ type, card }: ShownMethod): string {
  return card === null ? type : `${card.brand} …${card.last4}`
}
