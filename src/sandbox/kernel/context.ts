// What a handler, a piece of due work or a member's act receives: one account at one instant.
import { assert } from '../../core/assert.ts'
import type { Instant } from '../../core/instant.ts'
import type { Account } from './account.ts'
import { recordEvent, type Shown } from './events.ts'
import type { Row, Table, TableDefinition } from './tables.ts'
import type { World } from './world.ts'

export interface RequestInfo {
  readonly id: string | null
  readonly idempotency_key: string | null
}

export class Context {
  readonly world: World
  readonly account: Account
  /** The ids in the route's path: `/v1/products/:product` → `path.product`. */
  readonly path: Readonly<Record<string, string>>
  readonly request: RequestInfo
  /** The restricted key of the request; undefined for a key that may do everything. */
  readonly restricted: string | undefined
  /** The test clock of the customer concerned; undefined in the world's own time. */
  readonly clock: string | undefined

  constructor(
    world: World,
    account: Account,
    about: {
      path?: Readonly<Record<string, string>>
      request?: RequestInfo
      clock?: string | undefined
      restricted?: string | undefined
    } = {},
  ) {
    this.world = world
    this.account = account
    this.clock = about.clock
    this.restricted = about.restricted
    this.path = about.path ?? {}
    this.request = about.request ?? { id: null, idempotency_key: null }
  }

  get now(): Instant {
    return this.world.timeOf(this.account, this.clock)
  }

  /** The same account in the world's own time, in which webhooks travel. */
  onWorldClock(): Context {
    return this.clock === undefined ? this : new Context(this.world, this.account, { request: this.request })
  }

  get livemode(): boolean {
    return this.world.livemode
  }

  table<R extends Row>(definition: TableDefinition<R>): Table<R> {
    return this.account.table(definition)
  }

  newId(prefix: string): string {
    return this.account.newId(prefix)
  }

  /** The id in the path (`:product`). */
  id(name: string): string {
    const id = this.path[name]
    assert(id !== undefined, `the route has no :${name}`)
    return id
  }

  /** Runs `due[kind].run(context, key)` at an instant. The same kind and key again moves it. */
  schedule(at: Instant, kind: string, key: string): void {
    this.world.schedule(this.account, at, { kind, key, clock: this.clock })
  }

  unschedule(kind: string, key: string): void {
    this.world.queueOf(this.clock).cancel({ space: this.account.name, kind, key })
  }

  scheduled(kind: string, key: string): Instant | undefined {
    return this.world.queueOf(this.clock).at({ space: this.account.name, kind, key })
  }

  /**
   * Writes an event to the account's log and queues its deliveries. `object` is the object as
   * rendered after the change, `before` the same object before it; the changed top-level fields
   * become `previous_attributes`. Either may be a function that renders the object.
   */
  emit(type: string, object: Shown, before?: Shown): string {
    return recordEvent(this, type, { object, ...(before === undefined ? {} : { before }) })
  }

  /**
   * Lets other modules react to what happened to an object (`customer.deleted`) within the same
   * transaction.
   */
  react(what: string, id: string): void {
    for (const module of this.world.modules) module.reactions?.[what]?.(this, id)
  }
}
