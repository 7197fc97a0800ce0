import type { Catalog } from '../../catalog/types.ts'
import type { Notice } from '../../plan/types.ts'
import { cardsOfMoved } from '../../plan/card-forecast.ts'
import { cardNotices } from '../../plan/card-notices.ts'
import { upcomingIn } from '../../plan/upcoming.ts'
import { accessNotices } from '../access/notices.ts'
import type { Survey } from './survey.ts'
import { wrongMappingNotices } from './wrong-mappings.ts'

/** All notices about things that no other list of a plan names. */
export function noticesOf(catalog: Catalog, { live, input }: Pick<Survey, 'live' | 'input'>): readonly Notice[] {
  const left = leftInPlace(catalog)
  const sources = [...live.sources.values()].flatMap((account) => upcomingIn({ account, isTarget: false, left }))
  return [
    ...sources,
    ...upcomingIn({ account: live.target, isTarget: true, left }),
    ...cardsOfMoved(live, input.copyMaps),
    ...cardNotices(catalog, live),
    ...wrongMappingNotices(catalog, live),
    ...accessNotices(catalog, live),
  ]
}

/** Excluded subscribers and declared customers: the YAML gives the reason why they stay. */
export function leftInPlace({
  subscribers,
  externals,
}: Pick<Catalog, 'subscribers' | 'externals'>): ReadonlySet<string> {
  const excluded = subscribers.filter((one) => one.excluded !== undefined).map(({ key }): string => key)
  return new Set([...excluded, ...externals.map(({ source, customer }) => `${source}/${customer}`)])
}
