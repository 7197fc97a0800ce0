import { money } from '../../render/words.ts'
import type { Evidence } from '../evidence.ts'

export const code = (text: string): string => `\`${text}\``

/** Sums of monthly amounts by currency: `1,204.00 usd, 98.00 eur`; empty without any. */
export function monthlySum({ monthly }: Pick<Evidence, 'monthly'>, keys: readonly string[]): string {
  const sums = new Map<string, number>()
  for (const key of keys) {
    const one = monthly.get(key)
    if (one !== undefined) sums.set(one.currency, (sums.get(one.currency) ?? 0) + one.amount)
  }
  return [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, amount]) => money(amount, currency))
    .join(', ')
}

/** `2026-12-31` of an instant. */
export function day(iso: string): string {
  return iso.slice(0, 10)
}

/** `2026-12-03 to 2026-12-29`, one day, or a dash. */
export function span(days: readonly string[]): string {
  const [first, last] = [days[0], days.at(-1)]
  if (first === undefined || last === undefined) return '–'
  return day(first) === day(last) ? day(first) : `${day(first)} to ${day(last)}`
}
