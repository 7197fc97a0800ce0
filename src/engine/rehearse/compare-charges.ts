import type { Instant } from '../../core/instant.ts'
import { formatInstant } from '../../core/instant.ts'
import { formatMoney } from '../../core/money.ts'
import type { RehearsalDifference } from './report.ts'

/**
 * A charge that succeeded in one of the two runs, named by its subscriber whichever account made
 * it.
 */
export interface WorldCharge {
  /** `us/sub_…` */
  readonly subscriber: string
  /** `us`, `intl`, `target` */
  readonly account: string
  readonly at: Instant
  readonly amount: number
  readonly currency: string
  /** Of an open invoice that the move carried: it is collected then, not at the next retry. */
  readonly carried?: true
}

/**
 * Every charge of the control run must exist in the other run with the same subscriber, second,
 * amount and currency, and there must be no others. For each subscriber, charges are paired by
 * instant first, then by amount, then in order:
 *
 * | expected  | actual                      | difference     |
 * | --------- | --------------------------- | -------------- |
 * | yes       | same second, same amount    | none           |
 * | yes       | same second, in two parts   | none           |
 * | yes       | carried invoice, same money | none           |
 * | yes       | same second, another amount | amount_differs |
 * | yes       | another second              | date_differs   |
 * | yes       | none left                   | missed         |
 * | none left | yes                         | double         |
 */
export function compareCharges(
  expected: readonly WorldCharge[],
  actual: readonly WorldCharge[],
): readonly Omit<RehearsalDifference, 'cause' | 'remedy'>[] {
  const there = Map.groupBy(actual, ({ subscriber }) => subscriber)
  const here = Map.groupBy(expected, ({ subscriber }) => subscriber)
  const everybody = [...new Set([...here.keys(), ...there.keys()])].toSorted()
  return everybody.flatMap((subscriber) => compareOne(here.get(subscriber) ?? [], there.get(subscriber) ?? []))
}

type Difference = Omit<RehearsalDifference, 'cause' | 'remedy'>

function compareOne(expected: readonly WorldCharge[], actual: readonly WorldCharge[]): readonly Difference[] {
  const open = [...expected].toSorted(byTime)
  const extra = [...actual].toSorted(byTime)
  take(open, extra, (a, b) => a.at === b.at && sameMoney(a, b))
  takeShared(open, extra)
  take(open, extra, (a, b) => b.carried === true && sameMoney(a, b))
  const differences: Difference[] = []
  for (const [a, b] of take(open, extra, (one, other) => one.at === other.at))
    differences.push(difference('amount_differs', a, `${money(a)} expected, ${money(b)} charged by ${b.account}`))
  for (const [a, b] of take(open, extra, sameMoney))
    differences.push(
      difference(
        'date_differs',
        a,
        `${money(a)} expected at ${formatInstant(a.at)}, charged by ${b.account} at ${formatInstant(b.at)}`,
      ),
    )
  for (const a of open) differences.push(difference('missed', a, `${money(a)} expected, charged by no account`))
  for (const b of extra) differences.push(difference('double', b, `${money(b)} charged by ${b.account}, not expected`))
  return differences
}

/**
 * At the end of a period, the old account bills its usage and the target everything else: together
 * they charge what one invoice would have charged.
 */
function takeShared(open: WorldCharge[], extra: WorldCharge[]): void {
  for (const a of open.slice()) {
    const parts = extra.filter((b) => b.at === a.at && b.currency === a.currency)
    const accounts = new Set(parts.map(({ account }) => account))
    const sum = parts.reduce((total, { amount }) => total + amount, 0)
    if (parts.length < 2 || accounts.size < parts.length || sum !== a.amount) continue
    open.splice(open.indexOf(a), 1)
    for (const part of parts) extra.splice(extra.indexOf(part), 1)
  }
}

/** Removes and returns the pairs that match, in order of time. */
function take(
  open: WorldCharge[],
  extra: WorldCharge[],
  fits: (a: WorldCharge, b: WorldCharge) => boolean,
): readonly (readonly [WorldCharge, WorldCharge])[] {
  const pairs: [WorldCharge, WorldCharge][] = []
  const all = open.slice()
  for (const a of all) {
    const at = extra.findIndex((b) => fits(a, b))
    const b = extra[at]
    if (b === undefined) continue
    pairs.push([a, b])
    extra.splice(at, 1)
    open.splice(open.indexOf(a), 1)
  }
  return pairs
}

function byTime(a: WorldCharge, b: WorldCharge): number {
  return a.at - b.at
}

function sameMoney(a: WorldCharge, b: WorldCharge): boolean {
  return a.amount === b.amount && a.currency === b.currency
}

function money({ amount, currency }: WorldCharge): string {
  return formatMoney({ amount, currency })
}

function difference(code: Difference['code'], { subscriber, at }: WorldCharge, detail: string): Difference {
  return { code, subscriber, at, detail }
}
