// The world: one clock, several accounts, one change log. Everything in it is a row of a table.
//
// How a resource file is written (products, much shortened):
//
//   interface ProductRow extends Row { readonly name: string; readonly metadata: Metadata }        // plain JSON, immutable: to change one, put a new one
//   export const products: TableDefinition<ProductRow> = { name: 'products', indexes: { name: (row) => row.name } }
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
//     includable: { product: ['…'] },                   // fields shown only when expanded; render them always, the router cuts them
//     due: { 'product.example': { rank: 100, run: (context, id) => … } },
//     acts: { … }, control: { 'GET charges': … },       // POST /_sandbox/act, /_sandbox/<name>
//   }
//
// Then one line in `modules.ts`. A request is a transaction: what a handler wrote before it throws is undone (unless the error `keeps`, as a declined
// payment does); what it wrote before it returned is saved to the storage before it is answered. Handlers are synchronous.
import { Bug, present } from '../../core/assert.ts'
import { instant, secondsPerDay, type Instant } from '../../core/instant.ts'
import type { Account, AccountSettings } from './account.ts'
import { Context } from './context.ts'
import { pruneEvents } from './events.ts'
import { pruneAnswers } from './idempotency.ts'
import { Expander } from './expand.ts'
import { idFor } from './ids.ts'
import type { RateLimits } from './limits.ts'
import type { DueWork, Module } from './module.ts'
import { DueQueue, type DueRow } from './queue.ts'
import { ChangeLog, Table, type Change, type Row, type StoredRow, type TableDefinition } from './tables.ts'

/** Where a world is kept between processes. `save` returns when the changes are durable. */
export interface WorldStorage {
  load(): Iterable<StoredRow>
  save(changes: readonly Change[]): void
}

/** Behaviour Stripe does not document clearly; each can be switched to the other reading. */
export interface Unsure {
  /** Updating a subscription before a future anchor (proration none) unsets its discounts. */
  discounts_unset_before_anchor: boolean
  /** A trial's $0 invoice uses up a `once` coupon. */
  zero_invoice_consumes_once: boolean
  /** A subscription created with `backdate_start_date` starts its coupons there. */
  discount_starts_backdated: boolean
}

interface Counter extends Row {
  readonly count: number
}
interface Setting extends Row {
  readonly value: unknown
}

const counters: TableDefinition<Counter> = { name: 'counters' }
const settings: TableDefinition<Setting> = { name: 'settings' }

/** A set of tables with ids of its own: an account, or another service of the world (`kajabi`). */
export interface Space {
  readonly name: string
  table<R extends Row>(definition: TableDefinition<R>): Table<R>
  /** The next id of a prefix (`prod` → `prod_…`). */
  newId(prefix: string): string
}

export interface WorldOptions {
  readonly clock: Instant
  readonly seed: number
  readonly livemode: boolean
  readonly accounts: readonly { readonly name: string; readonly settings: AccountSettings }[]
  readonly modules: readonly Module[]
  readonly storage?: WorldStorage
  /** False: no events are kept or delivered unless an endpoint listens (a rehearsal of many months). */
  readonly keepEvents?: boolean
  /** Fills a new world, and a reset one. */
  readonly populate?: ((world: World) => void) | undefined
  /** How webhooks and hooks leave the world; none: they wait. */
  readonly deliver?: typeof globalThis.fetch
}

export class World {
  readonly seed: number
  readonly livemode: boolean
  readonly modules: readonly Module[]
  readonly queue: DueQueue
  /** Switched off while a past is built. */
  keepEvents: boolean
  readonly expander: Expander
  readonly unsure: Unsure = {
    discounts_unset_before_anchor: true,
    zero_invoice_consumes_once: false,
    discount_starts_backdated: true,
  }
  /** How fast one may ask; nothing: as fast as one likes. */
  limits: RateLimits | undefined = undefined
  /** How webhooks leave; a server sets it when it was not given. */
  deliver: typeof globalThis.fetch | undefined
  /** Deliveries under way; the clock waits for them before it goes on. */
  readonly deliveries = new Set<Promise<void>>()
  readonly accounts = new Map<string, Account>()
  readonly #options: WorldOptions
  readonly #log = new ChangeLog()
  readonly #storage: WorldStorage | undefined
  readonly #tables = new Map<string, Table<Row>>()
  readonly #spaces = new Map<string, Space>()
  readonly #due = new Map<string, DueWork>()
  /** Rows the storage brought, until their table is first asked for. */
  readonly #loaded = new Map<string, string[]>()
  readonly #beginning: Instant
  readonly #populate: WorldOptions['populate']
  #now: Instant
  #forgotten: Instant

  constructor(options: WorldOptions) {
    this.#options = options
    this.seed = options.seed
    this.livemode = options.livemode
    this.modules = options.modules
    this.expander = new Expander(options.modules)
    this.keepEvents = options.keepEvents ?? true
    this.deliver = options.deliver
    this.#storage = options.storage
    this.#now = options.clock
    this.#forgotten = options.clock
    this.#beginning = options.clock
    this.#populate = options.populate
    for (const module of options.modules)
      for (const [kind, work] of Object.entries(module.due ?? {})) {
        if (this.#due.has(kind)) throw new Bug(`due work ${kind} is declared twice`)
        this.#due.set(kind, work)
      }
    for (const { table, value } of options.storage?.load() ?? []) {
      const rows = this.#loaded.get(table)
      if (rows === undefined) this.#loaded.set(table, [value])
      else rows.push(value)
    }
    this.queue = new DueQueue(this.#log)
    this.#tables.set('world/due', this.queue.table as unknown as Table<Row>)
    this.queue.table.load(this.#loaded.get('world/due') ?? [])
    this.#loaded.delete('world/due')
    this.queue.rebuild()
    const clock = this.#setting('clock')
    for (const account of options.accounts) this.#open(account)
    if (clock === undefined) {
      this.#putSetting('clock', this.#now)
      this.#begin()
    } else this.#now = instant(Number(clock))
    this.commit()
  }

  get now(): Instant {
    return this.#now
  }

  /** Another set of tables in this world, saved and copied with it (`kajabi`). */
  space(name: string): Space {
    let space = this.#spaces.get(name)
    if (space === undefined) this.#spaces.set(name, (space = this.#newSpace(name)))
    return space
  }

  account(name: string): Account {
    return present(this.accounts.get(name), `account ${name}`)
  }

  schedule(space: Space, at: Instant, work: { kind: string; key: string }): void {
    const rank = present(this.#due.get(work.kind), `due work ${work.kind}`).rank
    this.queue.schedule({ space: space.name, at, rank, ...work })
  }

  /** Runs a request's work as one transaction; saves before returning. */
  transact<T>(work: () => T): T {
    try {
      const result = work()
      this.commit()
      return result
    } catch (error) {
      if (keeps(error)) this.commit()
      else {
        this.#log.rollback()
        this.queue.rebuild()
      }
      throw error
    }
  }

  commit(): void {
    if (this.#log.size === 0) return
    if (this.#storage === undefined) this.#log.discard()
    else this.#storage.save(this.#log.commit())
  }

  /** Plays everything due until an instant, in order, each piece of work at its own instant. Rejects a step back. */
  async advance(to: Instant): Promise<void> {
    if (to < this.#now) throw new RangeError('the clock only goes forward')
    for (let played = 1; ; played++) {
      const work = this.queue.take(to)
      if (work === undefined) break
      this.#perform(work)
      if (this.#now >= this.#forgotten + secondsPerDay) this.#forget()
      const pause = played % 2_000 === 0
      if (this.#log.size > 2_000 || this.deliveries.size > 0 || pause) this.commit()
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
    if (work.at > this.#now) this.#setNow(work.at)
    const run = present(this.#due.get(work.kind), `due work ${work.kind}`).run
    const account = this.accounts.get(work.space)
    if (account === undefined) throw new Bug(`due work for the unknown account ${work.space}`)
    run(new Context(this, account), work.key)
  }

  /** Sets the clock without playing anything: for building a world's past. Forward only. */
  jump(to: Instant): void {
    this.#setNow(to)
  }

  /** How many rows each table of each space has. */
  counts(): Record<string, Record<string, number>> {
    const counts: Record<string, Record<string, number>> = {}
    const sizes = [
      ...[...this.#loaded].map(([path, values]) => [path, values.length] as const),
      ...[...this.#tables].map(([path, table]) => [path, table.size] as const),
    ]
    for (const [path, size] of sizes.toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      const [space = '', name = ''] = path.split('/')
      if (size > 0) (counts[space] ??= {})[name] = size
    }
    return counts
  }

  /** Every row of the world, as a storage keeps them. */
  *dump(): Generator<StoredRow> {
    for (const [path, values] of this.#loaded)
      for (const value of values) yield { table: path, key: (JSON.parse(value) as [number, Row])[1].id, value }
    for (const table of this.#tables.values()) yield* table.dump()
  }

  /** Another world with the same rows, clock and switches, kept in memory alone; from here on each lives its own life. */
  twin(): World {
    const { storage: _storage, populate: _populate, ...options } = this.#options
    const twin = new World({ ...options, clock: this.#now, keepEvents: this.keepEvents })
    for (const table of twin.#tables.values()) for (const row of table.all()) table.delete(row.id)
    for (const [path, values] of this.#loaded) twin.#loaded.set(path, [...values])
    for (const [path, table] of this.#tables) twin.#tableAt(path, table.definition).copyFrom(table)
    twin.#log.discard()
    twin.queue.rebuild()
    twin.#now = this.#now
    Object.assign(twin.unsure, this.unsure)
    return twin
  }

  /** Everything gone, and begun anew as at first. */
  reset(): void {
    // Tables nobody has asked for yet are emptied too, without becoming tables of this world.
    for (const [path, values] of this.#loaded) {
      const table = new Table(path, { name: path }, this.#log)
      table.load(values)
      for (const row of table.all()) table.delete(row.id)
    }
    this.#loaded.clear()
    for (const table of this.#tables.values()) for (const row of table.all()) table.delete(row.id)
    this.queue.rebuild()
    this.#now = this.#beginning
    this.#putSetting('clock', this.#now)
    this.#begin()
    this.commit()
  }

  #begin(): void {
    for (const module of this.modules) for (const account of this.accounts.values()) module.begin?.(account, this)
    this.#populate?.(this)
  }

  #open(about: { name: string; settings: AccountSettings }): void {
    const space = this.space(about.name)
    const account: Account = {
      ...space,
      accountId: `acct_1Sandbox${about.name.charAt(0).toUpperCase()}${about.name.slice(1).replaceAll(/[^A-Za-z0-9]/g, '')}${'0'.repeat(Math.max(0, 8 - about.name.length))}`,
      key: `sk_${this.livemode ? 'live' : 'test'}_sandbox_${about.name}`,
      settings: about.settings,
    }
    this.accounts.set(about.name, account)
  }

  #newSpace(name: string): Space {
    return {
      name,
      table: (definition) => this.#tableAt(`${name}/${definition.name}`, definition),
      newId: (prefix) => {
        const table = this.#tableAt(`${name}/counters`, counters)
        const id = prefix === '' ? '-' : prefix
        const count = (table.get(id)?.count ?? 0) + 1
        table.put({ id, created: 0, count })
        return idFor(this.seed, name, prefix, count)
      },
    }
  }

  #tableAt<R extends Row>(path: string, definition: TableDefinition<R>): Table<R> {
    const known = this.#tables.get(path)
    if (known !== undefined) return known as unknown as Table<R>
    const table = new Table(path, definition, this.#log)
    table.load(this.#loaded.get(path) ?? [])
    this.#loaded.delete(path)
    this.#tables.set(path, table as unknown as Table<Row>)
    return table
  }

  #setNow(at: Instant): void {
    if (at === this.#now) return
    this.#now = at
    this.#putSetting('clock', at)
  }

  #setting(id: string): unknown {
    return this.#tableAt('world/settings', settings).get(id)?.value
  }

  #putSetting(id: string, value: unknown): void {
    this.#tableAt('world/settings', settings).put({ id, created: 0, value })
  }
}

function keeps(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'keeps' in error && error.keeps === true
}
