import { idOf } from '../../core/reference.ts'
import { keptTogether } from '../../handover/carried/together.ts'
import { isExchangeable, methodMismatch } from '../../handover/copied-method.ts'
import { blocked } from '../../handover/reasons.ts'
import type { Classification, CopyMap, Reason } from '../../handover/types.ts'
import type { BlockedCode } from '../../handover/codes.ts'
import { shownMethod } from '../../live/shown-method.ts'
import { readPayment } from '../../live/source.ts'
import type { Context } from '../context.ts'
import { readMethod } from '../read/payment-methods.ts'
import { sideBySide } from '../side-by-side.ts'
import { resourcesOf, type Survey } from './survey.ts'

/** The most payment methods that a plan reads one by one while none of them is wrong. */
const sampled = 40
const atATime = 16

interface Move {
  readonly key: string
  readonly source: string
  readonly old: string
  readonly copy: { readonly customer: string; readonly id: string }
  readonly copyMap: CopyMap
}

/**
 * Looks at a sample of the copied methods that moves would charge and that no list shows, those of
 * customers with several methods first. A mapping file that was mixed up is wrong for many: when
 * the sample has a wrong one, the others are read as well, and the plan loses the moves that would
 * charge a wrong card. Read-only.
 */
export async function sampleMethods(context: Context, seen: Survey): Promise<Survey> {
  const moves = movesOf(seen)
  const wrong = await lookAt(context, seen, moves.slice(0, sampled))
  if (wrong.size === 0) return seen
  for (const [key, reason] of await lookAt(context, seen, moves.slice(sampled))) wrong.set(key, reason)
  const judged = seen.classified.map((one): Classification => {
    const reason = wrong.get(one.key)
    if (reason === undefined || one.outcome !== 'move') return one
    const { plan: _plan, taxed: _taxed, ...rest } = one
    return { ...rest, outcome: 'blocked', reasons: [reason] }
  })
  const classified = keptTogether(judged)
  return { ...seen, classified, resources: resourcesOf(seen, classified, context.catalog) }
}

function movesOf({ classified, live, input }: Survey): readonly Move[] {
  const olds = new Map(
    [...live.sources].map(([name, { subscriptions }]) => [name, new Map(subscriptions.map((one) => [one.id, one]))]),
  )
  const all = classified.flatMap((one): Move[] => {
    if (one.outcome !== 'move') return []
    const { source, old: id, override } = one.plan.expect
    const [old, copyMap] = [olds.get(source)?.get(id), input.copyMaps.get(source)]
    if (old === undefined || copyMap === undefined || override.includes('copy_mismatch')) return []
    const payment = readPayment(old, live.sources.get(source)?.customers.get(idOf(old.customer)))
    const copy = copyMap.payments.get(payment?.id ?? '')
    // A card that its member entered in the target is no copy.
    if (payment === null || copy === undefined || copy.id !== one.plan.expect.proof?.payment) return []
    return live.target.methods?.has(copy.id) === true ? [] : [{ key: one.key, source, old: payment.id, copy, copyMap }]
  })
  const several = (one: Move): boolean => isExchangeable(one.copyMap, one.copy.customer)
  return [...all.filter(several), ...all.filter((one) => !several(one))]
}

async function lookAt(
  context: Context,
  { live }: Survey,
  moves: readonly Move[],
): Promise<Map<string, Reason<BlockedCode>>> {
  const wrong = new Map<string, Reason<BlockedCode>>()
  await sideBySide(
    moves.map((one) => [one]),
    atATime,
    async ({ key, source, old, copy, copyMap }) => {
      const shown = shownMethod(await readMethod(context, { customerNew: copy.customer, sourceNew: copy.id }))
      if (shown === undefined) {
        wrong.set(
          key,
          blocked('payment_method_unmapped', `the copy map names ${copy.id}, which the target does not have`),
        )
        return true
      }
      const target = { methods: new Map([[copy.id, shown]]) }
      const from = { methods: live.sources.get(source)?.methods ?? new Map() }
      const mismatch = methodMismatch({ old: { id: old }, copy, copyMap, source: from, target })
      if (mismatch !== undefined) wrong.set(key, blocked('copy_mismatch', mismatch))
      return !context.interrupt.requested
    },
  )
  return wrong
}
