import { isExchangeable } from './copied-method.ts'
import { successorInPath } from './placeholders.ts'
import type Stripe from 'stripe'
import { present } from '../core/assert.ts'
import { formatInstant } from '../core/instant.ts'
import type { JsonObject } from '../core/json.ts'
import { wasProven, windowSeconds, type Candidate } from './candidate.ts'
import { isPausedThere } from './changes.ts'
import { readMoneyNote } from '../live/money-note.ts'
import { nextChargeUnder, type Charge } from './charges.ts'
import { aroundPrint, fingerprint, sourcePrint, successorPrint } from './fingerprint.ts'
import { markDue, markHold, settledComment } from '../live/marks.ts'
import { isByUsage } from './by-usage.ts'
import { datesOf } from '../live/as-held.ts'
import { partsPrint } from './held-terms.ts'
import { holdStep, keepStep } from './hold-steps.ts'
import { pauseWords } from '../live/pause.ts'
import { pauseGivenBack, undoneWords } from '../live/undone.ts'
import { provenExpansions, type Recipe } from './recipe.ts'
import { holdMark, pauseImage, readHolds, readSource, type Hold, type PauseImage } from '../live/source.ts'
import { dueMark, readDue, type Due } from '../live/due.ts'
import { ratesBack, withNotedMoney } from './carried/money-steps.ts'
import { endUnsaid } from './ended-unsaid.ts'
import { unpaidPeriods } from './unpaid-invoices.ts'
import { taxPlace } from './carried/tax.ts'
import { triesAgain } from './earlier-setup.ts'
import type { ChargeForecast, Expectation, Goal, HandoverPlan, PlannedStep } from './types.ts'

export function movePlan(
  candidate: Candidate,
  recipe: Extract<Recipe, { ok: true }>,
  carry: readonly PlannedStep[],
  schedule: readonly PlannedStep[],
): HandoverPlan {
  const { desired, old } = candidate
  const hold = newHold(candidate, old.pause)
  return {
    goal: 'move',
    because: [
      `stage ${desired.stage}`,
      ...(old.next === null ? [] : [`renews ${formatInstant(old.next)}`]),
      ...(isByUsage(old) ? [`${desired.source} bills the usage until then, and ends`] : []),
    ],
    steps: [
      ...carry,
      holdStep(desired.source, old.id, hold),
      targetStep('create', 'POST', '/v1/subscriptions', recipe.params),
      ...(recipe.pause === null ? [] : [pauseStep(recipe.pause)]),
      ...schedule,
      keepStep(candidate, hold),
    ],
    expect: {
      ...expectation(candidate, 'move'),
      carry: carry.map(({ id }) => id),
      proof: { ...recipe.proof, schedule: schedule.length > 0 },
    },
    charge: moveCharge(candidate),
    unproven: false,
  }
}

/**
 * Cancels the old subscription for good: no invoice, no proration, and a comment that names its
 * successor.
 */
export function settlePlan(candidate: Candidate, unproven: boolean): HandoverPlan {
  const { desired, old, successor, standing } = candidate
  const { id } = present(successor, 'successor')
  const { isUnexplained, because } = endUnsaid(candidate)
  const expect = expectation(candidate, 'settle')
  const waiting = pendingItemsOf(candidate)
  const schedule = old.raw.schedule
  const release: readonly PlannedStep[] =
    schedule === null ? [] : [releaseStep(desired.source, typeof schedule === 'string' ? schedule : schedule.id)]
  return {
    goal: 'settle',
    because: [
      standing === 'ended_in_target' ? 'ended_in_target' : unproven ? 'delay passed' : 'first renewal paid',
      ...because,
      ...(isByUsage(old) && waiting.length > 0
        ? [
            `the usage up to the end is not billed: its invoice would also charge ${waiting.map(({ id: item }) => item).join(', ')}`,
          ]
        : []),
    ],
    steps: [...release, settleStep(expect, id)],
    expect,
    charge: null,
    unproven,
    ...(isUnexplained ? { unexplained: true as const } : {}),
  }
}

/** Cancels the new subscription with the undo mark and restores the old one as it was. */
export function revertPlan(candidate: Candidate): HandoverPlan {
  const { desired, successor } = candidate
  const given = revertExpectation(candidate)
  const periods = unpaidPeriods(candidate, given)
  const expect = periods.length === 0 ? given : { ...given, periods }
  return {
    goal: 'revert',
    because: [`stage ${desired.stage}`, ...pauseCarried(candidate, expect.before_pause)],
    steps: [cancelNewStep(present(successor, 'successor').id, expect, 'revert'), restoreStep(expect)],
    expect,
    charge: revertCharge(candidate),
    unproven: false,
  }
}

/** The old subscription gets the pause that a person set on the new one: then nobody is charged. */
function pauseCarried({ old }: Candidate, pause: PauseImage | null): readonly string[] {
  return pause === null || !isPausedThere(old, pause)
    ? []
    : [`paused_in_target: the old subscription gets the pause (${pauseWords(pause)})`]
}

/**
 * For a hand-over that an earlier run left unfinished: finishes it if its successor is live,
 * otherwise reverts it. Used when the store has no better record. Undefined where only a person can
 * say what is missing: money was on its way, and the side that waits for it is gone.
 */
export function recoveryPlan(
  candidate: Candidate,
  schedule: readonly PlannedStep[],
): HandoverPlan<'move' | 'undo' | 'revert'> | undefined {
  const { desired, old, observations, customerOld } = candidate
  // A hold is kept only after the proof, when money may have moved: what is undone then, a revert
  // undid.
  const isRevert = observations.old === 'kept' || readMoneyNote(old.raw) !== null
  const goal = observations.new === 'live' ? 'move' : isRevert ? 'revert' : 'undo'
  const pause = pauseToRestore(candidate)
  // An existing mark keeps its content; otherwise a later change would pass for the original.
  const isProven = goal === 'move' && wasProven(candidate)
  const hold = old.hold ?? { ...newHold(candidate, pause), ...(isProven ? { kept: true as const } : {}) }
  const steps = [
    holdStep(desired.source, old.id, hold),
    ...(pause === null ? [] : [pauseStep(pauseParams(pause))]),
    ...schedule,
    keepStep(candidate, hold),
  ]
  // The fingerprint of the old subscription once it carries the mark (again).
  const given = goal === 'revert' ? pauseOfRevert(candidate) : undefined
  const expected = expectation(candidate, goal)
  const fingerprintHeld = fingerprint(marked(old.raw, hold), customerOld)
  const expect = {
    ...(given === undefined ? expected : withPause(expected, given)),
    fingerprint: fingerprintHeld,
    ...(isProven ? { proven: true as const } : {}),
  }
  return withNotedMoney(candidate, {
    goal,
    because: ['unfinished'],
    steps: goal === 'move' ? steps : [restoreStep(expect)],
    expect,
    charge: null,
    unproven: false,
  })
}

/** The hold as its mark will say it: what the old subscription is now. */
function newHold({ old, customerOld, around }: Candidate, before: PauseImage | null): Hold {
  return {
    before,
    since: around.now,
    print: sourcePrint(old.raw, customerOld),
    around: aroundPrint(old.raw, customerOld),
    parts: partsPrint(old.raw, customerOld),
    dates: datesOf(old.raw),
    project: around.project,
  }
}

function marked(subscription: Stripe.Subscription, hold: Hold): Stripe.Subscription {
  return { ...subscription, metadata: { ...subscription.metadata, [markHold]: holdMark(hold) } }
}

function expectation(candidate: Candidate, goal: Expectation['goal']): Expectation {
  const { desired, old, customerOld, successor, around } = candidate
  const due = readDue(old.raw)
  const back = goal === 'revert' ? ratesBack(candidate) : new Map<string, string>()
  const holds = readHolds(old.raw).count
  const isHoldNeeded = goal === 'settle' || goal === 'revert'
  return {
    goal,
    project: around.project,
    key: desired.key,
    source: desired.source,
    old: old.id,
    customer_old: old.customer,
    customer_new: candidate.customerNewId,
    currency: old.currency,
    fingerprint: fingerprint(old.raw, customerOld),
    next: old.next,
    window: windowSeconds(candidate),
    before_pause: pauseToRestore(candidate),
    held_since: old.hold?.since ?? due?.since ?? around.now,
    ...(holds === 0 ? {} : { holds }),
    balance: customerOld?.balance ?? null,
    override: desired.override ?? [],
    successor: successor?.id ?? null,
    successor_fingerprint: successor === undefined ? null : successorPrint(successor, candidate.customerNew),
    carry: [],
    money: [],
    money_after: [],
    tax: taxPolicy(candidate),
    tax_change: null,
    proof: null,
    gap: due?.gap ?? around.policies.uncharged_period,
    ...(around.policies.setup_failed === 'undo' && !triesAgain(candidate) ? { undoes_failed_setup: true } : {}),
    ...(goal === 'move' && provesCard(candidate) ? { same_card: true } : {}),
    ...(isHoldNeeded && old.hold !== null ? { hold: holdMark(old.hold) } : {}),
    ...(isByUsage(old) && !(goal === 'settle' && pendingItemsOf(candidate).length > 0) ? { by_usage: true } : {}),
    ...(back.size === 0 ? {} : { tax_rates_back: Object.fromEntries(back) }),
  }
}

/** The final invoice for usage would charge these as well, which a settle never does. */
function pendingItemsOf({ old, source }: Candidate): readonly Stripe.InvoiceItem[] {
  return source.pendingItems.get(old.customer) ?? []
}

/** A member's own card and one that a person confirmed are not compared with the old one. */
function provesCard({ desired, entered, copyMap, customerNewId }: Candidate): boolean {
  if (entered !== undefined || desired.override?.includes('copy_mismatch') === true) return false
  return isExchangeable(copyMap, customerNewId)
}

/**
 * The source's pause is restored as it is now on the new subscription: the subscriber may have
 * paused or resumed where they are billed. After a resume, a period that the pause kept back cannot
 * be told from one that was not charged, so none is billed afterwards.
 */
function revertExpectation(candidate: Candidate): Expectation {
  return withPause(expectation(candidate, 'revert'), pauseNow(candidate))
}

function withPause(expect: Expectation, pause: PauseImage | null): Expectation {
  return { ...expect, before_pause: pause, gap: expect.before_pause !== null && pause === null ? 'leave' : expect.gap }
}

/**
 * A revert that stopped after its cancel: the comment of the cancel says which pause it had taken
 * over. Undefined for a successor of an earlier hold, and where the comment does not say.
 */
function pauseOfRevert({ desired, old, around }: Candidate): PauseImage | null | undefined {
  const { count } = readHolds(old.raw)
  const ours = (around.successors.get(desired.subscription) ?? []).find((one) => readHolds(one).count === count)
  const pause = ours === undefined ? undefined : pauseGivenBack(ours)
  return pause !== undefined && isPauseOver(pause, around.now) ? null : pause
}

function pauseNow({ successor, around }: Candidate): PauseImage | null {
  const pause = pauseImage(present(successor, 'successor').pause_collection)
  return isPauseOver(pause, around.now) ? null : pause
}

function isPauseOver(pause: PauseImage | null, now: Candidate['around']['now']): boolean {
  const resumes = pause?.resumes_at ?? null
  return resumes !== null && resumes <= now
}

/**
 * The source's own pause, unless it would have ended by now. If the mark of our hold was removed
 * but the hold was not, the hold would pass for the source's own pause and would never be released.
 * The source's own pause was carried, so the successor shows it.
 */
function pauseToRestore({ old, successor, observations, around }: Candidate): PauseImage | null {
  const isMarkLost = old.hold === null && observations.new === 'live' && successor !== undefined
  const pause = isMarkLost ? pauseImage(successor.pause_collection) : old.pause
  return isPauseOver(pause, around.now) ? null : pause
}

/** A changed tax is accepted country by country. `judgeTaxes` ensures that the plan showed it. */
function taxPolicy({ around, customerNew, customerOld }: Candidate): Expectation['tax'] {
  const { tax, tax_accepted: accepted } = around.policies
  const { country } = taxPlace(customerNew, customerOld?.shipping)
  return tax === 'recompute' && accepted.includes(country) ? 'recompute' : 'same'
}

/* ---------------------------------------------------------------- steps */

function targetStep(id: string, method: PlannedStep['method'], path: string, params: JsonObject): PlannedStep {
  return { id, account: 'target', method, path, params }
}

/** The source's own pause, on the new subscription. */
function pauseStep(pause: JsonObject): PlannedStep {
  const params = { pause_collection: pause, expand: [...provenExpansions] }
  return targetStep('pause', 'POST', `/v1/subscriptions/${successorInPath}`, params)
}

function pauseParams({ behavior, resumes_at: until }: PauseImage): JsonObject {
  return { behavior, ...(until === null ? {} : { resumes_at: until }) }
}

/**
 * Releases the old subscription. The mark of the hold makes way for a mark that says from when on
 * renewals are still to be accounted for: the release alone would hide that the hold kept any back.
 */
export function restoreStep(
  expect: Pick<Expectation, 'source' | 'old' | 'before_pause' | 'held_since' | 'gap' | 'by_usage'>,
): PlannedStep {
  const { source, old, before_pause: before, held_since: since, gap, by_usage: byUsage } = expect
  const goesOn = byUsage === true ? { cancel_at_period_end: false, cancellation_details: { comment: '' } } : {}
  const pause = before === null ? null : pauseParams(before)
  const due: Due = { since, gap }
  return {
    id: 'restore-old',
    account: source,
    method: 'POST',
    path: `/v1/subscriptions/${old}`,
    params: { pause_collection: pause, ...goesOn, metadata: { [markHold]: null, [markDue]: dueMark(due) } },
  }
}

/** Every period that the hold kept back is accounted for. */
export function accountedStep({ source, old }: Pick<Expectation, 'source' | 'old'>): PlannedStep {
  return {
    id: 'accounted',
    account: source,
    method: 'POST',
    path: `/v1/subscriptions/${old}`,
    params: { metadata: { [markDue]: null } },
  }
}

/** A revert also writes down the pause that the old subscription gets. */
export function cancelNewStep(
  id: string,
  { key, before_pause: pause }: Pick<Expectation, 'key' | 'before_pause'>,
  goal: Goal | 'undo',
): PlannedStep {
  return targetStep('cancel-new', 'DELETE', `/v1/subscriptions/${id}`, {
    invoice_now: false,
    prorate: false,
    cancellation_details: { comment: undoneWords(key, goal === 'revert' ? pause : undefined) },
  })
}

export function releaseStep(source: string, schedule: string): PlannedStep {
  return {
    id: 'release-schedule',
    account: source,
    method: 'POST',
    path: `/v1/subscription_schedules/${schedule}/release`,
    params: {},
  }
}

/**
 * Usage that no invoice has billed is billed with the cancel: nothing would bill it afterwards.
 * `by_usage` is unset where that invoice would also charge pending items.
 */
export function settleStep(
  { source, old, by_usage: byUsage }: Pick<Expectation, 'source' | 'old' | 'by_usage'>,
  successor: string,
): PlannedStep {
  return {
    id: 'settle',
    account: source,
    method: 'DELETE',
    path: `/v1/subscriptions/${old}`,
    params: {
      invoice_now: byUsage === true,
      prorate: false,
      cancellation_details: { comment: `${settledComment}${successor}` },
    },
  }
}

/* ---------------------------------------------------------------- money */

/** A move charges the same on both sides, and carries a pause; the recipe's proof ensures it. */
function moveCharge({ old, desired }: Candidate): ChargeForecast | null {
  const charge = nextChargeUnder(old.pause, old)
  return charge === null ? null : { ...charge, before: { ...chargeOnly(charge), account: desired.source } }
}

function chargeOnly({ at, amount, currency }: Charge): Charge {
  return { at, amount, currency }
}

/**
 * After a revert the old subscription charges as it is, under the pause of the new one. Without the
 * revert the new one would have charged, with any change by its subscriber.
 */
function revertCharge(candidate: Candidate): ChargeForecast | null {
  const { old, around } = candidate
  const { target } = around
  const customer = candidate.customerNew
  const successor = present(candidate.successor, 'successor')
  const pause = pauseNow(candidate)
  const after = nextChargeUnder(pause, old)
  const now = readSource(successor, customer, target.prices, target.coupons)
  const before = nextChargeUnder(pause, now) ?? after
  return after === null || before === null ? null : { ...after, before: { ...chargeOnly(before), account: 'target' } }
}
