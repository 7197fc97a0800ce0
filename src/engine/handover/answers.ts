import type { StripeObject } from '../../core/json.ts'
import type { Failure, Outcome } from '../../core/outcome.ts'
import type { HandoverEvent } from '../../handover/event-types.ts'

export type Sent = Extract<HandoverEvent, { type: 'sent' }>

/** The event of a request that needs no judgement beyond its outcome. */
export function answered(outcome: Outcome<StripeObject>): Sent {
  if (outcome.ok) {
    const replayed = outcome.isReplayed === true ? { replayed: true as const } : {}
    return { type: 'sent', result: 'done', id: outcome.value.id ?? null, reason: null, ...replayed }
  }
  const { failure } = outcome
  const { code, message } = failure
  return { type: 'sent', result: resultOf(failure), id: null, reason: { code, message, fix: '' } }
}

/** A key in use belongs to a request in progress: its outcome is not known yet. */
function resultOf({ kind, code }: Failure): Sent['result'] {
  if (code === 'idempotency_error') return 'contended'
  return kind === 'unknown' || code === 'idempotency_key_in_use' ? 'unknown' : 'refused'
}
