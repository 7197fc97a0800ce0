import type Stripe from 'stripe'
import { formatInstant, instant, type Instant } from '../core/instant.ts'
import { idOf } from '../core/reference.ts'
import type { Candidate } from './candidate.ts'

/**
 * The current phase and those after it; none when the schedule has nothing left to change. A
 * schedule in its last phase that then releases the subscription has nothing left to change.
 */
export function phasesAhead(
  { phases, end_behavior: end }: Stripe.SubscriptionSchedule,
  now: Instant,
): readonly Stripe.SubscriptionSchedule.Phase[] {
  const coming = phases.filter((phase) => phase.end_date > now)
  return coming.length === 1 && end === 'release' ? [] : coming
}

/**
 * The phases that the held old subscription still has and the new one does not. A revert releases
 * the new subscription's schedule before it cancels the subscription, so a revert that died between
 * the two leaves the subscription without its schedule. Undefined: nothing is missing.
 */
export function scheduleLost(
  { old, source, desired, around }: Candidate,
  successor: Stripe.Subscription,
): string | undefined {
  const reference = old.raw.schedule
  if (reference === null || successor.schedule !== null || desired.override?.includes('schedule_lost') === true)
    return undefined
  const schedule = source.schedules.get(idOf(reference)) ?? (typeof reference === 'string' ? undefined : reference)
  const [current] = schedule === undefined ? [] : phasesAhead(schedule, around.now)
  if (current === undefined) return undefined
  const at = formatInstant(instant(current.end_date))
  return `schedule ${idOf(reference)} of the old subscription has a change on ${at}, and ${successor.id} has no schedule`
}
