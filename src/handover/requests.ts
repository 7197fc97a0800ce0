import { isJsonObject, type Json, type JsonObject, objectIn } from '../core/json.ts'
import { successorInPath, invoiceInPlan, scheduleInPlan } from './placeholders.ts'
import { present, unreachable } from '../core/assert.ts'
import { gapMark, gapRequest } from './gap.ts'
import type { Instant } from '../core/instant.ts'
import { markCarried, markClosed, markHolds, markReverting } from '../live/marks.ts'
import { withLiveValues, type LiveValues } from './live-values.ts'
import { holdAgain } from './hold-steps.ts'
import { accountedStep, cancelNewStep, releaseStep, restoreStep, settleStep } from './plans.ts'
import type { HandoverEvent } from './event-types.ts'
import type { HandoverState, Lists, RequestPhase, StateIn } from './state.ts'
import type { Goal, HandoverPlan, PlannedStep } from './types.ts'

type AnyPlan = HandoverPlan<Goal | 'undo'>

/**
 * The event that starts a plan's hand-over. The customer's money stays when the other subscribers
 * in `money_after` did not move.
 */
export function beginOf(plan: AnyPlan, moneyMoves: boolean): Extract<HandoverEvent, { type: 'begin' }> {
  const { expect, goal, steps } = plan
  const lists: Lists = {
    carry: expect.carry.length,
    money: moneyMoves ? expect.money.length : 0,
    pause: steps.some(({ id }) => id === 'pause'),
    schedule: steps.some(({ id }) => id === 'schedule'),
  }
  return { type: 'begin', goal, lists, successor: expect.successor }
}

/**
 * The request for a state, complete except for the idempotency key, `$ref` values and `$live`
 * values (`withLive`). Steps that the plan lists are sent as listed; requests that depend on a read
 * are built here.
 */
export function requestFor(state: StateIn<RequestPhase>, plan: AnyPlan, live: LiveValues): PlannedStep {
  const { expect } = plan
  const step = (id: string): PlannedStep =>
    inPlace(
      present(
        plan.steps.find((one) => one.id === id),
        `step ${id}`,
      ),
      state,
    )
  switch (state.phase) {
    case 'carrying':
      return step(present(expect.carry[state.done], 'carry step'))
    case 'holding':
      return step('hold')
    case 'creating':
      return step('create')
    case 'pausing':
      return step('pause')
    case 'scheduling':
      return step(state.schedule === null ? 'schedule' : 'schedule-phases')
    case 'money':
    case 'money_back':
      return step(present(expect.money[state.done], 'money step'))
    case 'keeping':
      return step('keep')
    case 'reholding':
      return inPlace(holdAgain(plan, state.successor, isProven(state, plan)), state)
    case 'stopping_invoice':
      return target('stop-invoice', `/v1/invoices/${state.invoice}`, {
        auto_advance: false,
        metadata: { [markReverting]: expect.key },
      })
    case 'finalizing_invoice':
      return target('finalize-invoice', `/v1/invoices/${state.invoice}/finalize`, { auto_advance: false })
    case 'voiding_invoice':
      return target('void-invoice', `/v1/invoices/${state.invoice}/void`, {})
    case 'refunding':
      return target('refund', '/v1/refunds', { payment_intent: state.payment })
    case 'releasing_new':
      return { ...releaseStep('target', state.schedule), id: 'release-new' }
    case 'cancelling_new':
      return cancelNewStep(state.successor, expect, state.goal)
    case 'closing':
      // Changes nothing. It uses the creation's own key, so that no later creation of this hold can
      // be executed.
      return target('close-creation', `/v1/customers/${expect.customer_new}`, { metadata: { [markClosed]: null } })
    case 'restoring_old':
      // The step of a plan also removes the note of the money that came back.
      return plan.steps.find(({ id }) => id === 'restore-old') ?? restoreStep(expect)
    case 'advancing_draft':
      return advancing(expect, state.invoice)
    case 'billing_gap':
      return gapRequest(expect, state, {
        voided: present(live.voided, 'voided invoice'),
        old: live.subscription,
      })
    case 'accounting':
      return accountedStep(expect)
    case 'releasing_schedule':
      return releaseStep(expect.source, state.schedule)
    case 'cancelling_old':
      return settleStep(expect, state.successor)
    default:
      return unreachable(state)
  }
}

/**
 * Numbers a step. A hold and a release record their number and their time; a new subscription
 * records the hold it was created under. The plan cannot know either.
 */
export function numbered(step: PlannedStep, state: HandoverState, now: Instant): PlannedStep {
  const metadata = objectIn(step.params['metadata'])
  // Two moves may carry the same amount: the number of the hold tells the transactions apart.
  if (step.path.endsWith('/balance_transactions'))
    return withMark(step, { ...metadata, [markHolds]: String(state.generation ?? 0) })
  const number = numberOf(step, state)
  if (number === undefined) return step
  const mark = step.id === 'create' ? String(number) : `${number} ${now}`
  return withMark(step, { ...metadata, [markHolds]: mark })
}

function withMark(step: PlannedStep, metadata: JsonObject): PlannedStep {
  return { ...step, params: { ...step.params, metadata } }
}

/**
 * The number of a hold, of the creation under it, or of its release. Undefined for other requests.
 */
export function numberOf({ id }: PlannedStep, { generation, skips }: HandoverState): number | undefined {
  if (id === 'hold' || id === 'create' || id === 'close-creation') return present(generation, 'generation')
  return id === 'restore-old' ? present(generation, 'generation') + 1 + skips : undefined
}

/** The request as it is sent: personal values come from the live objects, never from the plan. */
export function withLive(step: PlannedStep, live: LiveValues): PlannedStep {
  return { ...step, params: withLiveValues(step.params, live) }
}

function target(id: string, path: string, params: JsonObject): PlannedStep {
  return { id, account: 'target', method: 'POST', path, params }
}

/**
 * Collects a draft that our hold kept back. Its mark names the hold, in case it is later found as
 * an old draft.
 */
function advancing(expect: AnyPlan['expect'], invoice: string): PlannedStep {
  const metadata = { [markCarried]: gapMark(expect, invoice) }
  const step = target('advance-draft', `/v1/invoices/${invoice}`, { auto_advance: true, metadata })
  return { ...step, account: expect.source }
}

/** A settle or a revert follows a move that was proven. */
function isProven({ goal, replayed }: HandoverState, { expect }: AnyPlan): boolean {
  return goal !== 'move' || expect.proven === true || replayed
}

/** Inserts ids that the plan could not know. */
function inPlace(step: PlannedStep, { successor, invoice, schedule }: HandoverState): PlannedStep {
  const ids = new Map([
    [successorInPath, successor],
    [invoiceInPlan, invoice],
    [scheduleInPlan, schedule],
  ])
  let { path } = step
  for (const [name, id] of ids) if (id !== null) path = path.replace(name, id)
  return { ...step, path, params: replaced(step.params, ids) as JsonObject }
}

function withSuccessor(text: string, successor: string | null): string {
  return successor === null ? text : text.replace(successorInPath, successor)
}

function replaced(value: Json | undefined, ids: ReadonlyMap<string, string | null>): Json | undefined {
  if (typeof value === 'string') return ids.get(value) ?? withSuccessor(value, ids.get(successorInPath) ?? null)
  if (Array.isArray(value)) return value.map((one: Json) => replaced(one, ids) ?? null)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, replaced(one, ids)]))
}
