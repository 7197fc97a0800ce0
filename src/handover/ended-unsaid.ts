import { isEndUnexplained } from '../live/subscription.ts'
import type { Candidate } from './candidate.ts'

/**
 * What a settle says of a new subscription that was cancelled at once, without a word of the
 * member. Where a portal of the target lets members do exactly that, the end is no question: Stripe
 * shows nothing else of it.
 */
export function endUnsaid({ standing, successor, desired, around }: Candidate): {
  readonly isUnexplained: boolean
  readonly because: readonly string[]
} {
  if (standing !== 'ended_in_target' || successor === undefined || !isEndUnexplained(successor))
    return { isUnexplained: false, because: [] }
  const { id } = successor
  const { portalWithoutReason: portal } = around
  if (portal !== undefined)
    return {
      isUnexplained: false,
      because: [`${id} was cancelled at once, as members can in the portal ${portal}, which asks for no reason`],
    }
  const { key } = desired
  return {
    isUnexplained: true,
    because: [
      `${id} was cancelled at once, and nothing says that the member asked; who it is: crossbill explain ${key}. If it was a mistake, give ${key} an \`excluded:\` reason instead of this settle`,
    ],
  }
}
