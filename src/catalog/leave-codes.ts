/**
 * Codes of a blocked subscriber for which `policies.leave` of project.yaml can give a reason: these
 * subscribers then stay in the old account, by a decision that everybody can read. Codes of a wrong
 * entry, mapping or copy map are missing here, because correcting them is the way.
 */
export const leaveCodes = [
  'customer_not_copied',
  'payment_method_unmapped',
  'payment_method_not_copyable',
  'payment_default_differs',
  'setup_failed',
  'tax_differs',
  'customer_tax_id_missing',
  'tax_location_missing',
  'customer_discount_in_target',
  'currency_conflict',
  'past_due',
  'trial_without_card',
  'open_invoice',
  'finalization_failed',
  'pending_invoice_items',
  'customer_balance',
  'customer_split',
  'metered_price',
  'mixed_intervals',
  'schedule_managed',
  'collection_paused',
  'managed_by_application',
  'anchor_unrepresentable',
  'discount_unrepresentable',
  'field_not_carried',
  'metadata_full',
  'unknown_status',
] as const

export type LeaveCode = (typeof leaveCodes)[number]
