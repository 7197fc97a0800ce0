/**
 * The sandbox's own billing calendar, in whole seconds since 1970, UTC. Every boundary is counted
 * from the anchor, never from the boundary before it, so that an anchor on the 31st returns to the
 * 31st after a short month (https://docs.stripe.com/billing/subscriptions/billing-cycle).
 */

export type Interval = 'day' | 'week' | 'month' | 'year'

export interface Cadence {
  readonly interval: Interval
  readonly count: number
}

/**
 * `at` is a boundary. `day` is the requested day of the month where the month of `at` is too short
 * for it.
 */
export interface Anchor {
  readonly at: number
  readonly day?: number | undefined
}

export interface Period {
  readonly start: number
  readonly end: number
}

/** The fields of `billing_cycle_anchor_config`; null where the request omits them. */
export interface AnchorConfig {
  readonly day_of_month: number
  readonly month: number | null
  readonly hour: number | null
  readonly minute: number | null
  readonly second: number | null
}

const day = 86_400
const seconds: Record<Exclude<Interval, 'month' | 'year'>, number> = { day, week: 7 * day }

interface Civil {
  year: number
  month: number
  day: number
  time: number
}

function civil(at: number): Civil {
  const date = new Date(at * 1_000)
  const midnight = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()) / 1_000
  return { year: date.getUTCFullYear(), month: date.getUTCMonth(), day: date.getUTCDate(), time: at - midnight }
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
}

/**
 * The instant `months` calendar months later. A day that the month does not have becomes its last
 * day.
 */
export function addMonths(at: number, months: number, anchorDay?: number): number {
  const from = civil(at)
  const index = from.year * 12 + from.month + months
  const year = Math.floor(index / 12)
  const month = index - year * 12
  const dayOfMonth = Math.min(anchorDay ?? from.day, daysIn(year, month))
  return Date.UTC(year, month, dayOfMonth) / 1_000 + from.time
}

/** Calendar months of one step; 0 for days and weeks. */
export function monthsOf(cadence: Cadence): number {
  if (cadence.interval === 'month') return cadence.count
  return cadence.interval === 'year' ? 12 * cadence.count : 0
}

/** The boundary `index` steps after the anchor (before it when negative). */
export function boundary(anchor: Anchor, cadence: Cadence, index: number): number {
  if (cadence.interval === 'day' || cadence.interval === 'week')
    return anchor.at + index * cadence.count * seconds[cadence.interval]
  return addMonths(anchor.at, index * monthsOf(cadence), anchor.day)
}

/** The period that contains `at`: start ≤ at < end. */
export function periodAround(anchor: Anchor, cadence: Cadence, at: number): Period {
  let index = guess(anchor, cadence, at)
  while (boundary(anchor, cadence, index) > at) index -= 1
  while (boundary(anchor, cadence, index + 1) <= at) index += 1
  return { start: boundary(anchor, cadence, index), end: boundary(anchor, cadence, index + 1) }
}

/** The first boundary later than `at`. */
export function nextBoundary(anchor: Anchor, cadence: Cadence, at: number): number {
  return periodAround(anchor, cadence, at).end
}

function guess(anchor: Anchor, cadence: Cadence, at: number): number {
  if (cadence.interval === 'day' || cadence.interval === 'week')
    return Math.floor((at - anchor.at) / (cadence.count * seconds[cadence.interval]))
  const from = civil(anchor.at)
  const to = civil(at)
  return Math.floor(((to.year - from.year) * 12 + to.month - from.month) / monthsOf(cadence))
}

/** One natural step after `at`: the latest anchor that is allowed. */
export function oneStepAfter(at: number, cadence: Cadence): number {
  return boundary({ at }, cadence, 1)
}

/**
 * Orders cadences by length. Months have their average length, which is exact enough for a
 * comparison.
 */
export function approximateSeconds(cadence: Cadence): number {
  if (cadence.interval === 'day' || cadence.interval === 'week') return cadence.count * seconds[cadence.interval]
  return monthsOf(cadence) * 2_629_746
}

export interface ConfiguredAnchor {
  /**
   * The first full invoice: the first boundary not before `now`, never more than one period away.
   */
  readonly first: number
  /** The anchor itself: the first boundary from `first` on whose month has the requested day. */
  readonly anchor: Anchor
}

/**
 * The longest wait for a month that has the requested day: a 29 February may be eight years away,
 * and a 31 April never comes.
 */
const longestWait = 12 * 12

/**
 * The dates that an anchor config produces. `month` sets the phase of prices longer than a month. A
 * two-monthly price created in February with day 31 has its first full invoice on 28 February and
 * its anchor on 31 August (https://docs.stripe.com/billing/subscriptions/billing-cycle).
 */
export function anchorFromConfig(
  config: AnchorConfig,
  cadence: Cadence,
  now: number,
  nextMonth = false,
): ConfiguredAnchor {
  const at = civil(now)
  const time =
    (config.hour ?? Math.floor(at.time / 3_600)) * 3_600 +
    (config.minute ?? Math.floor(at.time / 60) % 60) * 60 +
    (config.second ?? at.time % 60)
  const lengthOf = (index: number): number => daysIn(Math.floor(index / 12), ((index % 12) + 12) % 12)
  const on = (index: number): number => {
    const year = Math.floor(index / 12)
    return Date.UTC(year, index - year * 12, Math.min(config.day_of_month, lengthOf(index))) / 1_000 + time
  }
  const period = monthsOf(cadence)
  const step = config.month === null ? 1 : period
  const current = at.year * 12 + at.month
  const thisYear = config.month === null ? current : at.year * 12 + config.month - 1
  // Whether the phase is counted from the month of this year or from its next occurrence is open;
  // it matters where the period does not divide a year.
  const phase = config.month !== null && nextMonth && on(thisYear) < now ? thisYear + 12 : thisYear
  let index = phase - Math.ceil((phase - current) / step) * step
  while (on(index) < now) index += step
  while (on(index - step) >= now) index -= step
  let exact = index
  while (lengthOf(exact) < config.day_of_month && exact - index < longestWait) exact += period
  const found = lengthOf(exact) < config.day_of_month ? index : exact
  return { first: on(index), anchor: { at: on(found), day: config.day_of_month } }
}
