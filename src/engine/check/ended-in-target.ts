import type { Live } from '../../live/accounts.ts'
import { isEndUnexplained, isHeld, isOver, isUndone, mayCharge } from '../../live/subscription.ts'
import { portalWithoutReason } from '../../live/portals.ts'
import type { Sides } from './sides.ts'

type Found = { readonly detail: string; readonly fix: string } | undefined

/**
 * The member left in the target. The old subscription is on hold or, when released by hand, charges
 * a member who left.
 */
export function endedInTarget(
  { old, successors, alive, key, source }: Sides,
  { live }: { readonly live: Pick<Live, 'resources'> },
): Found {
  const newest = successors.find((one) => !isUndone(one))
  if (old === undefined || isOver(old) || alive.length > 0 || newest === undefined) return undefined
  const ended = `${newest.id} ended (${newest.cancellation_details?.reason ?? 'cancelled'})`
  if (isHeld(old))
    return isEndUnexplained(newest) && portalWithoutReason(live.resources) === undefined
      ? {
          detail: `${ended} at once, and nothing says that the member asked; ${old.id} is still on hold`,
          fix: `if the member left: set the stage to \`settled\`, then crossbill apply; the next apply cancels ${old.id} for good. If it was a mistake, exclude the subscriber with a reason before that; then remove \`crossbill_hold\` from the metadata of ${old.id} in the Dashboard of ${source} and resume its collection`,
        }
      : { detail: `${ended}, ${old.id} is still on hold`, fix: 'set the stage to `settled`, then crossbill apply' }
  return {
    detail: `${ended}, and ${old.id} was taken off hold by hand${mayCharge(old) ? ': it charges again' : ''}`,
    fix: `if the member left: set the stage of ${key} to \`settled\`, then crossbill apply; if they stay in the old account: exclude it with a reason`,
  }
}
