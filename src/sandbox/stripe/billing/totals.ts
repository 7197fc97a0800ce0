import { takeOff, type Reduction, type TakenOff } from './discounting.ts'
import type { Period } from './calendar.ts'
import { percentWithin } from './money.ts'
import { taxesOf, type Rate, type TaxabilityReason } from './taxing.ts'

/** A line before discounts and taxes. */
export interface LineDraft {
  readonly amount: number
  readonly description: string | null
  readonly quantity: number | null
  readonly price: string | null
  readonly product: string | null
  readonly unitAmount: string | null
  readonly period: Period
  readonly discountable: boolean
  readonly own: readonly Reduction[]
  readonly rates: readonly Rate[]
  readonly proration: boolean
  readonly subscription: string | null
  readonly subscriptionItem: string | null
  readonly invoiceItem: string | null
  readonly metadata: Readonly<Record<string, string>>
}

export interface LineTax {
  readonly rate: string
  readonly inclusive: boolean
  readonly amount: number
  readonly taxable: number
  readonly reason: TaxabilityReason
}

/** A line of a stored invoice, with discounts and rates by id. */
export interface Line extends Omit<LineDraft, 'own' | 'rates'> {
  readonly discounts: readonly string[]
  readonly taken: readonly TakenOff[]
  readonly taxes: readonly LineTax[]
}

export interface Totals {
  readonly lines: readonly Line[]
  readonly subtotal: number
  readonly subtotalExcludingTax: number
  readonly total: number
  readonly totalExcludingTax: number
  readonly taken: readonly TakenOff[]
  readonly taxes: readonly LineTax[]
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/**
 * Adds up an invoice: discounts of lines, discounts of the invoice, then taxes on the rest, rounded
 * per line.
 */
export function addUp(drafts: readonly LineDraft[], shared: readonly Reduction[], currency: string): Totals {
  const taken = takeOff(drafts, shared, currency)
  const lines = drafts.map((draft, index) => {
    const off = taken[index] ?? []
    const { own, rates, ...rest } = draft
    const taxes = taxesOf(draft.amount - sum(off.map((one) => one.amount)), rates).map(
      ({ rate, amount, taxable }): LineTax => ({
        rate: rate.id,
        inclusive: rate.inclusive,
        amount,
        taxable,
        reason: rate.reason,
      }),
    )
    return { ...rest, discounts: own.map((one) => one.discount), taken: off, taxes }
  })
  const ownIds = drafts.map((draft) => new Set(draft.own.map((one) => one.discount)))
  const before = lines.map(
    (line, index) =>
      line.amount - sum(line.taken.filter((one) => ownIds[index]?.has(one.discount)).map((one) => one.amount)),
  )
  const subtotal = sum(before)
  const exclusive = sum(lines.flatMap((line) => line.taxes.filter((tax) => !tax.inclusive).map((tax) => tax.amount)))
  const allTax = sum(lines.flatMap((line) => line.taxes.map((tax) => tax.amount)))
  const total = sum(lines.map((line) => line.amount - sum(line.taken.map((one) => one.amount)))) + exclusive
  return {
    lines,
    subtotal,
    subtotalExcludingTax: subtotal - sum(before.map((amount, index) => contained(amount, drafts[index]?.rates ?? []))),
    total,
    totalExcludingTax: total - allTax,
    taken: perDiscount(lines),
    taxes: perRate(lines),
  }
}

function contained(amount: number, rates: readonly Rate[]): number {
  const inclusive = rates.filter((rate) => rate.inclusive).map((rate) => rate.percentage)
  return sum(inclusive.map((percentage) => percentWithin(amount, percentage, inclusive)))
}

function perDiscount(lines: readonly Line[]): TakenOff[] {
  const totals = new Map<string, number>()
  for (const { discount, amount } of lines.flatMap((line) => line.taken))
    totals.set(discount, (totals.get(discount) ?? 0) + amount)
  return Array.from(totals, ([discount, amount]) => ({ discount, amount }))
}

function perRate(lines: readonly Line[]): LineTax[] {
  const totals = new Map<string, LineTax>()
  for (const tax of lines.flatMap((line) => line.taxes)) {
    const key = `${tax.rate}/${tax.reason}`
    const before = totals.get(key)
    totals.set(
      key,
      before === undefined
        ? tax
        : { ...tax, amount: before.amount + tax.amount, taxable: before.taxable + tax.taxable },
    )
  }
  return [...totals.values()]
}

/**
 * How the customer's balance is applied to an invoice. A negative balance is credit, a positive one
 * is owed.
 */
export interface Settled {
  readonly amountDue: number
  readonly endingBalance: number
}

/**
 * The amount due after the balance, and the balance after the invoice. A negative total becomes
 * credit; an amount too small to charge is put on the balance
 * (https://docs.stripe.com/billing/customer/balance).
 */
export function settleBalance(
  total: number,
  startingBalance: number,
  charge: { readonly smallest: number; readonly step: number },
): Settled {
  const due = total + startingBalance
  if (due <= 0) return { amountDue: 0, endingBalance: due }
  if (due < charge.smallest) return { amountDue: 0, endingBalance: due }
  const rest = due % charge.step
  return { amountDue: due - rest, endingBalance: rest }
}
