import type { Failure } from '../../core/outcome.ts'
import type { InboxContext } from './context.ts'

const refusedAlert = { key: 'credentials_refused', severity: 'critical', fix: 'crossbill doctor' } as const

/**
 * A revoked key, or one that lost a permission, says nothing about the signal: the signal waits,
 * and the person on call is alerted at once.
 */
export function isRefusal({ status }: Failure): boolean {
  return status === 401 || status === 403
}

export function tellRefused(context: Pick<InboxContext, 'alert'>, failure: Failure): void {
  if (!isRefusal(failure)) return
  const summary = `Kajabi or Stripe refuses a key (${failure.code}): the signals that need it wait until the key is replaced`
  context.alert({ ...refusedAlert, summary })
}

export function tellAccepted(context: Pick<InboxContext, 'alert'>): void {
  context.alert({ ...refusedAlert, summary: 'keys are accepted again', resolved: true })
}
