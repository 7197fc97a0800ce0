// The world: one clock, several accounts, one change log. Everything in it is a row of a table.
//
// How a resource file is written (products, much shortened):
//
// interface ProductRow extends Row { readonly name: string; readonly metadata: Metadata }        //
// plain JSON, immutable: to change one, put a new one export const products:
// TableDefinition<ProductRow> = { name: 'products', indexes: { name: (row) => row.name } }
//
//   export const productModule: Module = {
//     routes: [
//       route('POST', '/v1/products', {
//         permission: 'products',
//         params: fields({ id: text(), name: required(text()), metadata: metadata(), description: emptyable(text()) }),   // closed: other keys → parameter_unknown
//         handle(context, params) {                                                                   // params is typed by the schema; null = unset by ''
//           const row = context.table(products).put({ id: params.id ?? context.newId('prod'), created: context.now,
//             name: params.name, metadata: mergeMetadata({}, params.metadata) })
//           const object = renderProduct(context, row)
//           context.emit('product.created', object)                                                   // event log and webhooks
//           context.schedule(instant(context.now + 3_600), 'product.example', row.id)                 // due work on the clock
//           return object                                                                             // ids stay ids: the router expands
//         },
//       }),
//       route('GET', '/v1/products', {
//         permission: 'products',
//         params: fields({ ...paging, active: flag(), created: range() }),
//         handle: (context, params) =>
//           listPage(context, params, { table: products, url: '/v1/products', keep: (row) => …, render: renderProduct }),   // pass by: ['customer', id] to walk an index
//       }),
//     ],
//     objects: { prod: (context, id) => … },            // expand[]: how an id of this prefix becomes an object
//     includable: { price: ['tiers'] },                 // fields shown only when expanded; render them always, the router cuts them
//     includes: { customer: { sources: … } },           // fields made only when expanded, of other modules' objects too
//     reactions: { 'customer.deleted': … },             // what this resource does when something happens to another: context.react('customer.deleted', id)
//     due: { 'product.example': { rank: 100, run: (context, id) => … } },
//     acts: { … }, control: { 'GET charges': … },       // POST /_sandbox/act, /_sandbox/<name>
//   }
//
// Then one line in `modules.ts`. A request is a transaction: what a handler wrote before it throws
// is undone (unless the error `keeps`, as a declined payment does); what it wrote before it
// returned is saved to the storage before it is answered. Handlers are synchronous.
import { Bug, present } from '../../core/assert.ts'
import { instant, secondsPerDay, type Instant } from '../../core/instant.ts'
import type { Account, AccountSettings } from './account.ts'
import { Context } from './context.ts'
import { pruneEvents, type Listener } from './events.ts'
import { pruneAnswers } from './idempotency.ts'
import { Expander } from './expand.ts'
import type { RateLimits } from './limits.ts'
import type { DueWork, HttpAnswer, HttpRequest, Module } from './module.ts'
import { DueQueue, dueTable, type DueRow } from './queue.ts'
import { Shelves, type Space } from './shelves.ts'
import type { Change, Row, StoredRow, TableDefinition } from './tables.ts'
import { defaultWorld, type Unsure } from './unsure.ts'

/** Where a world is kept between processes. `save` returns when the changes are durable. */
export interface WorldStorage {
  load(): Iterable<StoredRow>
  save(changes: readonly Change[]): void
}

interface Setting extends Row {
  readonly value: unknown
}

const settings: TableDefinition<Setting> = { name: 'settings' }

export interface WorldOptions {
  readonly clock: Instant
  readonly seed: number
  readonly livemode: boolean
  readonly accounts: readonly { readonly name: string; readonly settings: AccountSettings }[]
  readonly modules: readonly Module[]
  readonly storage?: WorldStorage
  /**
   * False: no events are kept or delivered unless an endpoint listens (a rehearsal of many months).
   */
  readonly keepEvents?: boolean
  /** Fills a new world, and a reset one. */
  readonly populate?: ((world: World) => void) | undefined
  /** Other readings of what Stripe's documents leave open. */
  readonly unsure?: Partial<Unsure> | undefined
  /** How webhooks and hooks leave the world; none: they wait. */
  readonly deliver?: typeof globalThis.fetch
}

export class World {
  readonly seed: number
  readonly livemode: boolean
  readonly modules: readonly Module[]
  readonly listeners: readonly Listener[]
  readonly queue: DueQueue
  /** Switched off while a past is built. */
  keepEvents: boolean
  readonly expander: Expander
  /** This world's choice of all that the documents leave open. */
  readonly unsure: Unsure = defaultWorld()
  /** How fast one may ask; nothing: as fast as one likes. */
  limits: RateLimits | undefined = undefined
  /** Requests that name another API version are refused. */
  strictVersion = false
  /** Executes a request now, as if it had just come in; set by whoever answers for this world. */
  perform: ((request: HttpRequest) => HttpAnswer) | undefined = undefined
  /** How webhooks leave; a server sets it when it was not given. */
  deliver: typeof globalThis.fetch | undefined
  /** Deliveries under way; the clock waits for them before it goes on. */
  readonly deliveries = new Set<Promise<void>>()
  readonly accounts = new Map<string, Account>()
  readonly #options: WorldOptions
  readonly #shelves: Shelves
  readonly #due = new Map<string, DueWork>()
  #now: Instant
  #forgotten: Instant

  constructor(options: WorldOptions) {
    this.#options = options
    this.seed = options.seed
    this.livemode = options.livemode
    this.modules = options.modules
    this.listeners = options.modules.flatMap((module) => module.listener ?? [])
    this.expander = new Expander(options.modules)
    this.keepEvents = options.keepEvents ?? true
    this.deliver = options.deliver
    this.#now = options.clock
    this.#forgotten = options.clock
    for (const module of options.modules)
      for (const [kind, work] of Object.entries(module.due ?? {})) {
        if (this.#due.has(kind)) throw new Bug(`due work ${kind} is declared twice`)
        this.#due.set(kind, work)
      }
    this.#shelves = new Shelves(options.seed, options.storage?.load() ?? [])
    this.queue = new DueQueue(this.#shelves.table('world/due', dueTable))
    for (const account of options.accounts) this.accounts.set(account.name, this.#open(account))
    const clock = this.#setting('clock')
    Object.assign(this.unsure, options.unsure, this.#setting('unsure'))
    if (clock === undefined) this.#begin()
    else this.#now = instant(Number(clock))
    this.commit()
  }

  get now(): Instant {
    return this.#now
  }

  /** Another number after every change: what was read under the same one is still true. */
  get turn(): number {
    return this.#shelves.log.turns
  }

  /** Another set of tables in this world, saved and copied with it (`kajabi`). */
  space(name: string): Space {
    return this.#shelves.space(name)
  }

  account(name: string): Account {
    return present(this.accounts.get(name), `account ${name}`)
  }

  schedule(space: Space, at: Instant, work: { kind: string; key: string }): void {
    const rank = present(this.#due.get(work.kind), `due work ${work.kind}`).rank
    this.queue.schedule({ space: space.name, at, rank, ...work })
  }

  /**
   * Runs a request's work as one transaction; saves before returning. What could not be saved did
   * not happen.
   */
  transact<T>(work: () => T): T {
    try {
      const result = work()
      this.commit()
      return result
    } catch (error) {
      if (keeps(error)) this.commit()
      else this.#shelves.log.rollback()
      throw error
    }
  }

  commit(): void {
    const { log } = this.#shelves
    if (log.size === 0) return
    try {
      this.#options.storage?.save(log.changes())
      log.discard()
    } catch (error) {
      this.#undo()
      throw error
    }
  }

  /** Back to what was saved last. */
  #undo(): void {
    this.#shelves.log.rollback()
    this.queue.rebuild()
    this.#now = instant(Number(this.#setting('clock')))
  }

  /**
   * Plays everything due until an instant, in order, each piece of work at its own instant. Rejects
   * a step back.
   */
  async advance(to: Instant): Promise<void> {
    if (to < this.#now) throw new RangeError('the clock only goes forward')
    for (let played = 1; ; played++) {
      const work = this.queue.take(to)
      if (work === undefined) break
      this.#performOrUndo(work)
      if (this.#now >= this.#forgotten + secondsPerDay) this.#forget()
      const pause = played % 2_000 === 0
      if (this.#shelves.log.size > 2_000 || this.deliveries.size > 0 || pause) this.commit()
      // What is delivered may cause more; a receiver acts at the instant it heard.
      while (this.deliveries.size > 0) await Promise.all(this.deliveries)
      // A server answers others meanwhile.
      if (pause) await new Promise((resolve) => setImmediate(resolve))
    }
    this.#setNow(to)
    this.#forget()
    this.commit()
  }

  /** Lets go of what Stripe keeps only for a time. */
  #forget(): void {
    this.#forgotten = this.#now
    for (const account of this.accounts.values()) {
      const context = new Context(this, account)
      pruneEvents(context)
      pruneAnswers(context)
    }
  }

  /** As `advance`, in one go: for building a world's past, before anybody listens to it. */
  play(to: Instant): void {
    for (let work = this.queue.take(to); work !== undefined; work = this.queue.take(to)) this.#perform(work)
    this.#setNow(to)
  }

  #perform(work: DueRow): void {
    this.#setNow(work.at)
    const run = present(this.#due.get(work.kind), `due work ${work.kind}`).run
    const account = this.accounts.get(work.space)
    if (account === undefined) throw new Bug(`due work for the unknown account ${work.space}`)
    run(new Context(this, account), work.key)
  }

  /** A mistake in a piece of work leaves the world as it was last saved. */
  #performOrUndo(work: DueRow): void {
    try {
      this.#perform(work)
    } catch (error) {
      this.#undo()
      throw error
    }
  }

  /** How many rows each table of each space has. */
  counts(): Record<string, Record<string, number>> {
    return this.#shelves.counts()
  }

  /** Every row of the world, as a storage keeps them. */
  dump(): Iterable<StoredRow> {
    return this.#shelves.dump()
  }

  /** Changes what is set in the Dashboard of an account; kept with the world. */
  configure(name: string, changes: Partial<AccountSettings>): void {
    const account = this.account(name)
    account.settings = { ...account.settings, ...changes }
    this.transact(() => this.#putSetting(`account/${name}`, account.settings))
  }

  /** Switches this world to other readings; kept with it. */
  choose(choices: Partial<Unsure>): void {
    Object.assign(this.unsure, choices)
    this.transact(() => this.#putSetting('unsure', { ...this.unsure }))
  }

  /**
   * Another world with the same rows, clock and switches, kept in memory alone; from here on each
   * lives its own life.
   */
  twin(): World {
    const { storage: _storage, populate: _populate, ...options } = this.#options
    const twin = new World({ ...options, clock: this.#now, keepEvents: this.keepEvents })
    twin.#shelves.copyFrom(this.#shelves)
    twin.queue.rebuild()
    Object.assign(twin.unsure, this.unsure)
    twin.strictVersion = this.strictVersion
    for (const [name, { settings: own }] of this.accounts) twin.account(name).settings = own
    return twin
  }

  /** Everything gone, and begun anew as at first. */
  reset(): void {
    this.#shelves.clear()
    this.queue.rebuild()
    this.#now = this.#options.clock
    this.#forgotten = this.#now
    this.#begin()
    this.commit()
  }

  #begin(): void {
    this.#putSetting('clock', this.#now)
    this.#options.populate?.(this)
  }

  #open(about: { readonly name: string; readonly settings: AccountSettings }): Account {
    const { name, settings: own } = about
    const letters = `${name.charAt(0).toUpperCase()}${name.slice(1).replaceAll(/[^A-Za-z0-9]/g, '')}`
    return {
      ...this.#shelves.space(name),
      accountId: `acct_1Sandbox${letters.padEnd(8, '0')}`,
      key: `sk_${this.livemode ? 'live' : 'test'}_sandbox_${name}`,
      longKey: `sk_${this.livemode ? 'live' : 'test'}_51Sandbox${letters.padEnd(24, '0')}`,
      settings: { ...own, ...(this.#setting(`account/${name}`) as Partial<AccountSettings> | undefined) },
    }
  }

  #setNow(at: Instant): void {
    if (at <= this.#now) return
    this.#now = at
    this.#putSetting('clock', at)
  }

  #setting(id: string): unknown {
    return this.#shelves.table('world/settings', settings).get(id)?.value
  }

  #putSetting(id: string, value: unknown): void {
    this.#shelves.table('world/settings', settings).put({ id, created: 0, value })
  }
}

function keeps(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'keeps' in error && error.keeps === true
}
