import { blockedCodes, deferredCodes, type CodeEntry } from '../../../handover/codes.ts'

const registry: Readonly<Record<string, CodeEntry | undefined>> = { ...deferredCodes, ...blockedCodes }

/** What a code means, in the words of its registry; the code itself when it is unknown. */
export function meaningOf(code: string): string {
  return registry[code]?.meaning ?? code.replaceAll('_', ' ')
}

/** Codes that end when the member does something. */
const members: ReadonlySet<string> = new Set([
  'payment_method_unmapped',
  'payment_method_not_copyable',
  'setup_failed',
  'past_due',
  'open_invoice',
  'tax_location_missing',
])

/** Codes that ask for a decision about money or terms. */
const owners: ReadonlySet<string> = new Set([
  'tax_differs',
  'customer_balance',
  'pending_invoice_items',
  'collection_paused',
  'schedule_managed',
  'metered_price',
  'mixed_intervals',
  'currency_conflict',
  'discount_unrepresentable',
  'managed_by_application',
])

/** The role that acts on a code. */
export function roleFor(code: string): 'member' | 'owner' | 'billing engineer' {
  if (members.has(code)) return 'member'
  return owners.has(code) ? 'owner' : 'billing engineer'
}
