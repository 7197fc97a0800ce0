import { Findings } from './findings.ts'
import type { Decided } from './decided.ts'
import { nextChargeDate } from '../billing/calendar.ts'
import { present } from '../core/assert.ts'
import { formatInstant, instant, secondsPerDay, type Instant } from '../core/instant.ts'
import type { DesiredSubscriber } from '../catalog/types.ts'
import { keepsDrafts } from './changes.ts'
import {
  candidateOf,
  insideWindow,
  mismatchOf,
  siblingsOf,
  surroundingsOf,
  wasProven,
  windowSeconds,
  type Candidate,
  type Surroundings,
} from './candidate.ts'
import { changesSinceMove, driftOf, heldChanges } from './changes.ts'
import type { BlockedCode, DeferredCode } from './codes.ts'
import { monthlyOf } from './charges.ts'
import { withCurrencies } from './currency.ts'
import { customerSteps } from './carried/customer.ts'
import { firstRenewal } from '../live/first-renewal.ts'
import { withCustomerMoney } from './carried/money.ts'
import { keptTogether, withCustomersTogether } from './carried/together.ts'
import { endOrStay, lapsedInSource } from './lapsed.ts'
import { leftByDecision } from './left-by-decision.ts'
import { findObstacles } from './obstacles.ts'
import { movePlan, recoveryPlan, revertPlan, settlePlan } from './plans.ts'
import { blocked, isDeferred } from './reasons.ts'
import { scheduleSteps } from './carried/schedule.ts'
import { isFreeDefault } from './shared-default.ts'
import { scheduleLost } from './phases-ahead.ts'
import { recipe } from './recipe.ts'
import { lostMark, unmarkedOf } from './lost-mark.ts'
import { noMethodInSource } from './no-method.ts'
import { readSource, type SourceSubscription } from '../live/source.ts'
import { taxSituation } from './carried/tax.ts'
import { hasCaptured, owesNothing } from './settle-proof.ts'
import { whyNotTakenBack } from './taken-back.ts'
import { isHeld, isStoppedAfterTrial } from '../live/subscription.ts'
import type { Classification, HandoverDrift, HandoverInput, Outcome, Reason } from './types.ts'
import { invoicesOfSuccessor } from './unpaid-invoices.ts'

/**
 * Gives every declared subscriber exactly one outcome, in the catalog's order. Pure: equal input,
 * equal output.
 */
export function classifySubscribers(input: HandoverInput): readonly Classification[] {
  const around = surroundingsOf(input)
  const decided = input.catalog.subscribers.map((desired) => decide(desired, around))
  const together = withCustomerMoney(withCustomersTogether(withCurrencies(decided, around)))
  return keptTogether(together.map(({ classification }) => classification)).map((one) =>
    leftByDecision(one, around.policies.leave),
  )
}

function decide(desired: DesiredSubscriber, around: Surroundings): Decided {
  const candidate = candidateOf(desired, around)
  if (candidate === undefined) {
    const outcome: Outcome =
      desired.excluded !== undefined
        ? { outcome: 'excluded', reason: desired.excluded }
        : stop(notInSource(desired, around))
    return {
      candidate,
      classification: { ...outcome, key: desired.key, standing: 'source', successor: null, drift: [] },
    }
  }
  const { standing, successor } = candidate
  const billing =
    standing === 'ended' || standing === 'ended_in_target' ? {} : { monthly: monthlyOf(billedBy(candidate)) }
  const planned =
    standing === 'unfinished' && candidate.observations.new !== 'several' && !isLost(candidate)
      ? recoveryPlan(candidate, remainingPhases(candidate))
      : undefined
  const recovery = planned === undefined ? {} : { recovery: planned }
  const drift = driftOf(candidate)
  const about = { key: desired.key, standing, successor: successor?.id ?? null, drift }
  const outcome = outcomeOf(candidate, drift)
  const { outcome: goal } = outcome
  const taxed = goal === 'move' || goal === 'revert' ? taxSituation(candidate, goal) : undefined
  const more = { ...about, ...billing, ...recovery, ...(taxed === undefined ? {} : { taxed }) }
  return { candidate, classification: { ...outcome, ...more } }
}

/**
 * The subscription in the account that bills: its subscriber may have changed the new one since the
 * move.
 */
function billedBy({ standing, old, successor, customerNew, around }: Candidate): SourceSubscription {
  const isInTarget = standing === 'target' || standing === 'settled' || standing === 'cancelled_in_source'
  if (!isInTarget || successor === undefined) return old
  return readSource(successor, customerNew, around.target.prices, around.target.coupons)
}

/**
 * A wave file that was moved into the folder of another account declares its subscribers there. The
 * fix must not remove the entries, or the subscribers would be left out.
 */
function notInSource({ source, subscription }: DesiredSubscriber, { sources }: Surroundings): Reason<BlockedCode> {
  const message = `account ${source} has no subscription ${subscription}`
  const [there] = [...sources].find(([, { byId }]) => byId.has(subscription)) ?? []
  if (there === undefined) return blocked('not_in_source', message)
  const fix = `Move the entry into a file of catalog/subscribers/${there}/, then \`crossbill plan\`.`
  return blocked('not_in_source', `${message}; account ${there} has it`, fix)
}

/**
 * For a recovery: phases that cannot be carried are also missing from the plan that it finishes.
 */
function remainingPhases(candidate: Candidate): ReturnType<typeof scheduleSteps> {
  const findings = new Findings()
  const steps = scheduleSteps(candidate, findings)
  return findings.none ? steps : []
}

/**
 * | standing \ stage    | source                    | target       | settled      |
 * |---------------------|---------------------------|--------------|--------------|
 * | source              | unchanged, ending         | move, ending | move, ending |
 * | unfinished          | blocked (1)               | blocked (1)  | blocked (1)  |
 * | target              | revert                    | unchanged (4)| settle (4)   |
 * | settled             | `already_settled`         | unchanged (4)| unchanged (4)|
 * | ended_in_target     | settle (2)                | settle (2)   | settle       |
 * | cancelled_in_source | `cancelled_in_source` (3) | the same (3) | the same (3) |
 * | ended               | ended                     | ended        | ended        |
 *
 * 1. `unfinished`, `hold_missing` or `duplicate_target`: recovery comes first.
 * 2. The member left. `resumed_in_source` if the old subscription was released by hand.
 * 3. Ending if the new subscription ends as well; unchanged if `override` names the code.
 * 4. `entry_differs` if the entry describes neither subscription.
 *
 * `lapsed_in_source` comes before the stage, where the old account gave up on an unpaid invoice.
 *
 * `excluded` leaves a subscriber in the old account. On one who was moved it undoes nothing:
 * `excluded_after_move`.
 */
function outcomeOf(candidate: Candidate, drift: readonly HandoverDrift[]): Outcome {
  const { desired, standing } = candidate
  if (desired.excluded !== undefined && standing !== 'unfinished')
    return isMoved(candidate)
      ? stop(blocked('excluded_after_move', whereMoved(candidate)))
      : { outcome: 'excluded', reason: desired.excluded }
  if (candidate.movedBy !== undefined) return ofAnotherProject(candidate, candidate.movedBy)
  const lapsed = lapsedInSource(candidate)
  const goesBack = standing === 'target' && desired.stage === 'source'
  if (lapsed !== undefined && !goesBack)
    return stop(blocked('lapsed_in_source', lapsed, endOrStay(desired.key, 'lapsed_in_source')))
  switch (standing) {
    case 'source':
      return atSource(candidate)
    case 'unfinished':
      return stop(unfinished(candidate))
    case 'target':
      if (desired.stage === 'target') return asDeclared(drift)
      if (desired.unstaged === true)
        return stop(blocked('stage_unwritten', 'the subscriber is in the target, but its stage is not set'))
      return desired.stage === 'source' ? revert(candidate) : asWritten(settle(candidate), drift)
    case 'settled':
      return desired.stage === 'source'
        ? stop(blocked('already_settled', 'the old subscription has been cancelled for good'))
        : asDeclared(drift)
    case 'ended_in_target':
      return candidate.observations.old === 'free' && desired.stage !== 'settled'
        ? stop(
            blocked(
              'resumed_in_source',
              `the old subscription was released although ${candidate.successor?.id ?? ''} has ended`,
            ),
          )
        : { outcome: 'settle', plan: settlePlan(candidate, false) }
    case 'cancelled_in_source':
      return cancelledInSource(candidate)
    case 'ended':
      return { outcome: 'ended' }
  }
}

/** Crossbill does not change a moved subscription, so an edit of its entry stops here. */
function asDeclared(drift: readonly HandoverDrift[]): Outcome {
  return asWritten({ outcome: 'unchanged' }, drift)
}

/**
 * A settle is for good. An entry that contradicts what was moved is corrected before it: afterwards
 * the old subscription can no longer bill what the entry says.
 */
function asWritten(outcome: Outcome, drift: readonly HandoverDrift[]): Outcome {
  if (outcome.outcome !== 'settle' && outcome.outcome !== 'unchanged') return outcome
  const wrong = drift.find(({ code }) => code === 'entry_differs')
  return wrong === undefined ? outcome : stop(blocked('entry_differs', wrong.message))
}

/** Whether the target bills the subscriber, or the old subscription still is on hold for it. */
function isMoved({ standing, old }: Candidate): boolean {
  if (standing === 'ended_in_target') return isHeld(old.raw)
  return standing === 'target' || standing === 'settled' || standing === 'cancelled_in_source'
}

function whereMoved({ standing, old, successor, desired: { source } }: Candidate): string {
  const left = standing === 'settled' || standing === 'cancelled_in_source' ? 'has ended' : 'is on hold'
  const there = standing === 'ended_in_target' ? 'has ended' : 'bills the subscriber'
  return `the subscriber was moved: ${successor?.id ?? ''} in the target ${there}, and ${old.id} in ${source} ${left}`
}

/**
 * No change of the stage hides the cancel: the new subscription ends as well, or a person confirms
 * by name that it continues.
 */
function cancelledInSource({ desired, old, successor }: Candidate): Outcome {
  if (desired.override?.includes('cancelled_in_source') === true) return { outcome: 'unchanged' }
  const ending = successor === undefined ? null : readSource(successor, undefined).ending
  if (ending !== null) return { outcome: 'ending', at: ending }
  return stop(
    blocked(
      'cancelled_in_source',
      `${old.id} ended in ${desired.source} while ${successor?.id ?? ''} is live`,
      endOrStay(desired.key, 'cancelled_in_source'),
    ),
  )
}

function atSource(candidate: Candidate): Outcome {
  const { desired, old } = candidate
  if (old.ending !== null) return { outcome: 'ending', at: old.ending }
  return desired.stage === 'source' ? { outcome: 'unchanged' } : move(candidate)
}

/**
 * A subscriber that another project moved is excluded here, unless the YAML asks for a move that is
 * impossible.
 */
function ofAnotherProject({ desired }: Candidate, project: string): Outcome {
  return desired.stage === 'source'
    ? { outcome: 'excluded', reason: `project ${project} has moved this subscriber` }
    : stop(blocked('other_project', `project ${project} has moved this subscriber`))
}

/**
 * The old subscription is on hold and the successor that existed is missing. The hold is kept only
 * after the proof, so there was a successor; deleting its customer deleted it. A release would
 * charge a member who left. Where a subscription without a mark may be the successor, a release
 * would charge the member twice.
 */
function isLost(candidate: Candidate): boolean {
  const { observations, isErased } = candidate
  if (observations.new === 'none' && (observations.old === 'kept' || (observations.old !== 'free' && isErased)))
    return true
  return observations.new !== 'live' && observations.old !== 'free' && unmarkedOf(candidate).length > 0
}

function unfinished(candidate: Candidate): Reason<BlockedCode> {
  const { observations, successor, customerNewId, isErased } = candidate
  if (isLost(candidate))
    return isErased
      ? blocked('erased_in_target', `customer ${customerNewId} was deleted in the target`)
      : (lostMark(candidate) ??
          blocked('successor_missing', 'the old subscription is on hold, but its successor is missing in the target'))
  if (observations.new === 'several')
    return blocked('duplicate_target', 'several live subscriptions in the target are marked as its successor')
  if (observations.new === 'live' && (observations.old === 'free' || observations.old === 'hold_removed'))
    return blocked('hold_missing', `the old subscription collects although ${successor?.id ?? ''} is live`)
  if (observations.new === 'live' && wasProven(candidate))
    return blocked('hold_missing', keepsDrafts(candidate.old.id, successor?.id ?? ''))
  return blocked('unfinished', `the old subscription is ${observations.old}, the new one ${observations.new}`)
}

function move(candidate: Candidate): Outcome {
  const { desired, old, copyMap, entered, customerOld, customerNew, around } = candidate
  const findings = findObstacles(candidate)
  if (customerNew === undefined || customerOld === undefined || isStoppedAfterTrial(old.raw))
    return verdict(findings.reasons, findings.waits)
  const { project, index, policies, now } = around
  const onceGoesTo = earliestRenewal(candidate)
  const sharesDefault = around.sharedDefaults.has(customerNew.id)
  const given = { project, desired, old, customerOld, customerNew, index, copyMap, entered, policies, now, onceGoesTo }
  const isDefaultFree = isFreeDefault(customerNew, around)
  const made = recipe({ ...given, sharesDefault, isDefaultFree })
  const carry = customerSteps(customerOld, customerNew, made.ok ? made.defaultPayment : null, findings)
  const schedule = scheduleSteps(candidate, findings)
  const reasons = [...findings.reasons, ...(made.ok ? [] : made.reasons)]
  const waits = [...findings.waits, ...(made.ok ? [] : made.waits)]
  if (!made.ok || reasons.length > 0 || waits.length > 0) return verdict(reasons, waits)
  return { outcome: 'move', plan: movePlan(candidate, made, carry, schedule) }
}

/**
 * A customer's discount that applies once is used by the first of their subscriptions to renew. A
 * subscription that is on hold at that time took the discount with it, and renews in the target.
 */
function earliestRenewal(candidate: Candidate): string {
  const { old, customerOld } = candidate
  const all = [old.raw, ...siblingsOf(candidate)].filter(({ discounts }) => discounts.length === 0)
  const renewals = all.map((one) => {
    const { next, hold, cycle } = readSource(one, customerOld)
    const moved = hold !== null && hold.since > 0 && cycle !== null
    const first = moved ? nextChargeDate(cycle, instant(hold.since)) : next
    return { id: one.id, next: first ?? Number.MAX_SAFE_INTEGER }
  })
  return renewals.toSorted((a, b) => a.next - b.next || (a.id < b.id ? -1 : 1))[0]?.id ?? old.id
}

/**
 * A subscriber is settled only after the new subscription captured a non-zero renewal payment (or
 * owes nothing), or after the project's delay since its first renewal, which the guard
 * `settle_unproven` counts. A settle cannot be undone.
 */
function settle(candidate: Candidate): Outcome {
  const { old, source, around } = candidate
  const successor = present(candidate.successor, 'successor')
  const mismatch = mismatchOf(candidate)
  if (mismatch !== undefined) return stop(blocked('copy_mismatch', mismatch))
  const phases = scheduleLost(candidate, successor)
  if (phases !== undefined) return stop(blocked('schedule_lost', phases))
  const sent = (source.invoices.get(old.id) ?? []).find(
    (one) => one.status === 'open' && one.collection_method === 'send_invoice',
  )
  if (sent !== undefined) {
    const until = instant(Math.max(sent.due_date ?? 0, around.now) + secondsPerDay)
    return later('invoices_open_in_source', until, `invoice ${sent.id} is open in the old account`)
  }
  const [reason, ...more] = heldChanges(candidate, successor).map(({ code, message }) =>
    blocked(code, message, code === 'cancelled_in_source' ? endOrStay(candidate.desired.key, code) : undefined),
  )
  if (reason !== undefined) return { outcome: 'blocked', reasons: [reason, ...more] }
  const first = firstRenewal(successor)
  if (hasCaptured(successor, first, around.target) || owesNothing(candidate, successor, first))
    return { outcome: 'settle', plan: settlePlan(candidate, false) }
  const until = instant(first + around.policies.settle_after_days * secondsPerDay)
  if (around.now >= until) return { outcome: 'settle', plan: settlePlan(candidate, true) }
  return later('renewal_unproven', until, `${successor.id} has not captured its renewal of ${formatInstant(first)} yet`)
}

/** What the machine would refuse during the run is refused here, by the same table. */
function revert(candidate: Candidate): Outcome {
  const { old, around, desired } = candidate
  const successor = present(candidate.successor, 'successor')
  const next = [old.next, readSource(successor, undefined).next].filter((one) => one !== null)
  const window = windowSeconds(candidate)
  for (const at of next) {
    const until = insideWindow(at, around.now, window)
    if (until !== undefined) return later('renews_soon', until, `renews on ${formatInstant(at)}`)
  }
  const plan = revertPlan(candidate)
  const methodless = noMethodInSource(old, candidate.customerOld, plan.expect.before_pause)
  if (methodless !== undefined) return stop(methodless)
  const override = new Set(desired.override)
  const changes = changesSinceMove(candidate, successor)
  if (changes.length > 0 && !override.has('changed_since_move'))
    return stop(blocked('changed_since_move', `${successor.id} differs from what was created in ${changes.join(', ')}`))
  const stay = whyNotTakenBack(invoicesOfSuccessor(candidate), plan.expect)
  if (stay === null) return { outcome: 'revert', plan }
  return isDeferred(stay) ? later(stay.code, instant(around.now + secondsPerDay), stay.message) : stop(stay)
}

function verdict(
  reasons: readonly Reason<BlockedCode>[],
  waits: readonly { code: DeferredCode; until: Instant; message: string }[],
): Outcome {
  const [first, ...others] = reasons
  if (first !== undefined) return { outcome: 'blocked', reasons: [first, ...others] }
  const last = present(waits.toSorted((a, b) => b.until - a.until)[0], 'reason to wait')
  return { outcome: 'deferred', ...last }
}

function stop(reason: Reason<BlockedCode>): Outcome {
  return { outcome: 'blocked', reasons: [reason] }
}

function later(code: DeferredCode, until: Instant, message: string): Outcome {
  return { outcome: 'deferred', code, until, message }
}
