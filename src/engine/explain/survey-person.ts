import { splitAddress, subscriberAddress } from '../../core/address.ts'
import type { Catalog } from '../../catalog/types.ts'
import { kinds } from '../../kinds/registry.ts'
import type { Live, LiveResources } from '../../live/accounts.ts'
import { isJsonObject, type Json, type StripeObject } from '../../core/json.ts'
import type { Context } from '../context.ts'
import { compareTaxes } from '../plan/compare-taxes.ts'
import { survey, type Survey } from '../plan/survey.ts'
import { readAccount } from '../read/account.ts'
import { readOnce } from '../read/lists.ts'
import { readResources } from '../read/resources.ts'
import { asObject } from '../read/subscriptions.ts'
import type { Person } from './find-person.ts'
import { accountOfPerson } from './person-account.ts'

/** Kinds of which a new subscription names objects, and the kinds that those name. */
const namedByMoves = new Set(['product', 'price', 'coupon', 'tax_rate'])

/** Outcomes that the target's catalog or taxes can still change. */
const needsCatalog = new Set(['move', 'revert', 'blocked'])

export interface PersonSurvey {
  readonly seen: Survey
  /** The context, with the person's accounts and entries alone. */
  readonly context: Context
}

/**
 * The conclusions of a plan for one person. The lists of the target's catalog are read only where a
 * move would need its objects, so that most questions send requests about the person alone.
 */
export async function surveyPerson(context: Context, person: Person): Promise<PersonSurvey> {
  const of = (name: string): readonly string[] => person.customers.get(name) ?? []
  const { target, sources } = context.accounts
  const accounts = {
    target: await accountOfPerson(target, of(target.name)),
    sources: new Map(
      await Promise.all([...sources].map(async ([name, one]) => [name, await accountOfPerson(one, of(name))] as const)),
    ),
  }
  const [there, ...olds] = await Promise.all(
    [accounts.target, ...accounts.sources.values()].map((one) => readAccount(one, context.progress)),
  )
  if (there === undefined) throw new RangeError('a project has a target')
  const live: Live = { target: there, sources: new Map(olds.map((one) => [one.name, one])), resources: new Map() }
  const catalog = catalogOf(context.catalog, person, live)
  const keys = new Set<string>(catalog.subscribers.map(({ key }) => key))
  const { store, access: _later, ...rest } = context
  const own: Context = {
    ...rest,
    accounts,
    catalog,
    store: { ...store, subscribers: async () => (await store.subscribers()).filter(({ key }) => keys.has(key)) },
  }
  const taxRates = new Map([['tax_rate', ratesOf(live)]])
  // Without its objects, the catalog is not compared with the target.
  const first = await survey({ ...own, store: withoutObjects(own) }, { ...live, resources: taxRates })
  const isMoving = first.classified.some(({ outcome }) => needsCatalog.has(outcome))
  if (!isMoving) return { seen: first, context: own }
  const wanted = kinds.filter(({ name }) => namedByMoves.has(name))
  const resources: LiveResources = await readResources(readOnce(target), wanted)
  const whole = await survey(own, { ...live, resources })
  const { seen } = await compareTaxes(own, whole)
  return { seen, context: own }
}

/** The person's entries, and the objects of the catalog that subscriptions name. */
function catalogOf(catalog: Catalog, { customers, named }: Person, { sources }: Live): Catalog {
  const isNamed = new Set<string>(named)
  const ids = new Map([...sources].map(([name, one]) => [name, new Set(one.subscriptions.map(({ id }) => id))]))
  const isTheirs = ({ key, source, subscription, customer }: Catalog['subscribers'][number]): boolean =>
    isNamed.has(key) ||
    ids.get(source)?.has(subscription) === true ||
    customers.get(source)?.includes(customer) === true
  const isWanted = (address: string): boolean => namedByMoves.has(splitAddress(address).kind)
  const mine = new Set<string>(named.map(subscriberAddress))
  const { leftOut } = catalog
  return {
    ...catalog,
    subscribers: catalog.subscribers.filter(isTheirs),
    resources: catalog.resources.filter(({ address }) => isWanted(address)),
    removed: new Map([...catalog.removed].filter(([address]) => isWanted(address))),
    externals: catalog.externals.filter(({ source, customer }) => customers.get(source)?.includes(customer) === true),
    ...(leftOut === undefined
      ? {}
      : {
          leftOut: {
            ...leftOut,
            entries: leftOut.entries.filter(({ kind, address }) => kind !== 'subscriber' || mine.has(address)),
          },
        }),
  }
}

function withoutObjects({ store }: Context): Context['store'] {
  return { ...store, objects: () => Promise.resolve([]) }
}

/** The tax rates that the person's subscriptions in the target show. */
function ratesOf({ target }: Live): readonly StripeObject[] {
  const found = new Map<string, StripeObject>()
  for (const { default_tax_rates: own, items } of target.subscriptions.map(asObject)) {
    const data = isJsonObject(items) ? objectsOf(items['data']) : []
    for (const rate of [...objectsOf(own), ...data.flatMap((item) => objectsOf(item['tax_rates']))])
      found.set(rate.id ?? '', rate)
  }
  return [...found.values()]
}

function objectsOf(value: Json | undefined): readonly StripeObject[] {
  return Array.isArray(value) ? (value as readonly Json[]).flatMap((one) => (isStripeObject(one) ? [one] : [])) : []
}

function isStripeObject(value: Json): value is StripeObject {
  return isJsonObject(value) && typeof value['object'] === 'string'
}
