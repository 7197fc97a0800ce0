import { formatInstant } from '../../core/instant.ts'
import type { Classification } from '../../handover/types.ts'
import type { Catalog } from '../../catalog/types.ts'
import { isOver } from '../../live/subscription.ts'
import type { Live } from '../../live/accounts.ts'
import type { Notice } from '../../plan/types.ts'
import { cardsOfMoved } from '../../plan/card-forecast.ts'
import { cardNotices } from '../../plan/card-notices.ts'
import { openInvoicesLeft } from '../../plan/open-invoices.ts'
import { paidElsewhere } from '../../plan/paid-elsewhere.ts'
import { upcomingIn } from '../../plan/upcoming.ts'
import { accessNotices } from '../access/notices.ts'
import type { Survey } from './survey.ts'
import { wrongMappingNotices } from './wrong-mappings.ts'

/**
 * All notices about things that no other list of a plan names. `moving`: the subscribers whom the
 * plan moves.
 */
export function noticesOf(
  catalog: Catalog,
  { live, input }: Pick<Survey, 'live' | 'input'>,
  moving: ReadonlySet<string> = new Set(),
): readonly Notice[] {
  const left = leftInPlace(catalog)
  const carriesItems = catalog.project.policies.pending_invoice_items === 'carry'
  const ended = endedIn([...live.sources.values()])
  const about = { left, carriesItems, ended }
  const sources = [...live.sources.values()].flatMap((account) => upcomingIn({ account, isTarget: false, ...about }))
  return [
    ...sources,
    ...upcomingIn({ account: live.target, isTarget: true, ...about }),
    ...openInvoicesLeft(live, { moving, carries: catalog.project.policies.past_due === 'carry' }),
    ...cardsOfMoved(live, input.copyMaps),
    ...cardNotices(catalog, live),
    ...wrongMappingNotices(catalog, live),
    ...accessNotices(catalog, live),
    ...paidElsewhere(catalog, live, moving),
  ]
}

/** The old subscriptions that have ended, as `us/sub_…`. */
export function endedIn(sources: readonly Pick<Live['target'], 'name' | 'subscriptions'>[]): ReadonlySet<string> {
  return new Set(
    sources.flatMap(({ name, subscriptions }) => subscriptions.filter(isOver).map(({ id }) => `${name}/${id}`)),
  )
}

/** Subscriptions that leave money of their customer behind, by the word of their entry. */
export function splitNotices(classified: readonly Classification[]): readonly Notice[] {
  return classified.flatMap((one): Notice[] => {
    if (one.split === undefined || !('plan' in one)) return []
    const { charge, expect } = one.plan
    return [
      {
        code: 'customer_split',
        subscriber: one.key,
        customer: expect.goal === 'move' ? expect.customer_old : expect.customer_new,
        at: charge === null ? null : formatInstant(charge.at),
        ...(charge === null ? {} : { amount: charge.amount, currency: charge.currency }),
        message: one.split,
        fix: 'nothing, if this is intended; otherwise remove `customer_split` from `override`: the subscriptions of the customer then leave together',
      },
    ]
  })
}

/** Excluded subscribers and declared customers: the YAML gives the reason why they stay. */
export function leftInPlace({
  subscribers,
  externals,
}: Pick<Catalog, 'subscribers' | 'externals'>): ReadonlySet<string> {
  const excluded = subscribers.filter((one) => one.excluded !== undefined).map(({ key }): string => key)
  return new Set([...excluded, ...externals.map(({ source, customer }) => `${source}/${customer}`)])
}
