import { nextInbox, type InboxEvent, type InboxState } from '../../cancel/machine.ts'
import { Bug } from '../../core/assert.ts'
import type { SubscriberKey } from '../../core/address.ts'
import type { Instant } from '../../core/instant.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Failure } from '../../core/outcome.ts'
import type { InboxContext } from './context.ts'
import type { InboxRow } from './port.ts'

/** A claimed row in progress. Its state changes with every durable note. */
export class RowWork {
  readonly id: string
  readonly signal: InboxRow['signal']
  readonly acceptedAt: Instant
  facts: JsonObject
  private now: InboxState
  private readonly context: InboxContext

  constructor(context: InboxContext, row: InboxRow) {
    this.context = context
    this.id = row.id
    this.signal = row.signal
    this.acceptedAt = row.acceptedAt
    this.facts = row.facts
    this.now = row.now
  }

  /** Tries so far, including counted tries that a crash interrupted. */
  get attempts(): number {
    if (this.now.state === 'retry') return this.now.attempts
    // An operator redrove the row, which resets the tries.
    return this.now.state === 'received' ? 0 : Number(this.facts['attempts'] ?? 0)
  }

  /**
   * The subscriber that an earlier, verified try began to cancel. That cancel is finished, even if
   * the tag or the link has changed since.
   */
  get begun(): SubscriberKey | undefined {
    const { subscriber } = this.facts
    const under = this.now.state === 'cancelling' || this.now.state === 'retry'
    return under && typeof subscriber === 'string' ? (subscriber as SubscriberKey) : undefined
  }

  /** Durable before the next request. False when the lease was lost: another worker has the row. */
  async note(event: InboxEvent, facts: JsonObject): Promise<boolean> {
    const next = nextInbox(this.now, event)
    if (next === undefined) throw new Bug(`inbox row ${this.id}: ${event.event} in state ${this.now.state}`)
    const at = this.context.clock()
    const attempts = next.state === 'retry' ? { attempts: next.attempts } : {}
    const known = { ...this.facts, ...facts, ...attempts }
    const saved = await this.context.inbox.save(this.id, this.context.run, {
      now: next,
      facts: known,
      note: { at, state: next.state, text: 'reason' in event ? event.reason : event.event },
      release: next.state !== 'cancelling' && next.state !== 'verifying',
    })
    // The memory changes only after the write, so that after a failed write it still equals the
    // store.
    if (saved) [this.facts, this.now] = [known, next]
    return saved
  }

  /** The state in which the row ends or waits; undefined when another worker has it. */
  async end(event: InboxEvent): Promise<InboxState['state'] | undefined> {
    if (event.event === 'cancelled' && this.now.state !== 'cancelling') await this.note({ event: 'verified' }, {})
    return (await this.note(event, {})) ? this.now.state : undefined
  }
}

export const leaseLost: Failure = {
  kind: 'retryable',
  code: 'lease_lost',
  message: 'another worker has this signal',
  status: 0,
}
