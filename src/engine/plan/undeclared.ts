import type Stripe from 'stripe'
import { mayBeDeclared } from '../../catalog/left-out.ts'
import type { Catalog } from '../../catalog/types.ts'
import { subscriberKey, type SubscriberKey } from '../../core/address.ts'
import { idOf } from '../../core/reference.ts'
import type { Live } from '../../live/accounts.ts'
import { whereaboutsOf, type Whereabouts } from '../../pull/whereabouts.ts'
import { hasBegun } from '../../live/subscription.ts'
import type { Notice } from '../../plan/types.ts'

/**
 * Live subscriptions that no subscriber file declares: a file was deleted, renamed or moved, or an
 * id has a spelling mistake. A plan works through the entries, so no other list of it names them.
 * Each one that this project moved has a notice; the others share one for each account.
 */
export function undeclaredNotices(catalog: Catalog, live: Live): readonly Notice[] {
  const bySource = Map.groupBy(undeclaredIn(catalog, live), ({ source }) => source)
  return [...bySource.values()].flatMap((found): Notice[] => {
    const waiting = found.filter(({ place }) => place === undefined)
    return [
      ...found.flatMap((one) => (one.place !== undefined && 'stage' in one.place ? [moved(one)] : [])),
      ...waiting.slice(0, 1).map((first) => neverMoved(first, waiting.length)),
    ]
  })
}

interface Undeclared {
  readonly source: string
  readonly key: SubscriberKey
  readonly old: Stripe.Subscription
  /** Undefined for one that was never moved. */
  readonly place: Whereabouts | undefined
}

/** Live subscriptions of the sources that the catalog does not name, without another project's. */
export function undeclaredIn(catalog: Catalog, { target, sources }: Live): readonly Undeclared[] {
  const declared = new Set<string>(catalog.subscribers.map(({ key }) => key))
  const left = new Set(catalog.externals.map(({ source, customer }) => `${source}/${customer}`))
  const places = whereaboutsOf(catalog.project.name, target, [...sources.values()])
  return [...sources.values()].flatMap(({ name: source, subscriptions }) =>
    subscriptions.flatMap((old): Undeclared[] => {
      const key = subscriberKey(source, old.id)
      const place = places.get(key)
      const isKnown =
        declared.has(key) || mayBeDeclared(catalog, source, key) || left.has(`${source}/${idOf(old.customer)}`)
      const isOthers = place !== undefined && 'project' in place
      return isKnown || isOthers || !hasBegun(old) ? [] : [{ source, key, old, place }]
    }),
  )
}

function moved({ source, key, old }: Undeclared): Notice {
  return {
    code: 'undeclared_subscription',
    subscriber: key,
    customer: idOf(old.customer),
    at: null,
    message: `${old.id} of ${source} was moved and is in no subscriber file, so no plan settles, reverts or corrects it`,
    fix: `put the entry back, or run crossbill pull --source ${source}, which writes it with its stage`,
  }
}

function neverMoved({ source, key, old }: Undeclared, count: number): Notice {
  const all =
    count === 1 ? `${old.id} of ${source} is` : `${count} subscriptions of ${source} (the first is ${old.id}) are`
  return {
    code: 'undeclared_subscription',
    subscriber: key,
    customer: idOf(old.customer),
    at: null,
    message: `${all} in no subscriber file, so no plan moves ${count === 1 ? 'it' : 'them'}`,
    fix: `crossbill pull --source ${source}, then put each into a wave or exclude it with a reason; crossbill verify lists each`,
  }
}
