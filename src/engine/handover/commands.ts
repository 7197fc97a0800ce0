import type Stripe from 'stripe'
import { unreachable } from '../../core/assert.ts'
import type { StripeObject } from '../../core/json.ts'
import type { Outcome } from '../../core/outcome.ts'
import { bothRead, invoiceRead, isToCreate, oldRead, proved } from '../../handover/events.ts'
import { gapOf } from '../../handover/gap.ts'
import { comparePreviews, previewParams, previewRefused } from '../../handover/preview.ts'
import type { Command, HandoverEvent } from '../../handover/event-types.ts'
import type { Expectation, HandoverPlan, Reason } from '../../handover/types.ts'
import { accountNamed, type Context } from '../context.ts'
import { wrongDefault } from './claimed-default.ts'
import { collect, stoppedBySides } from './collection.ts'
import { referenceMissing, send, type Turn } from './sends.ts'
import { previewInvoice } from './previews.ts'
import { noteSeen } from './seen.ts'
import { fillParams } from '../send/references.ts'
import { withOwnHold } from '../read/own-holds.ts'
import {
  asInvoice,
  gapInvoices,
  oldInvoices,
  pendingItems,
  readOld,
  readSuccessor,
  readTargetSide,
  successorInvoices,
  successorNow,
} from '../read/subscriptions.ts'

/**
 * Carries out the machine's command and returns the result as an event. Outside failures are
 * events, never exceptions.
 */
export async function answer(context: Context, turn: Turn, command: Command): Promise<HandoverEvent> {
  const { handover: plan } = turn.job
  switch (command.do) {
    case 'rest':
      return { type: 'interrupted' }
    case 'read_old': {
      const old = await readOld(context, plan.expect)
      noteSeen(turn.job, old, context.accounts.target.now())
      const seen = oldRead(plan, old, context.accounts.target.now())
      if (old === undefined || seen.reason !== null) return seen
      return { ...seen, reason: await wrongDefault(context, plan, old) }
    }
    case 'preview':
      return { type: 'previewed', reason: await preview(context, turn) }
    case 'send':
      return send(context, turn, command.state)
    case 'collect':
      return collect(context, turn, command.stopped)
    case 'prove':
      return prove(context, turn)
    case 'read_both':
      return readBoth(context, turn)
    case 'read_invoice':
      return invoiceRead(plan, await successorNow(context, command.successor))
    case 'read_gap':
      return readGap(context, turn)
    default:
      return unreachable(command)
  }
}

/** The next invoice on both sides. It has no side effect, so it is not in the journal. */
async function preview(context: Context, { job, resolve }: Turn): Promise<Reason | null> {
  // Only moves are previewed, and the plan of a move has the goal `move`.
  const plan = job.handover as HandoverPlan
  const params = previewParams(plan)
  const filled = fillParams(params.new, resolve)
  if (!filled.ok) return referenceMissing(filled.missing)
  const [old, created] = await Promise.all([
    previewInvoice(context, accountNamed(context, plan.expect.source), params.old),
    previewInvoice(context, context.accounts.target, filled.value),
  ])
  const refused = [old, created].find((one) => !one.ok && one.failure.kind === 'rejected')
  if (refused !== undefined && !refused.ok) return previewRefused(refused.failure)
  return comparePreviews(plan, invoiceOf(old), invoiceOf(created))
}

function invoiceOf(outcome: Outcome<StripeObject>): Stripe.Invoice | undefined {
  return outcome.ok ? asInvoice(outcome.value) : undefined
}

/** Compares the successor and the old subscription, as they are now, with the plan. */
async function prove(context: Context, { job, state, resolve }: Turn): Promise<HandoverEvent> {
  const filled = fillParams(job.handover.expect, resolve)
  if (state.successor === null || !filled.ok) return proved(undefined)
  const answer = await readSuccessor(context, state.successor)
  const old = await readMarked(context, job.handover.expect)
  if (answer === undefined || old === undefined) return proved(undefined)
  noteSeen(job, old, context.accounts.target.now())
  return proved({ expect: filled.value, answer, old })
}

/** The old subscription, with the marks of a hold that only the journal still shows. */
async function readMarked(context: Context, expect: Expectation): Promise<Stripe.Subscription | undefined> {
  const old = await readOld(context, expect)
  return old && withOwnHold(context, expect.key, old)
}

async function readBoth(context: Context, { job, state }: Turn): Promise<HandoverEvent> {
  const { expect } = job.handover
  const old = await readMarked(context, expect)
  noteSeen(job, old, context.accounts.target.now())
  const settles = job.handover.goal === 'settle'
  const [target, pending, invoices] = await Promise.all([
    readTargetSide(context, { ...expect, successor: state.successor ?? expect.successor }),
    settles ? pendingItems(context, expect) : [],
    settles ? oldInvoices(context, expect) : [],
  ])
  const successors = target?.successors
  const isToCreateNow = old !== undefined && successors?.length === 0 && isToCreate(job.handover, old)
  const stopped = await stoppedBySides(context, expect, { old, successors: successors === 'erased' ? [] : successors })
  const isKnown = stopped !== undefined && pending !== undefined && invoices !== undefined
  return bothRead(job.handover, {
    // Nothing is decided about the old subscription until the read shows which invoices a cancel
    // has stopped or would strand.
    old: isKnown ? old : undefined,
    money: { pending: pending ?? [], invoices: invoices ?? [] },
    successors,
    // Read from the YAML of today: a person may have declared the second subscription since.
    others: paysTwice(context, expect.key) ? [] : (target?.all ?? []),
    stopped: stopped ?? [],
    wrongDefault: isToCreateNow ? await wrongDefault(context, job.handover, old) : null,
    now: context.accounts.target.now(),
  })
}

/** A second subscription of the member is declared as intended. */
function paysTwice({ catalog }: Context, key: string): boolean {
  return catalog.subscribers.some((one) => one.key === key && one.pays_twice !== undefined)
}

async function readGap(context: Context, { job, state }: Turn): Promise<HandoverEvent> {
  const { expect } = job.handover
  return gapOf({
    expect,
    old: await readOld(context, expect),
    oldInvoices: await oldInvoices(context, expect),
    newInvoices: await successorInvoices(context, expect),
    begun: await gapInvoices(context, expect),
    accounted: state.accounted,
  })
}
