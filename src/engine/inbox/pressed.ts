import type { InboxState } from '../../cancel/machine.ts'
import { signalKeyOfLink } from '../../cancel/signal.ts'
import type { InboxContext } from './context.ts'

/**
 * The state of a link's cancel request. `over`: the request was ignored, and the link no longer
 * works.
 */
export type Pressed = 'no' | 'waiting' | 'done' | 'person' | 'over'

/** A link works once. After that, its page shows the state of the request. */
export async function pressedLink({ inbox }: Pick<InboxContext, 'inbox'>, link: string): Promise<Pressed> {
  const row = await inbox.byKey([signalKeyOfLink(link)])
  return row === undefined ? 'no' : (ended[row.now.state] ?? 'waiting')
}

const ended: Partial<Record<InboxState['state'], Pressed>> = { done: 'done', dead: 'person', ignored: 'over' }
