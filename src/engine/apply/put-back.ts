import { splitAddress } from '../../core/address.ts'
import { kindNamed } from '../../kinds/registry.ts'
import { markAddress, markFormer } from '../../live/marks.ts'
import type { ResourceChange, Step } from '../../plan/types.ts'
import type { Context } from '../context.ts'
import { perform } from '../send/perform.ts'

const retires = 'retire:'

/** The step of the journal that takes an object back into use. */
export const putBackStep = 'put_back'

/**
 * After a creation that Stripe refused: takes the object that this change retired before it into
 * use again, so that a replacement that fails takes nothing away. Says what became of the object;
 * undefined when the change retired none.
 */
export async function putBack(
  context: Context,
  change: ResourceChange,
  done: readonly Step[],
): Promise<{ readonly isBack: boolean; readonly said: string } | undefined> {
  const id = done.find((step) => step.id.startsWith(retires))?.id.slice(retires.length)
  const kind = kindNamed(splitAddress(change.address).kind)
  if (id === undefined || kind === undefined) return undefined
  const request = kind.restore?.(id)
  if (request === undefined) return { isBack: false, said: `${id} is out of use, and Stripe cannot take it back` }
  const marks = kind.marks ? { metadata: { [markAddress]: change.address, [markFormer]: null } } : {}
  const outcome = await perform(context, {
    address: change.address,
    step: putBackStep,
    account: context.accounts.target,
    method: request.method,
    path: request.path,
    params: { ...request.params, ...marks },
    key: `${context.run}-${putBackStep}-${id}`,
  })
  if (outcome.ok) return { isBack: true, said: `${id} was taken into use again` }
  return {
    isBack: false,
    said: `${id} is out of use, and could not be taken into use again: ${outcome.failure.message}`,
  }
}
