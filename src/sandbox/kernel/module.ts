// What a file of the sandbox brings into a world.
import type { Context } from './context.ts'
import type { Listener } from './events.ts'
import type { Schema } from './params.ts'
import type { World } from './world.ts'

export type Method = 'GET' | 'POST' | 'DELETE'

/** A request as it came, from the wire or from the same process. */
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
  /** What a restricted key must be allowed (`products`), to read for GET and to write otherwise. */
  readonly permission: string
  /**
   * Returns the object as Stripe shows it with every includable field; the router cuts down and
   * expands.
   */
  readonly handle: (context: Context, params: never) => object
}

export interface DueWork {
  /** Order among work due at the same second: smaller first; 100 is usual. */
  readonly rank: number
  readonly run: (context: Context, key: string) => void
}

export interface Module {
  readonly routes?: readonly Route[]
  /**
   * How an id found by `expand[]` becomes an object, by the id's prefix (`prod`). Return undefined
   * for an unknown id.
   */
  readonly objects?: Readonly<Record<string, (context: Context, id: string) => object | undefined>>
  /** Ids that carry no prefix, by the name of the field that holds them (`coupon`). */
  readonly fields?: Readonly<Record<string, (context: Context, id: string) => object | undefined>>
  /** Fields left out of an object (by its `object`) unless expanded: `{ price: ['tiers'] }`. */
  readonly includable?: Readonly<Record<string, readonly string[]>>
  /**
   * Fields made only when expanded, of other modules' objects too: `{ customer: { subscriptions:
   * (context, id) => list } }`.
   */
  readonly includes?: Readonly<Record<string, Readonly<Record<string, (context: Context, id: string) => object>>>>
  /**
   * What other modules do when something happens here (`customer.deleted`): see `context.react`.
   */
  readonly reactions?: Readonly<Record<string, (context: Context, id: string) => void>>
  /** Work on the clock, by kind (`subscription.period_end`). */
  readonly due?: Readonly<Record<string, DueWork>>
  /** `/_sandbox/<name>` routes: `'GET charges'`. Input: the JSON body (POST) or the query. */
  readonly control?: Readonly<Record<string, (world: World, input: ControlInput) => ControlAnswer>>
  /** Members acting: `POST /_sandbox/act {"act": name, "account": …}`. */
  readonly acts?: Readonly<Record<string, (context: Context, input: ControlInput) => object>>
  readonly listener?: Listener
  /** Other services on other paths (`/kajabi/`). */
  readonly mounts?: Readonly<Record<string, (world: World, request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>>>
}

export type ControlInput = Readonly<Record<string, unknown>>
export type ControlAnswer = object | string | Promise<object | string>

/** A route whose handler gets what its schema reads. */
export function route<T>(
  method: Method,
  path: string,
  about: { permission: string; params: Schema<T>; handle: (context: Context, params: T) => object },
): Route {
  return { method, path, permission: about.permission, params: about.params, handle: about.handle }
}
