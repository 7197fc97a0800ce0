import type { Counts } from './counts.ts'
import type { Happening } from './happenings.ts'
import type { Person } from './people.ts'

/** Events that only wide stories have, by a name to switch each off, and what counts them. */
export const wideEvents = {
  machines: ['applies_from_ci', 'applies_from_old_copy', 'copies_kept'],
  frozen_runs: ['runs_frozen', 'runs_thawed'],
  late_commits: ['fault_late_commit'],
  deleted_customers: ['customers_deleted_in_target', 'customers_deleted_on_hold', 'customers_deleted_at_source'],
  reused_coupons: ['coupons_reused'],
  wrong_entries: ['wrong_entries'],
  new_amounts: ['new_amounts'],
  carried_money: ['people_with_credit', 'people_with_pending_items'],
} as const

/** Events that only stories with mistakes have. */
export const mistakeEvents = {
  removed_coupons: ['coupons_removed_on_hold'],
  mixed_copies: ['copy_maps_mixed'],
  exchanged_accounts: ['accounts_exchanged'],
  new_rates: ['new_rates'],
  drafts_with_items: ['drafts_with_items'],
} as const

/** Events that only stories with banks have. */
export const bankEvents = {
  disputes: ['disputes_in_target', 'disputes_on_hold', 'disputes_at_source'],
  given_back: ['refunds', 'credit_notes'],
  lowered_invoices: ['invoices_lowered'],
  paid_pages: ['paid_on_page'],
  replaced_cards: ['cards_replaced'],
} as const
/** Events that only stories with waives have. */
export const waiveEvents = {
  waived_periods: ['invoices_waived', 'waives_said'],
  lost_cards: ['cards_lost_on_hold'],
} as const
export type RareEvent =
  | keyof typeof wideEvents
  | keyof typeof mistakeEvents
  | keyof typeof bankEvents
  | keyof typeof waiveEvents

export interface Cast {
  readonly people: Person[]
  readonly happenings: Happening[]
}

const happeningsOf: Readonly<Partial<Record<RareEvent, readonly Happening['do'][]>>> = {
  machines: ['keep a copy'],
  frozen_runs: ['freeze', 'thaw'],
  deleted_customers: ['delete customer'],
  reused_coupons: ['reuse coupon'],
  wrong_entries: ['wrong entry'],
  new_amounts: ['new amount'],
  removed_coupons: ['remove coupon'],
  mixed_copies: ['mix copies'],
  exchanged_accounts: ['exchange accounts'],
  new_rates: ['new rate'],
  drafts_with_items: ['draft with item'],
  disputes: ['dispute'],
  given_back: ['give back'],
  lowered_invoices: ['give up'],
  paid_pages: ['pay page'],
  replaced_cards: ['replace card'],
  waived_periods: ['waive'],
  lost_cards: ['lose card'],
}

/** The same story in which one kind of event never happens: what must then miss it? */
export function without(event: RareEvent | undefined, { people, happenings }: Cast): Cast {
  if (event === undefined) return { people, happenings }
  return {
    people: event === 'carried_money' ? people.map(({ credit: _c, pending: _p, ...one }) => one) : people,
    happenings: happenings
      .filter((one) => happeningsOf[event]?.includes(one.do) !== true)
      .map((one) => {
        if (one.do !== 'apply') return one
        const { late, from, ...rest } = one
        return {
          ...rest,
          ...(late === undefined || event === 'late_commits' ? {} : { late }),
          ...(from === undefined || event === 'machines' ? {} : { from }),
        }
      }),
  }
}

/** What must have been seen and was not: without it the promises were never tried. */
export function neverHappened(counts: Counts, wanted: readonly string[]): readonly string[] {
  return wanted.filter((name) => (counts[name] ?? 0) === 0)
}
