import { addAll } from '../../core/lists.ts'
import { inStage } from '../../catalog/subscribers.ts'
import { isJsonObject } from '../../core/json.ts'
import { classifySubscribers } from '../../handover/classify.ts'
import type { Classification, HandoverPlan } from '../../handover/types.ts'
import { shownMethod, type ShownMethod } from '../../live/shown-method.ts'
import type { Context } from '../context.ts'
import { survey, type Survey } from '../plan/survey.ts'
import { readMethod } from '../read/payment-methods.ts'
import { sideBySide } from '../side-by-side.ts'

interface CopyMapFinding {
  /** One of `copyCodes`. */
  readonly code: string
  readonly subscriber: string
  readonly message: string
  readonly fix: string
}

export interface CopyMapCheck {
  readonly sources: Readonly<
    Record<string, { readonly rows: number; readonly subscribers: number; readonly ready: number }>
  >
  readonly findings: readonly CopyMapFinding[]
}

const copyCodes: ReadonlySet<string> = new Set([
  'customer_not_copied',
  'copy_mismatch',
  'payment_method_unmapped',
  'payment_method_not_copyable',
])

/**
 * Finds subscribers who cannot be moved because their customer or payment method was not copied,
 * and why. It covers every subscriber still to be moved, not only the waves already set to move,
 * since a further copy takes days. Reads the accounts unless given. Read-only.
 */
export async function copyMapCheck(context: Context, given?: Pick<Survey, 'input'>): Promise<CopyMapCheck> {
  const { input } = given ?? (await survey(context))
  const { live } = input
  const subscribers = input.catalog.subscribers.map((one) =>
    one.stage === 'source' && one.excluded === undefined ? inStage(one, 'target') : one,
  )
  const catalog = { ...input.catalog, subscribers }
  const first = classifySubscribers({ ...input, catalog })
  const { methods, missing: absent } = await readMethods(context, first)
  // Decided again with the methods that no list shows.
  const target = { ...live.target, methods: new Map([...(live.target.methods ?? []), ...methods]) }
  const classified = classifySubscribers({ ...input, catalog, live: { ...live, target } })
  const findings: CopyMapFinding[] = classified.flatMap((one) =>
    one.outcome === 'blocked'
      ? one.reasons
          .filter(({ code }) => copyCodes.has(code))
          .map(({ code, message, fix }) => ({ code, subscriber: one.key, message, fix }))
      : [],
  )
  addAll(findings, absent)
  const missing = new Set(findings.map(({ subscriber }) => subscriber))
  const sources = [...input.copyMaps].map(([name, { customers, payments }]) => {
    const people = classified.filter(({ key, outcome }) => key.startsWith(`${name}/`) && outcome !== 'ended')
    const ready = people.filter(({ key }) => !missing.has(key)).length
    return [name, { rows: Math.max(customers.size, payments.size), subscribers: people.length, ready }] as const
  })
  return { sources: Object.fromEntries(sources), findings }
}

const atATime = 16

/**
 * A row of the copy map counts only when its new method exists in the target. A file of another
 * copy, or a method that was detached later, would stop each move at its creation. One read for
 * each method that a move would set; a method that is already the default of the target's customer
 * exists.
 */
async function readMethods(
  context: Context,
  classified: readonly Classification[],
): Promise<{ readonly methods: ReadonlyMap<string, ShownMethod>; readonly missing: readonly CopyMapFinding[] }> {
  const wanted = classified.flatMap((one) =>
    one.outcome === 'move'
      ? methodsIn(one.plan).map((id) => ({ subscriber: one.key, customer: one.plan.expect.customer_new, id }))
      : [],
  )
  const missing: CopyMapFinding[] = []
  const methods = new Map<string, ShownMethod>()
  context.progress.start('checking the copied payment methods', wanted.length)
  await sideBySide([...Map.groupBy(wanted, ({ id }) => id).values()], atATime, async ({ subscriber, customer, id }) => {
    const there = shownMethod(await readMethod(context, { customerNew: customer, sourceNew: id }))
    context.progress.step()
    if (there !== undefined) methods.set(id, there)
    else
      missing.push({
        code: 'payment_method_unmapped',
        subscriber,
        message: `the copy map names ${id}, which the target does not have`,
        fix: 'import the mapping file of the last copy into this target, or let the member enter a card: crossbill card-link --code method_missing',
      })
    return !context.interrupt.requested
  })
  context.progress.done()
  return { methods, missing: missing.toSorted((a, b) => (a.subscriber < b.subscriber ? -1 : 1)) }
}

/** The payment methods that a plan sets in the target: on the new subscription or as a default. */
function methodsIn({ steps }: HandoverPlan): readonly string[] {
  const ids = steps
    .filter(({ account }) => account === 'target')
    .flatMap(({ params }) => {
      const settings = params['invoice_settings']
      return [
        params['default_payment_method'],
        params['default_source'],
        isJsonObject(settings) ? settings['default_payment_method'] : undefined,
      ]
    })
    .filter((id) => typeof id === 'string')
  return [...new Set(ids)]
}
