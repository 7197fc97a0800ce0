import type { Failure } from '../../core/outcome.ts'
import type { InboxContext } from './context.ts'

const refusedAlert = { key: 'credentials_refused', severity: 'critical', fix: 'crossbill doctor' } as const

/**
 * A key that was revoked or lost a permission says nothing about the signal in hand: it waits, and
 * somebody is called at once.
 */
export function isRefusal({ status }: Failure): boolean {
  return status === 401 || status === 403
}

export function tellRefused(context: Pick<InboxContext, 'alert'>, failure: Failure): void {
  if (!isRefusal(failure)) return
  const summary = `a key of Kajabi or Stripe is refused (${failure.code}): what needs it waits until it is mended`
  context.alert({ ...refusedAlert, summary })
}

export function tellAccepted(context: Pick<InboxContext, 'alert'>): void {
  context.alert({ ...refusedAlert, summary: 'keys are accepted again', resolved: true })
}
