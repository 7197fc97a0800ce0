/** One finding of `doctor`: what was checked, the result, and what to do. */
export interface DoctorFinding {
  /** `clock_skew`, `portal_allows_changes`, `payment_link_active` … */
  readonly check: string
  readonly status: 'ok' | 'warning' | 'failed'
  readonly account?: string
  readonly message: string
  readonly fix: string
}
