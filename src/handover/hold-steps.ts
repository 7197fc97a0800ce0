import type { Instant } from '../core/instant.ts'
import { objectIn, type JsonObject } from '../core/json.ts'
import { endsComment, markHold } from '../live/marks.ts'
import { holdMark, type Hold } from '../live/source.ts'
import { isByUsage } from './by-usage.ts'
import type { Candidate } from './candidate.ts'
import { successorInPath } from './placeholders.ts'
import { provenExpansions } from './recipe.ts'
import type { Expectation, Goal, HandoverPlan, PlannedStep } from './types.ts'

type AnyPlan = HandoverPlan<Goal | 'undo'>

/** Sets hold and mark in one update, so that a hold by Crossbill always has its before-image. */
export function holdStep(source: string, old: string, hold: Hold): PlannedStep {
  return {
    id: 'hold',
    account: source,
    method: 'POST',
    path: `/v1/subscriptions/${old}`,
    params: {
      pause_collection: { behavior: 'keep_as_draft' },
      metadata: { [markHold]: holdMark(paused(hold)) },
      expand: [...provenExpansions],
    },
  }
}

/** The hold as a pause, without an end. */
function paused({ ends: _end, ...hold }: Hold): Hold {
  return hold
}

/** The hold after the proof. */
function kept(hold: Hold): Hold {
  return { ...paused(hold), kept: true }
}

/** The pause of a hold after the proof. */
export const keptPause: JsonObject = { behavior: 'void' }

/**
 * Switches from `keep_as_draft` to `void`: a subscription's drafts cannot be deleted; `void` leaves
 * none and keeps the customer's balance. The request carries the mark again: if it arrives after
 * another run released the subscription, it is a visible hold, not a pause of the source's own.
 *
 * A pause would void the usage of the period. A subscription that is billed by usage therefore ends
 * at T, without a pause: Stripe bills its usage, and renews nothing.
 */
export function keepStep({ desired, old }: Candidate, hold: Hold): PlannedStep {
  const step = { id: 'keep', account: desired.source, method: 'POST', path: `/v1/subscriptions/${old.id}` } as const
  if (!isByUsage(old) || old.next === null) return { ...step, params: keptParams(hold) }
  return { ...step, params: endingParams(hold, old.next, successorInPath) }
}

function endingParams(hold: Hold, ends: number, successor: string): JsonObject {
  return {
    pause_collection: null,
    cancel_at_period_end: true,
    cancellation_details: { comment: `${endsComment}${successor}` },
    metadata: { [markHold]: holdMark({ ...kept(hold), ends }) },
  }
}

function keptParams(hold: Hold): JsonObject {
  return { pause_collection: keptPause, metadata: { [markHold]: holdMark(kept(hold)) } }
}

/**
 * Sets a hold again that a person took off or changed: in its first form until the new subscription
 * is proven, then as after the proof, with everything that its mark knew.
 */
export function holdAgain({ expect, steps }: AnyPlan, successor: string, isProven: boolean): PlannedStep {
  const named = (id: string): PlannedStep | undefined => steps.find((step) => step.id === id)
  const first = named('hold') ?? holdStep(expect.source, expect.old, holdBefore(expect))
  if (!isProven) return { ...first, id: holdAgainStep }
  const { id: _keep, ...again } = named('keep') ?? keptAgain(expect, successor, first)
  return { ...again, id: holdAgainStep }
}

const holdAgainStep = 'hold-again'

/** The hold that the plan saw; a plan of an earlier version knows only its start. */
function holdBefore({ hold, before_pause: before, held_since: since }: Expectation): Hold {
  return hold === undefined ? { before, since, print: '', around: '' } : (JSON.parse(hold) as Hold)
}

/** A plan that settles or reverts does not list the keep. */
function keptAgain(expect: Expectation, successor: string, first: PlannedStep): PlannedStep {
  const hold = expect.hold === undefined ? undefined : holdBefore(expect)
  const ends = hold?.ends === undefined ? null : (expect.next ?? hold.ends)
  const step = { ...first, id: 'keep' }
  if (ends === null || hold === undefined) return { ...step, params: keptParams(hold ?? holdBefore(expect)) }
  return { ...step, params: endingParams(hold, ends, successor) }
}

/**
 * The hold of a subscription that is billed by usage, when it comes too late to end with the
 * period: its end would be that of the next one. It is paused as every other; the usage is on the
 * draft that the first hold kept back, and `verify` names it.
 */
export function keptInTime(step: PlannedStep, { next }: Pick<Expectation, 'next'>, now: Instant): PlannedStep {
  const mark = objectIn(step.params['metadata'])[markHold]
  const isHold = step.id === 'keep' || step.id === holdAgainStep
  if (!isHold || step.params['cancel_at_period_end'] !== true || typeof mark !== 'string') return step
  if (next !== null && now < next - endSecondsLeast) return step
  return { ...step, params: keptParams(JSON.parse(mark) as Hold) }
}

/** Seconds before T in which no end is set: Stripe may already be renewing the subscription. */
const endSecondsLeast = 600
