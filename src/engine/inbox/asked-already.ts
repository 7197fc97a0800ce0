import type { IgnoredReason } from '../../cancel/reasons.ts'
import type { InboxContext } from './context.ts'
import type { InboxRow } from './port.ts'
import { verifySignal } from './truth.ts'

/**
 * Why a tag that is found to mean nobody means nobody: while an earlier signal of the same tag is on its way, the access that told whose it is may be gone before the tag is.
 * That one ends the wish, or becomes a dead letter of its own. @returns undefined when there is no such reason
 */
export async function askedAlready(
  context: InboxContext,
  { id, signal }: Pick<InboxRow, 'id' | 'signal'>,
): Promise<IgnoredReason | undefined> {
  const { contact, tag } = signal
  if (contact === undefined || tag === undefined) return undefined
  const others = await context.inbox.waitingAbout(contact)
  // Only one that knows whom it means: two that do not must not both leave it to the other.
  if (others.some((other) => other.id !== id && other.signal.tag === tag && knowsWhom(other))) return 'asked_already'
  const truth = await verifySignal(context, signal)
  return truth.truth === 'false' ? truth.reason : undefined
}

function knowsWhom({ signal, facts }: InboxRow): boolean {
  return signal.subscriber !== undefined || typeof facts['subscriber'] === 'string'
}
