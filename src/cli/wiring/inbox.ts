import type { InboxRow, InboxStore } from '../../engine/inbox/port.ts'
import { nextInbox, type InboxEvent } from '../../cancel/machine.ts'
import { explainEnd } from '../../cancel/reasons.ts'
import { formatInstant, instant } from '../../core/instant.ts'
import { CommandError } from '../../core/outcome.ts'
import { loadProject } from './catalog.ts'
import { withStore } from './project.ts'
import type { Shell } from '../shell.ts'

/** Works on the project's inbox without connecting an account. */
export async function withInbox<T>(shell: Shell, work: (inbox: InboxStore) => Promise<T>): Promise<T> {
  const { catalog } = await loadProject(shell, 'accounts')
  return await withStore(catalog.project, shell, async (store) => work(store.inbox))
}

/** What an operator sees of a row. */
export interface InboxEntry {
  readonly id: string
  readonly state: string
  readonly accepted: string
  readonly from: string
  readonly about: string
  readonly reason: string
  /** The meaning of the reason and the next step; empty when the entry waits or is done. */
  readonly means: string
  readonly next: string
  readonly command: string
}

export function entryOf({ id, now, acceptedAt, signal }: InboxRow): InboxEntry {
  const reason = 'reason' in now ? now.reason : ''
  return {
    id,
    state: now.state,
    accepted: formatInstant(acceptedAt),
    from: `${signal.source} ${signal.event}`,
    about: signal.subscriber ?? signal.customer ?? signal.contact ?? '',
    reason,
    ...(explainEnd({ id, state: now.state, reason }) ?? { means: '', next: '', command: '' }),
  }
}

/**
 * Changes one row as an operator asks.
 * @throws CommandError when the row does not exist, its state does not allow the change, or a
 * worker holds it
 */
export async function changeRow(inbox: InboxStore, id: string, event: InboxEvent, text: string): Promise<InboxEntry> {
  const found = await inbox.get(id)
  if (found === undefined)
    throw new CommandError('inbox_unknown', `the inbox has no entry ${id}`, { fix: 'See: crossbill inbox list' })
  const now = nextInbox(found.row.now, event)
  if (now === undefined)
    throw new CommandError('inbox_impossible', `entry ${id} is ${found.row.now.state} and cannot be ${event.event}`, {
      notDone: 'the entry is unchanged',
      fix: `See: crossbill inbox show ${id}`,
    })
  const at = instant(Math.floor(Date.now() / 1_000))
  if (!(await inbox.change(id, { now, note: { at, state: now.state, text } })))
    throw new CommandError('inbox_busy', `a worker is processing entry ${id}`, {
      notDone: 'the entry is unchanged',
      fix: 'Try again in a minute.',
    })
  return entryOf({ ...found.row, now })
}
