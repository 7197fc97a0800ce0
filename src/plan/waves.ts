import { addAll } from '../core/lists.ts'
import { formatInstant, type Instant } from '../core/instant.ts'

/**
 * How likely the first renewal in the target needs a person, the safest first.
 *
 * - `plain`    moves, and nothing moves with the subscription
 * - `carries`  moves with a discount, a trial, a schedule, a pause or money of the customer
 * - `card`     moves, and the first renewal will probably fail
 * - `waits`    waits for a date
 * - `needs`    needs something first
 * - `stays`    does not move: left by a decision, ending or ended
 */
export const risks = ['plain', 'carries', 'card', 'waits', 'needs', 'stays'] as const
export type Risk = (typeof risks)[number]

/** How the waves after the pilot are split. */
export const waveRules = ['renewal', 'country', 'price', 'risk'] as const
export type WaveRule = (typeof waveRules)[number]

/** A subscriber who has not moved and whose wave is still in the source. */
export interface WaveMember {
  readonly key: string
  readonly source: string
  readonly subscription: string
  /** Subscriptions of one customer are in one wave: they can share money. */
  readonly customer: string
  readonly file: string
  readonly next: Instant | null
  /** ISO 3166, in lower case; empty when the address has no country. */
  readonly country: string
  /** The first price, by its key in the catalog. */
  readonly price: string
  readonly risk: Risk
  /** The end of a wait. */
  readonly until?: Instant
  readonly monthly?: { readonly amount: number; readonly currency: string }
}

export interface WaveOptions {
  readonly by: WaveRule
  /** Members of the pilot of each source; 0 for none. */
  readonly pilot: number
  /** The most members of a wave. */
  readonly size: number
  /** Files that keep their members, so that no new wave takes their name. */
  readonly kept: ReadonlySet<string>
}

export interface Wave {
  readonly file: string
  /** Why these members are together: `pilot`, `country de`, `renewal`. */
  readonly rule: string
  readonly people: number
  readonly mrr: Readonly<Record<string, number>>
  /** The first and the last next renewal. */
  readonly renewals: { readonly first: string; readonly last: string } | null
  readonly risks: Readonly<Partial<Record<Risk, number>>>
  /** When everybody in it who only waits can move; absent when nobody waits. */
  readonly from?: string
  readonly subscribers: readonly string[]
}

/**
 * Splits the members of each source: a pilot of those who are safe and renew first, then waves of
 * at most `size` by the rule, in the order of their renewals. All subscriptions of a customer are
 * in one wave, where the first to renew and the greatest risk among them decide. Equal input gives
 * equal waves, and the order of the files does not matter. Pure.
 */
export function splitWaves(members: readonly WaveMember[], options: WaveOptions): readonly Wave[] {
  return [...Map.groupBy(members, ({ source }) => source)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([source, all]) => wavesOf(source, all.toSorted(byRenewal), options))
}

function wavesOf(source: string, members: readonly WaveMember[], { by, pilot, size, kept }: WaveOptions): Wave[] {
  const first = `subscribers/${source}/pilot.yaml`
  const units = [...Map.groupBy(members, ({ customer }) => customer).values()]
  const safe = units.filter((unit) => unit.every(({ risk, next }) => risk === 'plain' && next !== null))
  const isPilot = new Set(kept.has(first) ? [] : (packed(safe, pilot)[0] ?? []))
  const groups = Map.groupBy(
    units.filter((unit) => !unit.some((one) => isPilot.has(one))),
    (unit) => groupOf(unit, by),
  )
  const parts = [...groups].toSorted(([a], [b]) => order(a, b, by)).flatMap(([group, all]) => chunks(group, all, size))
  const names = freeNames(source, kept)
  return [
    ...(isPilot.size === 0 ? [] : [waveOf(first, 'pilot', [...isPilot])]),
    ...parts.map(({ group, all }) => waveOf(names(), group === '' ? by : `${by} ${group}`, all)),
  ]
}

/** Customers in their order, with at most `size` subscriptions together, or one customer alone. */
function packed(units: readonly (readonly WaveMember[])[], size: number): readonly (readonly WaveMember[])[] {
  const packs: WaveMember[][] = []
  if (size === 0) return packs
  for (const unit of units) {
    const last = packs.at(-1)
    if (last === undefined || last.length + unit.length > size) packs.push([...unit])
    else addAll(last, unit)
  }
  return packs.map((pack) => pack.toSorted(byRenewal))
}

function groupOf(unit: readonly WaveMember[], by: WaveRule): string {
  const [first] = unit
  if (first === undefined) return ''
  const { country, price } = first
  switch (by) {
    case 'renewal':
      return ''
    case 'country':
      return country === '' ? 'unknown' : country
    case 'price':
      return price
    case 'risk':
      return risks.findLast((risk) => risk !== 'stays' && unit.some((one) => one.risk === risk)) ?? first.risk
  }
}

function order(a: string, b: string, by: WaveRule): number {
  if (by === 'risk') return risks.indexOf(a as Risk) - risks.indexOf(b as Risk)
  return a < b ? -1 : 1
}

function chunks(
  group: string,
  units: readonly (readonly WaveMember[])[],
  size: number,
): readonly { readonly group: string; readonly all: readonly WaveMember[] }[] {
  return packed(units, size).map((all) => ({ group, all }))
}

function freeNames(source: string, kept: ReadonlySet<string>): () => string {
  let number = 0
  return () => {
    let name = ''
    do {
      number += 1
      name = `subscribers/${source}/wave-${String(number).padStart(2, '0')}.yaml`
    } while (kept.has(name))
    return name
  }
}

function waveOf(file: string, rule: string, members: readonly WaveMember[]): Wave {
  const renewals = members.flatMap(({ next }) => next ?? [])
  const [until] = members.flatMap((one) => one.until ?? []).toSorted((a, b) => b - a)
  const [first, last] = [renewals[0], renewals.at(-1)]
  const counts: Partial<Record<Risk, number>> = {}
  const mrr: Record<string, number> = {}
  for (const { risk, monthly } of members) {
    counts[risk] = (counts[risk] ?? 0) + 1
    if (monthly !== undefined) mrr[monthly.currency] = (mrr[monthly.currency] ?? 0) + monthly.amount
  }
  return {
    file,
    rule,
    people: members.length,
    mrr: Object.fromEntries(Object.entries(mrr).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    renewals:
      first === undefined || last === undefined ? null : { first: formatInstant(first), last: formatInstant(last) },
    risks: counts,
    ...(until === undefined ? {} : { from: formatInstant(until) }),
    subscribers: members.map(({ key }) => key),
  }
}

function byRenewal(a: WaveMember, b: WaveMember): number {
  return (a.next ?? Number.MAX_SAFE_INTEGER) - (b.next ?? Number.MAX_SAFE_INTEGER) || (a.key < b.key ? -1 : 1)
}
