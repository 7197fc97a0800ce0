import { formatMoney } from '../../core/money.ts'
import { displayWidth } from './display-width.ts'
import type { Action } from '../../plan/types.ts'

/** `1 subscriber`, `12 subscribers`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

/** `2026-12-31 09:15:00 UTC`: an instant for people. */
export function when(iso: string): string {
  return iso.replace('T', ' ').replace(/Z$/, ' UTC')
}

/** The beginning of a plan's digest, as every text shows it; JSON and files have the whole. */
export function shortDigest(plan: string): string {
  return plan.slice(0, 12)
}

/** `59 subscribers: 5 to move, 53 unchanged, 1 ending`: everybody once, by outcome. */
export function everyone(people: Readonly<Record<string, number>>): string {
  const parts = Object.entries(people).filter(([, count]) => count > 0)
  const all = parts.reduce((sum, [, count]) => sum + count, 0)
  return `${plural(all, 'subscriber')}: ${parts.map(([outcome, count]) => `${count} ${ahead[outcome] ?? outcome}`).join(', ')}`
}

/** What a plan does is still to come, also in a plan that an earlier version saved. */
const ahead: Readonly<Record<string, string>> = {
  move: 'to move',
  moved: 'to move',
  settle: 'to settle',
  settled: 'to settle',
  revert: 'to revert',
  reverted: 'to revert',
}

/** `1,234.50 usd` */
export function money(amount: number, currency: string): string {
  return formatMoney({ amount, currency }).replace(/^(-?)(\d+)/, (_all, sign: string, whole: string) => {
    return sign + whole.replaceAll(/\B(?=(?:\d{3})+$)/g, ',')
  })
}

/** An exact amount with a fraction of the smallest unit: `0.5` is `0.005 usd`. */
export function exactMoney(amount: string, currency: string): string {
  const [whole = '0', fraction = ''] = amount.split('.')
  const [number = '', code = ''] = money(Number(whole), currency).split(' ')
  const kept = fraction.replace(/0+$/, '')
  return `${number}${number.includes('.') || kept === '' ? '' : '.'}${kept} ${code}`
}

/** The words for a plan's action, and its sign in front of a line. */
export const actionWords: Readonly<
  Record<Action, { readonly sign: string; readonly verb: string; readonly noun: string }>
> = {
  create: { sign: '+', verb: 'create', noun: 'to create' },
  update: { sign: '~', verb: 'update', noun: 'to update' },
  replace: { sign: '±', verb: 'replace', noun: 'to replace' },
  retire: { sign: '-', verb: 'retire', noun: 'to retire' },
  adopt: { sign: '=', verb: 'adopt', noun: 'to adopt' },
  move: { sign: '→', verb: 'move', noun: 'to move' },
  settle: { sign: '✓', verb: 'settle', noun: 'to settle' },
  revert: { sign: '←', verb: 'revert', noun: 'to revert' },
  grant: { sign: '+', verb: 'grant access', noun: 'to grant' },
  revoke: { sign: '-', verb: 'revoke access', noun: 'to revoke' },
}

/**
 * `subscriber.us/sub_1` → `us/sub_1`, `access.us/sub_1.diploma` → `us/sub_1 diploma`; other
 * addresses stay.
 */
export function shortAddress(address: string): string {
  return address.replace(/^subscriber\./, '').replace(/^access\.([^.]+)\.(.+)$/, '$1 $2')
}

/** Rows as lines with columns aligned as a terminal shows them, separated by two spaces. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, displayWidth(cell))
  return rows.map((row) =>
    row
      .map((cell, index) => `${cell}${' '.repeat((widths[index] ?? 0) - displayWidth(cell))}`)
      .join('  ')
      .trimEnd(),
  )
}

/** The first items, and the number of the others. */
export function firstFew<T>(all: readonly T[], limit: number): { readonly shown: readonly T[]; readonly more: number } {
  // One more item takes no more room than a line that says so.
  if (all.length <= limit + 1) return { shown: all, more: 0 }
  return { shown: all.slice(0, limit), more: all.length - limit }
}

export function groupBy<T>(all: readonly T[], key: (one: T) => string): ReadonlyMap<string, readonly T[]> {
  return Map.groupBy(all, key)
}
