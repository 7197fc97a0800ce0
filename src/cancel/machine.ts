import type { Instant } from '../core/instant.ts'
import { unreachable } from '../core/assert.ts'
import type { DeadReason, IgnoredReason } from './reasons.ts'

/**
 * The states of an accepted signal. Every state but the last three is pending work: a signal leaves
 * the inbox only through `done`, `ignored` or `dead`.
 *
 * | state      | verified   | refuted | cancelled | postponed | failed | redriven | discarded |
 * |------------|------------|---------|-----------|-----------|--------|----------|-----------|
 * | received   | cancelling | ignored | –         | retry     | dead   | –        | ignored   |
 * | verifying  | cancelling | ignored | –         | retry     | dead   | –        | ignored   |
 * | cancelling | cancelling | ignored | done      | retry     | dead   | –        | ignored   |
 * | retry      | cancelling | ignored | done      | retry     | dead   | received | ignored   |
 * | done       | –          | –       | –         | –         | –      | –        | –         |
 * | ignored    | –          | –       | –         | –         | –      | received | –         |
 * | dead       | –          | –       | –         | –         | –      | received | ignored   |
 *
 * `–`: illegal.
 */
export type InboxState =
  | { readonly state: 'received' }
  | { readonly state: 'verifying' }
  | { readonly state: 'cancelling' }
  | { readonly state: 'retry'; readonly at: Instant; readonly attempts: number; readonly reason: string }
  | { readonly state: 'done' }
  | { readonly state: 'ignored'; readonly reason: string }
  | { readonly state: 'dead'; readonly reason: string }

export type InboxEvent =
  | { readonly event: 'claimed' }
  | { readonly event: 'verified' }
  | { readonly event: 'refuted'; readonly reason: IgnoredReason }
  | { readonly event: 'cancelled' }
  | { readonly event: 'postponed'; readonly at: Instant; readonly attempts: number; readonly reason: string }
  | { readonly event: 'failed'; readonly reason: DeadReason | `${string}: ${string}` }
  | { readonly event: 'redriven' }
  | { readonly event: 'discarded'; readonly reason: string }

export const inboxStates = ['received', 'verifying', 'cancelling', 'retry', 'done', 'ignored', 'dead'] as const

/**
 * Returns the next state, or undefined where the event is illegal in this state. The caller then
 * reports it and changes nothing.
 */
export function nextInbox(now: InboxState, event: InboxEvent): InboxState | undefined {
  switch (now.state) {
    case 'received':
    case 'verifying':
    case 'cancelling':
    case 'retry':
      return fromWaiting(now, event)
    case 'done':
      return undefined
    case 'ignored':
      return event.event === 'redriven' ? { state: 'received' } : undefined
    case 'dead':
      if (event.event === 'redriven') return { state: 'received' }
      return event.event === 'discarded' ? { state: 'ignored', reason: event.reason } : undefined
    default:
      return unreachable(now)
  }
}

type Waiting = Extract<InboxState, { state: 'received' | 'verifying' | 'cancelling' | 'retry' }>

function fromWaiting(now: Waiting, event: InboxEvent): InboxState | undefined {
  switch (event.event) {
    case 'claimed':
      // A worker that crashed leaves `verifying` or `cancelling` behind; the next worker continues
      // from there.
      return now.state === 'cancelling' ? now : { state: 'verifying' }
    case 'verified':
      return { state: 'cancelling' }
    case 'refuted':
      return { state: 'ignored', reason: event.reason }
    case 'cancelled':
      return now.state === 'cancelling' || now.state === 'retry' ? { state: 'done' } : undefined
    case 'postponed':
      return { state: 'retry', at: event.at, attempts: event.attempts, reason: event.reason }
    case 'failed':
      return { state: 'dead', reason: event.reason }
    case 'redriven':
      return now.state === 'retry' ? { state: 'received' } : undefined
    case 'discarded':
      return { state: 'ignored', reason: event.reason }
    default:
      return unreachable(event)
  }
}
