import { objectIn } from '../../core/json.ts'
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
 * After a creation that Stripe refused: takes the objects that this change retired before it into
 * use again, so that a replacement that fails takes nothing away. Says what became of them;
 * undefined when the change retired none.
 */
export async function putBack(
  context: Context,
  change: ResourceChange,
  done: readonly Step[],
): Promise<{ readonly isBack: boolean; readonly said: string } | undefined> {
  const retired = done.filter((step) => step.id.startsWith(retires))
  const results: { readonly isBack: boolean; readonly said: string }[] = []
  for (const step of retired) results.push(await putOneBack(context, change, step))
  if (results.length === 0) return undefined
  return { isBack: results.every(({ isBack }) => isBack), said: results.map(({ said }) => said).join('. ') }
}

async function putOneBack(
  context: Context,
  change: ResourceChange,
  step: Step,
): Promise<{ readonly isBack: boolean; readonly said: string }> {
  const id = step.id.slice(retires.length)
  const kind = kindNamed(splitAddress(change.address).kind)
  const request = kind?.restore?.(id)
  if (kind === undefined || request === undefined)
    return { isBack: false, said: `${id} is out of use, and Stripe cannot take it back` }
  // A change may also take the object of another entry out of use, whose name it needs.
  const former = objectIn(step.params['metadata'])[markFormer]
  const marks = kind.marks
    ? { metadata: { [markAddress]: typeof former === 'string' ? former : change.address, [markFormer]: null } }
    : {}
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
