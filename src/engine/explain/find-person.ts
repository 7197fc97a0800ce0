import { settledAs } from '../../live/subscription.ts'
import type { SubscriberKey } from '../../core/address.ts'
import { splitSubscriberKey, subscriberKey } from '../../core/address.ts'
import { CommandError } from '../../core/outcome.ts'
import { idOf } from '../../core/reference.ts'
import { isJsonObject, type StripeObject } from '../../core/json.ts'
import { targetAccount } from '../../catalog/types.ts'
import type { CopyMap } from '../../handover/types.ts'
import { markFrom, oldIdOf } from '../../live/marks.ts'
import type { Context } from '../context.ts'
import type { StripeAccount } from '../ports.ts'
import { customersWith } from '../read/by-address.ts'
import { kindNamed } from '../../kinds/registry.ts'
import { byId } from '../read/by-id.ts'

/** One person in all accounts. Addresses are kept in memory only. */
export interface Person {
  /** Ids of their customers, deleted ones included, by account name. */
  readonly customers: ReadonlyMap<string, readonly string[]>
  /** Lower-cased e-mail addresses of these customers. */
  readonly addresses: readonly string[]
  /** The subscribers that the question named; empty for a customer or an address. */
  readonly named: readonly SubscriberKey[]
}

/** How often what was found leads to more: an address, a copy, the other side of a move. */
const rounds = 4
/** An address with more customers in one account belongs to no single person. */
const customersMost = 20

/**
 * Finds a person by a subscriber, an old or new subscription, a customer, or an e-mail address.
 * From there it follows the copy map, the marks of a move and the address to the customers in the
 * other accounts. Single objects and lists of one customer only.
 * @throws CommandError `nobody_found`, or when an account cannot be read
 */
export async function findPerson(
  context: Pick<Context, 'accounts' | 'catalog'>,
  asked: string,
  copyMaps: ReadonlyMap<string, CopyMap>,
): Promise<Person> {
  refuseResource(asked)
  const search = new Search(context, copyMaps)
  const named = await search.begin(asked.replace(/^subscriber\./, ''))
  for (let round = 0; round < rounds && (await search.widen()); round++);
  const person = { ...search.result(), named }
  if (named.length > 0 || [...person.customers.values()].some((ids) => ids.length > 0)) return person
  throw new CommandError('nobody_found', 'no account of this project and no subscriber file knows this person', {
    notDone: 'nothing was changed; explain only reads',
    fix: 'Give the old or new subscription (us/sub_…, target/sub_…), the customer (cus_…), or --email with the address as Stripe has it.',
  })
}

/** `price.monthly` names no person. */
function refuseResource(asked: string): void {
  const [kind = ''] = asked.split('.')
  if (kind === asked || asked.includes('@') || kindNamed(kind) === undefined) return
  throw new CommandError('not_a_subscriber', `${asked} is an object of the catalog; explain is about one subscriber`, {
    notDone: 'nothing was read',
    fix: `What would happen to the object: crossbill plan --target ${asked}`,
  })
}

class Search {
  readonly #accounts: readonly StripeAccount[]
  readonly #declared: ReadonlyMap<string, SubscriberKey>
  readonly #copyMaps: ReadonlyMap<string, CopyMap>
  readonly #customers = new Map<string, Set<string>>()
  readonly #addresses = new Set<string>()
  readonly #done = new Set<string>()

  constructor({ accounts, catalog }: Pick<Context, 'accounts' | 'catalog'>, copyMaps: ReadonlyMap<string, CopyMap>) {
    this.#accounts = [accounts.target, ...accounts.sources.values()]
    this.#declared = new Map(catalog.subscribers.map(({ subscription, key }) => [subscription, key]))
    this.#copyMaps = copyMaps
    for (const { name } of this.#accounts) this.#customers.set(name, new Set())
  }

  result(): Omit<Person, 'named'> {
    const customers = new Map([...this.#customers].map(([name, ids]) => [name, [...ids].toSorted()]))
    return { customers, addresses: [...this.#addresses].toSorted() }
  }

  /** The subscribers that the words name, if they name any. */
  async begin(asked: string): Promise<readonly SubscriberKey[]> {
    if (asked.includes('@')) {
      for (const account of this.#accounts) await this.#byAnySpelling(account, asked)
      return []
    }
    const slash = asked.indexOf('/')
    const [account, id] = slash === -1 ? [undefined, asked] : [asked.slice(0, slash), asked.slice(slash + 1)]
    const declared = this.#declared.get(id)
    const found = new Set<SubscriberKey>(declared === undefined ? [] : [declared])
    const isKnown = this.#accounts.some(({ name }) => name === account)
    for (const one of this.#accounts) {
      if (isKnown && one.name !== account) continue
      const subscription = id.startsWith('cus_') ? undefined : await byId(one, `/v1/subscriptions/${id}`)
      if (subscription !== undefined) {
        const mark = one.name === targetAccount ? await this.#follow(one, subscription) : undefined
        found.add(mark ?? (await this.#ownKey(one, subscription)))
      } else if (await byId(one, `/v1/customers/${id}`)) this.#add(one.name, id)
    }
    return [...found]
  }

  /** Follows what is known one step further. False when that led to nothing new. */
  async widen(): Promise<boolean> {
    const before = this.#size()
    for (const account of this.#accounts) {
      const ids = new Set([...this.#customers.values()].flatMap((all) => [...all]))
      for (const id of [...ids, ...this.#copies(account.name)]) await this.#customer(account, id)
      for (const address of this.#addresses) await this.#byAddress(account, address)
    }
    return this.#size() > before
  }

  #size(): number {
    return [...this.#customers.values()].reduce((sum, { size }) => sum + size, this.#addresses.size)
  }

  #add(account: string, customer: string | undefined): void {
    if (customer !== undefined) this.#customers.get(account)?.add(customer)
  }

  /** What the copy maps say about the customers that are known, seen from this account. */
  #copies(account: string): readonly string[] {
    const inTarget = this.#customers.get(targetAccount) ?? new Set()
    if (account !== targetAccount) {
      const rows = [...(this.#copyMaps.get(account)?.customers ?? [])]
      return rows.flatMap(([old, copy]) => (inTarget.has(copy) ? [old] : []))
    }
    return [...this.#copyMaps].flatMap(([source, { customers }]) =>
      [...(this.#customers.get(source) ?? [])].flatMap((old) => customers.get(old) ?? []),
    )
  }

  async #customer(account: StripeAccount, id: string): Promise<void> {
    if (this.#isDone(`${account.name} ${id}`)) return
    const found = await byId(account, `/v1/customers/${id}`)
    if (found === undefined) return
    this.#add(account.name, id)
    const { email } = found
    if (typeof email === 'string' && email.trim() !== '') this.#addresses.add(email.trim())
    if (account.name !== targetAccount) return
    for await (const one of account.list('/v1/subscriptions', { customer: id, status: 'all' }))
      await this.#follow(account, one)
  }

  /** The subscriber that a subscription of the target continues, and their old customer. */
  async #follow(target: StripeAccount, subscription: StripeObject): Promise<SubscriberKey | undefined> {
    this.#add(target.name, idOf(subscription['customer']))
    const { metadata } = subscription
    const mark = isJsonObject(metadata) ? metadata[markFrom] : undefined
    if (typeof mark !== 'string' || mark === '') return undefined
    const old = oldIdOf(mark)
    for (const account of this.#accounts) {
      if (account.name === targetAccount || this.#isDone(`${account.name} ${old}`)) continue
      const found = await byId(account, `/v1/subscriptions/${old}`)
      if (found !== undefined) this.#add(account.name, idOf(found['customer']))
    }
    const { source } = splitSubscriberKey(mark as SubscriberKey)
    return this.#declared.get(old) ?? subscriberKey(source, old)
  }

  async #ownKey(account: StripeAccount, subscription: StripeObject): Promise<SubscriberKey> {
    this.#add(account.name, idOf(subscription['customer']))
    const successor = settledAs(subscription)
    const target = this.#accounts.find(({ name }) => name === targetAccount)
    const found = successor === undefined ? undefined : await byId(target ?? account, `/v1/subscriptions/${successor}`)
    if (found !== undefined) this.#add(targetAccount, idOf(found['customer']))
    return subscriberKey(account.name, subscription.id ?? '')
  }

  /** The address is all that is known, so no spelling of it may be missed. */
  async #byAnySpelling(account: StripeAccount, address: string): Promise<void> {
    const found = await customersWith(account, address)
    if (found.length > customersMost) return
    for (const { id, email } of found) {
      this.#add(account.name, id)
      this.#addresses.add(email.trim())
    }
  }

  /**
   * For a person found by an id: Stripe compares addresses case-sensitively, so the lower-case one
   * is tried as well.
   */
  async #byAddress(account: StripeAccount, address: string): Promise<void> {
    for (const spelled of new Set([address, address.toLowerCase()])) {
      if (this.#isDone(`${account.name} ${spelled}`)) continue
      const ids: string[] = []
      for await (const { id } of account.list('/v1/customers', { email: spelled }))
        if (id !== undefined && ids.push(id) > customersMost) break
      if (ids.length <= customersMost) for (const id of ids) this.#add(account.name, id)
    }
  }

  #isDone(step: string): boolean {
    if (this.#done.has(step)) return true
    this.#done.add(step)
    return false
  }
}
