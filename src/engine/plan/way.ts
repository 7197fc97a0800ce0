import { inStage } from '../../catalog/subscribers.ts'
import { classifySubscribers } from '../../handover/classify.ts'
import { isUncopied } from '../../handover/first-copy.ts'
import type { Classification } from '../../handover/types.ts'
import { cardLinksOf } from '../../live/entered-card.ts'
import { wayOf, type Way } from '../../plan/way.ts'
import type { Context } from '../context.ts'
import { compareTaxes } from './compare-taxes.ts'
import { sampleMethods } from './sample-methods.ts'
import type { Survey } from './survey.ts'
import { undeclaredIn } from './undeclared.ts'

/**
 * The way of the whole school to the new account. Waves whose stage is still `source` are judged as
 * if it were `target`, so that nothing appears only on the day of their move. Read-only.
 */
export async function wayAhead(context: Context, seen: Survey): Promise<Way> {
  const ahead = await asTargets(context, seen)
  const byKey = new Map(ahead.map((one) => [one.key, one]))
  return wayOf({
    // Both judgements know the same accounts; taxes and copied methods were compared once.
    classified: seen.classified.map((one) => (one.outcome === 'move' ? (byKey.get(one.key) ?? one) : one)),
    ahead,
    stages: new Map(context.catalog.subscribers.map(({ key, stage }) => [key, stage])),
    linkOf: cardLinksOf(seen.live.target.customers.values()),
    undeclared: undeclaredIn(context.catalog, seen.live).length,
    uncopied: new Set(
      [...context.accounts.sources.keys()].filter((source) => isUncopied(seen.input.copyMaps.get(source))),
    ),
    now: seen.input.now,
  })
}

/** Everybody judged as if every stage were `target`. Read-only. */
export async function asTargets(context: Context, seen: Survey): Promise<readonly Classification[]> {
  const { input } = seen
  const subscribers = input.catalog.subscribers.map((one) => (one.stage === 'source' ? inStage(one, 'target') : one))
  const classified = classifySubscribers({ ...input, catalog: { ...input.catalog, subscribers } })
  const compared = await compareTaxes(context, await sampleMethods(context, { ...seen, classified }))
  return compared.seen.classified
}
