// What a file of the sandbox adds to a world.
import type { Context } from './context.ts'
import type { Listener } from './events.ts'
import type { Schema } from './params.ts'
import type { World } from './world.ts'

export type Method = 'GET' | 'POST' | 'DELETE'

/** A request as received, from the network or from the same process. */
export interface HttpRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Headers
  readonly body: string
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface Route {
  readonly method: Method
  /** `/v1/products/:product`: steps after a colon arrive in `context.path`. */
  readonly path: string
  readonly params: Schema<unknown>
  /** The resource that a restricted key must permit (`products`): read for GET, write otherwise. */
  readonly permission: string
  /**
   * Returns the object as Stripe shows it, with every includable field; the router omits and
   * expands.
   */
  readonly handle: (context: Context, params: never) => object
}

export interface DueWork {
  /** The order of work due at the same second: smaller first; 100 is usual. */
  readonly rank: number
  readonly run: (context: Context, key: string) => void
}

export interface Module {
  readonly routes?: readonly Route[]
  /**
   * How `expand[]` turns an id into an object, by the prefix of the id (`prod`). Returns undefined
   * for an unknown id.
   */
  readonly objects?: Readonly<Record<string, (context: Context, id: string) => object | undefined>>
  /** Ids without a prefix, by the name of the field that holds them (`coupon`). */
  readonly fields?: Readonly<Record<string, (context: Context, id: string) => object | undefined>>
  /**
   * Fields of an object (by its `object`) that are omitted unless expanded: `{ price: ['tiers'] }`.
   */
  readonly includable?: Readonly<Record<string, readonly string[]>>
  /**
   * Fields that are made only when expanded, also in objects of other modules: `{ customer: {
   * subscriptions: (context, id) => list } }`.
   */
  readonly includes?: Readonly<Record<string, Readonly<Record<string, (context: Context, id: string) => object>>>>
  /**
   * What this module does when something happens to an object of another module
   * (`customer.deleted`): see `context.react`.
   */
  readonly reactions?: Readonly<Record<string, (context: Context, id: string) => void>>
  /** Work on the clock, by kind (`subscription.period_end`). */
  readonly due?: Readonly<Record<string, DueWork>>
  /** `/_sandbox/<name>` routes: `'GET charges'`. The input is the JSON body (POST) or the query. */
  readonly control?: Readonly<Record<string, (world: World, input: ControlInput) => ControlAnswer>>
  /** What members do: `POST /_sandbox/act {"act": name, "account": …}`. */
  readonly acts?: Readonly<Record<string, (context: Context, input: ControlInput) => object>>
  readonly listener?: Listener
  /** Other services under other paths (`/kajabi/`). */
  readonly mounts?: Readonly<Record<string, (world: World, request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>>>
}

export type ControlInput = Readonly<Record<string, unknown>>
export type ControlAnswer = object | string | Promise<object | string>

/** A route whose handler receives the parameters that its schema reads. */
export function route<T>(
  method: Method,
  path: string,
  about: { permission: string; params: Schema<T>; handle: (context: Context, params: T) => object },
): Route {
  return { method, path, permission: about.permission, params: about.params, handle: about.handle }
}
