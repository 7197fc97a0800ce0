import { describe, expect, it } from 'vitest'
import { instant } from '../../src/core/instant.ts'
import { inboxStates, nextInbox, type InboxEvent, type InboxState } from '../../src/cancel/machine.ts'

const at = instant(1_800_000_000)
const states: Record<(typeof inboxStates)[number], InboxState> = {
  received: { state: 'received' },
  verifying: { state: 'verifying' },
  cancelling: { state: 'cancelling' },
  retry: { state: 'retry', at, attempts: 2, reason: 'timeout' },
  done: { state: 'done' },
  ignored: { state: 'ignored', reason: 'not_true' },
  dead: { state: 'dead', reason: 'ambiguous' },
}
const events: Record<InboxEvent['event'], InboxEvent> = {
  claimed: { event: 'claimed' },
  verified: { event: 'verified' },
  refuted: { event: 'refuted', reason: 'tag_not_on_contact' },
  cancelled: { event: 'cancelled' },
  postponed: { event: 'postponed', at, attempts: 1, reason: 'http_503' },
  failed: { event: 'failed', reason: 'nobody' },
  redriven: { event: 'redriven' },
  discarded: { event: 'discarded', reason: 'handled by hand' },
}

const table: Record<string, Record<string, string>> = {
  received: {
    claimed: 'verifying',
    verified: 'cancelling',
    refuted: 'ignored',
    cancelled: '-',
    postponed: 'retry',
    failed: 'dead',
    redriven: '-',
    discarded: 'ignored',
  },
  verifying: {
    claimed: 'verifying',
    verified: 'cancelling',
    refuted: 'ignored',
    cancelled: '-',
    postponed: 'retry',
    failed: 'dead',
    redriven: '-',
    discarded: 'ignored',
  },
  cancelling: {
    claimed: 'cancelling',
    verified: 'cancelling',
    refuted: 'ignored',
    cancelled: 'done',
    postponed: 'retry',
    failed: 'dead',
    redriven: '-',
    discarded: 'ignored',
  },
  retry: {
    claimed: 'verifying',
    verified: 'cancelling',
    refuted: 'ignored',
    cancelled: 'done',
    postponed: 'retry',
    failed: 'dead',
    redriven: 'received',
    discarded: 'ignored',
  },
  done: {
    claimed: '-',
    verified: '-',
    refuted: '-',
    cancelled: '-',
    postponed: '-',
    failed: '-',
    redriven: '-',
    discarded: '-',
  },
  ignored: {
    claimed: '-',
    verified: '-',
    refuted: '-',
    cancelled: '-',
    postponed: '-',
    failed: '-',
    redriven: 'received',
    discarded: '-',
  },
  dead: {
    claimed: '-',
    verified: '-',
    refuted: '-',
    cancelled: '-',
    postponed: '-',
    failed: '-',
    redriven: 'received',
    discarded: 'ignored',
  },
}

describe('a cancel is never lost: the inbox', () => {
  for (const [name, state] of Object.entries(states))
    for (const [event, value] of Object.entries(events))
      it(`${name} + ${event} → ${table[name]?.[event]}`, () => {
        expect(nextInbox(state, value)?.state ?? '-').toBe(table[name]?.[event])
      })

  it('keeps the number of attempts and the reason while it waits, and starts again after a redrive', () => {
    const waiting = nextInbox({ state: 'verifying' }, { event: 'postponed', at, attempts: 3, reason: 'x' })
    expect(waiting).toEqual({ state: 'retry', at, attempts: 3, reason: 'x' })
    expect(waiting && nextInbox(waiting, { event: 'redriven' })).toEqual({ state: 'received' })
  })
})
