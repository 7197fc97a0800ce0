import type Stripe from 'stripe'
import { leftOutEntries } from '../../catalog/left-out.ts'
import { targetAccount, type Catalog } from '../../catalog/types.ts'
import { splitSubscriberKey, type SubscriberKey } from '../../core/address.ts'
import { CommandError } from '../../core/outcome.ts'
import { isJsonObject } from '../../core/json.ts'
import { markFrom, markHold, oldIdOf } from '../../live/marks.ts'
import type { Live, LiveAccount } from '../../live/accounts.ts'
import { readMoneyNote } from '../../live/money-note.ts'
import { isOver, settledAs } from '../../live/subscription.ts'
import { idOf } from '../../core/reference.ts'
import type { Context } from '../context.ts'
import type { StripeAccount, SubscriberRecord } from '../ports.ts'
import { sideBySide } from '../side-by-side.ts'
import { expansionsIn } from './account.ts'
import { byId } from './by-id.ts'

/**
 * More missing at once is not a delayed list: the account is a different one, or its answer was
 * empty.
 */
const missingMost = 2_000
const atOnce = 16

export interface Known {
  readonly catalog: Catalog
  readonly records: readonly SubscriberRecord[]
  /** By source name: old customer id → new one. */
  readonly customers: ReadonlyMap<string, ReadonlyMap<string, string>>
}

/**
 * Reads known objects that no list shows, by their id. A list does not prove absence: it may be
 * delayed, and few lists include the objects of a deleted customer. Only `resource_missing` by id
 * proves that an object never existed.
 * @throws CommandError when an object cannot be read, or when so many are missing that the lists
 * must be wrong
 */
export async function withKnown(context: Pick<Context, 'accounts'>, live: Live, known: Known): Promise<Live> {
  const sources = new Map<string, LiveAccount>()
  for (const [name, account] of live.sources) {
    const reachable = context.accounts.sources.get(name)
    const wanted = reachable === undefined ? [] : missingIn(account, oldIds(name, live, known))
    sources.set(name, reachable === undefined ? account : await completed(reachable, account, wanted))
  }
  const { target } = context.accounts
  const successors = missingIn(live.target, successorIds(sources, known.records))
  const here = await completed(target, live.target, successors)
  const erased = await erasedCustomers(target, waitingCustomers({ ...live, target: here, sources }, known))
  const noted = await notedInvoices(context, { sources })
  const withNoted = (account: LiveAccount): LiveAccount => {
    const theirs = noted.get(account.name)
    return theirs === undefined ? account : { ...account, noted: theirs }
  }
  return {
    ...live,
    sources: new Map([...sources].map(([name, account]) => [name, withNoted(account)])),
    target: withNoted(erased.size === 0 ? here : { ...here, erased }),
  }
}

/**
 * Invoices that notes of carried money name. They are void by now, so no list of open invoices
 * shows them; a recovery creates them in the other account from their lines. By account name.
 */
async function notedInvoices(
  context: Pick<Context, 'accounts'>,
  { sources }: Pick<Live, 'sources'>,
): Promise<ReadonlyMap<string, ReadonlyMap<string, Stripe.Invoice>>> {
  const { target, sources: reachable } = context.accounts
  const wanted = [...sources].flatMap(([name, { subscriptions }]) =>
    subscriptions.flatMap((old) => {
      const note = readMoneyNote(old)
      const account = note?.to === 'target' ? reachable.get(name) : note?.to === 'source' ? target : undefined
      if (account === undefined || isOver(old)) return []
      const named = note?.pieces.flatMap(({ piece }) => (piece.kind === 'invoice' ? [piece.id] : [])) ?? []
      return named.map((id) => ({ account, id }))
    }),
  )
  const found = new Map<string, Map<string, Stripe.Invoice>>()
  for (const { account, id } of wanted) {
    const one = await byId(account, `/v1/invoices/${id}`)
    if (one !== undefined)
      found.set(account.name, (found.get(account.name) ?? new Map()).set(id, one as unknown as Stripe.Invoice))
  }
  return found
}

function missingIn({ subscriptions }: LiveAccount, ids: Iterable<string>): readonly string[] {
  const there = new Set(subscriptions.map(({ id }) => id))
  return [...new Set(ids)].filter((id) => !there.has(id))
}

/** Old subscriptions from the YAML, the store, and the marks of their successors. */
function oldIds(source: string, { target, sources }: Live, { catalog, records }: Known): readonly string[] {
  const keys: readonly string[] = [
    ...catalog.subscribers.filter(({ excluded }) => excluded === undefined).map(({ key }) => key),
    ...leftOutEntries(catalog).flatMap(({ kind, key }) => (kind === 'subscriber' ? [key] : [])),
    ...records.map(({ key }) => key),
    ...target.subscriptions.map(({ metadata }) => metadata[markFrom] ?? ''),
  ]
  // A source of another name was renamed or removed: any source may hold the subscription.
  const isKnown = (name: string): boolean => name === targetAccount || sources.has(name)
  const listed = new Set([...sources.values()].flatMap(({ subscriptions }) => subscriptions.map(({ id }) => id)))
  return keys
    .map((key) => splitSubscriberKey(key as SubscriberKey))
    .filter(
      (one) =>
        one.source === source || (one.subscription !== '' && !isKnown(one.source) && !listed.has(one.subscription)),
    )
    .map(({ subscription }) => subscription)
}

/**
 * New subscriptions from the store, and from the comments of settled old subscriptions that name
 * them.
 */
function successorIds(
  sources: ReadonlyMap<string, LiveAccount>,
  records: readonly SubscriberRecord[],
): readonly string[] {
  const stored = records.flatMap(({ facts }) => (typeof facts['successor'] === 'string' ? [facts['successor']] : []))
  const named = [...sources.values()].flatMap(({ subscriptions }) =>
    subscriptions.flatMap((one) => settledAs(one) ?? []),
  )
  return [...stored, ...named].filter((id) => id.startsWith('sub_'))
}

async function completed(account: StripeAccount, live: LiveAccount, ids: readonly string[]): Promise<LiveAccount> {
  if (ids.length === 0) return live
  if (ids.length > missingMost)
    throw new CommandError(
      'list_incomplete',
      `account ${account.name} lists none of ${ids.length} subscriptions that are known to exist`,
      {
        notDone: 'nothing was decided from this answer',
        fix: `check accounts.${account.name} in catalog/project.yaml, then run it again`,
      },
    )
  const found: Stripe.Subscription[] = []
  await sideBySide(
    ids.map((id) => [id]),
    atOnce,
    async (id) => {
      const one = await byId(account, `/v1/subscriptions/${id}`, expansionsIn(account.name))
      // The adapter returns what Stripe sent; the types are the SDK's for the pinned version.
      if (one !== undefined) found.push(one as unknown as Stripe.Subscription)
      return true
    },
  )
  return { ...live, subscriptions: [...live.subscriptions, ...found.toSorted((a, b) => (a.id < b.id ? -1 : 1))] }
}

/**
 * Customers of the target whose held old subscription waits for a successor, and whom no list
 * shows.
 */
function waitingCustomers({ sources, target }: Live, { customers }: Known): readonly string[] {
  const alive = new Set(target.subscriptions.map(({ metadata }) => oldIdOf(metadata[markFrom])))
  const waiting = [...sources].flatMap(([source, account]) =>
    account.subscriptions
      .filter(({ id, metadata }) => metadata[markHold] !== undefined && !alive.has(id))
      .map((one) => customers.get(source)?.get(idOf(one.customer)) ?? idOf(one.customer)),
  )
  return [...new Set(waiting)].filter((id) => !target.customers.has(id))
}

async function erasedCustomers(target: StripeAccount, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const erased = new Set<string>()
  await sideBySide(
    ids.map((id) => [id]),
    atOnce,
    async (id) => {
      const one = await byId(target, `/v1/customers/${id}`)
      if (isJsonObject(one) && one['deleted'] === true) erased.add(id)
      return true
    },
  )
  return erased
}
