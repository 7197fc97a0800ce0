// The world: one clock, several accounts, one change log. Everything in it is a row of a table.
//
// A resource file, shortened (products):
//
//   // Rows are plain JSON and immutable: to change a row, put a new one.
//   interface ProductRow extends Row { readonly name: string; readonly metadata: Metadata }
//   export const products: TableDefinition<ProductRow> = {
//     name: 'products',
//     indexes: { name: (row) => row.name },
//   }
//
//   export const productModule: Module = {
//     routes: [
//       route('POST', '/v1/products', {
//         permission: 'products',
//         // Closed: an unknown key is refused with `parameter_unknown`.
//         params: fields({ id: text(), name: required(text()), metadata: metadata() }),
//         // The schema gives `params` its type; null means that `''` unset the value.
//         handle(context, params) {
//           const row = context.table(products).put({
//             id: params.id ?? context.newId('prod'),
//             created: context.now,
//             name: params.name,
//             metadata: mergeMetadata({}, params.metadata),
//           })
//           const object = renderProduct(context, row)
//           context.emit('product.created', object) // to the event log and to webhooks
//           context.schedule(instant(context.now + 3_600), 'product.example', row.id)
//           return object // with ids: the router expands them
//         },
//       }),
//       route('GET', '/v1/products', {
//         permission: 'products',
//         params: fields({ ...paging, active: flag(), created: range() }),
//         // `by: ['customer', id]` reads an index instead of the whole table.
//         handle: (context, params) =>
//           listPage(context, params, { table: products, url: '/v1/products', keep, render }),
//       }),
//     ],
//     // How `expand[]` turns an id with this prefix into an object.
//     objects: { prod: (context, id) => … },
//     // Fields shown only when expanded: always render them, the router omits them.
//     includable: { price: ['tiers'] },
//     // Fields made only when expanded, also in objects of other modules.
//     includes: { customer: { sources: … } },
//     // What this module does after `context.react('customer.deleted', id)`.
//     reactions: { 'customer.deleted': … },
//     due: { 'product.example': { rank: 100, run: (context, id) => … } },
//     // POST /_sandbox/act, /_sandbox/<name>
//     acts: { … }, control: { 'GET charges': … },
//   }
//
// `modules.ts` then lists the module. A request is a transaction. When a handler throws, what it
// wrote is undone (unless the error `keeps`, as a declined payment does); when it returns, what it
// wrote is saved to the storage before the answer. Handlers are synchronous.
import { Bug, present } from '../../core/assert.ts'
import { instant, secondsPerDay, type Instant } from '../../core/instant.ts'
import type { Account, AccountSettings } from './account.ts'
import { Context } from './context.ts'
import { pruneEvents, type Listener } from './events.ts'
import { pruneAnswers } from './idempotency.ts'
import { Expander } from './expand.ts'
import type { RateLimits } from './limits.ts'
import type { DueWork, HttpAnswer, HttpRequest, Module } from './module.ts'
import { testClocks } from './clock-rows.ts'
import { DueQueue, dueTable, type DueRow } from './queue.ts'
import { Shelves, type Space } from './shelves.ts'
import type { Change, Row, StoredRow, TableDefinition } from './tables.ts'
import { defaultWorld, type Unsure } from './unsure.ts'

/** Where a world is stored between processes. `save` returns when the changes are durable. */
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
   * False: events are kept and delivered only while an endpoint listens (for a rehearsal of many
   * months).
   */
  readonly keepEvents?: boolean
  /** Fills a new world, and a reset one. */
  readonly populate?: ((world: World) => void) | undefined
  /** Readings that differ from the default where Stripe's documents leave something open. */
  readonly unsure?: Partial<Unsure> | undefined
  /** Sends webhooks and hooks out of the world; without it they wait. */
  readonly deliver?: typeof globalThis.fetch
}

export class World {
  readonly seed: number
  readonly livemode: boolean
  readonly modules: readonly Module[]
  readonly listeners: readonly Listener[]
  readonly queue: DueQueue
  /** False while a past is built. */
  keepEvents: boolean
  readonly expander: Expander
  /** This world's reading of everything that the documents leave open. */
  readonly unsure: Unsure = defaultWorld()
  /** The rate limits; undefined: none. */
  limits: RateLimits | undefined = undefined
  /** Requests that name another API version are refused. */
  strictVersion = false
  /** Executes a request now, as if it had just arrived; the router of this world sets it. */
  perform: ((request: HttpRequest) => HttpAnswer) | undefined = undefined
  /** Sends webhooks; a server sets it when the options do not. */
  deliver: typeof globalThis.fetch | undefined
  /** Where Stripe's own pages are. A server sets its own address, so that a browser opens them. */
  hosted = 'https://checkout.stripe.com'
  /** Deliveries in progress; the clock waits for them before it continues. */
  readonly deliveries = new Set<Promise<void>>()
  readonly accounts = new Map<string, Account>()
  readonly #options: WorldOptions
  readonly #shelves: Shelves
  readonly #due = new Map<string, DueWork>()
  /** The queues of test clocks. */
  readonly #queues = new Map<string, DueQueue>()
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

  /**
   * A number that grows with every change: as long as it stays the same, earlier reads are valid.
   */
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

  schedule(space: Space, at: Instant, work: { kind: string; key: string; clock?: string | undefined }): void {
    const { kind, key, clock } = work
    const rank = present(this.#due.get(kind), `due work ${kind}`).rank
    this.queueOf(clock).schedule({ space: space.name, at, rank, kind, key })
  }

  /** What is due on a test clock, or in the world's own time. */
  queueOf(clock: string | undefined): DueQueue {
    if (clock === undefined) return this.queue
    const known = this.#queues.get(clock)
    if (known !== undefined) return known
    const queue = new DueQueue(this.#shelves.table(`world/due@${clock}`, dueTable))
    this.#queues.set(clock, queue)
    return queue
  }

  /** The time that a test clock of the account shows, or the world's own. */
  timeOf(account: Account, clock: string | undefined): Instant {
    return (clock === undefined ? undefined : account.table(testClocks).get(clock)?.frozen_time) ?? this.#now
  }

  /** Drops what is due on a clock that was deleted. */
  forgetClock(clock: string): void {
    const { table } = this.queueOf(clock)
    for (const row of table.all()) table.delete(row.id)
  }

  /** Plays everything that is due on a test clock until an instant. */
  playClock(account: Account, clock: string, to: Instant): void {
    const queue = this.queueOf(clock)
    const show = (at: Instant): void => {
      const row = present(account.table(testClocks).get(clock), clock)
      if (at > row.frozen_time) account.table(testClocks).put({ ...row, frozen_time: at })
    }
    for (let work = queue.take(to); work !== undefined; work = queue.take(to)) {
      show(work.at)
      present(this.#due.get(work.kind), `due work ${work.kind}`).run(new Context(this, account, { clock }), work.key)
    }
    show(to)
  }

  /**
   * Runs the work of a request as one transaction and saves before it returns. Work that could not
   * be saved is undone.
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

  /** Returns to the state that was saved last. */
  #undo(): void {
    this.#shelves.log.rollback()
    this.#queues.clear()
    this.queue.rebuild()
    this.#now = instant(Number(this.#setting('clock')))
  }

  /**
   * Plays everything due until an instant, in order, each piece of work at its own instant. Rejects
   * an earlier instant.
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
      // A delivery may cause more work; a receiver acts at the instant of the delivery.
      while (this.deliveries.size > 0) await Promise.all(this.deliveries)
      // A server answers other requests meanwhile.
      if (pause) await new Promise((resolve) => setImmediate(resolve))
    }
    this.#setNow(to)
    this.#forget()
    this.commit()
  }

  /** Deletes what Stripe keeps only for a limited time. */
  #forget(): void {
    this.#forgotten = this.#now
    for (const account of this.accounts.values()) {
      const context = new Context(this, account)
      pruneEvents(context)
      pruneAnswers(context)
    }
  }

  /** As `advance`, but synchronous: to build a world's past before any client uses it. */
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

  /** A fault in a piece of work leaves the world as it was last saved. */
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

  /** Every row of the world, in the form that a storage keeps. */
  dump(): Iterable<StoredRow> {
    return this.#shelves.dump()
  }

  /** Changes the Dashboard settings of an account; stored with the world. */
  configure(name: string, changes: Partial<AccountSettings>): void {
    const account = this.account(name)
    account.settings = { ...account.settings, ...changes }
    this.transact(() => this.#putSetting(`account/${name}`, account.settings))
  }

  /** Changes this world's readings; stored with it. */
  choose(choices: Partial<Unsure>): void {
    Object.assign(this.unsure, choices)
    this.transact(() => this.#putSetting('unsure', { ...this.unsure }))
  }

  /**
   * Another world with the same rows, clock and switches, in memory only. The two do not affect
   * each other.
   */
  copy(): World {
    const { storage: _storage, populate: _populate, ...options } = this.#options
    const copy = new World({ ...options, clock: this.#now, keepEvents: this.keepEvents })
    copy.#shelves.copyFrom(this.#shelves)
    copy.queue.rebuild()
    Object.assign(copy.unsure, this.unsure)
    copy.strictVersion = this.strictVersion
    copy.hosted = this.hosted
    for (const [name, { settings: own }] of this.accounts) copy.account(name).settings = own
    return copy
  }

  /** Deletes everything and fills the world again as at first. */
  reset(): void {
    this.#shelves.clear()
    this.#queues.clear()
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
