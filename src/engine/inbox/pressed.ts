import type { InboxState } from '../../cancel/machine.ts'
import { signalKeyOfLink } from '../../cancel/signal.ts'
import type { InboxContext } from './context.ts'

/**
 * What became of the wish that a link brought: `over` when it was set aside, and the link with it.
 */
export type Pressed = 'no' | 'waiting' | 'done' | 'person' | 'over'

/** A link works once; after that its page tells how the wish stands. */
export async function pressedLink({ inbox }: Pick<InboxContext, 'inbox'>, link: string): Promise<Pressed> {
  const row = await inbox.byKey([signalKeyOfLink(link)])
  return row === undefined ? 'no' : (ended[row.now.state] ?? 'waiting')
}

const ended: Partial<Record<InboxState['state'], Pressed>> = { done: 'done', dead: 'person', ignored: 'over' }
