import { instant, type Instant } from '../core/instant.ts'
import {
  addMonths,
  addPeriods,
  cycleOf,
  dateTime,
  dayOfMonth,
  isChargeDate,
  monthsOf,
  nextChargeDate,
  toInstant,
  type Cycle,
} from './calendar.ts'

/**
 * How the new subscription is told to bill on the old one's dates. Exactly one form reproduces them, or none does yet, or none ever will.
 *
 * | T (next charge)                                   | T within one period of now | form                                             |
 * |---------------------------------------------------|----------------------------|--------------------------------------------------|
 * | not a date of the old cycle                       | any                        | refuse                                           |
 * | on the cycle's own day (always so for day, week)  | yes                        | plain: `billing_cycle_anchor` = T                |
 * | clamped by a short month                          | yes, and next occurrence   | config: day, month*, hour, minute, second        |
 * | clamped by a short month                          | yes, but not the next one  | wait until the occurrence before T has passed    |
 * | any date of the cycle                             | no                         | wait until one period before T                   |
 *
 * (*) `month` for everything but one-month prices. Sources: https://docs.stripe.com/billing/subscriptions/billing-cycle
 * ("the first full invoice always falls within one period"; a later anchor is refused with "cannot be later than next natural billing date").
 */
export type AnchorChoice =
  | { readonly form: 'plain'; readonly anchor: Instant }
  | { readonly form: 'config'; readonly config: AnchorConfig; readonly anchor: Instant }
  | { readonly form: 'trial'; readonly trialEnd: Instant }
  | { readonly form: 'wait'; readonly until: Instant }
  | { readonly form: 'refuse'; readonly reason: string }

/** `billing_cycle_anchor_config`, UTC. Hour, minute and second always: left out, they would be those of the creation. */
export type AnchorConfig = {
  readonly day_of_month: number
  readonly month?: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

/** Longest trial that can be created: 730 days (https://docs.stripe.com/billing/subscriptions/trials). */
const trialSecondsMax = 730 * 86_400

/** The form for a paid subscription whose next charge is `next`. */
export function chooseAnchor(cycle: Cycle, next: Instant, now: Instant): AnchorChoice {
  if (next <= now) return { form: 'refuse', reason: 'the next charge is not in the future' }
  if (!isChargeDate(cycle, next))
    return { form: 'refuse', reason: 'the next charge does not fall on a date of the billing cycle' }
  const opens = earliestCreation(cycle, next)
  if (now < opens) return { form: 'wait', until: opens }
  if (monthsOf(cycle) === undefined || dateTime(next).day === cycle.day) return { form: 'plain', anchor: next }
  const config = anchorConfig(cycle, next)
  const before = occurrenceBefore(config, next)
  return now < before ? { form: 'wait', until: before } : { form: 'config', config, anchor: next }
}

/**
 * The form for a subscription in trial: only the trial's end is given and becomes the anchor, so the old cycle must run through it on its own day.
 * (`trial_end` with an anchor config is unsure in Stripe; not used.)
 */
export function chooseTrialAnchor(cycle: Cycle, trialEnd: Instant, now: Instant): AnchorChoice {
  if (trialEnd <= now) return { form: 'refuse', reason: 'the trial is over' }
  const onItsDay = monthsOf(cycle) === undefined || dayOfMonth(trialEnd) === cycle.day
  if (!onItsDay || !isChargeDate(cycle, trialEnd))
    return { form: 'refuse', reason: 'the billing cycle does not start at the end of the trial' }
  if (trialEnd - now > trialSecondsMax) return { form: 'wait', until: instant(trialEnd - trialSecondsMax) }
  return { form: 'trial', trialEnd }
}

/** The cycle a creation with this choice gives; undefined for a choice that creates nothing. */
export function cycleCreated(choice: AnchorChoice, recurrence: Cycle): Cycle | undefined {
  switch (choice.form) {
    case 'plain':
      return cycleOf(choice.anchor, recurrence)
    case 'config':
      return cycleOf(choice.anchor, recurrence, choice.config.day_of_month)
    case 'trial':
      return cycleOf(choice.trialEnd, recurrence)
    case 'wait':
    case 'refuse':
      return undefined
  }
}

/** The first second at which Stripe accepts an anchor at `next`: one natural period from then reaches it. */
function earliestCreation(cycle: Cycle, next: Instant): Instant {
  const months = monthsOf(cycle)
  if (months === undefined) return addPeriods(next, cycle, -1)
  const candidate = addMonths(next, -months)
  if (addMonths(candidate, months) >= next) return candidate
  // A short month (Feb 28 → Mar 28 for a next charge on Mar 31): the whole rest of it falls short, the month after does not.
  return toInstant(dateTime(candidate).with({ day: 1, hour: 0, minute: 0, second: 0 }).add({ months: 1 }))
}

function anchorConfig(cycle: Cycle, next: Instant): AnchorConfig {
  const { month, hour, minute, second } = dateTime(next)
  return {
    day_of_month: cycle.day,
    ...(monthsOf(cycle) === 1 ? {} : { month }),
    hour,
    minute,
    second,
  }
}

/** The last instant before `next` on which this config also falls: until then Stripe would take that one. */
function occurrenceBefore(config: AnchorConfig, next: Instant): Instant {
  const every = config.month === undefined ? 1 : 12
  const cycle = cycleOf(next, { interval: 'month', count: every }, config.day_of_month)
  const before = addMonths(next, -2 * every)
  let at = nextChargeDate(cycle, before)
  for (let following = nextChargeDate(cycle, at); following < next; following = nextChargeDate(cycle, at))
    at = following
  return at
}
