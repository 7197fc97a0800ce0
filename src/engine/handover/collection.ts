import { addAll } from '../../core/lists.ts'
import type Stripe from 'stripe'
import { subscriberAddress } from '../../core/address.ts'
import type { Outcome } from '../../core/outcome.ts'
import { isOver } from '../../live/subscription.ts'
import type { HandoverState, Stopped } from '../../handover/state.ts'
import type { Expectation } from '../../handover/types.ts'
import { accountNamed, type Context } from '../context.ts'
import { collectAgain, noteCollection, notedInvoices, type OwnCancel } from '../send/collection.ts'
import type { Job } from './job.ts'
import { answered, type Sent } from './answers.ts'

type Side = Stopped['side']

/**
 * Before a cancel of either side: marks what it would stop. Undefined for other phases. A settle
 * also restores the open invoices of the old subscription itself: they are a debt of their own.
 */
export async function noteStopped(
  context: Context,
  job: Job,
  { phase, successor }: HandoverState,
): Promise<Outcome<true> | undefined> {
  if (phase === 'cancelling_old')
    return noteCollection(context, ownCancel(context, job, { side: 'old', cancelled: job.handover.expect.old }), 'all')
  if (phase !== 'cancelling_new' || successor === null) return undefined
  return noteCollection(context, ownCancel(context, job, { side: 'new', cancelled: successor }), 'others')
}

/** Carries out the command `collect`. */
export async function collect(context: Context, { job }: { readonly job: Job }, stopped: Stopped): Promise<Sent> {
  return answered(await collectAgain(context, ownCancel(context, job, stopped), stopped.invoice))
}

/**
 * The invoices with the mark of our cancel of either side, as long as nothing has removed it; read
 * only where a side has ended. Undefined when this cannot be read.
 */
export async function stoppedBySides(
  context: Context,
  { source, customer_old, customer_new }: Expectation,
  sides: {
    readonly old: Stripe.Subscription | undefined
    readonly successors: readonly Stripe.Subscription[] | undefined
  },
): Promise<readonly Stopped[] | undefined> {
  const ended = [
    ...[sides.old].map((one) => ({ side: 'old' as const, account: source, customer: customer_old, one })),
    ...(sides.successors ?? []).map((one) => ({
      side: 'new' as const,
      account: 'target',
      customer: customer_new,
      one,
    })),
  ]
  const all: Stopped[] = []
  for (const { side, account, customer, one } of ended) {
    if (one === undefined || !isOver(one)) continue
    const found = await notedInvoices({ account: accountNamed(context, account), customer, subscription: one.id })
    if (!found.ok) return undefined
    addAll(
      all,
      found.value.map(({ id = '' }) => ({ side, invoice: id, cancelled: one.id })),
    )
  }
  return all
}

function ownCancel(
  context: Context,
  { key, handover: { expect } }: Job,
  { side, cancelled }: { readonly side: Side; readonly cancelled: string },
): OwnCancel {
  const account = accountNamed(context, side === 'old' ? expect.source : 'target')
  return {
    address: subscriberAddress(key),
    account,
    customer: side === 'old' ? expect.customer_old : expect.customer_new,
    subscription: cancelled,
    // Harmless to repeat: a later mark on the same invoice must be executed, not replayed.
    key: [expect.old, cancelled, account.now()],
  }
}
